import Failures
import Foundation
import T5
import Tensors

/// `unolora_config.json`: what an adapter file needs to be used again.
///
/// `method`, `rank`, `alpha` and `tasks` are always there; every other key may be absent and then has the method's
/// default.
public struct AdapterConfiguration: Codable, Sendable, Equatable {
    /// Short name of the method.
    public var method: String
    /// LoRA rank (of A).
    public var rank: Int
    /// LoRA alpha.
    public var alpha: Double
    /// Number of tasks.
    public var tasks: Int
    /// Reduction of HyperFormer++'s bottleneck.
    public var reduction: Int?
    /// Rank of A where it differs from `rank`.
    public var rankA: Int?
    /// Rank of B.
    public var rankB: Int?
    /// Adapted projections by attention.
    public var targets: [String: [String]]?
    /// Inputs of the hypernetwork.
    public var hyperInputs: [String]?
    /// `onePlus` or `zeroMean`.
    public var hyperScaleInit: String?
    /// Rows of the position embedding when it is shared modulo.
    public var hyperPositions: Int?
    /// Width of the hypernetwork's embeddings.
    public var hyperDim: Int?
    /// Width of its output.
    public var hyperOutDim: Int?
    /// Width inside its sample encoder.
    public var hyperBottleneck: Int?
    /// Dropout of the low-rank path in training.
    public var loraDropout: Double?
    /// `perInput` or `perSite`.
    public var loraDropoutMask: String?
    /// Names of the tasks in the order of their ids.
    public var taskNames: [String]?
    /// Answer texts of each task, in class order.
    public var labels: [String: [String]]?
    /// Digest of the vocabulary that it was trained with; nil in files of earlier versions and of others.
    public var vocabulary: String?

    /// The configuration of an adapter with these options.
    public init(
        _ options: LowRankOptions, taskNames: [String], labels: [String: [String]], vocabulary: String? = nil
    ) {
        method = options.method.rawValue
        rank = options.rankA
        alpha = options.alpha
        tasks = options.tasks
        rankA = options.rankA
        rankB = options.rankB
        targets = [
            "encoderSelf": options.targets.encoderSelf.sorted(), "decoderSelf": options.targets.decoderSelf.sorted(),
            "decoderCross": options.targets.decoderCross.sorted(), "feedForward": options.targets.feedForward.sorted(),
        ]
        loraDropout = options.dropout
        loraDropoutMask = options.dropoutMask.rawValue
        if options.method == .unoloraStar {
            let hyper = options.hyper
            hyperInputs = HypernetworkOptions.Input.allCases.filter(hyper.inputs.contains).map(\.rawValue)
            hyperScaleInit = hyper.startsAtOne ? "onePlus" : "zeroMean"
            hyperPositions = hyper.positionModulus
            hyperDim = hyper.dimension
            hyperOutDim = hyper.outputDimension
            hyperBottleneck = hyper.bottleneck
        }
        self.taskNames = taskNames
        self.labels = labels
        self.vocabulary = vocabulary
    }

    /// Reads the file at `path`.
    public init(path: String) throws(Failure) {
        guard FileManager.default.fileExists(atPath: path) else {
            throw Failure(.inputMissing, "\(path) cannot be read; an adapter directory holds unolora_config.json")
        }
        try self.init(BoundedJSON.content(of: path), path: path)
    }

    /// Reads the content of the file; `path` is for messages.
    init(_ data: Data, path: String) throws(Failure) {
        do {
            self = try BoundedJSON.decode(AdapterConfiguration.self, from: data)
        } catch {
            throw Failure(
                .badData, "\(path) is not an adapter's configuration (method, rank, alpha and tasks are needed)")
        }
    }

