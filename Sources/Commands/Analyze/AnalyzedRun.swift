import Adapters
import Analysis
import Backbone
import Backbones
import Checkpoints
import Configuration
import Failures
import Foundation
import MPI
import Runs
import Tensors
import Training

/// A run whose adapter is analysed: the adapter's weights, and those with which the run began.
///
/// It needs the run directory and the model's `config.json`; the tasks' files and the model's weights only where a measure needs
/// them.
struct AnalyzedRun {
    let run: RunDirectory
    let configuration: RunConfiguration
    let state: RunState
    let shape: any BackboneShape
    let method: any Method
    let adapter: AdapterConfiguration
    /// Names of the tasks in the order of their ids.
    let tasks: [String]
    let weights: Arena
    let depth: AnalysisDepth
    private let checkpoint: Checkpoint
    /// Whether the last checkpoint stands for a best one that the run does not have.
    private let usesLast: Bool

    /// Opens a checkpoint of a run. Refuses a damaged one, weights that are not finite, and a run that trained nothing.
    init(_ path: String, checkpoint name: String, depth: AnalysisDepth = .whole) throws(Failure) {
        self.depth = depth
        run = RunDirectory(path)
        guard FileManager.default.fileExists(atPath: run.configuration) else {
            throw Failure(
                .inputMissing,
                "\(path) is no run directory: it holds no config.yaml; give the --out of a train command")
        }
        configuration = try RunConfiguration.load(file: run.configuration)
        guard configuration.method != "frozen" else {
            throw Failure(.badConfiguration, "\(path) has method frozen, which trains nothing that could be analysed")
        }
        let store = CheckpointStore(runDirectory: path)
        // A run of which nothing was evaluated has no best checkpoint.
        let usesLast =
            name == "best" && !FileManager.default.fileExists(atPath: store.directory + "/best")
            && store.step(of: .last) != nil
        let checkpoint = try store.open(CheckpointStore.Selection(named: usesLast ? "last" : name))
        self.usesLast = usesLast
        state = try RunState(checkpoint.state(), path: checkpoint.path)
        shape = try Backbones.shape(directory: configuration.model)
        let file = checkpoint.adapterDirectory + "/unolora_config.json"
        var adapter = try AdapterConfiguration(path: file)
        // How A began is no part of what an adapter computes, and older files do not have it.
        if configuration.hasLoraKeys { adapter.loraAInit = configuration.adapterConfiguration(shape).loraAInit }
        method = try MethodTable.standard.method(adapter, on: shape, from: .file(path: file)).method
        if let most = depth.wholeModel, method.isWholeModel(of: shape), method.parameters.count > most {
            throw Failure(
                .badConfiguration,
                "all \(method.parameters.count / 1_000_000) million weights of the model were trained, whose analysis takes long; "
                    + "unolora-dist analyze \(path) makes it")
        }
        tasks = adapter.taskNames ?? configuration.tasks.map(\.name)
        guard tasks.count == adapter.tasks, Set(tasks).count == tasks.count else {
            throw Failure(.badData, "\(file): taskNames does not have \(adapter.tasks) different names")
        }
        weights = Arena(count: method.parameters.count, for: .trainables)
        try checkpoint.loadWeights(method.parameters, into: weights)
        if let (entry, index) = weights.readOnly.firstNonFinite(method.parameters) {
            throw Failure(
                .badData,
                "\(checkpoint.adapterModel): element \(index) of tensor \(entry.name.shown) is not a finite number; use another "
                    + "checkpoint")
        }
        (self.adapter, self.checkpoint) = (adapter, checkpoint)
    }

    /// What the analysis says about the run itself.
    private var source: RunAnalysis.Source {
        var source = RunAnalysis.Source(
            name: run.path, method: configuration.method, model: configuration.model, seed: state.seed,
            checkpoint: checkpoint.path, step: state.step, adapter: checkpoint.adapterDigest?.hexadecimal ?? "",
            backbone: state.identity.backbone, tasks: tasks)
        if usesLast {
            source.notes.append("nothing was evaluated, so there is no best checkpoint; this is the last one")
        }
        if state.step < configuration.steps {
            source.notes.append("step \(state.step) of \(configuration.steps): the run is not finished")
        }
        if let options = (method as? LowRankMethod)?.options {
            (source.ranks, source.alpha) = ([options.rankA, options.rankB], options.alpha)
        }
        return source
    }

    /// Everything about this run, and the subspaces for comparisons with others.
    func analysis(world: Communicator) throws(Failure) -> (RunAnalysis, AdapterSubspaces) {
        var found = Findings(source: source)
        if let method = method as? LowRankMethod {
            try analyse(method, into: &found, world: world)
        } else if let method = method as? HyperFormerMethod {
            try analyse(method, into: &found)
        } else if method.isWholeModel(of: shape) {
            try analyseWeights(into: &found)
        } else {
            throw Failure(.badConfiguration, "\(run.path): analyze does not know method \(configuration.method)")
        }
        let analysis = RunAnalysis(
            source: found.source, measures: found.measures, overlaps: try found.subspaces.betweenTasks(),
            scales: found.scales)
        return (analysis, found.subspaces)
    }

    /// The start of the run; nil, with a note, if it is not known any more. `backbone` returns the model if tensors of it are
    /// trained.
    func start(
        into found: inout Findings, backbone: () throws(Failure) -> (any Backbone)? = { () throws(Failure) in nil }
    ) -> Arena? {
        do throws(Failure) {
            let start = try RunStart(
                of: run, configuration, state, method: method, adapter: adapter, shape: shape, backbone: backbone())
            found.source.start = start.isFromOrigin ? .origin : .seed
            return start.weights
        } catch {
            found.source.notes.append("nothing is given minus its start, because \(error.message)")
            return nil
        }
    }
}

/// What is being found out about a run.
struct Findings {
    var source: RunAnalysis.Source
    var measures = AdapterMeasures()
    var subspaces: AdapterSubspaces
    var scales: ScaleAnalysis?

    init(source: RunAnalysis.Source) {
        self.source = source
        subspaces = AdapterSubspaces(run: source.name)
    }

    /// Adds a family to the measures, and to the subspaces if others are compared with it.
    mutating func add(_ family: MatrixFamily) throws(Failure) {
        try measures.add(family)
        subspaces.add(family)
    }
}
