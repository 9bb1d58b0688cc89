import Failures

/// The first two principal components of points.
struct PrincipalComponents {
    /// The coordinates of each point, `[2]`.
    let coordinates: [[Double]]
    /// The share of the points' variance along each component.
    let explained: [Double]

    /// The components of points whose inner products are known, `[n, n]`: with `H = I - 1/n` the eigenvectors of `H G H`, each
    /// multiplied by the root of its eigenvalue. The points themselves, which may have millions of coordinates, are not needed.
    ///
    /// The sign of a component is free; it is chosen so that the coordinate of the largest magnitude, the first among equals, is
    /// positive. All coordinates are 0 if all points are equal.
    init(gram: DenseMatrix) throws(Failure) {
        let n = gram.rows
        let means = (0..<n).map { i in (0..<n).reduce(0) { $0 + gram[i, $1] } / Double(n) }
        let mean = means.reduce(0, +) / Double(n)
        let centred = DenseMatrix(rows: n, columns: n) { gram[$0, $1] - means[$0] - means[$1] + mean }
        let total = (0..<n).reduce(0) { $0 + centred[$1, $1] }
        let size = (0..<n).reduce(0) { max($0, abs(gram[$1, $1])) }
        // Eigenvalues below this are errors of rounding, as of points that are equal or on a line.
        let rounding = size * Double(n) * 1e-14
        guard total > rounding else {
            (coordinates, explained) = (Array(repeating: [0, 0], count: n), [0, 0])
            return
        }
        let eigenvalues = try SymmetricEigenvalues(centred)
        var columns: [[Double]] = []
        var explained: [Double] = []
        for component in 0..<2 {
            let found = component < n ? eigenvalues.values[component] : 0
            let value = found > rounding ? found : 0
            let column = (0..<n).map { value > 0 ? eigenvalues.vectors[component, $0] * value.squareRoot() : 0 }
            let largest = column.reduce(0) { max($0, abs($1)) }
            // Magnitudes that differ only by rounding count as equal.
            let leader = column.first { abs($0) >= largest * (1 - 1e-9) } ?? 0
            columns.append(leader < 0 ? column.map { -$0 } : column)
            explained.append(value / total)
        }
        coordinates = (0..<n).map { [columns[0][$0], columns[1][$0]] }
        self.explained = explained
    }
}
