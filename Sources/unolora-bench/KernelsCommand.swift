import ArgumentParser
import Benchmarks
import Commands
import Configuration
import Failures
import MPI

struct KernelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels",
        abstract: "The products with frozen weights of a model, shape by shape, and its loops over elements.",
        discussion: """
            Rows are those of the smallest, the median and the largest micro-batch of --lengths, or those of --rows. Under \
            mpirun all ranks compute at the same time; the numbers are those of rank 0.
            """)

    @Option(help: ArgumentHelp("Hugging Face T5 directory, e.g. from unolora-dist new-model.", valueName: "directory"))
    var model: String

    @Option(help: ArgumentHelp("JSON list of [source, target] token counts.", valueName: "file"))
    var lengths: String?

    @Option(help: "Examples in a micro-batch of --lengths.")
    var micro = 4

    @Option(help: ArgumentHelp("Numbers of rows, separated by commas.", valueName: "a,b"), transform: Self.numbers)
    var rows: [Int]?

    @Option(help: "Threads that compute products at the same time.")
    var threads = 1

    @Option(help: "Measured repetitions, after one that is not measured.")
    var repeats = 5

    @OptionGroup var products: ProductOptions

    func validate() throws {
        guard (lengths == nil) != (rows == nil) else { throw ValidationError("give either --lengths or --rows") }
        try require("--micro", micro, atMost: Limits.microBatch)
        try require("--threads", threads, atMost: Limits.threads)
        guard repeats >= 1 else { throw ValidationError("--repeats must be at least 1") }
    }

    func run() {
        Job.run(UnoloraBench.commandLine) { environment throws(Failure) in
            var workload = try products.workload(model: model)
            workload.threads = threads
            let chosen: KernelsBenchmark.Rows =
                lengths.map { .lengths($0, micro: micro) } ?? .list(rows ?? [])
            let report = try KernelsBenchmark(workload, chosen, repeats: repeats, world: environment.world)()
            if environment.world.rank == 0 { try printJSON(report) }
            return 0
        }
    }

    private static func numbers(_ text: String) throws -> [Int] {
        try text.split(separator: ",", omittingEmptySubsequences: false).map { word in
            guard let number = Int(word), (1...100_000).contains(number) else {
                throw ValidationError("it is not a list of numbers from 1 to 100000")
            }
            return number
        }
    }
}
