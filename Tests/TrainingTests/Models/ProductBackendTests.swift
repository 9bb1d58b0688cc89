import Backbone
import Configuration
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
        #expect(plain == (OneDNN.isFast ? .onednn : .openblas))
        #expect(try ProductBackend(name: "auto", asking: "--gemm", keeping: .bfloat16) == .openblas)
        #expect(try ProductBackend(name: "openblas", asking: "--gemm", keeping: .bfloat16) == .openblas)
    }

    @Test func `nothing is packed for a method that trains every weight`() throws {
        func backend(_ settings: String...) throws -> (ProductBackend, packed: Int) {
            let configuration = try RunConfiguration.load(
                yaml: "model: t5\ndata: {glue: /glue}\n", name: "run.yaml", directory: "/runs", overrides: settings)
            let backend = try ProductBackend(configuration)
            return (backend, configuration.packedBytes(backend, T5Configuration.presets[0].configuration))
        }
        for gemm in ["auto", "openblas", "onednn"] {
            #expect(try backend("method=full", "parallel.gemm=\(gemm)") == (.openblas, 0))
        }
        guard OneDNN.isInBuild else { return }
        for method in ["unolora", "hyperformer_pp"] {
            let packing = try backend("method=\(method)", "parallel.gemm=onednn")
            #expect(packing.0 == .onednn && packing.packed > 0)
        }
    }

    @Test func `8 bits are oneDNN's where the processor has instructions for them`() throws {
        let isFast = OneDNN.hasVNNI || OneDNN.isFast
        let automatic = try ProductBackend(name: "auto", asking: "--gemm", quantises: "--forward int8")
        #expect(automatic == (isFast ? .onednn : .openblas))
        for products in ProductBackend.available {
            #expect(
                try ProductBackend(name: products.rawValue, asking: "--gemm", quantises: "--forward int8") == products)
        }
    }

    @Test func `8 bits of our own are said to gain nothing beside AVX-512, and without AVX2`() {
        #expect(ProductBackend.ownIntegersGain(hasVectors: true, isFast: false))
        #expect(!ProductBackend.ownIntegersGain(hasVectors: true, isFast: true))
        #expect(!ProductBackend.ownIntegersGain(hasVectors: false, isFast: false))
        let warning = ProductBackend.openblas.integerWarning
        #expect((warning == nil) == (IntegerPanels.hasVectors && !OneDNN.isFast))
        #expect(!OneDNN.hasVNNI || ProductBackend.onednn.integerWarning == nil)
    }

    @Test func `OpenBLAS has packs only for products of 8 bits`() throws {
        #expect(try ProductBackend.openblas.packing(FrozenMatrix.Packs())?.packs == nil)
        let packs = try ProductBackend.openblas.packing(FrozenMatrix.Packs(forward: .int8, backward: .float32))?.packs
        #expect(packs == FrozenMatrix.Packs(forward: .int8, backward: nil))
    }

    @Test func `what excludes each other is refused by the names that were given`() throws {
        let both = try #require(refusal("auto", "--forward int8", .bfloat16))
        #expect(both.code == .badConfiguration && both.message.hasPrefix("--forward int8 needs float32 weights"))
        let copies = try #require(refusal("onednn", nil, .bfloat16))
        #expect(copies.code == .badConfiguration && copies.message.contains("--gemm"))
    }
}
