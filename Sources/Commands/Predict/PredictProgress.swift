import Foundation
import Runs

/// The progress of `predict` on standard error: lines, lines per second, and the share of the input if its size is known.
///
/// On a terminal it overwrites one line again and again, elsewhere it writes a line from time to time.
struct PredictProgress {
    /// Bytes of the whole input; nil for a pipe.
    private let size: Int?
    private var line: LiveLine?
    private let begun = ContinuousClock.now
    private var lastShown = ContinuousClock.now

    /// Starts the clock.
    init(size: Int?, isTerminal: Bool) {
        self.size = size
        line = isTerminal ? LiveLine(on: STDERR_FILENO) : nil
    }

    /// Seconds since the start.
    var seconds: Double { ProgressLine.seconds(begun.duration(to: .now)) }

    /// Shows progress if enough time has passed. `lines` were answered since the start; `consumed` bytes of the input are done.
    mutating func show(lines: Int, bad: Int, consumed: Int) {
        let now = ContinuousClock.now
        guard lastShown.duration(to: now) >= (line != nil ? .milliseconds(500) : .seconds(10)) else { return }
        lastShown = now
        var parts = [
            LiveLine.Part("\(lines) lines", rank: 0),
            LiveLine.Part("\(rate(lines)) lines/s", rank: 3),
        ]
        if bad > 0 { parts.append(LiveLine.Part("\(bad) not answered", rank: 2)) }
        if let size, size > 0 {
            parts.append(LiveLine.Part(String(format: "%.1f %%", 100 * Double(consumed) / Double(size)), rank: 1))
        }
        if line != nil {
            line?.show(parts)
        } else {
            Terminal.complain(parts.map(\.text).joined(separator: "  "))
        }
    }

    /// Says how it ended; `earlier` lines had been answered before the start.
    func finish(lines: Int, bad: Int, earlier: Int, output: String?) {
        var text =
            "\(lines) \(lines == 1 ? "line" : "lines") in \(String(format: "%.1f", seconds)) s (\(rate(lines)) lines/s)"
        if earlier > 0 { text += ", \(earlier + lines) with those answered before" }
        if bad > 0 { text += "; " + Self.sentence(bad: bad, of: earlier + lines, output: output) }
        Terminal.complain(text)
    }

    /// How many lines could not be answered.
    static func sentence(bad: Int, of lines: Int, output: String?) -> String {
        "\(bad) of \(lines) could not be answered; \"error\" in \(output ?? "the output") says why"
    }

    private func rate(_ lines: Int) -> String {
        String(format: "%.1f", Double(lines) / max(seconds, 1e-3))
    }
}
