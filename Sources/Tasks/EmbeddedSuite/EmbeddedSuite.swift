public import Failures
import Foundation
import Randomness
import Tensors

/// A generated suite of five small text tasks shaped like GLUE, for examples and tests that need no download.
///
/// The sentences come from small grammars over about 300 words. Everything is a pure function of the seed, to the byte.
public enum EmbeddedSuite {
    /// The rows of every split of a task.
    typealias Rows = [SplitName: [SuiteRow]]

    /// The file of a split: `<directory>/<task>/<split>.<tsv or jsonl>`.
    public static func path(of task: EmbeddedTask, _ split: SplitName, in directory: String) -> String {
        "\(directory)/\(task.rawValue)/\(split.rawValue).\(task.format == .jsonLines ? "jsonl" : "tsv")"
    }

    /// Writes the files of all tasks into a directory, which is created.
    ///
    /// Existing files are replaced, each in one step. Throws `cannotWrite`.
    public static func write(to directory: String, seed: UInt64) throws(Failure) {
        for task in EmbeddedTask.allCases {
            let rows = rows(of: task, seed: seed)
            for split in EmbeddedTask.splits {
                let path = path(of: task, split, in: directory)
                do {
                    try FileManager.default.createDirectory(
                        atPath: "\(directory)/\(task.rawValue)", withIntermediateDirectories: true)
                } catch {
                    throw Failure(
                        .cannotWrite,
                        "cannot write \(path) (\(error.localizedDescription)); choose a directory that can be written")
                }
                let content = task.fileContent(rows[split] ?? [], split: split)
                try DurableFile.replace(path) { file throws(Failure) in try file.write(content) }
            }
        }
    }

    /// The definitions for reading the written files, one per task.
    ///
    /// Throws only when a task definition itself is refused.
    public static func definitions(directory: String) throws(Failure) -> [TaskDefinition] {
        var definitions: [TaskDefinition] = []
        for task in EmbeddedTask.allCases { definitions.append(try task.definition(directory: directory)) }
        return definitions
    }

    /// Sentences for training a vocabulary: each training row gives its source text and its answer, without repetition in a
    /// task.
    ///
    /// All words of the suite, the names of tasks and fields, and the answers occur.
    public static func corpus(seed: UInt64) -> [String] {
        EmbeddedTask.allCases.flatMap { task in
            (rows(of: task, seed: seed)[.train] ?? []).map { row in
                let texts = zip(task.fields, row.texts).map { "\($0): \($1)" }.joined(separator: " ")
                return "\(task.rawValue) \(texts) \(task.answerSpace.targetText(of: task.gold(of: row)))"
            }
        }
    }

    /// The rows of all splits of a task; no two rows have the same texts.
    static func rows(of task: EmbeddedTask, seed: UInt64) -> Rows {
        var stream = RandomStream(seed: seed, purpose: .embeddedSuite, a: task.index)
        var seen = Set<[String]>()
        var rows: Rows = [:]
        for split in EmbeddedTask.splits {
            var drawn: [SuiteRow] = []
            while drawn.count < task.count(split) {
                let row = task.grammar.row(number: drawn.count, from: &stream)
                if seen.insert(row.texts).inserted { drawn.append(row) }
            }
            // The grammars produce the classes in turn.
            rows[split] = stream.permutation(drawn.count).map { drawn[Int($0)] }
        }
        return rows
    }
}
