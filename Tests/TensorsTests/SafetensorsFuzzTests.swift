import Failures
import Glibc
import Testing

@testable import Tensors

@Suite struct SafetensorsFuzzTests {
    @Test(.timeLimit(.minutes(2)))
    func `120,000 damaged files are refused or read without a crash`() throws {
        let cases = 120_000
        let originals = Self.originals
        let memory = try GuardedMemory(capacity: 1 << 16)
        var mutator = SafetensorsMutator(originals: originals, seed: 20_240_611)
        var accepted = 0
        var refusals: Set<String> = []
        var checksum: UInt64 = 0
        for _ in 0..<cases {
            let bytes = memory.place(mutator.next())
            do {
                let file = try SafetensorsFile(bytes: bytes, mapping: nil, path: "f")
                checksum &+= try readEverything(file, of: bytes)
                accepted += 1
            } catch let failure as Failure {
                guard failure.code == .badData, failure.message.hasPrefix("f "), failure.message.utf8.count < 4_000
                else {
                    Issue.record("unfit refusal: \(failure)")
                    continue
                }
                refusals.insert(kind(failure.message))
            }
        }
        // Most changes must be detected, but those without meaning, such as a changed data byte, must not be refused.
        #expect(accepted > cases / 50, "only \(accepted) accepted")
        #expect(accepted < cases / 2, "\(accepted) accepted")
        #expect(refusals.count > 40, "only \(refusals.count) kinds of refusal")
        #expect(checksum != 0)
    }

    @Test func `every cut of a valid file is refused`() throws {
        let memory = try GuardedMemory(capacity: 1 << 16)
        for original in Self.originals where original.last != UInt8(ascii: "}") {
            for length in 0..<original.count {
                let bytes = memory.place(Array(original[..<length]))
                #expect(throws: Failure.self) { try SafetensorsFile(bytes: bytes, mapping: nil, path: "f") }
            }
        }
    }

    private static let originals: [[UInt8]] = [
        safetensors(
            #"{"__metadata__":{"format":"pt","k\n":"\u00e9"},"#
                + #""a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"#
                + #""b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]},"#
                + #""c\u0041":{"dtype":"I64","shape":[],"data_offsets":[32,40]}}    "#,
            data: (0..<40).map { UInt8($0 * 5) }),
        safetensors(
            #"{"x":{"shape":[3,1,1],"data_offsets":[0,6],"dtype":"F16"},"#
                + #""e":{"dtype":"I32","data_offsets":[6,6],"shape":[0,7]},"#
                + #""w.ü":{"dtype":"I32","data_offsets":[6,14],"shape":[2]}}"#,
            data: (0..<14).map { UInt8($0 + 200) }),
        safetensors(#"{"t":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}"#, data: [1]),
        safetensors("{}"),
    ]

    /// Reads every byte of every tensor in every possible way, and checks the promises of an accepted file.
    private func readEverything(_ file: SafetensorsFile, of bytes: UnsafeRawBufferPointer) throws -> UInt64 {
        var sum: UInt64 = UInt64(file.metadata.count)
        var end = 0
        for tensor in file.tensors {
            #expect(tensor.byteRange.lowerBound == end)
            end = tensor.byteRange.upperBound
            #expect(tensor.shape.reduce(1, *) == tensor.count)
            #expect(file[tensor.name] == tensor)
            sum &+= file.bytes(of: tensor).reduce(1) { $0 &* 31 &+ UInt64($1) }
            if let floats = file.floats(of: tensor) {
                for index in 0..<tensor.count { sum &+= UInt64(floats[index].bitPattern) }
            }
            if tensor.elementType.convertsToFloat {
                for value in try file.readFloats(named: tensor.name) { sum &+= UInt64(value.bitPattern) }
            }
            if tensor.elementType == .int32 { sum &+= UInt64(try file.readInt32(named: tensor.name).count) }
        }
        let data = bytes.count - 8 - Int(bytes.loadUnaligned(as: UInt64.self).littleEndian)
        #expect(end == data)
        return sum
    }

    /// The refusal without its figures and names.
    private func kind(_ message: String) -> String {
        var quoted = false
        var kept: [UInt8] = []
        for byte in message.utf8 {
            if byte == UInt8(ascii: "'") { quoted.toggle() }
            if !quoted, !(0x30...0x39).contains(byte) { kept.append(byte) }
        }
        return String(decoding: kept, as: UTF8.self)
    }
}

/// Memory that ends at an inaccessible page, so that a read beyond the end of a file ends the test.
private final class GuardedMemory {
    private let base: UnsafeMutableRawPointer
    private let capacity: Int
    private let page = Int(sysconf(Int32(_SC_PAGESIZE)))

    init(capacity: Int) throws {
        self.capacity = (capacity + page - 1) / page * page
        let memory = mmap(nil, self.capacity + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        base = try #require(memory != MAP_FAILED ? memory : nil)
        try #require(mprotect(base + self.capacity, page, PROT_NONE) == 0)
    }

    deinit {
        munmap(base, capacity + page)
    }

    func place(_ bytes: [UInt8]) -> UnsafeRawBufferPointer {
        precondition(bytes.count <= capacity)
        let target = UnsafeMutableRawBufferPointer(start: base + capacity - bytes.count, count: bytes.count)
        target.copyBytes(from: bytes)
        return UnsafeRawBufferPointer(target)
    }
}
