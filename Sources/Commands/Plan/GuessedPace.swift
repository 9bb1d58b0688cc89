import Backbone
import Configuration
import Foundation
import Kernels
import Runs
import Tensors
import Training

extension RunPace {
    /// What a core of a kind of processor reaches in whole steps, as a part of the rate of a single large product of float32,
    /// measured with shapes like those of t5-small and t5-base. The rate itself is measured when a plan is made.
    private enum ProcessorClass {
        case vectorsOf512Bits
        case halvesOf512Bits
        case integersOf512Bits
        case tiles(ModelProducts)
        case twin
        case others

        static func of(_ configuration: RunConfiguration, _ products: ProductBackend) -> ProcessorClass {
            switch products {
            case .openblas: return .others
            case .tiles: return TileProducts.isNative ? .tiles(products.meaning(of: configuration.products)) : .twin
            case .onednn:
                if configuration.products == .bfloat16 { return .halvesOf512Bits }
                return configuration.products.rounds8Bits && OneDNN.hasVNNI ? .integersOf512Bits : .vectorsOf512Bits
            }
        }

        /// Those of tiles follow from the rates of single products, since half of such a step is something else.
        var efficiency: Double {
            switch self {
            case .vectorsOf512Bits: 0.8
            case .halvesOf512Bits: 1.3
            case .integersOf512Bits: 1.9
            case .tiles(let products): products.rounds8Bits ? 2.4 : products == .bfloat16 ? 2.0 : 1.5
            case .twin: 0.3
            case .others: 0.6
            }
        }

        var name: String {
            switch self {
            case .vectorsOf512Bits: "AVX-512 with oneDNN"
            case .halvesOf512Bits: "AVX512_BF16 with oneDNN and bfloat16"
            case .integersOf512Bits: "AVX-512 VNNI with oneDNN and 8 bits"
            case .tiles(let products): "tiles and \(products.rawValue)"
            case .twin: "the portable twin of tiles"
            case .others: "OpenBLAS"
            }
        }
    }

    /// How far the truth may be from a guess.
    static let uncertainty = "half to twice as long, more for models smaller than t5-small"

    /// Bytes of weights that are checked, and of checkpoints that are written, in a second.
    private static let (readingRate, writingRate) = (2e9, 2e8)
    /// Seconds for starting the process and MPI, and for making a checkpoint durable.
    private static let (launching, synchronising) = (0.5, 0.05)

    /// A guess from the rate of a product on this machine. `perExample` are the operations of a training example, `cost` its mean
    /// work in the unit of `DrawnSteps`.
    init(
        guessing configuration: RunConfiguration, products: ProductBackend, rate: Double, perExample: Double,
        cost: Double, tasks: Int, modelBytes: Int, checkpointBytes: Int, data: DataStart
    ) {
        let kind = ProcessorClass.of(configuration, products)
        func computing(_ seconds: Double) -> Cost { Cost(seconds: seconds, processorSeconds: seconds) }
        let operation = 1 / (rate * kind.efficiency)
        unit = computing(perExample / max(cost, 1) * operation)
        step = computing(0)
        answers = Array(repeating: computing(operation), count: tasks)
        start = computing(Self.launching + Double(modelBytes) / Self.readingRate) + data.cost
        checkpoint = computing(Self.synchronising + Double(checkpointBytes) / Self.writingRate)
        isMeasured = false
        hasTokenCache = data.hasCache
        sources = [
            "a guess (\(Self.uncertainty)): \(String(format: "%.0f", rate / 1e9)) GFLOP/s a core, measured now on this machine,",
            "of which a step reaches \(String(format: "%.2f", kind.efficiency)) with \(kind.name); plan --measure measures it",
        ]
    }

    /// Operations in a second of a core: of a product in float32, measured now.
    static func productRate() -> Double {
        let (m, n, k) = (256, 768, 768)
        let memory = Arena(count: m * k + n * k + m * n)
        // The views do not keep the memory alive.
        defer { withExtendedLifetime(memory) {} }
        let a = memory.readOnly.matrix(at: 0, rows: m, columns: k)
        let b = memory.readOnly.matrix(at: m * k, rows: n, columns: k)
        let c = memory.matrix(at: m * k + n * k, rows: m, columns: n)
        var best = Double.infinity
        for _ in 0..<8 {
            let begun = ContinuousClock.now
            gemm(.asIs(a), .transposed(b), into: c)
            best = min(best, ProgressLine.seconds(begun.duration(to: .now)))
        }
        return 2 * Double(m * n * k) / best
    }
}
