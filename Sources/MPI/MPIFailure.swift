import CMPI
import Failures
import Heartbeat

/// The choke point from MPI error codes to `Failure`: every call of the shim passes through here.
///
/// While the call lasts this process counts as waiting for others, unless `waits` is false: for calls of a thread whose
/// life says nothing about that of the others.
///
/// - Parameters:
///   - call: the call, which gives MPI's error code.
///   - action: what was tried, as in "cannot <action>".
/// - Throws: with MPI's own text when the code is not MPI_SUCCESS; which exit code that is says `failure(of:_:)`.
func check(
    _ call: @autoclosure () -> Int32, _ action: @autoclosure () -> String, waits: Bool = true
) throws(Failure) {
    let error = waits ? Heartbeat.waiting { call() } : call()
    guard error != 0 else { return }
    throw failure(of: error, action())
}

/// What an MPI error means for the job: whether to start it again may help.
///
/// `internal` for a wrong call; `systemRefused` where memory, space, permission or an ability is missing, as it would be
/// at the next start too; anything else, of which MPI often says no more than that it is internal, is a rank, host or
/// network that failed: `rankLost`. A call of which more is known says so itself (`Communicator.allocateShared`).
func failure(of error: Int32, _ action: String) -> Failure {
    let said = "MPI cannot \(action): \(errorText(error))"
    return switch cmpi_kind_of_error(error) {
    case cmpi_misuse: Failure(.internal, said)
    case cmpi_lacking:
        Failure(
            .systemRefused,
            said + "; this machine or its MPI does not have what the job needs, so mend that before a restart")
    default:
        Failure(.rankLost, said + "; a rank, its host or the network has failed, start again to continue")
    }
}

/// MPI's words about an error, in one line: MPICH has several, what is wrong and the calls that led there.
func errorText(_ error: Int32) -> String {
    text(capacity: cmpi_error_text_size) { cmpi_error_text(error, $0) }
        .split(whereSeparator: \.isNewline).joined(separator: "; ")
}

/// The zero-terminated text that `fill` writes into a buffer of `capacity` bytes.
func text(capacity: Int, _ fill: (UnsafeMutablePointer<CChar>) -> Void) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { buffer in
        buffer.initialize(repeating: 0)
        fill(buffer.baseAddress!)
        return String(decoding: buffer.prefix { $0 != 0 }.lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
