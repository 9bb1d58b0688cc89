import Failures
import Testing

@testable import MPI

/// Which errors of MPI a restart may mend.
@MainActor @Suite(.serialized) struct MPIFailureTests {
    /// The codes of the classes, by the names that the library gives them.
    private func codes() throws -> [String: Int32] {
        _ = try TestWorld.world
        var codes: [String: Int32] = [:]
        for code in Int32(1)..<128 {
            let name = errorText(code).split(separator: ":").first.map(String.init) ?? ""
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
        #expect(failure.message.hasPrefix("MPI cannot do it: \(name)"))
        #expect(failure.message.contains("start again") == (code == .rankLost))
    }

    @Test func `the room for shared memory is that of the library's directory`() throws {
        _ = try TestWorld.world
        #expect(SharedRoom.directory.hasPrefix("/"))
        let free = try #require(SharedRoom.free)
        let room = SharedRoom(byteCount: free + 1, ranks: 2, content: "a test", remedy: "leave it out")
        let failure = try #require(throws: Failure.self) { try room.check() }
        #expect(failure.code == .systemRefused)
        #expect(failure.message.hasPrefix("the 2 ranks of this node cannot share "))
        #expect(failure.message.contains(" for a test: \(SharedRoom.directory) has "))
        #expect(failure.message.hasSuffix("--shm-size), leave it out"))
    }
}
