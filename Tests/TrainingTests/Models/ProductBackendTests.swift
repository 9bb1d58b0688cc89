import Backbone
import Configuration
import Failures
import Kernels
import T5
import Testing

@testable import Training

@Suite struct ProductBackendTests {
    private func refusal(
        _ name: String, _ products: ModelProducts, _ format: WeightFormat = .float32
    ) -> Failure? {
        do throws(Failure) {
            _ = try ProductBackend(
                name: name, asking: "--gemm", products: products, named: "--products", keeping: format)
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
        for gemm in ["auto", "openblas", "onednn", "tiles"] {
            #expect(try backend("method=full", "parallel.gemm=\(gemm)") == (.openblas, 0))
        }
        let tiles = try backend("method=unolora", "parallel.gemm=tiles", "model.products=bf16x3")
        #expect(tiles.0 == .tiles && tiles.packed > 0)
        guard OneDNN.isInBuild else { return }
        for method in ["unolora", "hyperformer_pp"] {
            let packing = try backend("method=\(method)", "parallel.gemm=onednn")
            #expect(packing.0 == .onednn && packing.packed > 0)
        }
    }

    @Test func `8 bits are those of tiles, or oneDNN's where the processor has instructions for them`() throws {
        let isFast = OneDNN.hasVNNI || OneDNN.isFast
        for products in [ModelProducts.int8, .int8Forward, .int8Backward] {
            let automatic = try ProductBackend(name: "auto", asking: "--gemm", products: products)
            #expect(automatic == (TileProducts.isNative ? .tiles : isFast ? .onednn : .openblas))
            for backend in ProductBackend.available {
                #expect(try ProductBackend(name: backend.rawValue, asking: "--gemm", products: products) == backend)
            }
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
        let both = try #require(refusal("auto", .int8, .bfloat16))
        #expect(both.code == .badConfiguration && both.message.hasPrefix("--products int8 needs float32 weights"))
        let copies = try #require(refusal("onednn", .float32, .bfloat16))
        #expect(copies.code == .badConfiguration && copies.message.contains("--gemm"))
    }

    @Test func `auto takes tiles for all but float32 where the processor has them, and never their twin`() throws {
        let isNative = TileProducts.isNative
        #expect(try ProductBackend(name: "auto", asking: "--gemm") != .tiles)
        let fast = try ProductBackend(name: "auto", asking: "--gemm", products: .fast)
        #expect((fast == .tiles) == isNative && fast.meaning(of: .fast) == (isNative ? .bf16x3 : .float32))
        guard !isNative else { return }
        let refused = try #require(refusal("auto", .bf16x3))
        #expect(refused.code == .badConfiguration && refused.message.contains("matrix tiles"), "\(refused)")
        #expect(refused.message.contains("--gemm tiles") && refused.message.contains("--products float32"))
        if OneDNN.hasBFloat16 {
            #expect(try ProductBackend(name: "auto", asking: "--gemm", products: .bfloat16) == .onednn)
        } else {
            #expect(refusal("auto", .bfloat16)?.message.contains("AVX512_BF16") == true)
        }
    }

    @Test func `tiles compute everything but float32, if asked for also without a processor that has them`() throws {
        for products in ModelProducts.allCases where products != .float32 {
            let tiles = try ProductBackend(name: "tiles", asking: "--gemm", products: products)
            let packs = try #require(try tiles.packing(tiles.packs(products)))
            #expect(packs.library.accurate == .bf16x3 && packs.packs.forward != nil && packs.packs.backward != nil)
        }
        #expect(ProductBackend.tiles.packs(.fast) == FrozenMatrix.Packs(forward: .bf16x3, backward: .bf16x3))
        #expect(ProductBackend.tiles.packs(.int8Forward) == FrozenMatrix.Packs(forward: .int8, backward: .bf16x3))
        #expect(ProductBackend.openblas.packs(.int8Forward) == FrozenMatrix.Packs(forward: .int8, backward: .float32))
        #expect(ProductBackend.tiles.packs(.bfloat16, training: false).backward == nil)
        let refused = try #require(refusal("tiles", .float32))
        #expect(refused.code == .badConfiguration && refused.message.contains("--products bf16x3"), "\(refused)")
        #expect(refusal("tiles", .bf16x3, .bfloat16) != nil)
    }

    @Test func `the other libraries refuse what they do not compute`() throws {
        for (name, products) in [("openblas", ModelProducts.bf16x3), ("openblas", .bfloat16), ("onednn", .bf16x3)]
        where ProductBackend.available.map(\.rawValue).contains(name) {
            let refused = try #require(refusal(name, products))
            #expect(refused.code == .badConfiguration)
            #expect(
                refused.message.contains("--gemm \(name) computes no products in \(products.rawValue)"), "\(refused)")
        }
    }

    @Test func `what fast means is part of the record, and the twin is said`() {
        #expect(ProductBackend.tiles.version(for: .fast) == "\(TileProducts.name) in bf16x3")
        #expect(ProductBackend.openblas.version(for: .fast).hasSuffix(" in float32"))
        #expect(ProductBackend.tiles.version(for: .bf16x3) == TileProducts.name)
        #expect((ProductBackend.tiles.warning(.bf16x3) == nil) == TileProducts.isNative)
        #expect(ProductBackend.tiles.warning(.int8)?.contains("portable twin") != TileProducts.isNative)
        #expect(ProductBackend.openblas.notice(.fast)?.contains("is float32 by OpenBLAS") == true)
        #expect(ProductBackend.tiles.notice(.bf16x3) == nil)
    }
}
