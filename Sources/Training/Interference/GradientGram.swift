/// The inner products of several vectors, of gradients as a rule, and what they say about the directions of these vectors.
package struct GradientGram: Sendable, Equatable {
    /// Number of vectors.
    package let count: Int
    private var products: [Double]

    /// All products are 0.
    package init(count: Int) {
        self.count = count
        products = [Double](repeating: 0, count: count * count)
    }

    /// `<g_i, g_j>`; setting one sets `<g_j, g_i>` too.
    package subscript(i: Int, j: Int) -> Double {
        get { products[i * count + j] }
        set {
            products[i * count + j] = newValue
            products[j * count + i] = newValue
        }
    }

    /// `||g_i||`.
    package func norm(_ i: Int) -> Double { self[i, i].squareRoot() }

    /// `<g_i, g_j> / (||g_i|| ||g_j||)`, between -1 and 1; nil if one of the vectors is 0.
    package func cosine(_ i: Int, _ j: Int) -> Double? {
        guard self[i, i] > 0, self[j, j] > 0 else { return nil }
        guard i != j else { return 1 }
        return max(-1, min(1, self[i, j] / (norm(i) * norm(j))))
    }

    /// `||sum of w_i g_i||^2`.
    package func squaredNorm(_ weights: [Double]) -> Double {
        var sum = 0.0
        for i in 0..<count {
            for j in 0..<count { sum += weights[i] * weights[j] * self[i, j] }
        }
        // Vectors that cancel out may leave a sum below 0 by rounding.
        return max(0, sum)
    }

    /// `<g_i, sum of w_j g_j>`.
    package func product(_ i: Int, _ weights: [Double]) -> Double {
        (0..<count).reduce(0) { $0 + weights[$1] * self[i, $1] }
    }
}
