import COpenBLAS
public import Tensors

/// `c = alpha * a b + beta * c` in float32, by serial OpenBLAS.
///
/// `a: [m, k]`, `b: [k, n]`, `c: [m, n]` after transposition. Overwrites `c` when `beta` is 0 (even when `c` held NaN), and
/// adds to `c` when `beta` is 1.
public func gemm(_ a: Operand, _ b: Operand, into c: MutableMatrix, alpha: Float = 1, beta: Float = 0) {
    let (m, k) = a.shape
    let (kb, n) = b.shape
    precondition(
        k == kb && m == c.rows && n == c.columns, "gemm of [\(m),\(k)] x [\(kb),\(n)] into \(c.rows)x\(c.columns)")
    guard m > 0, n > 0 else { return }
    guard k > 0 else {
        if beta == 0 { fill(c, 0) } else { scale(c, by: beta) }
        return
    }
    unsafe cblas_sgemm(
        CblasRowMajor, a.flag, b.flag, blasint(m), blasint(n), blasint(k), alpha, a.matrix.base,
        blasint(max(a.matrix.stride, 1)), b.matrix.base, blasint(max(b.matrix.stride, 1)), beta, c.base,
        blasint(max(c.stride, 1)))
}

/// The linked BLAS library and its set-up.
public enum BLAS {
    /// Makes every product run on the calling thread: the trainer parallelises, and a product's bits must not depend on the
    /// number of threads. Call it once before the first product.
    public static func useOneThread() {
        openblas_set_num_threads(1)
    }

    /// Name of the processor kernels that OpenBLAS chose, e.g. `SkylakeX`.
    public static var coreType: String { unsafe String(cString: openblas_get_corename()) }

    /// OpenBLAS's own description of its version and build.
    public static var description: String { unsafe String(cString: openblas_get_config()) }
}

extension Operand {
    fileprivate var flag: CBLAS_TRANSPOSE {
        switch self {
        case .asIs: CblasNoTrans
        case .transposed: CblasTrans
        }
    }
}
