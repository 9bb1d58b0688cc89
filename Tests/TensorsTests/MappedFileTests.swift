import Failures
import Glibc
import Tensors
import TestSupport
import Testing

@Suite struct MappedFileTests {
    @Test func `a file is mapped byte for byte`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("file", "some bytes")
        let file = try MappedFile(path: path)
        withExtendedLifetime(file) { #expect(Array(file.bytes) == Array("some bytes".utf8)) }
        #expect(file.path == path)
    }

    @Test func `the content stays readable after the name is gone`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("file", String(repeating: "x", count: 10_000))
        let file = try MappedFile(path: path)
        try #require(unlink(path) == 0)
        withExtendedLifetime(file) { #expect(file.bytes.allSatisfy { $0 == UInt8(ascii: "x") }) }
    }

    @Test func `an empty file has no bytes`() throws {
        let directory = try TemporaryDirectory()
        #expect(try MappedFile(path: try directory.write("empty", "")).bytes.isEmpty)
    }

    @Test func `mappings are given back`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("file", String(repeating: "x", count: 5_000))
        // The kernel's limit is 65,530 mappings, so leaking ones would fail on the way.
        for _ in 0..<70_000 { _ = try MappedFile(path: path) }
    }

    @Test func `an absent file is refused with its path`() throws {
        let directory = try TemporaryDirectory()
        let refusal = failure { _ = try MappedFile(path: directory.file("absent")) }
        #expect(refusal?.code == .inputMissing)
        #expect(refusal?.message.contains(directory.file("absent")) == true)
        #expect(refusal?.message.contains("No such file or directory") == true)
    }

    @Test func `a directory is refused as one`() throws {
        let directory = try TemporaryDirectory()
        let refusal = failure { _ = try MappedFile(path: directory.path) }
        #expect(refusal?.code == .inputMissing)
        #expect(refusal?.message.contains("is a directory") == true)
    }

    @Test func `a named pipe is refused without waiting for a writer`() throws {
        let directory = try TemporaryDirectory()
        try #require(mkfifo(directory.file("pipe"), 0o600) == 0)
        let refusal = failure { _ = try MappedFile(path: directory.file("pipe")) }
        #expect(refusal?.code == .inputMissing)
        #expect(refusal?.message.contains("not a regular file") == true)
    }

    @Test(.enabled(if: geteuid() != 0, "root may read everything"))
    func `an unreadable file is refused`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("secret", "text")
        try #require(chmod(path, 0) == 0)
        let refusal = failure { _ = try MappedFile(path: path) }
        #expect(refusal?.code == .inputMissing)
        #expect(refusal?.message.contains("Permission denied") == true)
    }
}
