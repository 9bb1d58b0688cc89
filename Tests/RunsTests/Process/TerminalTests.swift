import Foundation
import Testing

@testable import Runs

@Suite struct TerminalTests {
    private static let text = String(repeating: "straße ", count: 100_000)

    /// A pipe accepts 64 KiB at once, so most writes are partial or find the pipe full.
    @Test(arguments: [false, true]) func `a text arrives whole however little a pipe takes at once`(blocks: Bool) throws
    {
        let pipe = Pipe()
        let descriptor = pipe.fileHandleForWriting.fileDescriptor
        if !blocks {
            #expect(fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) == 0)
        }
        let writer = Thread {
            #expect(Terminal.write(Self.text, to: descriptor) == nil)
            try? pipe.fileHandleForWriting.close()
        }
        writer.start()
        usleep(50_000)
        let read = try pipe.fileHandleForReading.readToEnd() ?? Data()
        #expect(String(decoding: read, as: UTF8.self) == Self.text)
    }

    @Test func `an error is given as its number`() throws {
        let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
        #expect(Terminal.write("a", to: full.fileDescriptor) == ENOSPC)
        #expect(Terminal.write("", to: full.fileDescriptor) == nil)
        #expect(Terminal.write("a", to: -1) == EBADF)
    }
}
