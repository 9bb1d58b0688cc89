import Testing

@testable import Kernels

#if OneDNN
    /// The content of oneDNN's instruction sets: those of this processor, those that have a name, and future ones, which have
    /// all bits of an earlier one and some more.
    @Suite struct InstructionSetTests {
        /// Bits of the sets in versions 2 and 3; the two sets with only AVX-VNNI have different numbers in each.
        private static let known: [(isa: Int32, hasAVX512: Bool, hasVNNI: Bool)] = [
            (0x0, false, false), (0x1, false, false), (0x3, false, false), (0x7, false, false), (0x27, true, false),
            (0x67, true, true), (0xE7, true, true), (0x1EF, true, true), (0x3E7, true, true), (0xFEF, true, true),
            (0x1FEF, true, true),
        ]

        @Test(arguments: known)
        func `a set that is known holds what it says`(isa: Int32, hasAVX512: Bool, hasVNNI: Bool) {
            let found = OneDNN.instructions(isa)
            #expect(found.hasAVX512 == hasAVX512 && found.hasVNNI == hasVNNI)
        }

        @Test func `a set that has no name yet holds what those below it hold`() {
            for bit in 20..<31 {
                let future = Int32(0x67) | Int32(1) << bit
                let found = OneDNN.instructions(future)
                #expect(found.name == nil && found.hasAVX512 && found.hasVNNI)
                #expect(OneDNN.instructions(0x27 | Int32(1) << bit) == (nil, true, false))
                #expect(OneDNN.instructions(0x7 | Int32(1) << bit) == (nil, false, false))
            }
        }

        @Test func `what is used is what processor and library both have`() throws {
            let library = OneDNN.instructions(OneDNN.effectiveInstructions)
            #expect(OneDNN.isFast == (OneDNN.processorHasAVX512 && library.hasAVX512))
            #expect(OneDNN.hasVNNI == (OneDNN.processorHasVNNI && library.hasVNNI))
            let name = try #require(OneDNN.name)
            #expect(name.hasPrefix("oneDNN ") && !name.hasSuffix("another"))
        }
    }
#endif
