import CKernelChoice
import Foundation
import Testing

@testable import Kernels

/// Which of OpenBLAS's kernels a program uses when OpenBLAS does not know the processor.
@Suite struct KernelChoiceTests {
    private static func better(_ chosen: String, avx: Bool, avx2: Bool, avx512: Bool) -> String? {
        ckernelchoice_better(chosen, ckernelchoice_processor(avx: avx, avx2: avx2, avx512: avx512)).map {
            String(cString: $0)
        }
    }

    @Test(arguments: ["Prescott", "prescott", "Core2", "Nehalem", "generic"])
    func `a fall-back gives way to the best kernels that the processor can run`(chosen: String) {
        #expect(Self.better(chosen, avx: true, avx2: true, avx512: true) == "SkylakeX")
        #expect(Self.better(chosen, avx: true, avx2: true, avx512: false) == "Haswell")
        #expect(Self.better(chosen, avx: true, avx2: false, avx512: false) == "Sandybridge")
        #expect(Self.better(chosen, avx: false, avx2: false, avx512: false) == nil)
    }

    @Test(arguments: ["SkylakeX", "Haswell", "Zen", "Cooperlake", "Sandybridge", "Excavator", "ARMV8", "neoversen1"])
    func `kernels that OpenBLAS chose for a processor that it knows stay`(chosen: String) {
        #expect(Self.better(chosen, avx: true, avx2: true, avx512: true) == nil)
    }

    /// Every program that links the kernels makes this choice, so these tests do too.
    @Test(
        .enabled(
            if: ProcessInfo.processInfo.environment[ckernelchoice_variable, default: ""].isEmpty,
            "OPENBLAS_CORETYPE is set: by somebody, or by the choice itself"))
    func `these tests do not run on a fall-back`() {
        #expect(ckernelchoice_better(BLAS.coreType, ckernelchoice_this_processor()) == nil, "\(BLAS.coreType)")
    }
}
