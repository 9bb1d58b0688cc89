import Testing

@testable import Configuration

@Suite struct HyperparameterTests {
    private func hyperparameters(_ yaml: String) throws -> [String: RunConfiguration.Hyperparameter.Value] {
        let configuration = try RunConfiguration.load(yaml: yaml, name: "run.yaml", directory: "/data")
        let pairs = configuration.hyperparameters.map { ($0.key, $0.value) }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    @Test func `numbers, flags and words keep their types`() throws {
        let values = try hyperparameters(
            """
            model: t5
            tasks: [cola, rte]
            data: {glue: glue}
            sampler: {temperature: infinity}
            lora: {rank: 4, freezeA: true}
            train: {seed: 7}
            """)
        #expect(values["model"] == .text("t5"))
        #expect(values["method"] == .text("unolora"))
        #expect(values["tasks"] == .text("cola, rte"))
        #expect(values["lora.rank"] == .number(4))
        #expect(values["lora.freezeA"] == .flag(true))
        // A default that runs do not record is there, so that it compares with a run of another value.
        #expect(values["lora.freezeB"] == .flag(false))
        #expect(values["sampler.temperature"] == .text("infinity"))
        #expect(values["sampler.cap"] == .text("null"))
        #expect(values["optim.clip"] == .number(1))
        #expect(values["train.seed"] == .number(7))
        #expect(
            values["lora.targets"]
                == .text("{encoderSelf: [q, v], decoderSelf: [q, v], decoderCross: [q, v], feedForward: []}"))
    }

    @Test func `keys of other methods and keys without an effect on the result are left out`() throws {
        let values = try hyperparameters("{model: t5, method: full, data: {glue: glue}, tasks: [cola]}")
        #expect(!values.keys.contains { $0.hasPrefix("lora.") || $0.hasPrefix("hyper.") || $0.hasPrefix("log.") })
        #expect(values["eval.every"] == nil && values["data.glue"] == nil && values["lr.peak"] != nil)
    }
}
