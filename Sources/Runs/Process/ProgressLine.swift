import Foundation

/// Live progress of a training: step, loss, examples and tokens per second, time left.
///
/// On a terminal it overwrites one line again and again; to a file or pipe it writes a line from time to time.
public struct ProgressLine {
    private var line: LiveLine?
    private let steps: Int
    private let clock = ContinuousClock()
    private let started: ContinuousClock.Instant
    private let firstStep: Int
    private var lastShown: ContinuousClock.Instant?

    /// Starts the clock at `step` of `steps`.
    public init(step: Int, steps: Int, isTerminal: Bool) {
        line = isTerminal ? LiveLine(on: STDOUT_FILENO) : nil
        self.steps = steps
        firstStep = step
        started = clock.now
    }

    /// Shows progress when enough time has passed; `always` shows it now.
    package mutating func show(step: Int, loss: Double, examples: Double, tokens: Double, always: Bool = false) {
        let now = clock.now
        let interval = line != nil ? Duration.milliseconds(200) : .seconds(5)
        if !always, let last = lastShown, last.duration(to: now) < interval { return }
        lastShown = now
        let done = Double(step - firstStep)
        let elapsed = Self.seconds(started.duration(to: now))
        let left = done > 0 ? elapsed / done * Double(steps - step) : 0
        let parts = Self.parts(
            step: step, steps: steps, loss: loss, examples: examples, tokens: tokens, left: Self.clockText(left))
        if line != nil {
            line?.show(parts)
        } else {
            Terminal.say(parts.map(\.text).joined(separator: "  "))
        }
    }

    /// The parts of the line, in the order in which they are shown.
    static func parts(
        step: Int, steps: Int, loss: Double, examples: Double, tokens: Double, left: String
    ) -> [LiveLine.Part] {
        let loss = String(format: "loss %.4f", loss)
        let (examples, tokens) = (String(format: "%.1f", examples), String(format: "%.0f", tokens))
        return [
            LiveLine.Part("step \(step)/\(steps)", short: "\(step)/\(steps)", rank: 0),
            LiveLine.Part(loss, rank: 1),
            LiveLine.Part("\(examples) examples/s", short: "\(examples) ex/s", rank: 3),
            LiveLine.Part("\(tokens) tokens/s", short: "\(tokens) tok/s", rank: 4),
            LiveLine.Part("time left \(left)", short: "left \(left)", rank: 2),
        ]
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
