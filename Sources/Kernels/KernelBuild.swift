import CVectorKernels

/// What the bits of this program's own loops depend on.
public enum KernelBuild {
    /// A number that grows whenever the loops of a new version give other bits than before: 2 since dropout draws its masks in
    /// bytes.
    static let arithmetic = 2

    /// The instruction set for which this build's loops were compiled, `AVX2` or `baseline` on x86-64, `NEON` on arm64, and the
    /// number of their arithmetic. With a fused multiply-add a sum rounds once where it otherwise rounds twice, so results of
    /// other builds differ in the last bits. AVX-512, where the processor has it, gives the bits of AVX2.
    public static var name: String {
        let isPlain = loops == "plain" && instructions == "AVX2"
        return "\(instructions), arithmetic \(arithmetic)"
            + (isPlain ? ", loops without vectors (UNOLORA_VECTORS)" : "")
    }

    /// The version of the loops in C that runs here: `avx512`, `avx2` or `plain`; the first two give the same bits.
    public static var loops: String { unsafe String(cString: cvectorkernels_here().pointee.name) }

    private static var instructions: String {
        #if arch(arm64)
            "NEON"
        #elseif AVX2
            "AVX2"
        #else
            "baseline"
        #endif
    }
}
