import Failures
import Foundation
import TestSupport
import Testing

@testable import Tensors

@Suite struct SafetensorsWriterTests {
    @Test func `what is written is read back in its order`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("out.safetensors")
        var layout = ParameterLayout()
        layout.append("w", [2, 3])
        layout.append("v", [0, 5])
        layout.append("u", [1])
        let arena = Arena(count: layout.count)
        for index in 0..<layout.count { arena.base[index] = Float(index) * 0.1 - .leastNonzeroMagnitude }
        var writer = SafetensorsWriter(metadata: ["format": "pt", "odd": "\"\\\u{1}\n ü 😀"])
        try writer.add("z", [2], [Int32.min, 7])
        try writer.add(layout, arena.readOnly, prefix: "m.")
        try writer.add("scalar", [], [Float.nan])
        let memory = [Float](repeating: 3, count: 100_000)
        try memory.withUnsafeBufferPointer { buffer in
            try writer.add("large", [1_000, 100], memory: buffer)
            try writer.write(to: path)
        }
        let file = try SafetensorsFile(path: path)
        #expect(file.metadata == ["format": "pt", "odd": "\"\\\u{1}\n ü 😀"])
        #expect(file.tensors.map(\.name) == ["z", "m.w", "m.v", "m.u", "scalar", "large"])
        #expect(file.tensors.map(\.shape) == [[2], [2, 3], [0, 5], [1], [], [1_000, 100]])
        #expect(try file.readInt32(named: "z") == [.min, 7])
        #expect(try file.readFloats(named: "m.w") == Array(arena.elements[0..<6]))
        #expect(try file.readFloats(named: "m.u") == [arena.base[6]])
        #expect(try file.readFloats(named: "scalar")[0].isNaN)
        #expect(try file.readFloats(named: "large") == memory)
        for tensor in file.tensors where tensor.count > 0 && tensor.elementType == .float32 {
            #expect(file.floats(of: tensor) != nil)
        }
    }

    @Test func `the same content gives the same bytes, and the summary describes them`() throws {
        let directory = try TemporaryDirectory()
        let paths = ["one", "two"].map(directory.file)
        let summaries = try paths.map { path in
            var writer = SafetensorsWriter(metadata: ["a": "1", "c": "3", "b": "2", "d": "4", "e": "5"])
            try writer.add("x", [3], [Float(1), 2, 3])
            return try writer.write(to: path)
        }
        let contents = try paths.map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
        #expect(contents[0] == contents[1])
        #expect(summaries[0] == summaries[1])
        #expect(summaries[0].size == contents[0].count)
        #expect(try summaries[0].digest == ContentDigest.of(file: paths[0]))
        #expect(contents[0].count % 4 == 0 && contents[0][0] % 8 == 0)
    }

    @Test func `impossible tensors are refused`() throws {
        var writer = SafetensorsWriter()
        try writer.add("x", [1], [Float(1)])
        #expect(failure { try writer.add("x", [1], [Float(1)]) }?.code == .internal)
        #expect(failure { try writer.add("__metadata__", [1], [Float(1)]) }?.code == .internal)
        #expect(failure { try writer.add("y", [2], [Float(1)]) }?.message.contains("1 elements for shape [2]") == true)
        #expect(failure { try writer.add("y", [-1, -1], [Float(1)]) }?.code == .internal)
    }

    @Test func `a full disk is a failure that names the path`() throws {
        var writer = SafetensorsWriter()
        try writer.add("x", [1_000], [Float](repeating: 1, count: 1_000))
        let refusal = failure { try writer.write(to: "/dev/full") }
        #expect(refusal?.code == .cannotWrite)
        #expect(
            refusal?.message
                == "cannot write /dev/full: No space left on device; free space or choose another directory")
    }

    @Test func `a path that cannot be created is a failure that names it`() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("file", "text")
        for path in [directory.file("absent/x"), file + "/x", directory.path] {
            let refusal = failure { try SafetensorsWriter().write(to: path) }
            #expect(refusal?.code == .cannotWrite)
            #expect(refusal?.message.contains("cannot create \(path): ") == true)
        }
    }
}
