import Foundation
import Kernels

/// What this processor can do.
public enum Machine {
    /// The OpenBLAS kernels that fit this processor better than those chosen; nil when the choice is good.
    public static var betterKernels: String? {
        betterKernels(
            than: BLAS.coreType,
            flags: (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)).map(flags) ?? [])
    }

    /// Kernels of processors without AVX, chosen on one that has it, are a fall-back.
    static func betterKernels(than chosen: String, flags: Set<String>) -> String? {
        let fallbacks: Set = ["prescott", "core2", "generic", "northwood", "katmai", "nehalem", "penryn", "dunnington"]
        guard fallbacks.contains(chosen.lowercased()) else { return nil }
        if flags.isSuperset(of: ["avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512cd"]) { return "SkylakeX" }
        if flags.isSuperset(of: ["avx2", "fma"]) { return "Haswell" }
        return flags.contains("avx") ? "Sandybridge" : nil
    }

    private static func flags(_ cpuinfo: String) -> Set<String> {
        let line = cpuinfo.split(separator: "\n").first { $0.hasPrefix("flags") } ?? ""
        return Set(line.split(separator: " ").map(String.init))
    }
}
