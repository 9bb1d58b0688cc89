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
/// - Throws: with MPI's own text when the code is not MPI_SUCCESS. `Failure(.internal)` for a wrong call; anything else
///   is a rank, host or network that failed, `rankLost`.
func check(
    _ call: @autoclosure () -> Int32, _ action: @autoclosure () -> String, waits: Bool = true
) throws(Failure) {
    let error = waits ? Heartbeat.waiting { call() } : call()
    guard error != 0 else { return }
    let text = text(capacity: cmpi_error_text_size) { cmpi_error_text(error, $0) }
    guard cmpi_is_misuse(error) == 0 else { throw Failure(.internal, "MPI cannot \(action()): \(text)") }
    throw Failure(
        .rankLost,
        "MPI cannot \(action()): \(text); a rank, its host or the network has failed, start again to continue")
}

/// The zero-terminated text that `fill` writes into a buffer of `capacity` bytes.
func text(capacity: Int, _ fill: (UnsafeMutablePointer<CChar>) -> Void) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { buffer in
        buffer.initialize(repeating: 0)
        fill(buffer.baseAddress!)
        return String(decoding: buffer.prefix { $0 != 0 }.lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
