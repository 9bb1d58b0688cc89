import Foundation

/// Live progress on the terminal: step, loss, examples and tokens per second, time left.
///
/// On a terminal it overwrites one line again and again; to a file or pipe it writes a line from time to time.
public struct ProgressLine {
    private let isTerminal: Bool
    private let steps: Int
    private let clock = ContinuousClock()
    private let started: ContinuousClock.Instant
    private let firstStep: Int
    private var lastShown: ContinuousClock.Instant?
    private var lastLength = 0

    /// Starts the clock at `step` of `steps`.
    public init(step: Int, steps: Int, isTerminal: Bool) {
        self.isTerminal = isTerminal
        self.steps = steps
        firstStep = step
        started = clock.now
    }

    /// Shows progress when enough time has passed; `always` shows it now.
    package mutating func show(step: Int, loss: Double, examples: Double, tokens: Double, always: Bool = false) {
        let now = clock.now
        let interval = isTerminal ? Duration.milliseconds(200) : .seconds(5)
        if !always, let last = lastShown, last.duration(to: now) < interval { return }
        lastShown = now
        let done = Double(step - firstStep)
        let elapsed = Self.seconds(started.duration(to: now))
        let left = done > 0 ? elapsed / done * Double(steps - step) : 0
        let text =
            "step \(step)/\(steps)  loss \(String(format: "%.4f", loss))  "
            + "\(String(format: "%.1f", examples)) examples/s  \(String(format: "%.0f", tokens)) tokens/s  "
            + "time left \(Self.clockText(left))"
        write(text)
    }

    /// Ends the line that is overwritten, so that other text can follow.
    package mutating func finish() {
        if isTerminal && lastLength > 0 {
            Terminal.show("\n")
            lastLength = 0
        }
    }

    private mutating func write(_ text: String) {
        if isTerminal {
            let padding = String(repeating: " ", count: max(0, lastLength - text.count))
            Terminal.show("\r" + text + padding)
            lastLength = text.count
        } else {
            Terminal.say(text)
        }
    }

    package static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }

    static func clockText(_ seconds: Double) -> String {
        let whole = Int(min(seconds, 1e9).rounded())
        let (hours, minutes) = (whole / 3600, whole / 60 % 60)
        return hours > 0
            ? String(format: "%d:%02d:%02d", hours, minutes, whole % 60)
            : String(format: "%d:%02d", minutes, whole % 60)
    }
}
