import Configuration
import Failures
import Testing

/// Values that the user did not give are adapted to those that he gave.
@Suite struct YieldingTests {
    @Test(arguments: [(1, 0), (9, 0), (10, 1), (50, 5), (59, 5), (999, 99), (1000, 1000), (5000, 1000)])
    func `the default's warmup is at most a tenth of a run that is shorter`(steps: Int, warmup: Int) throws {
        let configuration = try load(complete, set: "train.steps=\(steps)")
        #expect(configuration.warmup == warmup)
        let sentence =
            "lr.warmup is \(warmup), a tenth of train.steps \(steps), since the default of 1000 is longer than the run; set "
            + "lr.warmup to choose another"
        #expect(configuration.warnings == (steps < 1000 ? [sentence] : []))
    }

    @Test func `so is a preset's, and one that is given stays and is refused`() throws {
        let preset = try load(complete + "preset: hyperformer\ntrain: {steps: 499}\n")
        #expect(preset.warmup == 49)
        #expect(preset.warnings.count == 1 && preset.warnings[0].contains("since the preset's 500 is longer"))
        #expect(try load(complete + "preset: hyperformer\ntrain: {steps: 500}\n").warmup == 500)
        for given in ["1000", "51"] {
            let message = try refusal(complete, set: ["train.steps=50", "lr.warmup=\(given)"])
            #expect(message.hasPrefix("--set lr.warmup=\(given): lr.warmup \(given) is more than train.steps 50"))
        }
        #expect(try load(complete, set: "train.steps=50", "lr.warmup=50").warmup == 50)
    }

    @Test func `the resolved configuration holds what was used, and is refused like any other`() throws {
        let configuration = try load(complete, set: "train.steps=50")
        let again = try load(configuration.resolvedYAML)
        #expect(again == configuration && again.warmup == 5 && again.warnings.isEmpty)
        #expect(again.resultText == configuration.resultText)
        // A longer run has the whole warmup again. That is another result, but a resumed run is refused for train.steps anyway.
        let longer = try load(complete, set: "train.steps=2000")
        #expect(
            RunConfiguration.differences(from: configuration.resultText, to: longer.resultText)
                == ["train.steps was 50 and is 2000", "lr.warmup was 5 and is 1000"])
    }

    @Test(arguments: [(2, 2), (30, 3), (7, 1), (1, 1), (6, 3), (32, 4), (128, 4)])
    func `the default's micro-batch divides a global batch that is given`(global: Int, micro: Int) throws {
        let configuration = try load(complete, set: "batch.global=\(global)")
        #expect(configuration.microBatch == micro)
        let sentence =
            "batch.micro is \(micro), since the default of 4 does not divide batch.global \(global); set batch.micro to choose another"
        #expect(configuration.warnings == (global % 4 == 0 ? [] : [sentence]))
    }

    @Test(arguments: [
        ("rank: 32", 50), ("rank: 33", nil), ("rank: 488", nil), ("rankA: 8, rankB: 32", 50), ("rankA: 33", nil),
        ("rankB: 33", nil),
    ])
    func `an adapter of a large rank measures interference only if it is asked to, without a sentence`(
        ranks: String, usual: Int?
    ) throws {
        for method in ["unolora", "unolora_star"] {
            let text = complete + "method: \(method)\nlora: {\(ranks)}\n"
            let configuration = try load(text)
            #expect(configuration.interferenceEvery == usual && configuration.warnings.isEmpty)
            #expect(try load(configuration.resolvedYAML).interferenceEvery == usual)
            for every in [50, 7] {
                let asked = try load(text, set: "log.interferenceEvery=\(every)")
                #expect(asked.measuredInterference == every && asked.warnings.isEmpty)
            }
        }
    }

    @Test func `what the program's own example says yields to the user, and a user's file does not`() throws {
        func read(_ isOwn: Bool, _ overrides: String...) throws(Failure) -> RunConfiguration {
            try RunConfiguration.load(
                yaml: complete + "lr: {warmup: 60}\ntrain: {steps: 1500}\n", name: "run.yaml", directory: "/runs",
                isOwn: isOwn, overrides: overrides)
        }
        let example = try read(false, "train.steps=50")
        #expect(example.warmup == 5 && example.warnings.count == 1)
        #expect(example.warnings[0].contains("since the example's 60 is longer"))
        #expect(throws: Failure.self) { try read(true, "train.steps=50") }
        #expect(throws: Failure.self) { try read(false, "train.steps=50", "lr.warmup=60") }
        #expect(try read(false).warmup == 60)
    }
}
