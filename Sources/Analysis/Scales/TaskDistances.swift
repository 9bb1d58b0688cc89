/// Distances between tasks, from their scales at all sites.
package struct TaskDistances: Codable, Sendable, Equatable {
    /// In the order of the tasks.
    package let tasks: [String]
    /// The Euclidean distance of the tasks' mean scales, all sites one after another: `[tasks][tasks]`.
    package let euclidean: [[Double]]
    /// 1 minus the cosine of the angle between them; nil if one of them is 0.
    package let cosine: [[Double?]]
    /// How tasks join by average linkage of the Euclidean distances.
    package let dendrogram: Dendrogram

    /// The distances of vectors of one length, one for each task.
    package init(tasks: [String], vectors: [[Double]]) {
        precondition(tasks.count == vectors.count, "a vector for each task")
        func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        let lengths = vectors.map { dot($0, $0).squareRoot() }
        self.tasks = tasks
        euclidean = vectors.map { a in
            vectors.map { b in zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot() }
        }
        cosine = vectors.indices.map { i in
            vectors.indices.map { j in
                guard lengths[i] > 0, lengths[j] > 0 else { return nil }
                return i == j ? 0 : max(1 - dot(vectors[i], vectors[j]) / (lengths[i] * lengths[j]), 0)
            }
        }
        dendrogram = Dendrogram(distances: euclidean)
    }
}
