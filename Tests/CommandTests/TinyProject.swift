import Foundation
import T5
import Tensors
import TestSupport
import Text

/// A complete project that trains in a second: a small T5 with random weights, a vocabulary, three tasks with their files, and
/// `run.yaml`.
final class TinyProject: Sendable {
    private let directory: TemporaryDirectory

    /// The directory with `run.yaml`, `model` and the tasks' files.
    var path: String { directory.path }
    var configuration: String { directory.file("run.yaml") }

    init() throws {
        directory = try TemporaryDirectory()
        var shape = T5Configuration.presets[0].configuration
        shape.vocabularySize = 160
        shape.modelWidth = 32
        shape.headWidth = 8
        shape.heads = 4
        shape.feedForwardWidth = 64
        shape.encoderBlocks = 2
        shape.decoderBlocks = 2
        try shape.writeNewModel(directory: directory.file("model"), seed: 3)
        let rows = Self.colourRows(0..<200) + Self.pairRows(0..<120) + Self.gradeRows(0..<80)
        try VocabularyTrainer.train(sentences: rows, pieces: 150, to: directory.file("model/spiece.model"))
        let header = "sentence\tlabel\n"
        try write("colour/train.tsv", header + Self.colourRows(0..<120).joined())
        try write("colour/validation.tsv", header + Self.colourRows(120..<150).joined())
        try write("colour/test.tsv", header + Self.colourRows(150..<180).joined())
        try write("pair/train.jsonl", Self.pairRows(0..<100).joined())
        try write("grade/train.tsv", Self.gradeRows(0..<70).joined())
        try write("run.yaml", Self.yaml)
    }

    /// A copy that a test may damage; it has its own model and task files.
    func copy() throws -> TinyProject { try TinyProject(copying: self) }

    /// A copy with another method; low-rank methods keep the rank, and HyperFormer++ gets adapters of four columns.
    func copy(method: String) throws -> TinyProject {
        let copy = try copy()
        try copy.replace("method: unolora_star\n", by: "method: \(method)\n", in: "run.yaml")
        let options = ["full": "", "hyperformer_pp": "hyperformer: {reduction: 8}\n"]
        if let own = options[method] { try copy.replace("lora: {rank: 4}\n", by: own, in: "run.yaml") }
        return copy
    }

    private init(copying other: TinyProject) throws {
        directory = try TemporaryDirectory()
        for name in try FileManager.default.contentsOfDirectory(atPath: other.path) {
            try FileManager.default.copyItem(atPath: other.path + "/" + name, toPath: directory.file(name))
        }
    }

    func file(_ name: String) -> String { directory.file(name) }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String { try directory.write(name, text) }

    /// Replaces text in a file; the text must be there.
    func replace(_ old: String, by new: String, in name: String) throws {
        let text = try String(contentsOfFile: file(name), encoding: .utf8)
        precondition(text.contains(old), "\(name) does not hold \(old)")
        try write(name, text.replacing(old, with: new))
    }

    static let yaml = """
        model: model
        method: unolora_star
        dropout: 0.1
        tasks:
          - name: colour
            format: tsv
            train: colour/train.tsv
            validation: colour/validation.tsv
            test: colour/test.tsv
            fields: [sentence]
            labels: {r: "red", b: "blue"}
            metrics: [accuracy, f1]
          - name: pair
            format: jsonl
            train: pair/train.jsonl
            holdOut: 20
            fields: [first, second]
            label: same
            labels: {"true": "same", "false": "other"}
          - name: grade
            format: tsv
            header: false
            columns: [text, score]
            train: grade/train.tsv
            holdOut: 16
            fields: [text]
            label: score
            range: [0, 5, 0.5]
        lora: {rank: 4}
        sampler: {granularity: example}
        batch: {global: 16, micro: 4}
        train: {steps: 12}
        lr: {peak: 1e-2, warmup: 2}
        eval: {every: 8, maxExamples: 8}
        checkpoint: {every: 4, keep: 5}
        parallel: {threads: 1}
        log: {every: 4}

        """

