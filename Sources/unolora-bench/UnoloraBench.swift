import ArgumentParser
import Benchmarks
import Failures
import Foundation
import Kernels
import Training

/// Measures parts of the trainer; each command prints one JSON object.
@main
struct UnoloraBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unolora-bench", abstract: "Measures the trainer's parts; prints one JSON object.",
        version: ProgramVersion.current, subcommands: [StepCommand.self])

    static func main() {
        Job.prepareProcess()
        ProcessorKernels.choose()
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            exit(withError: error)
        }
    }
}

struct StepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "step", abstract: "Whole training steps on examples of given lengths; alone or under mpirun.")

    @Option(help: ArgumentHelp("Hugging Face T5 directory, e.g. from unolora-dist new-model.", valueName: "directory"))
    var model: String

    @Option(help: ArgumentHelp("JSON list of [source, target] token counts.", valueName: "file"))
    var lengths: String

    @Option(help: "unolora, unolora_star or lora_per_task.")
    var method = "unolora"

    @Option(help: "Examples in a step.")
    var batch = 32

    @Option(help: "Examples in a micro-batch.")
    var micro = 4

    @Option(help: "Workers of each rank.")
    var threads = 2

    @Option(help: "Measured steps, after two others.")
    var steps = 10

    @Option(help: "Dropout at T5's places and in the adapter.")
    var dropout = 0.1

    @Option(help: "Products with frozen weights: auto, openblas or onednn.")
    var gemm = "auto"

    @Option(help: "float32 or int8, of the forward's products with onednn.")
    var forward = "float32"

    @Option(help: "float32 or int8, of the input gradients' products with onednn.")
    var backward = "float32"

    func validate() throws {
        guard gemm == "auto" || ProductBackend(rawValue: gemm) != nil else {
            throw ValidationError("--gemm must be auto, openblas or onednn")
        }
        guard ProductPrecision(rawValue: forward) != nil, ProductPrecision(rawValue: backward) != nil else {
            throw ValidationError("--forward and --backward must be float32 or int8")
        }
        guard batch >= 1, micro >= 1, threads >= 1, steps >= 1, (0..<1).contains(dropout) else {
            throw ValidationError("--batch, --micro, --threads and --steps must be at least 1, --dropout below 1")
        }
    }

    func run() {
        Job.run("step") { environment throws(Failure) in
            var request = StepBenchmark.Request(
                model: model, lengths: lengths, products: try ProductBackend(name: gemm, asking: "--gemm"))
            request.method = method
            request.packs = FrozenMatrix.Packs(
                forward: ProductPrecision(rawValue: forward) ?? .float32,
                backward: ProductPrecision(rawValue: backward) ?? .float32)
            request.batch = batch
            request.micro = micro
            request.threads = threads
            request.steps = steps
            request.dropout = dropout
            let report = try StepBenchmark(request, world: environment.world)()
            if environment.world.rank == 0 { try printJSON(report) }
            return 0
        }
    }
}

/// Prints a report with sorted keys.
func printJSON(_ report: some Encodable) throws(Failure) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    guard let data = try? encoder.encode(report) else {
        throw Failure(.internal, "a report has a number that JSON does not have; report this")
    }
    try Terminal.print(String(decoding: data, as: UTF8.self))
}
