import Foundation
import TestSupport
import Testing

/// An input that is wrong in one way, and the expected refusal.
struct Refusal: CustomTestStringConvertible, Sendable {
    var name: String
    /// Changes the copy of the project.
    var damage: @Sendable (TinyProject) throws -> Void
    var code: Int32
    /// Parts of the message: what, where and what to do.
    var says: [String]
    var arguments: [String] = []
    var ranks: Int?

    var testDescription: String { name }

    /// Trains with the damaged copy, and checks the exit code, the message, and that there was only one sentence.
    func check(_ project: TinyProject) throws {
        let copy = try project.copy()
        try damage(copy)
        let result = try Program.run(
            ["train", "--config", "run.yaml", "--out", "run"] + arguments, ranks: ranks, directory: copy.path)
        #expect(result.code == code, "\(result.error)")
        #expect(result.sentences.count == 1, "\(result.error)")
        if ranks == nil { #expect(result.error.split(separator: "\n").count == 1, "\(result.error)") }
        for text in says {
            #expect(result.sentences.first?.contains(text) == true, "no \"\(text)\" in: \(result.error)")
        }
        #expect(result.seconds < Program.promptly)
        let checkpoints = (try? FileManager.default.contentsOfDirectory(atPath: copy.file("run/checkpoints"))) ?? []
        #expect(!checkpoints.contains { $0.hasPrefix("step-") })
    }
}

extension ProgramTests {
    @Suite struct ConfigurationRefusalTests {
        private static let project = Swift.Result { try TinyProject() }

        private static func yaml(
            _ name: String, _ old: String, _ new: String, code: Int32 = 78, says: [String], ranks: Int? = nil
        ) -> Refusal {
            Refusal(
                name: name, damage: { try $0.replace(old, by: new, in: "run.yaml") }, code: code, says: says,
                ranks: ranks)
        }

        private static let refusals: [Refusal] = [
            yaml("YAML that does not parse", "dropout: 0.1", "dropout: [0.1", says: ["run.yaml:", "not valid YAML"]),
            yaml(
                "a key twice", "dropout: 0.1", "model: other", says: ["run.yaml:", "model is there twice", "keep one"]),
            yaml(
                "an unknown key", "dropout: 0.1", "droput: 0.1",
                says: ["run.yaml:3", "key droput is unknown", "did you mean dropout?"]),
            yaml(
                "an unknown key of a section", "{rank: 4}", "{rnk: 4}",
                says: ["run.yaml:", "lora.rnk is unknown", "did you mean lora.rank?", "lora.alpha"]),
            yaml(
                "a wrong type", "{rank: 4}", "{rank: four}",
                says: ["run.yaml:", "lora.rank must be", "1 to 4096", "`four`"]),
            yaml(
                "a value out of range", "dropout: 0.1", "dropout: 1.5", says: ["run.yaml:3", "dropout must be", "0.99"]),
            yaml(
                "a method that there is not", "method: unolora_star", "method: lora",
                says: ["run.yaml:2", "method must be one of", "unolora_star", "`lora`"]),
            yaml("no model", "model: model\n", "", says: ["run.yaml: key model is missing"]),
            yaml(
                "a target that the model does not have", "{rank: 4}", "{rank: 4, targets: {feedForward: [wi_0, wo]}}",
                says: ["lora.targets.feedForward names wi_0", "its feed-forward has wi, wo"]),
            yaml(
                "no target at all", "{rank: 4}",
                "{rank: 4, targets: {encoderSelf: [], decoderSelf: [], decoderCross: [], feedForward: []}}",
                says: ["run.yaml:29: lora.targets names no projection", "use method frozen"]),
            yaml(
                "a batch that does not divide", "micro: 4", "micro: 5",
                says: ["run.yaml:", "batch.global 16 is no multiple of batch.micro 5", "use e.g."]),
            yaml(
                "an unknown key of a task", "format: jsonl", "fromat: jsonl",
                says: ["run.yaml:", "fromat", "allowed: name"]),
            yaml(
                "an unknown task", "tasks:\n", "tasks:\n  - sst\n",
                says: ["run.yaml:", "task sst", "describe your own"]),
            yaml("two tasks of one name", "name: pair", "name: colour", says: ["run.yaml:", "colour is there twice"]),
            yaml("a GLUE task without its directory", "tasks:\n", "tasks:\n  - cola\n", says: ["cola", "data.glue"]),
            yaml(
                "a template with an unknown field", "holdOut: 20", "template: \"pair {third}\"\n    holdOut: 20",
                says: ["run.yaml:13", "the template names {third}, which is no field", "use {first}, {second}"]),
            yaml(
                "a label longer than the generation budget", "maxExamples: 8", "maxNewTokens: 1",
                says: ["the label", "generation budget of 1", "raise the budget"]),
            yaml(
                "more ranks than micro-batches", "global: 16", "global: 8",
                says: ["3 ranks", "2 micro-batches", "batch.micro: 2", "batch.global: 12", "at most 2"], ranks: 3),
            yaml(
                "trainables that no memory holds", "{rank: 4}", "{rank: 4}\nhyper: {dim: 65536}",
                says: ["method unolora_star has 601", " trainables", "GiB", "lower lora.rank, hyper.dim"], ranks: 2),
            Refusal(
                name: "no configuration file", damage: { try FileManager.default.removeItem(atPath: $0.configuration) },
                code: 66, says: ["run.yaml cannot be read", "--config"]),
            Refusal(
                name: "an unknown key of --set", damage: { _ in }, code: 78,
                says: ["--set lora.rnk=2", "did you mean lora.rank?"], arguments: ["--set", "lora.rnk=2"]),
        ]

        @Test(arguments: refusals)
        func `a wrong configuration is refused in one sentence`(refusal: Refusal) throws {
            try refusal.check(Self.project.get())
        }
    }
}
