public import Tensors

/// Which rows of which files make up the splits of a task. A run stores this so that it can say later what has changed.
public struct TaskSources: Sendable, Equatable, Codable {
    /// A file: its name without the directory, so that data may move, and its content.
    public struct File: Sendable, Equatable, Codable {
        /// The file's name.
        public let name: String
        /// The digest of its bytes.
        public let digest: ContentDigest
    }

    /// Where the rows of one split come from.
    public struct Split: Sendable, Equatable, Codable {
        /// The split.
        public let name: SplitName
        /// Which rows, as `SplitSource.rows` says it.
        public let rows: String
        /// The files with these rows; none for rows held out of training.
        public let files: [File]
    }

    /// The task's name.
    public let task: String
    /// Its splits, in the order of the definition.
    public let splits: [Split]

    /// The sources of a definition; `digest` returns the digest of the file at a path.
    package init(_ definition: TaskDefinition, digest: (String) -> ContentDigest) {
        task = definition.name
        splits = definition.splits.map { split in
            let files = split.source.paths.map { path in
                File(name: String(path.split(separator: "/").last ?? ""), digest: digest(path))
            }
            return Split(name: split.name, rows: split.source.rows, files: files)
        }
    }

    /// The differences between the old and the new sources of tasks; each is a part of a sentence, such as `task cb: its
    /// validation file val.tsv has other content`.
    public static func differences(from old: [TaskSources], to new: [TaskSources]) -> [String] {
        var differences: [String] = []
        for task in new {
            guard let before = old.first(where: { $0.task == task.task }) else {
                differences.append("task \(task.task.shown) was not there")
                continue
            }
            differences += task.differences(from: before).map { "task \(task.task.shown): \($0)" }
        }
        return differences
            + old.filter { before in !new.contains { $0.task == before.task } }.map { "task \($0.task.shown) is gone" }
    }

    private func differences(from old: TaskSources) -> [String] {
        differences(ofSplitsFrom: old)
            + old.splits.filter { before in !splits.contains { $0.name == before.name } }.map {
                "it has no \($0.name) split any more"
            }
    }

    /// The differences of the splits that these sources have from those of the same names; each is a part of a sentence.
    package func differences(ofSplitsFrom old: TaskSources) -> [String] {
        var differences: [String] = []
        for split in splits {
            guard let before = old.splits.first(where: { $0.name == split.name }) else {
                differences.append("it had no \(split.name) split")
                continue
            }
            let (names, others) = (before.files.map(\.name), split.files.map(\.name))
            if before.rows != split.rows || names != others {
                differences.append("its \(split.name) split was \(before.words) and is \(split.words)")
            } else {
                for (file, now) in zip(before.files, split.files) where file != now {
                    differences.append("its \(split.name) file \(now.name.shown) has other content")
                }
            }
        }
        return differences
    }
}

extension TaskSources.Split {
    fileprivate var words: String {
        files.isEmpty ? rows : "\(rows) of \(files.map(\.name.shown).joined(separator: ", "))"
    }
}
