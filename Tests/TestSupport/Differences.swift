// Differences of numbers, for bounds that a NaN must not pass. In Swift `max(0, .nan)` is 0, and `min` and the `max()` of a
// sequence lose a NaN as well. The results here are NaN as soon as one number is, and then every comparison is false.

/// The larger of two numbers; NaN when one of them is.
public func larger(_ a: Double, _ b: Double) -> Double { a.isNaN || b.isNaN ? .nan : max(a, b) }

/// The smaller of two numbers; NaN when one of them is.
public func smaller(_ a: Double, _ b: Double) -> Double { a.isNaN || b.isNaN ? .nan : min(a, b) }

/// The largest difference between two lists; NaN when one contains a NaN, when both have the same infinity at one position, or
/// when one is longer than the other.
public func largestDifference(
    _ a: some Collection<some BinaryFloatingPoint>, _ b: some Collection<some BinaryFloatingPoint>
) -> Double {
    guard a.count == b.count else { return .nan }
    return zip(a, b).reduce(0) { larger($0, (Double($1.0) - Double($1.1)).magnitude) }
}

/// The largest magnitude; NaN when one of the numbers is.
public func largestMagnitude(_ values: some Collection<some BinaryFloatingPoint>) -> Double {
    values.reduce(0) { larger($0, Double($1.magnitude)) }
}
