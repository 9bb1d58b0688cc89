import Failures
import Tensors

/// Everything that a cache file holds, ready to be written.
struct TokenCacheContent {
    private var header: TokenCacheHeader
    private let tasks: [TaskExamples]
    private let targets: [TargetTable]
    /// The units of each split of each task.
    private var sources: [[[TokenLists]]]

    init(_ builder: TokenCacheBuilder, _ units: [TokenCacheBuilder.Unit], _ tokens: [TokenCacheBuilder.UnitTokens]) {
        tasks = builder.tasks
        targets = builder.targets
        sources = tasks.map { $0.splitNames.map { _ in [] } }
        var counts = tasks.map { $0.splitNames.map { _ in SourceCounts() } }
        var wholeLengths = tasks.map { $0.splitNames.map { _ in [Int]() } }
        for (unit, tokens) in zip(units, tokens) {
            sources[unit.task][unit.split].append(tokens.sources)
            counts[unit.task][unit.split].add(tokens.counts)
            wholeLengths[unit.task][unit.split] += tokens.wholeLengths
        }
        header = TokenCacheHeader(tasks: [])
        for (index, task) in tasks.enumerated() {
            var report = task.report
            for split in report.splits.indices {
                report.splits[split].sources = counts[index][split]
                report.splits[split].whole = TokenLengths(wholeLengths[index][split])
            }
            header.tasks.append(Self.entry(task.definition, report, targets[index], sources[index]))
        }
    }

    private static func entry(
        _ definition: TaskDefinition, _ report: TaskReport, _ targets: TargetTable, _ sources: [[TokenLists]]
    ) -> TokenCacheHeader.Task {
        TokenCacheHeader.Task(
            name: definition.name, answers: definition.answers, labelNames: definition.labelNames,
            metrics: definition.metrics, report: report, files: report.files.map(\.name),
            targets: TokenCacheHeader.Section(count: targets.lists.lengths.count, tokens: targets.lists.ids.count),
            splits: zip(definition.splits, sources).map { split, lists in
                let sections = TokenCacheHeader.Section(
                    count: lists.reduce(0) { $0 + $1.lengths.count }, tokens: lists.reduce(0) { $0 + $1.ids.count })
                return TokenCacheHeader.Split(
                    name: split.name, label: split.label, sources: sections,
                    longestSource: lists.reduce(0) { max($0, $1.longest) })
            })
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
                let origins = lists.lengths.indices.map { tasks[task].origin(split: split, $0) }
                try emit(origins.map { $0.gold.number })
                try emit(origins.flatMap { [UInt32($0.file), UInt32($0.line)] })
            }
        }
    }
}
