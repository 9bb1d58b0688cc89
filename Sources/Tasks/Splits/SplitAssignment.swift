import Failures
import Randomness
import Tensors

/// A row of a task: its file and its position among that file's examples.
struct RowID: Sendable, Equatable {
    let file: Int
    let row: Int
}

/// Assigns the rows of a task's files to its splits. Rows of one group, and those of one object
/// with many rows, are never divided by a random choice.
struct SplitAssignment {
    /// The rows of each split, in the order of the definition; within a split rows keep the order of the files.
    private(set) var rows: [[RowID]] = []

    private let definition: TaskDefinition
    private let files: [IndexedFile]
    private let indexOfPath: [String: Int]
    private let seed: UInt64

    /// Assigns and checks; throws `badData` when a split would be empty or a row would be in two splits.
    init(_ definition: TaskDefinition, _ files: [IndexedFile], seed: UInt64) throws(Failure) {
        self.definition = definition
        self.files = files
        self.seed = seed
        indexOfPath = Dictionary(uniqueKeysWithValues: files.enumerated().map { ($1.path, $0) })
        let held = try heldOutOfTraining()
        for split in definition.splits {
            if case .heldOutOfTraining = split.source {
                rows.append(held.taken[split.name] ?? [])
            } else if split.name == .train {
                rows.append(held.training)
            } else {
                rows.append(rowsOfFiles(split.source))
            }
        }
        for (split, rows) in zip(definition.splits, rows) where rows.isEmpty {
            throw Failure(
                .badData,
                "task \"\(definition.name.shown)\" has no \(split.name) examples: "
                    + "there are too few rows to split; give it more rows or other files")
        }
        try refuseLeaks()
    }

    /// The rows that training keeps, and the rows that each held-out split takes in turn from one random order.
    private func heldOutOfTraining() throws(Failure) -> (training: [RowID], taken: [SplitName: [RowID]]) {
        guard let source = definition.split(.train)?.source else { return ([], [:]) }
        let all = rowsOfFiles(source)
        let units = DrawnUnits(all, files, definition.format)
        var order = permutation(units.count, of: 1)[...]
        var taken: [SplitName: [RowID]] = [:]
        for split in definition.splits {
            guard case .heldOutOfTraining(let count) = split.source else { continue }
            var (chosen, size): ([UInt32], Int) = ([], 0)
            while size < count, let unit = order.popFirst() {
                chosen.append(unit)
                size += units.size(unit)
            }
            guard size >= count, !order.isEmpty else {
                throw Failure(
                    .badData,
                    "task \"\(definition.name.shown)\": holding \(count) of its \(all.count) training rows out as "
                        + "\(split.name) leaves no training examples; hold fewer out or give a \(split.name) file")
            }
            taken[split.name] = units.rows(chosen).map { all[$0] }
        }
        return (units.rows(order).map { all[$0] }, taken)
    }

    private func rowsOfFiles(_ source: SplitSource) -> [RowID] {
        let all = source.paths.flatMap { path in
            let file = indexOfPath[path]!
            return files[file].rows.indices.map { RowID(file: file, row: $0) }
        }
        func half(_ isFirst: Bool) -> [RowID] {
            let units = DrawnUnits(all, files, definition.format)
            let order = permutation(units.count, of: 0)
            let middle = units.count / 2
            return units.rows(isFirst ? order.prefix(middle) : order.dropFirst(middle)).map { all[$0] }
        }
        switch source {
        case .files, .heldOutOfTraining: return all
        case .firstHalf: return half(true)
        case .secondHalf: return half(false)
        }
    }

    private func permutation(_ count: Int, of kind: UInt32) -> [UInt32] {
        var random = RandomStream(seed: seed, purpose: .split, task: definition.name, b: kind)
        return random.permutation(count)
    }

    /// Refuses a row in two splits. Files with equal texts count as the same file here, whatever their names and whether they are packed.
    private func refuseLeaks() throws(Failure) {
        let first = files.map { file in files.firstIndex { $0.textDigest == file.textDigest }! }
        var owners = files.map { [Int](repeating: -1, count: $0.rows.count) }
        for (split, rows) in rows.enumerated() {
            for id in rows {
                let owner = owners[first[id.file]][id.row]
                guard owner < 0 || owner == split else {
                    let line = files[id.file].rows[id.row].position.line
                    throw Failure(
                        .badData,
                        "task \"\(definition.name.shown)\": line \(line) of \(files[id.file].path.shown) is in both "
                            + "\(definition.splits[owner].name) and \(definition.splits[split].name), a split that "
                            + "leaks; give each split its own rows, or give one file to be halved")
                }
                owners[first[id.file]][id.row] = split
            }
        }
    }
}