    private static let words: [String] = {
        let starts = ["ba", "ce", "di", "fo", "gu", "ha", "li", "mo"]
        let ends = ["ran", "sel", "tim", "vok", "wun", "zar", "kel"]
        return starts.flatMap { start in ends.map { start + $0 } }
    }()

    /// Different sentences: `row` in base 56, and a word that depends on it.
    private static func sentence(_ row: Int, salt: Int) -> String {
        [row % 56, row / 56 + salt, (row * 31 + salt * 17) % 56, (row * 13 + 5) % 56].map { words[$0 % 56] }
            .joined(separator: " ")
    }

    private static func colourRows(_ rows: Range<Int>) -> [String] {
        rows.map { "\(sentence($0, salt: 1))\t\($0 % 3 == 0 ? "r" : "b")\n" }
    }

    private static func pairRows(_ rows: Range<Int>) -> [String] {
        rows.map { row in
            let first = sentence(row, salt: 9)
            let second = row % 2 == 0 ? first : sentence(row, salt: 23)
            return "{\"first\": \"\(first)\", \"second\": \"\(second)\", \"same\": \(row % 2 == 0)}\n"
        }
    }

    private static func gradeRows(_ rows: Range<Int>) -> [String] {
        rows.map { "\(sentence($0, salt: 33))\t\(Double($0 % 11) / 2)\n" }
    }
}

/// The results of a training, for comparison.
struct Outcome: Equatable {
    /// Digest of the last checkpoint's adapter.
    var adapter: String
    /// Digest of its optimiser's moments.
    var optimizer: String
    /// The lines of `metrics.jsonl` without their timing.
    var metrics: [String]
    /// The checkpoint that `best` points to; nil when there is no such link.
    var best: String?

    /// The number of lines about training.
    var trainLines: Int { metrics.count { $0.contains("\"kind\":\"train\"") } }

    /// With `isBegun` the run may have no checkpoint yet; its digests are empty then.
    init(run: String, isBegun: Bool = false) throws {
        let last = run + "/checkpoints/last"
        best = try? FileManager.default.destinationOfSymbolicLink(atPath: run + "/checkpoints/best")
        func digest(_ file: String) throws -> String {
            if isBegun, !FileManager.default.fileExists(atPath: last) { return "" }
            return try ContentDigest.of(file: last + file).hexadecimal
        }
        let isWhole = FileManager.default.fileExists(atPath: last + "/adapter/model.safetensors")
        adapter = try digest("/adapter/" + (isWhole ? "model.safetensors" : "unolora_model.safetensors"))
        optimizer = try digest("/optimizer.safetensors")
        metrics = try String(contentsOfFile: run + "/metrics.jsonl", encoding: .utf8).split(separator: "\n").map {
            line in
            var fields = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            fields["timing"] = nil
            return String(
                decoding: try JSONSerialization.data(withJSONObject: fields, options: .sortedKeys), as: UTF8.self)
        }
    }
}

/// The parts of `STATUS.json` that tests check.
struct Status: Decodable {
    var state: String
    var reason: String
    var exitCode: Int32?
    var step: Int
    var lastDurableStep: Int?

    init(run: String) throws {
        self = try JSONDecoder().decode(Status.self, from: Data(contentsOf: URL(fileURLWithPath: run + "/STATUS.json")))
    }
}

/// Digests of all files below a directory by relative path, except for the lock, which names its last holder.
func digests(below directory: String) throws -> [String: String] {
    var result: [String: String] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: directory) {
        let path = directory + "/" + name
        guard !name.hasSuffix(".lock") else { continue }
        guard try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType == .typeRegular else {
            continue
        }
        result[name] = try ContentDigest.of(file: path).hexadecimal
    }
    return result
}
