import Backbone
public import Failures
public import MPI
import Tensors
import Training

/// `kernels`: the products with frozen weights of a model, shape by shape, and its loops over elements.
public struct KernelsBenchmark {
    /// The numbers of rows that are measured.
    public enum Rows: Sendable {
        /// The rows of the smallest, the median and the largest micro-batch of consecutive examples from a file of lengths.
        case lengths(String, micro: Int)
        /// These numbers, for sources and targets alike.
        case list([Int])
    }

    /// The measurements; one JSON object.
    public struct Report: Encodable, Sendable {
        var benchmark = "kernels"
        var model: String
        var gemm: String
        /// Number format of the forward and of input gradients.
        var precision: String
        var threads: Int
        var products: [ProductRate]
        /// Measured on one thread.
        var elements: [ElementRate]
    }

    private let workload: Workload
    private let rows: Rows
    private let repeats: Int
    private let world: Communicator

    /// Prepares the benchmark; under mpirun all ranks compute at the same time.
    public init(_ workload: Workload, _ rows: Rows, repeats: Int, world: Communicator) {
        self.workload = workload
        self.rows = rows
        self.repeats = repeats
        self.world = world
    }

    /// Measures; collective. The numbers are those of this rank.
    public func callAsFunction() throws(Failure) -> Report {
        let (cases, length) = try cases()
        let model = try workload.openModel(longest: 1, world: world)
        let method = try workload.method(tasks: 8, on: model.shape)
        let trainables = method.trained.count
        let replay = FrozenReplay(model, method, threads: workload.threads)
        try world.barrier()
        let products = ProductRate.measure(replay, cases, repeats: repeats)
        let elements = ElementKernels(
            model.shape, rows: cases[cases.count / 2], length: length, trainables: trainables, repeats: repeats)
        return Report(
            model: workload.model, gemm: workload.products.version, precision: workload.precision,
            threads: workload.threads, products: products, elements: elements.measure())
    }

    /// Rows of micro-batches in ascending order, and the tokens of a source.
    private func cases() throws(Failure) -> ([FrozenReplay.Rows], length: Int) {
        switch rows {
        case .list(let rows):
            let cases = rows.sorted().map { (source: $0, target: $0) }
            return (cases, min(cases[cases.count / 2].source, 64))
        case .lengths(let path, let micro):
            let lengths = try world.rankZeroFirst { () throws(Failure) in try TokenLengths(path: path) }
            return Self.cases(lengths, micro: micro)
        }
    }

    /// Rows of the smallest, the median and the largest micro-batch by source rows, and the mean source.
    static func cases(_ lengths: TokenLengths, micro: Int) -> ([FrozenReplay.Rows], length: Int) {
        let pairs = lengths.pairs
        // The remainder at the end is not a whole micro-batch, so it is left out unless there is nothing else.
        let count = max(1, pairs.count / micro)
        let all = (0..<count).map { index -> FrozenReplay.Rows in
            pairs[(index * micro)..<min(pairs.count, (index + 1) * micro)].reduce((source: 0, target: 0)) {
                ($0.source + $1.source, $0.target + $1.target)
            }
        }.sorted { ($0.source, $0.target) < ($1.source, $1.target) }
        let chosen = Set([0, count / 2, count - 1]).sorted().map { all[$0] }
        return (chosen, max(1, pairs.reduce(0) { $0 + $1.source } / pairs.count))
    }
}
