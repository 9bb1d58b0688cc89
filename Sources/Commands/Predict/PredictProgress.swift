import Foundation
import Runs

/// The progress of `predict` on standard error: lines, lines per second, and the share of the input if its size is known.
///
/// On a terminal it overwrites one line again and again, elsewhere it writes a line from time to time.
struct PredictProgress {
    /// Bytes of the whole input; nil for a pipe.
    private let size: Int?
    private let isTerminal: Bool
    private let begun = ContinuousClock.now
    private var lastShown = ContinuousClock.now
    private var lastLength = 0

    /// Starts the clock.
    init(size: Int?, isTerminal: Bool) {
        self.size = size
        self.isTerminal = isTerminal
    }

    /// Seconds since the start.
    var seconds: Double { ProgressLine.seconds(begun.duration(to: .now)) }

    /// Shows progress if enough time has passed. `lines` were answered since the start; `consumed` bytes of the input are done.
    mutating func show(lines: Int, bad: Int, consumed: Int) {
        let now = ContinuousClock.now
        guard lastShown.duration(to: now) >= (isTerminal ? .milliseconds(500) : .seconds(10)) else { return }
        lastShown = now
        var text = "\(lines) lines  \(rate(lines)) lines/s"
        if bad > 0 { text += "  \(bad) not answered" }
        if let size, size > 0 { text += String(format: "  %.1f %%", 100 * Double(consumed) / Double(size)) }
        if isTerminal {
            let padding = String(repeating: " ", count: max(0, lastLength - text.count))
            Terminal.showBeside("\r" + text + padding)
            lastLength = text.count
        } else {
            Terminal.complain(text)
        }
    }

    /// Says how it ended; `earlier` lines had been answered before the start.
    mutating func finish(lines: Int, bad: Int, earlier: Int, output: String?) {
        if isTerminal, lastLength > 0 { Terminal.showBeside("\n") }
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
