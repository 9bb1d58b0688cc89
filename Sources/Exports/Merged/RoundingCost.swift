import Foundation

/// What rounding to the base's types takes from the updates.
package struct RoundingCost: Sendable, Equatable {
    /// The largest relative error of a tensor: the Frobenius norm of what rounding changed over that of the update.
    package private(set) var worst = 0.0
    /// The tensor with it; nil when nothing was updated.
    package private(set) var tensor: String?
    /// Number of tensors with an update.
    package private(set) var updated = 0
    /// The stored types of these, sorted.
    package private(set) var types: [String] = []

    /// No tensor yet.
    package init() {}

    /// Counts a tensor; the arguments are sums of squares. A tensor whose update is 0 is not rounded.
    mutating func add(_ name: String, type: String, rounding: Double, update: Double) {
        guard update > 0 else { return }
        updated += 1
        if !types.contains(type) { types = (types + [type]).sorted() }
        let error = (rounding / update).squareRoot()
        if tensor == nil || error > worst { (worst, tensor) = (error, name) }
    }

    /// One sentence for people.
    package var text: String {
        guard let tensor else { return "no weight was changed" }
        return
            "rounding to \(types.joined(separator: " and ")) changes the update of a weight by at most "
            + "\(String(format: "%.2g", worst)) of its norm (\(tensor); \(updated) weights changed)"
    }
}
