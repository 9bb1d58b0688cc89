import Adapters
import Backbone
import Foundation
import Tensors
import Testing

@testable import T5

@Suite struct LowRankMethodTests {
    private func preset(_ name: String) throws -> T5Configuration {
        try #require(T5Configuration.presets.first { $0.name == name }).configuration
    }

    private func count(_ preset: String, _ method: LowRankOptions.Method) throws -> Int {
        LowRankMethod(LowRankOptions(method: method, tasks: 8), on: try self.preset(preset))
            .parameters.count
    }

    @Test func `t5-small and t5-base have the published numbers of weights and trainables`() throws {
        #expect(try preset("t5-small").weightCount == 60_506_624)
        #expect(try preset("t5-base").weightCount == 222_903_552)
        #expect(try count("t5-small", .frozen) == 0)
        #expect(try count("t5-small", .unolora) == 294_912)
        #expect(try count("t5-base", .unolora) == 884_736)
        #expect(try count("t5-small", .unoloraStar) == 307_552)
        #expect(try count("t5-base", .unoloraStar) == 904_352)
        #expect(try count("t5-small", .loraPerTask) == 2_359_296)
        #expect(try count("t5-base", .loraPerTask) == 7_077_888)
    }

    @Test(arguments: [LowRankOptions.Method.unolora, .unoloraStar, .loraPerTask])
    func `a task that the adapter does not have ends the process instead of reading other memory`(
        method: LowRankOptions.Method
    ) async {
        for task in [2, -1] {
            await #expect(processExitsWith: .failure) { [name = method.rawValue as String, task = task as Int] in
                let method = LowRankOptions.Method(rawValue: name) ?? .frozen
                let adapter = TinyAdapter(TinyT5(.v10), LowRankOptions(method: method, tasks: 2))
                _ = adapter.gradients(TinyT5.batch([(5, 3, 1), (4, 2, task)]))
            }
        }
        await #expect(processExitsWith: .success) { [name = method.rawValue as String] in
            let method = LowRankOptions.Method(rawValue: name) ?? .frozen
            let adapter = TinyAdapter(TinyT5(.v10), LowRankOptions(method: method, tasks: 2))
            _ = adapter.gradients(TinyT5.batch([(5, 3, 1), (4, 2, 0)]))
        }
    }

    @Test func `t5-mini is as the method says, with an inner width that is not d`() throws {
        let mini = try preset("t5-mini")
        #expect(mini.modelWidth == 384 && mini.headWidth == 64 && mini.heads == 8 && mini.innerWidth == 512)
        #expect(mini.feedForwardWidth == 1536 && mini.encoderBlocks == 4 && mini.decoderBlocks == 4)
        #expect(mini.vocabularySize == 32128)
    }

    @Test func `sites stand in canonical order and q and v are the default`() {
        let layout = LowRankMethod(
            LowRankOptions(method: .unolora, tasks: 1),
            on: TinyT5.configuration(.v10, encoderBlocks: 2, decoderBlocks: 1))
        #expect(
            layout.siteNames == [
                "encoder.block.0.layer.0.SelfAttention.q", "encoder.block.0.layer.0.SelfAttention.v",
                "encoder.block.1.layer.0.SelfAttention.q", "encoder.block.1.layer.0.SelfAttention.v",
                "decoder.block.0.layer.0.SelfAttention.q", "decoder.block.0.layer.0.SelfAttention.v",
                "decoder.block.0.layer.1.EncDecAttention.q", "decoder.block.0.layer.1.EncDecAttention.v",
            ])
        let names = Set(layout.parameters.entries.map(\.name))
        #expect(names == Set(layout.siteNames.flatMap { [$0 + ".lora_A.weight", $0 + ".lora_B.weight"] }))
    }

    @Test func `all sites of a block follow self, cross and feed-forward`() {
        var options = LowRankOptions(method: .unolora, tasks: 1)
        options.targets = .everything
        func sites(_ family: TinyT5.Family) -> [String] {
            LowRankMethod(
                options, on: TinyT5.configuration(family, encoderBlocks: 1, decoderBlocks: 1)
            ).siteNames.map { $0.replacingOccurrences(of: ".block.0.layer", with: "") }
        }
        let attention = ["q", "k", "v", "o"]
        func expected(_ inner: [String]) -> [String] {
            attention.map { "encoder.0.SelfAttention.\($0)" } + inner.map { "encoder.1.DenseReluDense.\($0)" }
                + attention.map { "decoder.0.SelfAttention.\($0)" }
                + attention.map { "decoder.1.EncDecAttention.\($0)" } + inner.map { "decoder.2.DenseReluDense.\($0)" }
        }
        #expect(sites(.v10) == expected(["wi", "wo"]))
        #expect(sites(.v11) == expected(["wi_0", "wi_1", "wo"]))
    }

    @Test func `shapes follow the projections, ranks and tasks`() throws {
        let configuration = TinyT5.configuration(.v11)
        var options = LowRankOptions(method: .unolora, rankA: 3, rankB: 2, tasks: 4)
        options.targets = .everything
        let shared = LowRankMethod(options, on: configuration)
        options.method = .loraPerTask
        let perTask = LowRankMethod(options, on: configuration)
        let expected: [(String, Int, Int)] = [
            ("encoder.block.1.layer.0.SelfAttention.q", 12, 10), ("decoder.block.0.layer.1.EncDecAttention.o", 10, 12),
            ("decoder.block.1.layer.2.DenseReluDense.wi_1", 12, 18),
            ("encoder.block.0.layer.1.DenseReluDense.wo", 18, 12),
        ]
        for (site, input, output) in expected {
            for (part, shape) in [("A", [3, input]), ("B", [output, 2]), ("C", [2, 3])] {
                let name = "\(site).lora_\(part).weight"
                #expect(try #require(shared.parameters[name]).shape == shape)
                #expect(try #require(perTask.parameters[name]).shape == [4] + shape)
            }
        }
        options.rankB = 3
        let equal = LowRankMethod(options, on: configuration)
        #expect(!equal.parameters.entries.contains { $0.name.contains("lora_C") })
    }

    @Test func `the hypernetwork has the tensors of its inputs`() throws {
        var options = LowRankOptions(method: .unoloraStar, rankA: 3, tasks: 4)
        func shapes(_ inputs: Set<HypernetworkOptions.Input>, modulus: Int? = nil) -> [String: [Int]] {
            options.hyper.inputs = inputs
            options.hyper.positionModulus = modulus
            let layout = LowRankMethod(options, on: TinyT5.configuration(.v10))
            let hyper = layout.parameters.entries.filter { $0.name.hasPrefix("hypernet.") }
            return Dictionary(uniqueKeysWithValues: hyper.map { (String($0.name.dropFirst(9)), $0.shape) })
        }
        let all = shapes([.task, .position, .sample])
        #expect(
            all == [
                "task_embedding.weight": [4, 8], "position_embedding.weight": [12, 8],
                "sample_encoder.0.weight": [16, 12], "sample_encoder.0.bias": [16],
                "sample_encoder.1.weight": [16, 16], "sample_encoder.1.bias": [16],
                "sample_encoder.2.weight": [8, 16], "sample_encoder.2.bias": [8], "mlp.0.weight": [16, 24],
                "mlp.0.bias": [16], "mlp.1.weight": [16, 16], "mlp.1.bias": [16], "mlp.2.weight": [16, 16],
                "mlp.2.bias": [16], "mlp.3.weight": [8, 16], "mlp.3.bias": [8], "scale.weight": [12, 3, 8],
                "scale.bias": [12, 3],
            ])
        let task = shapes([.task])
        #expect(task["mlp.0.weight"] == [16, 8] && task["position_embedding.weight"] == nil)
        #expect(!task.keys.contains { $0.hasPrefix("sample_encoder") })
        #expect(shapes([.position, .sample], modulus: 5)["position_embedding.weight"] == [5, 8])
        #expect(shapes([.sample])["task_embedding.weight"] == nil)
    }
}
