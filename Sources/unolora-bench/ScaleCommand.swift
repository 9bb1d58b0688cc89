import ArgumentParser
import Benchmarks
import Commands
import Failures
import Runs

struct ScaleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale",
        abstract: "Predicts steps on up to 1,024 ranks from measured parts (docs/scaling.md); trains nothing.",
        discussion: """
            Examples are drawn from --lengths, or from 32 lengths of GLUE, and shared out as in a run. docs/scaling.md \
            explains the defaults of the parts.
            """)

    @Option(help: ArgumentHelp("JSON list of [source, target] token counts.", valueName: "file"))
    var lengths: String?

    @Option(help: "Examples in a micro-batch.")
    var micro = Self.layout.micro

    @Option(help: "Workers of each rank.")
    var threads = Self.layout.threads

    @Option(help: "Ranks that share the link of a node.")
    var ranksPerNode = Self.layout.ranksPerNode

    @Option(help: "Examples of each rank, for weak scaling.")
    var perRank = 32

    @Option(help: ArgumentHelp("Global batches, separated by commas.", valueName: "a,b"), transform: Self.numbers)
    var batches = [32, 128, 1024]

    @Option(
        help: ArgumentHelp("Speeds of links in Gb/s, separated by commas.", valueName: "a,b"), transform: Self.numbers)
    var links = [1, 10, 100]

    @Option(help: "Bytes that each rank reduces in a step.")
    var bytes = Self.parts.bytes

    @Option(help: "Seconds of one core for a source token, or half a target token.")
    var unitSeconds = Self.parts.unitSeconds

    @Option(help: "Seconds of a step for gradient, clipping, AdamW and snapshot.")
    var fixedSeconds = Self.parts.fixedSeconds

    @Option(help: "Seconds of a step to sum the gradients of one worker.")
    var workerSeconds = Self.parts.workerSeconds

    @Option(help: "Seconds of a step to sample and share out one example of the global batch.")
    var slotSeconds = Self.parts.slotSeconds

    @Option(help: "Seconds of a message from host to host.")
    var latency = Self.parts.latency

    @Option(help: "Time of a reduction on a link, divided by the time that its bytes alone would take.")
    var inefficiency = Self.parts.inefficiency

    @Option(help: "Seconds of a rank for each byte that it sends in a reduction.")
    var byteSeconds = Self.parts.byteSeconds

    @Option(help: "Steps that are drawn for each number of ranks.")
    var steps = Self.layout.steps

    @Option(help: "Seed of the draws.")
    var seed = Self.layout.seed

    @Flag(help: "Print efficiencies as a table instead of JSON.")
    var table = false

    private static let parts = ScalingModel.Parts()
    private static let layout = ScalingModel.Layout()

    func validate() throws {
        guard [micro, threads, ranksPerNode, steps, perRank].allSatisfy({ (1...100_000).contains($0) }),
            (1...1 << 40).contains(bytes)
        else {
            throw ValidationError(
                "--micro, --threads, --ranks-per-node, --steps and --per-rank must be from 1 to 100000, --bytes from 1 to "
                    + "2^40")
        }
        let seconds = [unitSeconds, fixedSeconds, workerSeconds, slotSeconds, latency, inefficiency, byteSeconds]
        guard seconds.allSatisfy({ $0.isFinite && $0 >= 0 && $0 <= 1e6 }), unitSeconds > 0 else {
            throw ValidationError("seconds and --inefficiency must be from 0 to 1e6, --unit-seconds above 0")
        }
    }

    func run() {
        Job.alone("scale") { () throws(Failure) in
            let lengths = try lengths.map { path throws(Failure) in try TokenLengths(path: path) } ?? .glue
            let report = try ScalingModel(parts: chosenParts, layout: chosenLayout, lengths: lengths).report(
                batches: [.perRank(perRank)] + batches.map(ScalingModel.Batch.global),
                ranks: (1...10).map { 1 << $0 }, gigabits: links.map(Double.init))
            if table { try Terminal.print(report.table) } else { try printJSON(report) }
            return 0
        }
    }

    private var chosenParts: ScalingModel.Parts {
        var parts = ScalingModel.Parts()
        parts.bytes = bytes
        parts.unitSeconds = unitSeconds
        parts.fixedSeconds = fixedSeconds
        parts.workerSeconds = workerSeconds
        parts.slotSeconds = slotSeconds
        parts.latency = latency
        parts.inefficiency = inefficiency
        parts.byteSeconds = byteSeconds
        return parts
    }

    private var chosenLayout: ScalingModel.Layout {
        var layout = ScalingModel.Layout()
        layout.micro = micro
        layout.threads = threads
        layout.ranksPerNode = ranksPerNode
        layout.steps = steps
        layout.seed = seed
        return layout
    }

    private static func numbers(_ text: String) throws -> [Int] {
        try text.split(separator: ",", omittingEmptySubsequences: false).map { word in
            guard let number = Int(word), (1...1_000_000).contains(number) else {
                throw ValidationError("it is not a list of numbers from 1 to 1000000")
            }
            return number
        }
    }
}
