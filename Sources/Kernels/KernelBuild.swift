/// The instruction set for which this build's kernels were compiled. With a fused multiply-add a sum rounds once where it
/// otherwise rounds twice, so results of other builds differ in the last bits.
public enum KernelBuild {
    /// `AVX2` or `baseline` on x86-64, `NEON` on arm64.
    public static var name: String {
        #if arch(arm64)
            "NEON"
        #elseif AVX2
            "AVX2"
        #else
            "baseline"
        #endif
    }
}
