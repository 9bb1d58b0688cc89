import Backbone
import Failures
import Foundation
import TestSupport
import Testing

@testable import Adapters
@testable import T5

extension AdapterConfiguration {
    /// The configuration of an adapter with these options, for named tasks.
    fileprivate init(_ options: LowRankOptions, taskNames: [String], labels: [String: [String]]) {
        self.init(options)
        (self.taskNames, self.labels) = (taskNames, labels)
    }
}

@Suite struct AdapterConfigurationTests {
    private func read(_ json: String) throws -> LowRankOptions {
        let directory = try TemporaryDirectory()
        let path = try directory.write("unolora_config.json", json)
        let made = try MethodTable.standard.method(
            AdapterConfiguration(path: path), on: TinyT5.configuration(.v11), from: .file(path: path))
        return try #require(made.method as? LowRankMethod).options
    }

    private func refusal(_ more: String) throws -> String {
        let json = #"{"method": "unolora_star", "rank": 4, "alpha": 8, "tasks": 3\#(more)}"#
        let failure = try #require(throws: Failure.self) { _ = try read(json) }
        #expect(failure.code == .badData && failure.message.contains("unolora_config.json"))
        return failure.message
    }

    @Test(arguments: [LowRankOptions.Method.frozen, .unolora, .unoloraStar, .loraPerTask])
    func `four keys suffice and the others have the paper's values`(method: LowRankOptions.Method) throws {
        let options = try read(#"{"method": "\#(method.rawValue)", "rank": 4, "alpha": 8, "tasks": 3}"#)
        #expect(options == LowRankOptions(method: method, rankA: 4, alpha: 8, tasks: 3))
        #expect(options.rankB == 4 && options.targets == .queryAndValue && options.dropout == 0.1)
    }

    @Test func `what an adapter means is compared, what acts in training alone is not`() throws {
        let options = LowRankOptions(method: .unoloraStar, rankA: 4, alpha: 8, tasks: 2)
        let labels = ["a": ["0", "1"]]
        let base = AdapterConfiguration(options, taskNames: ["a", "b"], labels: labels)
        func difference(_ change: (inout LowRankOptions) -> Void, names: [String] = ["a", "b"]) throws -> String? {
            var other = options
            change(&other)
            return try AdapterConfiguration(other, taskNames: names, labels: labels).firstDifference(from: base)
        }
        #expect(try difference { _ in } == nil)
        #expect(try difference { $0.dropout = 0.5 } == nil)
        #expect(try difference { $0.dropoutMask = .perSite } == nil)
        #expect(try difference { ($0.freezesA, $0.freezesB, $0.hyper.trained) = (true, true, .tasks([1])) } == nil)
        #expect(try difference { $0.hyper.trained = .nothing } == nil)
        #expect(try difference { $0.alpha = 4 } == "alpha")
        #expect(try difference { $0.method = .unolora } == "hyperBottleneck")
        #expect(try difference { $0.hyper.startsAtOne = false } == "hyperScaleInit")
        #expect(try difference { $0.targets.feedForward = ["wo"] } == "targets")
        #expect(try difference({ _ in }, names: ["b", "a"]) == "taskNames")
        var relabelled = base
        relabelled.labels = ["a": ["1", "0"]]
        #expect(try relabelled.firstDifference(from: base) == "labels")
        // The vocabulary is compared separately, since not every file names it.
        var other = base
        other.vocabulary = "v"
        #expect(try other.firstDifference(from: base) == nil)
    }

    @Test func `every option comes back from the file that it was written to`() throws {
        var options = LowRankOptions(method: .unoloraStar, rankA: 4, rankB: 6, alpha: 3.5, tasks: 5, dropout: 0.3)
        options.dropoutMask = .perSite
        options.targets = LoraTargets(
            encoderSelf: ["o"], decoderSelf: [], decoderCross: ["k", "v"], feedForward: ["wi_1"])
        options.hyper.inputs = [.sample, .position]
        options.hyper.startsAtOne = false
        options.hyper.positionModulus = 48
        options.hyper.dimension = 3
        options.hyper.outputDimension = 5
        options.hyper.bottleneck = 7
        let file = AdapterConfiguration(options, taskNames: ["a", "b"], labels: ["a": ["0", "1"]])
        let json = String(decoding: try JSONEncoder().encode(file), as: UTF8.self)
        #expect(try read(json) == options)
        options.aInitialisation = .kaimingRank
        let other = String(decoding: try JSONEncoder().encode(AdapterConfiguration(options)), as: UTF8.self)
        #expect(try read(other) == options)
        for trained in [HypernetworkOptions.Trained.nothing, .tasks([0, 4])] {
            (options.freezesA, options.freezesB, options.hyper.trained) = (trained == .nothing, true, trained)
            options.hyper.inputs = [.task]
            let frozen = String(decoding: try JSONEncoder().encode(AdapterConfiguration(options)), as: UTF8.self)
            #expect(try read(frozen) == options)
        }
        // A file of a run with nothing frozen has no word of it, as in earlier versions.
        #expect(!json.contains("reeze") && !json.contains("Trained"))
        #expect(file.taskNames == ["a", "b"] && file.labels == ["a": ["0", "1"]])
    }

    @Test func `a target that the model does not have is refused`() throws {
        #expect(try refusal(#", "targets": {"feedForward": ["wi"]}"#).contains("its feed-forward has wi_0, wi_1, wo"))
    }

    @Test func `targets of which the model has none are refused`() throws {
        var configuration = AdapterConfiguration(method: "unolora", rank: 4, alpha: 8, tasks: 3)
        configuration.targets = ["encoderSelf": ["q"], "decoderSelf": [], "decoderCross": [], "feedForward": []]
        let shape = TinyT5.configuration(.v11, encoderBlocks: 0)
        let failure = try #require(throws: Failure.self) {
            _ = try MethodTable.standard.method(configuration, on: shape, from: .newRun(model: "m", file: "run.yaml"))
        }
        #expect(failure.code == .badConfiguration)
        #expect(failure.message.contains("lora.targets names no projection that m has"))
        configuration.method = "frozen"
        let frozen = try MethodTable.standard.method(configuration, on: shape, from: .file(path: "a"))
        #expect(frozen.method.siteCount == 0)
    }

