import CMPI
import Failures
import Heartbeat

/// Turns MPI error codes into a `Failure`; every call of the shim passes through here.
///
/// While the call lasts this process counts as waiting for others, unless `waits` is false. That is for calls of a thread whose
/// waiting says nothing about the other ranks.
///
/// - Parameters:
///   - call: the call, which returns MPI's error code.
///   - action: what was tried, as in "cannot <action>".
/// - Throws: a failure with MPI's own text when the code is not MPI_SUCCESS; `failure(of:_:)` chooses its exit code.
func check(
    _ call: @autoclosure () -> Int32, _ action: @autoclosure () -> String, waits: Bool = true
) throws(Failure) {
    let error = waits ? Heartbeat.waiting { call() } : call()
    guard error != 0 else { return }
    throw failure(of: error, action())
}

/// Maps an MPI error to an exit code that says whether a restart may help.
///
/// A wrong call is `internal`. Missing memory, space, permission or ability is `systemRefused`, since it would be missing at
/// the next start too. Anything else is `rankLost`: a rank, host or network failed, although MPI often calls such an error
/// internal. A call that knows more chooses the code itself (`Communicator.allocateShared`).
func failure(of error: Int32, _ action: String) -> Failure {
    let said = "MPI cannot \(action): \(errorText(error))"
    return switch cmpi_kind_of_error(error) {
    case cmpi_misuse: Failure(.internal, said)
    case cmpi_lacking:
        Failure(
            .systemRefused,
            said + "; this machine or its MPI does not have what the job needs, so provide that before a restart")
    default:
        Failure(.rankLost, said + "; a rank, its host or the network has failed, start again to continue")
    }
}

/// MPI's text about an error, in one line. MPICH's has several lines: what is wrong and the calls that led there.
func errorText(_ error: Int32) -> String {
    unsafe text(capacity: cmpi_error_text_size) { unsafe cmpi_error_text(error, $0) }
        .split(whereSeparator: \.isNewline).joined(separator: "; ")
}

/// The zero-terminated text that `fill` writes into a buffer of `capacity` bytes.
func text(capacity: Int, _ fill: (UnsafeMutablePointer<CChar>) -> Void) -> String {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { buffer in
        unsafe buffer.initialize(repeating: 0)
        unsafe fill(buffer.baseAddress!)
        return unsafe String(decoding: buffer.prefix { $0 != 0 }.lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
