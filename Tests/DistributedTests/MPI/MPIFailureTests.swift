import Failures
import Foundation
import Testing

@testable import MPI

/// Which MPI errors a restart may resolve.
@MainActor @Suite(.serialized) struct MPIFailureTests {
    /// The texts of libraries that do not name the error class, by the class's name: those of MPICH.
    private static let words = [
        "Invalid communicator": "MPI_ERR_COMM", "Message truncated": "MPI_ERR_TRUNCATE",
        "Invalid MPI_Win": "MPI_ERR_WIN", "Target memory is not contained within the window": "MPI_ERR_RMA_RANGE",
        "Unable to allocate memory for MPI_Alloc_mem": "MPI_ERR_NO_MEM",
        "Not enough space for file": "MPI_ERR_NO_SPACE",
        "Quota exceeded for files": "MPI_ERR_QUOTA", "Unsupported file operation": "MPI_ERR_UNSUPPORTED_OPERATION",
        "Memory cannot be shared": "MPI_ERR_RMA_SHARED", "Internal MPI error!": "MPI_ERR_INTERN",
        "Other MPI error": "MPI_ERR_OTHER", "Unknown error.  Please file a bug report.": "MPI_ERR_UNKNOWN",
    ]

    /// The codes of the error classes, by name.
    private func codes() throws -> [String: Int32] {
        _ = try TestWorld.world
        var codes: [String: Int32] = [:]
        for code in Int32(1)..<128 {
            let text = errorText(code).trimmingCharacters(in: .whitespaces)
            let name = Self.words[text] ?? text.split(separator: ":").first.map(String.init) ?? ""
            if name.hasPrefix("MPI_ERR_"), codes[name] == nil { codes[name] = code }
        }
        return codes
    }

    @Test(
        arguments: [
            ("MPI_ERR_COMM", .internal), ("MPI_ERR_TRUNCATE", .internal), ("MPI_ERR_WIN", .internal),
            ("MPI_ERR_RMA_RANGE", .internal), ("MPI_ERR_NO_MEM", .systemRefused), ("MPI_ERR_NO_SPACE", .systemRefused),
            ("MPI_ERR_QUOTA", .systemRefused), ("MPI_ERR_UNSUPPORTED_OPERATION", .systemRefused),
            ("MPI_ERR_RMA_SHARED", .systemRefused), ("MPI_ERR_INTERN", .rankLost), ("MPI_ERR_OTHER", .rankLost),
            ("MPI_ERR_UNKNOWN", .rankLost),
        ] as [(String, ExitCode)])
    func `an error says whether to start again`(name: String, code: ExitCode) throws {
        let error = try #require(try codes()[name], "this library has no \(name)")
        let failure = failure(of: error, "do it")
        #expect(failure.code == code)
        #expect(failure.message.hasPrefix("MPI cannot do it: \(errorText(error))"))
        #expect(failure.message.contains("start again") == (code == .rankLost))
    }

    @Test func `the room for shared memory is that of the library's directory`() throws {
        _ = try TestWorld.world
        #expect(SharedRoom.directory.hasPrefix("/"))
        let free = try #require(SharedRoom.free)
        // Other processes may give memory back meanwhile.
        let room = SharedRoom(byteCount: free + (1 << 30), ranks: 2, content: "a test", remedy: "leave it out")
        let failure = try #require(throws: Failure.self) { try room.check() }
        #expect(failure.code == .systemRefused)
        #expect(failure.message.hasPrefix("the 2 ranks of this node cannot share "))
        #expect(failure.message.contains(" for a test: \(SharedRoom.directory) has "))
        #expect(failure.message.hasSuffix("--shm-size), leave it out"))
    }
}
