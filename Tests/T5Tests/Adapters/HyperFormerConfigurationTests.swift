import Adapters
import Backbone
import Failures
import Foundation
import Tensors
import TestSupport
import Testing

@testable import T5

/// The adapter's configuration of HyperFormer++ and of full fine-tuning.
@Suite struct HyperFormerConfigurationTests {
    /// The model's width is 12.
    private static let shape = TinyT5.configuration(.v10)

    private func read(_ json: String, on shape: T5Configuration = shape) throws -> MadeMethod {
        let directory = try TemporaryDirectory()
        let path = try directory.write("unolora_config.json", json)
        return try MethodTable.standard.method(AdapterConfiguration(path: path), on: shape, from: .file(path: path))
    }

    private func json(_ method: String, tasks: Int = 3, _ more: String = "") -> String {
        #"{"method": "\#(method)", "rank": 4, "alpha": 8, "tasks": \#(tasks)\#(more)}"#
    }

    /// The message of a refusal of the file, which it names.
    private func refusal(_ json: String) throws -> String {
        let failure = try #require(throws: Failure.self) { _ = try read(json) }
        #expect(failure.code == .badData && failure.message.contains("/unolora_config.json: "), "\(failure.message)")
        return String(failure.message.split(separator: "unolora_config.json: ").last ?? "")
    }

    @Test func `the reduction comes back from the file that it was written to`() throws {
        let made = try read(json("hyperformer_pp", tasks: 5, #", "reduction": 4"#))
        let method = try #require(made.method as? HyperFormerMethod)
        #expect(method.tasks == 5 && method.reduction == 4 && made.configuration.reduction == 4)
        let again = try read(String(decoding: JSONEncoder().encode(made.configuration), as: UTF8.self))
        #expect(again.configuration == made.configuration)
        #expect(again.method.parameters.entries == made.method.parameters.entries)
    }

    @Test func `without a reduction it is 32, and the complete configuration names it`() throws {
        let shape = try #require(T5Configuration.presets.first { $0.name == "t5-small" }).configuration
        let made = try read(json("hyperformer_pp", tasks: 8), on: shape)
        #expect(made.configuration.reduction == 32 && made.method.parameters.count == 2_415_776)
    }

    @Test(arguments: ["hyperformer_pp", "full"])
    func `keys of low-rank methods are not carried on`(method: String) throws {
        let more = #", "reduction": 3, "rankA": 2, "rankB": 3, "loraDropout": 0.1, "hyperDim": 4, "targets": {}"#
        let made = try read(json(method, more))
        var expected = AdapterConfiguration(method: method, rank: 4, alpha: 8, tasks: 3)
        if method == "hyperformer_pp" { expected.reduction = 3 }
        #expect(made.configuration == expected)
    }

    @Test func `another reduction, number of tasks or method is another adapter`() throws {
        func configuration(_ method: String, tasks: Int = 3, reduction: Int = 4) throws -> AdapterConfiguration {
            try read(json(method, tasks: tasks, #", "reduction": \#(reduction)"#)).configuration
        }
        let base = try configuration("hyperformer_pp")
        #expect(try configuration("hyperformer_pp").firstDifference(from: base) == nil)
        #expect(try configuration("hyperformer_pp", reduction: 5).firstDifference(from: base) == "reduction")
        #expect(try configuration("hyperformer_pp", tasks: 4).firstDifference(from: base) == "tasks")
        #expect(try configuration("full").firstDifference(from: base) == "method")
    }

    @Test(arguments: [0, 13, -1, Int.max])
    func `a reduction that gives the adapters no width is refused`(reduction: Int) throws {
        let limit = "\(reduction), but must be from 1 to 12, the model's width"
        #expect(try refusal(json("hyperformer_pp", #", "reduction": \#(reduction)"#)) == "reduction is \(limit)")
        // The reduction has no meaning for other methods.
        _ = try read(json("full", #", "reduction": \#(reduction)"#))
        var wrong = AdapterConfiguration(method: "hyperformer_pp", rank: 0, alpha: 0, tasks: 3)
        wrong.reduction = reduction
        for source in [MethodSource.run(model: "t5", file: "run.yaml"), .newRun(model: "t5", file: "run.yaml")] {
            let failure = try #require(throws: Failure.self) {
                _ = try MethodTable.standard.method(wrong, on: Self.shape, from: source)
            }
            #expect(failure.code == .badConfiguration && failure.message == "hyperformer.reduction is \(limit)")
        }
    }

    @Test func `every reduction up to the model's width makes adapters`() throws {
        for reduction in 1...12 {
            let made = try read(json("hyperformer_pp", #", "reduction": \#(reduction)"#))
            let entry = try #require(made.method.parameters["hypernet.decoder.down_bias.weight"])
            #expect(entry.shape == [12 / reduction, 64])
        }
    }

    @Test(arguments: ["hyperformer_pp", "full"], [0, -1, 100_001, Int.max])
    func `a number of tasks that cannot be is refused`(method: String, tasks: Int) throws {
        #expect(try refusal(json(method, tasks: tasks, #", "reduction": 4"#)) == "tasks is out of range")
    }

    @Test func `what is said of too many trainables names what helps`() throws {
        #expect(try read(json("hyperformer_pp", #", "reduction": 4"#)).remedy == "raise hyperformer.reduction")
        #expect(try read(json("full")).remedy == "use a smaller model or another method")
    }
}
