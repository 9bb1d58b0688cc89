public import Failures
public import Tensors
public import Text

/// Reads and tokenises tasks and writes the cache. The bytes do not depend on the number of threads.
public struct TokenCacheBuilder: Sendable {
    /// The inputs from which the cache is made.
    let inputs: TokenCacheInputs
    /// Identifies everything that decides the content; equal keys mean equal bytes.
    public var key: ContentDigest { inputs.key }
    let tasks: [TaskExamples]
    let targets: [TargetTable]
    private let vocabulary: any Tokenizer
    private let options: TokenCacheOptions
    let threads: Int

    /// Reads and splits all tasks; only the answers are tokenised here.
    ///
    /// Throws what `TaskExamples` throws, and `badConfiguration` for no tasks, two tasks with the same name, or a maximal
    /// source below 2 tokens.
    public init(
        tasks definitions: [TaskDefinition], vocabulary: any Tokenizer,
        options: TokenCacheOptions = TokenCacheOptions(),
        threads: Int = 1
    ) throws(Failure) {
        try Self.check(definitions, options)
        self.vocabulary = vocabulary
        self.options = options
        self.threads = threads
        targets = try parallelMap(definitions.count, threads: threads) { (index) throws(Failure) in
            try TargetTable(definitions[index], vocabulary)
        }
        let files = definitions.flatMap { definition in definition.paths.map { (definition, $0) } }
        let indexed = try parallelMap(files.count, threads: threads) { (index) throws(Failure) in
            try IndexedFile(files[index].1, files[index].0, onBadRow: options.reading.onBadRow)
        }
        var rest = indexed[...]
        var tasks: [TaskExamples] = []
        for definition in definitions {
            let own = Array(rest.prefix(definition.paths.count))
            rest = rest.dropFirst(own.count)
            tasks.append(try TaskExamples(definition, own, options.reading))
        }
        self.tasks = tasks
        inputs = try TokenCacheInputs(definitions, files: indexed.map(\.digest), vocabulary, options)
    }

    /// Tokenises everything and writes the cache in one step: at any moment the path holds a complete cache or none.
    ///
    /// Throws `cannotWrite` when the file cannot be written.
    public func build(at path: String) throws(Failure) {
        let units = self.units
        let tokens = try parallelMap(units.count, threads: threads) { (index) throws(Failure) in
            try tokenise(units[index])
        }
        try write(TokenCacheContent(self, units, tokens), to: path)
    }

    /// The checks of `init` that need no files.
    static func check(_ definitions: [TaskDefinition], _ options: TokenCacheOptions) throws(Failure) {
        guard !definitions.isEmpty else {
            throw Failure(.badConfiguration, "there are no tasks; name at least one in data.tasks")
        }
        var names: Set<String> = []
        for definition in definitions where !names.insert(definition.name).inserted {
            throw Failure(
                .badConfiguration, "two tasks have the name \"\(definition.name.shown)\"; rename one of them")
        }
        guard options.maxSource >= 2 else {
            throw Failure(
                .badConfiguration,
                "sources of at most \(options.maxSource) tokens have no room for text; allow 2 or more")
        }
        guard options.maxTarget ?? 2 >= 2 else {
            throw Failure(.badConfiguration, "answers of at most 1 token have no room for text; allow 2 or more")
        }
    }
}

extension TokenCacheBuilder {
    /// A piece of the work: consecutive examples of one split.
    struct Unit: Sendable {
        let task: Int
        let split: Int
        let range: Range<Int>
    }

    /// The tokens of a unit.
    struct UnitTokens: Sendable {
        var sources = TokenLists()
        var counts = SourceCounts()
        /// The length of each source before any cut, EOS included.
        var wholeLengths: [Int] = []
        /// The answers of a task with free text; nil for others.
        var answers: AnswerTexts?
    }

    /// All work, in the order of the file.
    var units: [Unit] {
        let size = 1024
        return tasks.indices.flatMap { task in
            tasks[task].splitNames.enumerated().flatMap { split, name in
                let count = tasks[task].count(name)
                return stride(from: 0, to: count, by: size).map {
                    Unit(task: task, split: split, range: $0..<min($0 + size, count))
                }
            }
        }
    }

    func tokenise(_ unit: Unit) throws(Failure) -> UnitTokens {
        var tokens = UnitTokens()
        if tasks[unit.task].definition.answers == .texts { tokens.answers = AnswerTexts(limit: options.maxTarget) }
        let tokeniser = SourceTokeniser(
            definition: tasks[unit.task].definition, vocabulary: vocabulary, maxSource: options.maxSource)
        try tasks[unit.task].read(split: unit.split, unit.range) { (_, source, gold) throws(Failure) in
            let finding = try tokeniser.append(source, to: &tokens.sources)
            tokens.counts.add(finding)
            tokens.wholeLengths.append(finding.tokens + 1)
            if case .texts(let texts) = gold { try tokens.answers?.append(texts, vocabulary) }
        }
        return tokens
    }
}
