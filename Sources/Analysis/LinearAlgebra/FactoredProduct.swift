package import Failures

extension SingularValueDecomposition {
    /// The decomposition of a product `L M R` from those of L `[rows, p]` and R `[q, columns]`: with `L = U S V^T` and
    /// `R = U' S' V'^T` it follows from the small matrix `S V^T M U' S'`, so that the product itself, `[rows, columns]`, is never
    /// formed. It has as many singular values as the smaller side of the small matrix; all others of the product are 0.
    package init(
        product left: SingularValueDecomposition, _ core: DenseMatrix, _ right: SingularValueDecomposition
    ) throws(Failure) {
        let outer = left.right.scalingRows(by: left.values)
        let inner = right.left.scalingColumns(by: right.values)
        let small = try SingularValueDecomposition(outer.times(core).times(inner))
        self.init(
            left: left.left.times(small.left), values: small.values, right: small.right.times(right.right))
    }
}
