import Failures
import Kernels
import T5
import Testing

@testable import Training

@Suite struct ProductBackendTests {
    private func refusal(_ name: String, _ quantises: String?, _ format: WeightFormat) -> Failure? {
        do throws(Failure) {
            _ = try ProductBackend(name: name, asking: "--gemm", quantises: quantises, keeping: format)
            return nil
        } catch {
            return error
        }
    }

    @Test func `auto is what the processor is fast with, and OpenBLAS for bfloat16 weights`() throws {
        let plain = try ProductBackend(name: "auto", asking: "--gemm")
        #expect(plain == (PackingLibrary.isBuiltIn && PackingLibrary.isFast ? .onednn : .openblas))
        #expect(try ProductBackend(name: "auto", asking: "--gemm", keeping: .bfloat16) == .openblas)
        #expect(try ProductBackend(name: "openblas", asking: "--gemm", keeping: .bfloat16) == .openblas)
    }

    @Test(.enabled(if: PackingLibrary.isBuiltIn, "this build has no oneDNN"))
    func `8 bits are oneDNN's on every processor`() throws {
        #expect(try ProductBackend(name: "auto", asking: "--gemm", quantises: "--forward int8") == .onednn)
        #expect(try ProductBackend(name: "onednn", asking: "--gemm") == .onednn)
    }

    @Test func `what excludes each other is refused by the names that were given`() throws {
        let both = try #require(refusal("auto", "--forward int8", .bfloat16))
        #expect(both.code == .badConfiguration && both.message.hasPrefix("--forward int8 needs float32 weights"))
        let copies = try #require(refusal("onednn", nil, .bfloat16))
        #expect(copies.code == .badConfiguration && copies.message.contains("--gemm"))
        let bits = try #require(refusal("openblas", "--forward int8", .float32))
        #expect(bits.code == .badConfiguration && bits.message.hasPrefix("--forward int8 needs oneDNN"))
    }
}
