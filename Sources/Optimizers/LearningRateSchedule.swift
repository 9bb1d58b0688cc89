import Foundation

/// The learning rate of each step: linear warmup to the peak, then a decay to 0 at the last step, or none.
///
/// For update k (from 0): `peak * k / warmup` while `k < warmup`, then with `x = (k - warmup) / (steps - warmup)`: cosine `peak
/// (1 + cos(pi x)) / 2`, linear `peak (1 - x)`, constant `peak`. The same as transformers' `get_*_schedule`.
public struct LearningRateSchedule: Sendable, Equatable {
    /// What follows the warmup.
    public enum Decay: String, Sendable {
        case cosine
        case linear
        case constant
    }

    /// Highest learning rate.
    public var peak: Double
    /// Steps of warmup.
    public var warmup: Int
    /// Steps of the whole run.
    public var steps: Int
    /// What follows the warmup.
    public var decay: Decay

    /// Creates a schedule.
    public init(peak: Double, warmup: Int, steps: Int, decay: Decay) {
        self.peak = peak
        self.warmup = warmup
        self.steps = steps
        self.decay = decay
    }

    /// The learning rate of update `k`, counted from 0.
    public func rate(_ k: Int) -> Double {
        if k < warmup { return peak * Double(k) / Double(max(warmup, 1)) }
        let progress = min(Double(k - warmup) / Double(max(steps - warmup, 1)), 1)
        switch decay {
        case .cosine: return peak * 0.5 * (1 + cos(.pi * progress))
        case .linear: return peak * (1 - progress)
        case .constant: return peak
        }
    }
}
