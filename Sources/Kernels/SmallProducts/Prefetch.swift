import CVectorKernels
public import Tensors

/// Asks for a matrix to be brought into the cache while something else is computed: columns of a wide matrix, whose rows lie on
/// different pages, are not foreseen by a processor. Changes nothing.
public func prefetch(_ x: Matrix) {
    unsafe cvectorkernels_prefetch(x.base, Int64(x.stride), Int64(x.rows), Int64(x.columns))
}
