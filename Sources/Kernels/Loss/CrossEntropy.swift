import CVectorKernels
import Foundation

/// Cross-entropy of one row of logits with label smoothing: `(1 - eps) * -log p[label] + eps / V * sum(-log p)`.
///
/// Overwrites `logits: [count]` with `p`, and returns the loss. `count` is V.
public func crossEntropyRow(
    _ logits: UnsafeMutablePointer<Float>, label: Int, smoothing: Float, count: Int
) -> Double {
    precondition(label >= 0 && label < count, "label outside the vocabulary")
    let target = unsafe logits[label]
    var (top, total, logitSum) = (Float.zero, Float.zero, 0.0)
    // The sum of the logits is only needed for smoothing.
    if smoothing > 0 {
        unsafe cvectorkernels_here().pointee.exponentials(logits, Int64(count), &top, &total, &logitSum)
    } else {
        unsafe cvectorkernels_here().pointee.exponentials(logits, Int64(count), &top, &total, nil)
    }
    let logNormaliser = Double(top) + log(Double(total))
    let likelihoodLoss = logNormaliser - Double(target)
    guard smoothing > 0 else { return likelihoodLoss }
    let meanLoss = logNormaliser - logitSum / Double(count)
    return (1 - Double(smoothing)) * likelihoodLoss + Double(smoothing) * meanLoss
}

/// `log(sum(exp(logits)))` of one row `logits: [count]`: the log-probability of an element is its logit minus this. With the
/// exponentials of `crossEntropyRow`, but it changes nothing.
public func logNormaliser(_ logits: UnsafePointer<Float>, _ count: Int) -> Double {
    let top = unsafe maximum(logits, count)
    var sums = SIMD16<Float>.zero
    var i = 0
    while i + 16 <= count {
        unsafe sums += exponential(logits.lanes(i) - top)
        i += 16
    }
    if i < count { unsafe sums += exponential(logits.lanes(i, count: count - i, fill: -.infinity) - top) }
    return Double(top) + log(Double(sums.sum()))
}

/// Backward of `crossEntropyRow` for a loss that is summed over rows: `dlogits = p - (1 - eps) onehot - eps / V`.
///
/// Overwrites `p: [count]`.
public func crossEntropyRowBackward(_ p: UnsafeMutablePointer<Float>, label: Int, smoothing: Float, count: Int) {
    if smoothing > 0 {
        let share = smoothing / Float(count)
        for i in 0..<count {
            unsafe p[i] -= share
        }
    }
    unsafe p[label] -= 1 - smoothing
}
