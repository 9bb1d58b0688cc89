import Configuration
import Failures
import Foundation
import Testing

@testable import Runs

@Suite struct RunIdentityTests {
    private static let saved = RunState.Identity(
        configuration: "lora.rank: 8\nlora.alpha: 16\ntrain.seed: 1", layout: "a", backbone: "b", data: "c")

    private static func refusal(_ change: (inout RunState.Identity) -> Void) -> Failure? {
        var present = saved
        change(&present)
        return #expect(throws: Failure.self) { try saved.refuseDifference(from: present, path: "run/step-4") }
    }

    @Test func `an equal identity is accepted`() throws {
        try Self.saved.refuseDifference(from: Self.saved, path: "run/step-4")
    }

    @Test(arguments: [
        ("rank: 8", "rank: 4", "lora.rank was 8 and is 4"), ("\nlora.alpha: 16", "", "lora.alpha was 16 and is absent"),
        ("train.seed: 1", "train.seed: 1\noptim.clip: 2", "optim.clip was absent and is 2"),
    ])
    func `another configuration is refused with the first key that differs`(old: String, new: String, says: String) {
        let failure = Self.refusal { $0.configuration.replace(old, with: new) }
        #expect(failure?.code == .badConfiguration)
        #expect(
            failure?.message
                == "run/step-4 cannot be resumed: the configuration differs (\(says)); use --resume never with another --out "
                + "to start anew")
    }

    @Test(
        arguments: [
            (
                \RunState.Identity.backbone,
                "the model (its config.json or weights) differs: its digest was b and is bx"
            ),
            (\.layout, "the trainables' layout differs"),
            (\.data, "the tokenised data differs (task files, vocabulary or data settings)"),
        ] as [(any WritableKeyPath<RunState.Identity, String> & Sendable, String)])
    func `another model, layout or data is refused by its name`(
        part: any WritableKeyPath<RunState.Identity, String> & Sendable, says: String
    ) {
        let failure = Self.refusal { $0[keyPath: part] += "x" }
        #expect(failure?.code == .badConfiguration)
        #expect(failure?.message.hasPrefix("run/step-4 cannot be resumed: \(says); use --resume never") == true)
    }

    /// The configuration explains most differences; a digest only shows that there is one.
    @Test func `of several differences the configuration is named`() {
        let failure = Self.refusal {
            $0.configuration.replace("rank: 8", with: "rank: 4")
            $0.layout = "other"
            $0.data = "other"
        }
        #expect(failure?.message.contains("lora.rank was 8 and is 4") == true)
    }

    @Test func `another vocabulary is refused by its name, where both are known`() throws {
        var (old, new) = (Self.saved, Self.saved)
        new.vocabulary = "n"
        try old.refuseDifference(from: new, path: "run/step-4")
        old.vocabulary = "o"
        // The digest of the data depends on it too.
        new.data = "other"
        let failure = #expect(throws: Failure.self) { try old.refuseDifference(from: new, path: "run/step-4") }
        #expect(failure?.message.contains("the vocabulary (the tokenizer of the model directory") == true)
        #expect(throws: Failure.self) { try old.refuseReplay(as: new, path: "run/step-4") }
    }

    @Test func `a replay is tried where other tokens may come of the same files`() throws {
        var (old, new) = (Self.saved, Self.saved)
        new.data = "other"
        #expect(throws: Failure.self) { try old.refuseReplay(as: new, path: "run/step-4") }
        (old.sources, new.sources) = ([], [])
        try old.refuseReplay(as: new, path: "run/step-4")
        #expect(throws: Failure.self) { try old.refuseDifference(from: new, path: "run/step-4") }
    }

    @Test func `an evaluation depends on data and some settings, a prediction on some settings`() {
        var present = Self.saved
        present.configuration.replace("seed: 1", with: "seed: 2")
        #expect(Self.saved.changes(to: present, for: .evaluation).isEmpty)
        present.data = "other"
        #expect(
            Self.saved.changes(to: present, for: .evaluation)
                == ["the tokenised data (task files, vocabulary or data settings)"])
        #expect(Self.saved.changes(to: present, for: .prediction(task: "t")).isEmpty)
        present.configuration.replace("alpha: 16", with: "alpha: 8")
        // As far as anyone can tell, this is why the data differs.
        #expect(Self.saved.changes(to: present, for: .evaluation) == ["lora.alpha was 16 and is 8"])
        #expect(Self.saved.changes(to: present, for: .prediction(task: "t")) == ["lora.alpha was 16 and is 8"])
    }

    @Test func `what is no state is refused with its path`() {
        let failure = #expect(throws: Failure.self) { try RunState(.init("{\"step\": 3}".utf8), path: "run/step-4") }
        #expect(failure?.code == .badData)
        #expect(failure?.message.contains("run/step-4") == true)
    }

    @Test func `a state reads back as it was written`() throws {
        var accumulator = MetricsAccumulator(tasks: 2)
        accumulator.steps = 3
        accumulator.gradientNormSum = 0.1 + 0.2
        let state = RunState(
            step: 7, steps: 9, seed: .max, identity: Self.saved,
            best: RunState.Best(step: 5, value: 1.0 / 3, measure: "average"), owesEvaluation: true,
            accumulator: accumulator, libraries: ["program": "1"])
        #expect(try RunState(state.encoded(), path: "") == state)
    }
}
