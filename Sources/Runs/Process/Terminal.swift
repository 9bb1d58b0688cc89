public import Failures
import Foundation
import Heartbeat

/// Standard output and standard error.
///
/// Text is written at once, so that nothing is left in a buffer however the process ends. A pipe whose reader has gone and a
/// full disk are errors here, not a signal or a trap. Text is plain, without colours, on a terminal too.
public enum Terminal {
    /// Writes a command's result and a line feed to standard output; throws `cannotWrite`.
    public static func print(_ text: String) throws(Failure) {
        LiveLine.end()
        guard let code = write(text + "\n", to: STDOUT_FILENO) else { return }
        let remedy =
            switch code {
            case EPIPE: "what reads it has ended"
            case ENOSPC, EDQUOT: "free space or send it elsewhere"
            default: "send it elsewhere"
            }
        throw Failure(
            .cannotWrite,
            unsafe "standard output cannot be written to its end: \(String(cString: strerror(code))); \(remedy)")
    }

    /// Writes a line that accompanies a run; if it cannot be written, the run goes on without it.
    package static func say(_ line: String) {
        LiveLine.end()
        _ = write(line + "\n", to: STDOUT_FILENO)
    }

    /// Writes a line to standard error, if it can be written.
    public static func complain(_ line: String) {
        LiveLine.end()
        _ = write(line + "\n", to: STDERR_FILENO)
    }

    /// Writes all of a text; returns the number of the error that prevented it, nil for none.
    static func write(_ text: String, to descriptor: Int32) -> Int32? {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            // The reader of the output may be slow.
            let written = Heartbeat.waitingOutside {
                unsafe rest.withUnsafeBytes { unsafe Foundation.write(descriptor, $0.baseAddress, $0.count) }
            }
            if written >= 0 {
                rest = rest.dropFirst(written)
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                // Another process that shares the terminal or pipe has made it non-blocking.
                var place = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = Heartbeat.waitingOutside { unsafe poll(&place, 1, -1) }
            case let code: return code
            }
        }
        return nil
    }
}
