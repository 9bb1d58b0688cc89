package import Adapters
package import Backbone
import Backbones
package import Configuration
package import Failures
import Kernels
package import MPI
package import Runs
package import Tasks
import Tensors
package import Text

/// What every command on a run needs, with or without data: configuration, tasks, vocabulary, backbone and method.
package struct RunModel {
    package let configuration: RunConfiguration
    package let world: Communicator
    /// The tasks in the order of their ids.
    package let definitions: [TaskDefinition]
    package let vocabulary: any Tokenizer
    /// Generation budget of each task: the configured one, or max(4, longest answer), or data.maxTarget for free text.
    package let budgets: [Int]
    package let model: any Backbone
    var made: MadeMethod
    /// The library that computes the products with the backbone's weights.
    package let products: ProductBackend
    /// Threads of this rank at the start: as configured, or its share of the cores that it may use.
    let threads: Int
    /// Digest of the backbone: its shape and its weights.
    let backbone: String
    /// Digest of the adapter with which the run begins; nil for a random start.
    var origin: String?
    /// The tasks that this adapter does not have, if of what belongs to tasks only that of these is trained; else nil.
    var newTasks: [String]?

    /// Opens everything; collective. Rank 0 first runs the steps that may be refused, so that a refusal is reported once.
    /// Weights are packed for the forward, and with `training` also for the backward. With `isNew` it also refuses what an old
    /// run may go on with. `given` has the tasks where the configuration's cannot be used. `freedom` is what the user can change when
    /// the ranks cannot compute the products so. `finished` is called after each part of the start.
    package init(
        _ configuration: RunConfiguration, training: Bool, isNew: Bool = false, tasks given: [TaskDefinition]? = nil,
        freedom: ProductFreedom = .configuration, world: Communicator,
        finished: (StartupTimes.Part) -> Void = { _ in }
    ) throws(Failure) {
        self.configuration = configuration
        self.world = world
        let directory = configuration.model
        let products = try world.rankZeroFirst { () throws(Failure) in
            try training ? ProductBackend(configuration) : ProductBackend.forUse(configuration)
        }
        self.products = products
        definitions = try world.rankZeroFirst { () throws(Failure) in
            if let given { given } else { try configuration.definitions() }
        }
        let shape = try world.rankZeroFirst { () throws(Failure) in
            try Backbones.shape(directory: directory)
        }
        let vocabulary = try world.rankZeroFirst { () throws(Failure) in
            try Self.openVocabulary(directory, shape, isNew: isNew)
        }
        let definitions = definitions
        let budgets = try world.rankZeroFirst { () throws(Failure) in
            try Self.budgets(definitions, vocabulary, configuration)
        }
        let longest = max(
            configuration.maxSource, configuration.padTargets ?? 0, configuration.maxTarget ?? 0, budgets.max() ?? 0)
        self.vocabulary = vocabulary
        self.budgets = budgets
        made = try world.rankZeroFirst { () throws(Failure) in
            let made = try configuration.method(shape, isNew: isNew)
            try configuration.check(made, training: training, fits: .machine)
            return made
        }
        finished(.vocabulary)
        let node = try world.nodeCommunicator()
        let files = try world.rankZeroFirst { () throws(Failure) in try Backbones.fileIdentity(directory: directory) }
        backbone = try Self.checkModel(directory, files, world, node)
        finished(.weights)
        // This check comes now, since the ranks of a node share everything below.
        try Agreement.check(
            [.configuration(configuration)] + Agreement.Part.kernels(BLAS.coreType, of: BLAS.description)
                + Agreement.Part.products(products, configuration.products, freedom)
                + [.init(name: "model", text: backbone)], world: world)
        let packed: (Int) throws(Failure) -> any FrozenMemory = { size throws(Failure) in
            try NodeMemory(
                node, byteCount: size, for: "packed weights",
                remedy: freedom.remedy(SharedRoom.oneRank, withoutPacks: configuration.products, by: products))
        }
        let threads = try ThreadChoice(requested: configuration.threads, world: world, microBatches: nil).threads
        self.threads = threads
        let converted: (Int) throws(Failure) -> any FrozenMemory = { size throws(Failure) in
            try NodeMemory(
                node, byteCount: size, for: "converted weights",
                remedy: freedom.remedyWithoutConversion(SharedRoom.oneRank))
        }
        model = try Backbones.open(
            directory: directory, maximumLength: longest, format: configuration.weightFormat,
            packing: products.packing(
                products.packs(configuration, training: training), threads: threads, memory: packed),
            convertedMemory: converted)
        guard try Backbones.fileIdentity(directory: directory) == files else {
            throw Failure(
                .badData, "a file of the model \(directory) changed while it was read; start again when it is whole")
        }
        finished(.model)
    }

    /// What `model.products` means with these products: `fast` is another.
    package var meaningOfProducts: ModelProducts { products.meaning(of: configuration.products) }

    /// Says on rank 0 what a user of a trained adapter must know about its products.
    package func sayProducts() {
        guard world.rank == 0 else { return }
        for notice in products.noticesOfUse(configuration) { Terminal.complain(notice) }
    }

    /// What else the bits of a result depend on.
    package var libraries: [String: String] { EnvironmentRecord.libraries(products, configuration.products) }

    /// The backbone in float32, as in the file and without packs; storage and products are compared with it.
    func float32Model() throws(Failure) -> any Backbone {
        guard configuration.storage != .float32 else { return model.unpacked }
        return try Backbones.open(directory: configuration.model, maximumLength: model.maximumLength)
    }

    /// The method.
    package var method: any Method { made.method }

    /// Names of the tasks in the order of their ids.
    package var taskNames: [String] { definitions.map(\.name) }

    /// What is needed to use an adapter of this run again.
    package var adapter: AdapterConfiguration {
        var adapter = made.configuration(of: definitions)
        adapter.vocabulary = vocabulary.digest.hexadecimal
        return adapter
    }

    /// What the adapter's directory needs to be of use without the run.
    package func description() throws(Failure) -> AdapterDescription {
        try AdapterDescription(configuration, definitions, backbone: backbone)
    }

    /// Everything that must be the same so that a run with this model can be continued.
    package func identity(data: String, sources: [TaskSources]?) -> RunState.Identity {
        RunState.Identity(
            configuration: configuration.resultText,
            layout: ContentDigest(of: method.parameters.canonicalText).hexadecimal, backbone: backbone, data: data,
            vocabulary: vocabulary.digest.hexadecimal, sources: sources, origin: origin,
            newTasks: newTasks)
    }

    /// Generates and scores answers with this run's settings.
    package var evaluator: Evaluator { Evaluator(vocabulary: vocabulary, batchSize: configuration.evaluationBatch) }

    static func budgets(
        _ definitions: [TaskDefinition], _ vocabulary: any Tokenizer, _ configuration: RunConfiguration
    ) throws(Failure) -> [Int] {
        var budgets: [Int] = []
        for definition in definitions {
            let targets = try TargetTable(definition, vocabulary)
            if let configured = configuration.maxNewTokens { try targets.check(fit: configured) }
            let longest = definition.answers == .texts ? configuration.maxTarget ?? 0 : targets.longest
            budgets.append(configuration.maxNewTokens ?? max(4, longest))
        }
        return budgets
    }

    /// Checks the weights and digests them; collective.
    ///
    /// Every rank checks the files that it opens itself. Among the ranks of a node that open the same files, only the first one
    /// reads them.
    private static func checkModel(
        _ directory: String, _ files: ContentDigest, _ world: Communicator, _ node: Communicator
    ) throws(Failure) -> String {
        let all = try node.allGather(files.words)
        let reader = all.firstIndex(of: files.words) ?? node.rank
        let own = try world.rankZeroFirst { () throws(Failure) in
            reader == node.rank ? try Backbones.check(directory: directory).words : files.words
        }
        let words = try node.allGather(own)[reader]
        return ContentDigest(words: (words[0], words[1])).hexadecimal
    }
}
