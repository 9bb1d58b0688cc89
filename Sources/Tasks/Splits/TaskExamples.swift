public import Failures
import Tensors

/// The examples of one task, in splits; texts are read from the mapped files on request.
public struct TaskExamples: Sendable {
    /// The task.
    public let definition: TaskDefinition
    /// The result of reading the files.
    public let report: TaskReport
    private let files: [IndexedFile]
    private let rows: [[RowID]]

    /// Reads and splits a task.
    ///
    /// Throws `inputMissing` for a missing file and `badData` for bad rows, empty splits and leaks.
    public init(_ definition: TaskDefinition, options: ReadingOptions = ReadingOptions()) throws(Failure) {
        var files: [IndexedFile] = []
        for path in definition.paths {
            files.append(try IndexedFile(path, definition, onBadRow: options.onBadRow))
        }
        try self.init(definition, files, options)
    }

    /// Splits files that have been read, in the order of the definition's paths.
    init(_ definition: TaskDefinition, _ files: [IndexedFile], _ options: ReadingOptions) throws(Failure) {
        var rows = try SplitAssignment(definition, files, seed: options.splitSeed).rows
        var report = TaskReport(
            task: definition.name, files: files.map(\.report),
            splits: zip(definition.splits, rows).map {
                TaskReport.Split(name: $0.name, label: $0.label, examples: $1.count)
            })
        if options.dropDuplicates {
            try Self.dropDuplicates(definition, files, &rows, &report)
        }
        // Dropped rows are not counted any more.
        Self.countEqualText(definition, files, rows, &report)
        self.definition = definition
        self.files = files
        self.rows = rows
        self.report = report
    }

    /// The names of the splits in the order of the definition.
    public var splitNames: [SplitName] { definition.splits.map(\.name) }

    /// The number of examples of a split; 0 when the task has no such split.
    public func count(_ split: SplitName) -> Int {
        splitNames.firstIndex(of: split).map { rows[$0].count } ?? 0
    }

    /// Example `index` of a split. Throws `badData` when the file was changed since it was first read.
    public func example(_ split: SplitName, _ index: Int) throws(Failure) -> Example {
        var example: Example?
        try read(split: splitNames.firstIndex(of: split)!, index..<index + 1) { _, source, gold in
            let (file, line) = origin(split: splitNames.firstIndex(of: split)!, index)
            example = Example(
                source: String(decoding: source.text, as: UTF8.self), target: definition.answers.targetText(of: gold),
                gold: gold, file: file, line: line)
        }
        return example!
    }

    /// The path of the file that contains an example.
    public func path(_ example: Example) -> String { files[example.file].path }

    /// File and line of an example; `split` is an index into the definition's splits.
    func origin(split: Int, _ index: Int) -> (file: Int, line: Int) {
        let id = rows[split][index]
        return (id.file, files[id.file].rows[id.row].position.line)
    }

    /// The class or the raw score of an example; 0 for free text.
    func number(split: Int, _ index: Int) -> Double {
        let id = rows[split][index]
        switch files[id.file].rows[id.row].answer {
        case .label(let label): return Double(label)
        case .score(let score): return score
        case .text: return 0
        }
    }

    /// The group of each example of a split, numbered from 0 in their order; nil without groups.
    func groups(split: Int) -> [UInt32]? {
        guard definition.group != nil else { return nil }
        var known: [ContentDigest: UInt32] = [:]
        return rows[split].map { id in
            let group = files[id.file].groups[id.row]
            if let number = known[group] { return number }
            let number = UInt32(known.count)
            known[group] = number
            return number
        }
    }

    /// Calls `body` with the source text and the gold answer of each example of a range.
    func read(
        split: Int, _ range: Range<Int>, _ body: (Int, RenderedSource, GoldAnswer) throws(Failure) -> Void
    ) throws(Failure) {
        var readers = files.map(\.reader)
        for index in range {
            let id = rows[split][index]
            let row = files[id.file].rows[id.row]
            readers[id.file].seek(to: row.position)
            guard case .example(let gold)? = readers[id.file].next(), IndexedFile.IndexedAnswer(gold) == row.answer
            else {
                throw Failure(
                    .badData,
                    "\(files[id.file].path.shown):\(row.position.line): the row changed while it was in use; start again"
                )
            }
            do throws(Failure) {
                try body(index, readers[id.file].source, gold)
            } catch  where error.code == .badData {
                throw Failure(
                    error.code, "\(files[id.file].path.shown):\(row.position.line): \(error.message)")
            }
        }
    }
}
