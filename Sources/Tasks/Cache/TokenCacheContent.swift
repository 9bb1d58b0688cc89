import Failures
import Tensors

/// Everything that a cache file holds, ready to be written.
struct TokenCacheContent {
    private var header: TokenCacheHeader
    private let tasks: [TaskExamples]
    private let targets: [TargetTable]
    /// The units of each split of each task.
    private var sources: [[[TokenLists]]]
    /// The answers of each split of each task; nil for tasks without free text.
    private let answers: [[AnswerTexts?]]

    init(_ builder: TokenCacheBuilder, _ units: [TokenCacheBuilder.Unit], _ tokens: [TokenCacheBuilder.UnitTokens]) {
        tasks = builder.tasks
        targets = builder.targets
        sources = tasks.map { $0.splitNames.map { _ in [] } }
        var counts = tasks.map { $0.splitNames.map { _ in SourceCounts() } }
        var wholeLengths = tasks.map { $0.splitNames.map { _ in [Int]() } }
        var answers = tasks.map { $0.splitNames.map { _ in AnswerTexts?.none } }
        for (unit, tokens) in zip(units, tokens) {
            sources[unit.task][unit.split].append(tokens.sources)
            counts[unit.task][unit.split].add(tokens.counts)
            wholeLengths[unit.task][unit.split] += tokens.wholeLengths
            guard let own = tokens.answers else { continue }
            if answers[unit.task][unit.split] == nil {
                answers[unit.task][unit.split] = own
            } else {
                answers[unit.task][unit.split]?.append(contentsOf: own)
            }
        }
        self.answers = answers
        header = TokenCacheHeader(tasks: [])
        for (index, task) in tasks.enumerated() {
            var report = task.report
            for split in report.splits.indices {
                report.splits[split].sources = counts[index][split]
                report.splits[split].whole = TokenLengths(wholeLengths[index][split])
                report.splits[split].answers = answers[index][split]?.report
            }
            header.tasks.append(Self.entry(task.definition, report, targets[index], sources[index], answers[index]))
        }
    }

    private static func entry(
        _ definition: TaskDefinition, _ report: TaskReport, _ targets: TargetTable, _ sources: [[TokenLists]],
        _ answers: [AnswerTexts?]
    ) -> TokenCacheHeader.Task {
        TokenCacheHeader.Task(
            name: definition.name, answers: definition.answers, labelNames: definition.labelNames,
            metrics: definition.metrics, report: report, files: report.files.map(\.name),
            targets: TokenCacheHeader.Section(count: targets.lists.lengths.count, tokens: targets.lists.ids.count),
            splits: definition.splits.indices.map { index in
                let (split, lists) = (definition.splits[index], sources[index])
                let sections = TokenCacheHeader.Section(
                    count: lists.reduce(0) { $0 + $1.lengths.count }, tokens: lists.reduce(0) { $0 + $1.ids.count })
                return TokenCacheHeader.Split(
                    name: split.name, label: split.label, sources: sections,
                    longestSource: lists.reduce(0) { max($0, $1.longest) }, texts: answers[index].map(Self.entry),
                    groups: definition.group.map { _ in 0 })
            })
    }

    private static func entry(_ answers: AnswerTexts) -> TokenCacheHeader.Texts {
        TokenCacheHeader.Texts(
            targets: TokenCacheHeader.Section(count: answers.targets.lengths.count, tokens: answers.targets.ids.count),
            longestTarget: answers.targets.longest, count: answers.ends.count, bytes: answers.utf8.count)
    }

    /// Assigns positions to the sections and returns the header's JSON, padded with spaces so that the data is aligned.
    mutating func placedHeader() throws(Failure) -> (json: [UInt8], dataSize: Int) {
        guard let dataSize = header.placeSections() else {
            throw Failure(.internal, "a token cache would be larger than any file; report this")
        }
        let json = try Array(StableJSON.line(header, "the header of the token cache"))
        let padding = TokenCacheFormat.aligned(json.count) - json.count
        return (json + Array(repeating: UInt8(ascii: " "), count: padding), dataSize)
    }

    /// Passes the data to `body` section by section; each is followed by the zeros that align the next one.
    func emit(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Void) throws(Failure) {
        func emit<Element>(_ values: [Element]) throws(Failure) {
            let size = values.count * MemoryLayout<Element>.stride
            try unsafe values.withUnsafeBufferPointer { (buffer) throws(Failure) in
                try unsafe body(UnsafeRawBufferPointer(buffer))
            }
            let padding = [UInt8](repeating: 0, count: TokenCacheFormat.aligned(size) - size)
            try unsafe padding.withUnsafeBufferPointer { (buffer) throws(Failure) in
                try unsafe body(UnsafeRawBufferPointer(buffer))
            }
        }
        for task in tasks.indices {
            try emit(targets[task].lists.offsets)
            try emit(targets[task].lists.ids)
            for split in sources[task].indices {
                let lists = sources[task][split].reduce(into: TokenLists()) { $0.append(contentsOf: $1) }
                try emit(lists.offsets)
                try emit(lists.ids)
                let examples = lists.lengths.indices
                try emit(answers[task][split]?.firsts ?? examples.map { tasks[task].number(split: split, $0) })
                try emit(
                    examples.flatMap { example in
                        let (file, line) = tasks[task].origin(split: split, example)
                        return [UInt32(file), UInt32(line)]
                    })
                if let answers = answers[task][split] {
                    try emit(answers.targets.offsets)
                    try emit(answers.targets.ids)
                    try emit(answers.ends)
                    try emit(answers.utf8)
                }
                if let groups = tasks[task].groups(split: split) { try emit(groups) }
            }
        }
    }
}