    @Test func `unknown keys are ignored`() throws {
        let options = try read(#"{"method": "unolora", "rank": 4, "alpha": 8, "tasks": 3, "seed": 1, "reduction": 2}"#)
        #expect(options == LowRankOptions(method: .unolora, rankA: 4, alpha: 8, tasks: 3))
    }

    @Test func `values that make no sense are refused`() throws {
        #expect(try refusal(#", "rankA": 0"#).contains("rank"))
        #expect(try refusal(#", "rankB": 5000"#).contains("rank"))
        #expect(try refusal(#", "loraDropout": 1"#).contains("loraDropout"))
        #expect(try refusal(#", "loraDropout": -0.5"#).contains("loraDropout"))
        #expect(try refusal(#", "loraDropoutMask": "perToken""#).contains("loraDropoutMask cannot be perToken"))
        #expect(try refusal(#", "hyperInputs": ["task", "time"]"#).contains("hyperInputs has time"))
        #expect(try refusal(#", "hyperInputs": []"#).contains("hyperInputs"))
        #expect(try refusal(#", "hyperScaleInit": "two""#).contains("hyperScaleInit"))
        for tasks in ["[3]", "[-1]", "[1, 1]"] {
            #expect(try refusal(#", "hyperTrainedTasks": \#(tasks)"#).contains("hyperTrainedTasks must be"))
        }
        #expect(try refusal(#", "hyperTrainedTasks": [1], "hyperInputs": ["sample"]"#).contains("hyperTrainedTasks"))
        for key in ["hyperDim", "hyperOutDim", "hyperBottleneck", "hyperPositions"] {
            #expect(try refusal(#", "\#(key)": 0"#).contains("size of the hypernetwork is 0"))
        }
    }

    @Test func `a method of another family, a missing key and a missing file are refused`() throws {
        let other = try #require(throws: Failure.self) {
            _ = try read(#"{"method": "prefix", "rank": 4, "alpha": 8, "tasks": 3}"#)
        }
        #expect(other.code == .badData && other.message.contains("method prefix"))
        #expect(other.message.contains("it has frozen, unolora, unolora_star, lora_per_task, hyperformer_pp and full"))
        for key in ["method", "rank", "alpha", "tasks"] {
            var values: [String: Any] = ["method": "unolora", "rank": 4, "alpha": 8, "tasks": 3]
            values[key] = nil
            let json = String(decoding: try JSONSerialization.data(withJSONObject: values), as: UTF8.self)
            let failure = try #require(throws: Failure.self) { _ = try read(json) }
            #expect(failure.code == .badData && failure.message.contains("method, rank, alpha and tasks"))
        }
        let missing = try #require(throws: Failure.self) {
            _ = try AdapterConfiguration(path: "/no/such/unolora_config.json")
        }
        #expect(missing.code == .inputMissing)
    }
}
