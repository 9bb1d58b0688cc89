import CSentencePiece
import Failures
import Foundation

/// Calls the shim and turns its status into a failure; all errors of the library pass through here.
///
/// - Parameter code: The code for when the library refuses its input; errors of the library itself are always `internal`.
func callLibrary(
    _ purpose: @autoclosure () -> String, refusal code: ExitCode,
    _ body: (UnsafeMutablePointer<CChar>) -> csp_status
) throws(Failure) {
    var status = csp_ok
    let message = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(csp_message_capacity)) { buffer in
        unsafe buffer.initialize(repeating: 0)
        status = unsafe body(buffer.baseAddress!)
        return unsafe status == csp_ok ? "" : String(cString: buffer.baseAddress!)
    }
    guard status != csp_ok else { return }
    throw Failure(status == csp_refused ? code : .internal, "\(purpose()): \(readable(message))")
}

/// The library's message without the position in its own source, `./src/file.cc(12) [condition] reason`.
private func readable(_ message: String) -> String {
    guard let end = message.range(of: "] "), message.contains(".cc(") else { return message }
    let reason = message[end.upperBound...]
    return reason.isEmpty ? "SentencePiece cannot parse it" : String(reason)
}
