public import Failures
public import Foundation
import Tensors

/// `unolora_config.json`: what is needed to use an adapter file again, and to make a method (`MethodTable`).
///
/// `method`, `rank`, `alpha` and `tasks` are always present, even if a method has no rank; any other key may be absent and then
/// has the method's default.
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
    /// Rank of A if it differs from `rank`.
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
    /// Width of the hypernetwork's output.
    public var hyperOutDim: Int?
    /// Width inside the hypernetwork's sample encoder.
    public var hyperBottleneck: Int?
    /// Dropout rate of the low-rank path in training.
    public var loraDropout: Double?
    /// `perInput` or `perSite`.
    public var loraDropoutMask: String?
    /// How A starts if not `kaimingIn`; it matters only at the start.
    public var loraAInit: String?
    /// True if every A stayed as it began.
    public var loraFreezeA: Bool?
    /// True if every B stayed as it began.
    public var loraFreezeB: Bool?
    /// True if the hypernetwork stayed as it began.
    public var hyperFreeze: Bool?
    /// The tasks, by number, whose embeddings alone were trained of the hypernetwork; nil for all of it.
    public var hyperTrainedTasks: [Int]?
    /// Names of the tasks in the order of their ids.
    public var taskNames: [String]?
    /// Answer texts of each task, in class order.
    public var labels: [String: [String]]?
    /// Digest of the vocabulary that the adapter was trained with; nil in files of earlier versions and of other programs.
    public var vocabulary: String?

    /// Creates the configuration of an adapter; every other key has the method's default.
    public init(method: String, rank: Int, alpha: Double, tasks: Int) {
        self.method = method
        self.rank = rank
        self.alpha = alpha
        self.tasks = tasks
    }

    /// Reads the file at `path`.
    public init(path: String) throws(Failure) {
        guard FileManager.default.fileExists(atPath: path) else {
            throw Failure(.inputMissing, "\(path) cannot be read; an adapter directory holds unolora_config.json")
        }
        try self.init(BoundedJSON.content(of: path), path: path)
    }

    /// Reads the content of the file; `path` is for messages.
    public init(_ data: Data, path: String) throws(Failure) {
        do {
            self = try BoundedJSON.decode(AdapterConfiguration.self, from: data)
        } catch {
            throw Failure(
                .badData, "\(path) is not an adapter's configuration (method, rank, alpha and tasks are needed)")
        }
    }

    /// The first key, in alphabetical order, for which an adapter of the other configuration means something else; nil when
    /// there is none. Keys that act only in training do not count, nor does the vocabulary, which not every file names.
    public func firstDifference(from other: AdapterConfiguration) throws(Failure) -> String? {
        func values(_ configuration: AdapterConfiguration) throws(Failure) -> [String: NSObject] {
            var used = configuration
            (used.loraDropout, used.loraDropoutMask, used.loraAInit, used.vocabulary) = (nil, nil, nil, nil)
            (used.loraFreezeA, used.loraFreezeB, used.hyperFreeze, used.hyperTrainedTasks) = (nil, nil, nil, nil)
            let data = try StableJSON.line(used, "the adapter's configuration")
            return (try? JSONSerialization.jsonObject(with: data)) as? [String: NSObject] ?? [:]
        }
        let (here, there) = (try values(self), try values(other))
        return Set(here.keys).union(there.keys).sorted().first { here[$0] != there[$0] }
    }
}
