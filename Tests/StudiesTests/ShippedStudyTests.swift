import Foundation
import Studies
import Testing

/// The studies in docs/examples/studies.
@Suite struct ShippedStudyTests {
    private static let directory =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path + "/docs/examples/studies"

    /// Like the embedded example, as far as a study sees it.
    private static let embedded = [
        ("acceptability", 4_800), ("sentiment", 600), ("paraphrase", 9_000), ("entailment", 12_000),
        ("similarity", 6_000),
    ]

    @Test(arguments: [
        ("paper", 42), ("rank", 30), ("ranks-a-b", 27), ("temperature", 30), ("imbalance", 24), ("tasks", 15),
        ("hyper-inputs", 24), ("transfer", 12),
    ])
    func `each shipped study can be run on the embedded tasks`(name: String, runs: Int) throws {
        let path = "\(Self.directory)/\(name).yaml"
        let tasks = Self.embedded.map { "  - {name: \($0.0), train: a.tsv, fields: [a], labels: [b, c]}\n" }.joined()
        let base = Study.BaseText(
            yaml: "model: t5\ntasks:\n\(tasks)lr: {warmup: 60}\ntrain: {steps: 1500}\n", name: "run.yaml",
            directory: "/runs", isOwn: false)
        let study = try Study(StudyFile.load(path), base: base, overrides: [], directory: "/runs", cache: nil) { _ in
            Self.embedded.map { TaskSize(name: $0.0, training: $0.1, hasTest: true, metrics: ["accuracy"]) }
        }
        #expect(study.runs.count == runs && Set(study.runs.map(\.name)).count == runs)
        #expect(study.references.contains { $0 != nil })
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.contains("--config docs/examples/studies/\(name).yaml"))
        #expect(text.contains("launch/study.sbatch \(name)-glue.yaml"))
    }

    @Test func `no study is without a test`() throws {
        #expect(try FileManager.default.contentsOfDirectory(atPath: Self.directory).count == 8)
    }
}
