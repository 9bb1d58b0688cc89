/// Agglomerative clustering with average linkage (UPGMA).
package struct Dendrogram: Codable, Sendable, Equatable {
    /// Two clusters become one. Clusters below the number of leaves are leaves; the k-th merge makes cluster `leaves + k`.
    package struct Merge: Codable, Sendable, Equatable {
        /// The joined clusters, the smaller number first.
        package let clusters: [Int]
        /// The mean distance between their leaves.
        package let height: Double
        /// Leaves of the new cluster.
        package let size: Int
    }

    /// From the lowest to the highest; one fewer than there are leaves.
    package let merges: [Merge]
    /// The leaves in an order in which no branches cross, the first cluster of each merge on the left.
    package let leafOrder: [Int]

    /// Joins the two closest clusters again and again. Of equal distances it takes the pair with the smallest numbers.
    /// `distances` is symmetric, `[n][n]`.
    package init(distances: [[Double]]) {
        let leaves = distances.count
        var members: [Int: [Int]] = Dictionary(uniqueKeysWithValues: (0..<leaves).map { ($0, [$0]) })
        var merges: [Merge] = []
        func mean(_ a: [Int], _ b: [Int]) -> Double {
            a.reduce(0) { sum, i in sum + b.reduce(0) { $0 + distances[i][$1] } } / Double(a.count * b.count)
        }
        while members.count > 1 {
            let clusters = members.sorted { $0.key < $1.key }
            var best: (first: Int, second: Int, height: Double)?
            for (i, (first, own)) in clusters.enumerated() {
                for (second, others) in clusters[(i + 1)...] {
                    let height = mean(own, others)
                    if best.map({ height < $0.height }) ?? true { best = (first, second, height) }
                }
            }
            guard let (first, second, height) = best, let left = members.removeValue(forKey: first),
                let right = members.removeValue(forKey: second)
            else { break }
            members[leaves + merges.count] = left + right
            merges.append(Merge(clusters: [first, second], height: height, size: left.count + right.count))
        }
        self.merges = merges
        leafOrder = members.values.first ?? []
    }
}