    /// The first key, in the alphabet's order, in which an adapter of another configuration means something else; nil
    /// when there is none. What acts in training alone does not count, nor does the vocabulary, which not every file names.
    public func firstDifference(from other: AdapterConfiguration) throws(Failure) -> String? {
        func values(_ configuration: AdapterConfiguration) throws(Failure) -> [String: NSObject] {
            var used = configuration
            (used.loraDropout, used.loraDropoutMask, used.vocabulary) = (nil, nil, nil)
            let data = try StableJSON.line(used, "the adapter's configuration")
            return (try? JSONSerialization.jsonObject(with: data)) as? [String: NSObject] ?? [:]
        }
        let (here, there) = (try values(self), try values(other))
        return Set(here.keys).union(there.keys).sorted().first { here[$0] != there[$0] }
    }

    /// The options of the low-rank method; refuses methods of other families and values that make no sense.
    public func lowRankOptions(path: String) throws(Failure) -> LowRankOptions {
        guard let known = LowRankOptions.Method(rawValue: method) else {
            throw Failure(.badData, "\(path): method \(method.shown) is not in this version; it has \(Self.methods)")
        }
        let (a, b) = (rankA ?? rank, rankB ?? rankA ?? rank)
        guard (1...4096).contains(a), (1...4096).contains(b), (1...100_000).contains(tasks), alpha.isFinite else {
            throw Failure(.badData, "\(path): rank, alpha or tasks is out of range")
        }
        var options = LowRankOptions(method: known, rankA: a, rankB: b, alpha: alpha, tasks: tasks)
        if let targets {
            func leaves(_ key: String) -> Set<String> { Set(targets[key] ?? []) }
            options.targets = LoraTargets(
                encoderSelf: leaves("encoderSelf"), decoderSelf: leaves("decoderSelf"),
                decoderCross: leaves("decoderCross"), feedForward: leaves("feedForward"))
        }
        options.dropout = loraDropout ?? options.dropout
        guard options.dropout >= 0, options.dropout < 1 else {
            throw Failure(.badData, "\(path): loraDropout must be at least 0 and below 1")
        }
        options.dropoutMask = try value(loraDropoutMask, "loraDropoutMask", path) ?? .perInput
        options.hyper = try hypernetworkOptions(path)
        return options
    }

    private static var methods: String { "frozen, unolora, unolora_star and lora_per_task" }

    private func hypernetworkOptions(_ path: String) throws(Failure) -> HypernetworkOptions {
        var hyper = HypernetworkOptions()
        hyper.dimension = hyperDim ?? hyper.dimension
        hyper.outputDimension = hyperOutDim ?? hyper.outputDimension
        hyper.bottleneck = hyperBottleneck ?? hyper.bottleneck
        hyper.positionModulus = hyperPositions
        for size in [hyper.dimension, hyper.outputDimension, hyper.bottleneck, hyper.positionModulus ?? 1]
        where !(1...65536).contains(size) {
            throw Failure(.badData, "\(path): a size of the hypernetwork is \(size), but must be from 1 to 65536")
        }
        if let names = hyperInputs {
            var inputs: Set<HypernetworkOptions.Input> = []
            for name in names {
                guard let input = HypernetworkOptions.Input(rawValue: name) else {
                    throw Failure(
                        .badData, "\(path): hyperInputs has \(name.shown), but knows task, position and sample")
                }
                inputs.insert(input)
            }
            hyper.inputs = inputs
        }
        guard !hyper.inputs.isEmpty else { throw Failure(.badData, "\(path): hyperInputs names no input") }
        guard ["onePlus", "zeroMean", nil].contains(hyperScaleInit) else {
            throw Failure(.badData, "\(path): hyperScaleInit must be onePlus or zeroMean")
        }
        hyper.startsAtOne = hyperScaleInit != "zeroMean"
        return hyper
    }

    private func value<T: RawRepresentable>(
        _ text: String?, _ key: String, _ path: String
    ) throws(Failure) -> T? where T.RawValue == String {
        guard let text else { return nil }
        guard let value = T(rawValue: text) else { throw Failure(.badData, "\(path): \(key) cannot be \(text.shown)") }
        return value
    }
}
