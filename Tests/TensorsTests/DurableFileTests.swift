import Failures
import Foundation
import TestSupport
import Testing

@testable import Tensors

@Suite struct DurableFileTests {
    @Test func `parts of any size arrive in order`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("out")
        let file = try DurableFile(creating: path)
        var expected: [UInt8] = []
        for (index, size) in [0, 1, 65_535, 1, 65_536, 65_537, 200_000, 3].enumerated() {
            let part = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ index) }
            try file.write(part)
            expected += part
        }
        let summary = try file.finish()
        #expect([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) == expected)
        #expect(summary.size == expected.count)
        #expect(summary.digest == expected.withUnsafeBytes { ContentDigest(of: $0) })
    }

    @Test func `an existing file is kept on request`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("out", "old")
        let refusal = failure { _ = try DurableFile(creating: path, exclusively: true) }
        #expect(refusal?.code == .cannotWrite)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
    }

    /// The names are easy to guess.
    @Test func `what stands under the name of a temporary file is not written through`() throws {
        let directory = try TemporaryDirectory()
        let (path, target) = (directory.file("out"), try directory.write("target", "mine"))
        let parts = TemporaryFile.path(beside: path).split(separator: "-", omittingEmptySubsequences: false)
        let next = try #require(parts.last.flatMap { Int($0.dropLast(4)) })
        for number in next..<next + 500 {
            let name = (parts.dropLast() + ["\(number).tmp"]).joined(separator: "-")
            try FileManager.default.createSymbolicLink(atPath: name, withDestinationPath: target)
        }
        try DurableFile.replace(path) { file throws(Failure) in try file.write("new") }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "new")
        #expect(try String(contentsOfFile: target, encoding: .utf8) == "mine")
    }

    @Test func `replacing is all or nothing and leaves nothing behind`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("out", "old")
        let refusal = failure {
            try DurableFile.replace(path) { (file) throws(Failure) in
                try file.write(String(repeating: "new", count: 100_000))
                throw Failure(.notFinite, "stop")
            }
        }
        #expect(refusal == Failure(.notFinite, "stop"))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["out"])
        try DurableFile.replace(path) { (file) throws(Failure) in try file.write("new") }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "new")
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["out"])
    }

    @Test func `a replacement that cannot be renamed is removed`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("target/inside", "")
        let refusal = failure {
            try DurableFile.replace(directory.file("target")) { (file) throws(Failure) in try file.write("new") }
        }
        #expect(refusal?.code == .cannotWrite)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["target"])
    }

    /// No process has the number after the largest one.
    @Test func `what a killed process left of a file is removed with the next, what others write is not`() throws {
        let directory = try TemporaryDirectory()
        let host = ProcessInfo.processInfo.hostName
        let (dead, alive) = (".out.\(host)-4194305-1.tmp", ".out.\(host)-\(getppid())-1.tmp")
        let names = [dead, alive, ".out.elsewhere-4194305-1.tmp", ".out.4194305.tmp", ".other.\(host)-4194305-1.tmp"]
        func age(_ seconds: Double) throws {
            for name in names {
                let path = directory.file(name)
                if !FileManager.default.fileExists(atPath: path) { try directory.write(name, "") }
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSinceNow: -seconds)], ofItemAtPath: path)
            }
            try DurableFile.replace(directory.file("out")) { (file) throws(Failure) in try file.write("new") }
        }
        func left() throws -> Set<String> {
            Set(try FileManager.default.contentsOfDirectory(atPath: directory.path))
        }
        try age(5)
        #expect(try left() == Set(names + ["out"]))
        try age(3600)
        #expect(try left() == Set(names + ["out"]).subtracting([dead]))
        try age(90_000)
        #expect(try left() == [names[4], "out"])
    }

    @Test(arguments: [
        ("a", ".", "a"), ("a/b", "a", "b"), ("/a", "/", "a"), ("/a/b/", "/a", "b"), ("./a", ".", "a"),
        ("a/b//", "a", "b"),
    ])
    func `a path is split into directory and name`(_ path: String, _ directory: String, _ name: String) {
        #expect(DurableFile.split(path) == (directory, name))
    }
}
