import CVectorKernels
public import Failures

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

    /// Refuses a value of the environment variable `UNOLORA_VECTORS` that names no version of the loops that there is here.
    public static func check() throws(Failure) {
        guard let missing = unsafe cvectorkernels_missing() else { return }
        throw Failure(
            .usage,
            "the environment variable UNOLORA_VECTORS is \(unsafe String(cString: missing)), and this processor and build have "
                + "\(available.joined(separator: ", ")); name one of these or unset it for the fastest")
    }

    private static var available: [String] {
        (0..<Int32(cvectorkernels_versions)).compactMap { version in
            unsafe cvectorkernels_version(version).map { unsafe String(cString: $0.pointee.name) }
        }
    }

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
