import Tensors

/// The difference of numbers `b` from the expected numbers `a`, over everything that was added; summed in double precision.
struct Discrepancy {
    private var product = 0.0
    private var expected = 0.0
    private var found = 0.0
    private var difference = 0.0

    /// `||b - a|| / ||a||`; 0 when both are zero, infinite when only `a` is.
    var relativeError: Double { difference == 0 ? 0 : (difference / expected).squareRoot() }

    /// `<a, b> / (||a|| ||b||)`; nil when both are zero, 0 when one is.
    var cosine: Double? {
        guard expected > 0 || found > 0 || expected.isNaN || found.isNaN else { return nil }
        // One square root of the product, so that equal numbers give 1 without rounding errors.
        let norms = (expected * found).squareRoot()
        return norms == 0 ? 0 : product / norms
    }

    /// Adds `count` numbers.
    mutating func add(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int) {
        for i in 0..<count {
            let (x, y) = unsafe (Double(a[i]), Double(b[i]))
            product += x * y
            expected += x * x
            found += y * y
            difference += (y - x) * (y - x)
        }
    }

    /// Adds two matrices of one shape.
    mutating func add(_ a: Matrix, _ b: Matrix) {
        precondition(a.rows == b.rows && a.columns == b.columns, "matrices of different shapes")
        for row in 0..<a.rows { unsafe add(a.row(row), b.row(row), count: a.columns) }
    }

    /// Adds everything that was added to another value.
    mutating func add(_ other: Discrepancy) {
        product += other.product
        expected += other.expected
        found += other.found
        difference += other.difference
    }
}
