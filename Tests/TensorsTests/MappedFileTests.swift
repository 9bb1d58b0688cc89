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
        // The kernel's limit is 65,530 mappings, so leaked ones would make this fail.
        for _ in 0..<70_000 { _ = try MappedFile(path: path) }
    }

    /// A file of 5,000 bytes with an old time of modification, mapped.
    private func watched(_ directory: TemporaryDirectory, _ isWatched: Bool = true) throws -> MappedFile {
        let path = try directory.write("file", String(repeating: "x", count: 5_000))
        var times = [timespec(tv_sec: 1_000_000, tv_nsec: 0), timespec(tv_sec: 1_000_000, tv_nsec: 0)]
        try #require(utimensat(AT_FDCWD, path, &times, 0) == 0)
        return try MappedFile(path: path, isWatched: isWatched)
    }

    private func overwrite(_ path: String) throws {
        let descriptor = open(path, O_WRONLY)
        try #require(descriptor >= 0 && pwrite(descriptor, "y", 1, 17) == 1)
        close(descriptor)
    }

    @Test func `what is written to a watched file is told`() throws {
        let directory = try TemporaryDirectory()
        let file = try watched(directory)
        #expect(file.change(includingReplacement: true) == nil)
        try overwrite(file.path)
        #expect(file.change(includingReplacement: false) == "was written to")
        try #require(truncate(file.path, 4_000) == 0)
        #expect(file.change(includingReplacement: true) == "was cut short from 5000 to 4000 bytes")
        try #require(truncate(file.path, 6_000) == 0)
        #expect(file.change(includingReplacement: true) == "grew from 5000 to 6000 bytes")
        let other = try TemporaryDirectory()
        let unwatched = try watched(other, false)
        try overwrite(unwatched.path)
        #expect(unwatched.change(includingReplacement: true) == nil)
    }

    @Test func `another file in its place counts where it is asked for, other links and modes never`() throws {
        let directory = try TemporaryDirectory()
        let file = try watched(directory)
        try #require(chmod(file.path, 0o400) == 0 && link(file.path, directory.file("link")) == 0)
        #expect(file.change(includingReplacement: true) == nil)
        try #require(rename(try directory.write("new", "z"), file.path) == 0)
        #expect(file.change(includingReplacement: false) == nil)
        #expect(file.change(includingReplacement: true) == "was replaced by another file")
        try #require(unlink(file.path) == 0)
        #expect(file.change(includingReplacement: false) == nil)
        #expect(file.change(includingReplacement: true) == "was removed")
        // This changes the mapped file through its other name.
        try overwriteLocked(directory.file("link"))
        #expect(file.change(includingReplacement: false) == "was written to")
    }

    private func overwriteLocked(_ path: String) throws {
        try #require(chmod(path, 0o600) == 0)
        try overwrite(path)
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
