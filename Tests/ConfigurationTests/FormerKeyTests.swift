import Foundation
import Testing

@testable import Configuration

/// `model.precision`, which was split into `model.storage` and `model.products`.
@Suite struct FormerKeyTests {
    static let meanings: [(value: String, storage: ModelStorage, products: ModelProducts)] = [
        ("float32", .float32, .float32), ("bfloat16", .bfloat16, .float32), ("int8", .float32, .int8),
        ("int8Forward", .float32, .int8Forward), ("int8Backward", .float32, .int8Backward),
    ]

    private static func sentence(_ place: String, _ storage: ModelStorage, _ products: ModelProducts) -> String {
        "\(place): model.precision is the earlier name of model.storage and model.products; write model.storage: "
            + "\(storage.rawValue) and model.products: \(products.rawValue) in its place"
    }

    @Test(arguments: meanings)
    func `the earlier key is read as the keys that it has become, and that is said once`(
        value: String, storage: ModelStorage, products: ModelProducts
    ) throws {
        let new = try load(
            complete, set: "model.storage=\(storage.rawValue)", "model.products=\(products.rawValue)")
        #expect(new.storage == storage && new.products == products && new.warnings.isEmpty)
        let dotted = try load(complete + "model.precision: \(value)\n")
        #expect(dotted == new && dotted.warnings == [Self.sentence("run.yaml:3", storage, products)])
        let mapping = try load("model:\n  path: t5\n  precision: \(value)\ndata: {glue: /glue}\n")
        #expect(mapping == new && mapping.warnings == [Self.sentence("run.yaml:3", storage, products)])
        let set = try load(complete, set: "model.precision=\(value)")
        #expect(set == new)
        #expect(set.warnings == [Self.sentence("--set model.precision=\(value)", storage, products)])
        // The later one counts, and the notice is about it.
        let twice = try load(complete + "model.precision: int8\n", set: "model.precision=\(value)")
        #expect(twice == new && twice.warnings == set.warnings)
    }

    @Test(arguments: [
        (
            "model.precision: int8\nmodel.products: int8\n", [],
            "run.yaml:4: model.products cannot be given beside its earlier name model.precision (run.yaml:3); remove "
                + "model.precision, and write model.storage and model.products"
        ),
        (
            "model.storage: float32\nmodel.precision: int8\n", [],
            "run.yaml:3: model.storage cannot be given beside its earlier name model.precision (run.yaml:4); remove "
                + "model.precision, and write model.storage and model.products"
        ),
        (
            "model.precision: int8\n", ["model.products=float32"],
            "--set model.products=float32: model.products cannot be given beside its earlier name model.precision "
                + "(run.yaml:3); remove model.precision, and write model.storage and model.products"
        ),
        (
            "model.storage: bfloat16\n", ["model.precision=int8"],
            "run.yaml:3: model.storage cannot be given beside its earlier name model.precision (--set "
                + "model.precision=int8); remove model.precision, and write model.storage and model.products"
        ),
        (
            "", ["model.storage=bfloat16", "model.precision=int8"],
            "--set model.storage=bfloat16: model.storage cannot be given beside its earlier name model.precision (--set "
                + "model.precision=int8); remove model.precision, and write model.storage and model.products"
        ),
        (
            "model.precision: int4\n", [],
            "run.yaml:3: model.precision must be one of float32, bfloat16, int8, int8Forward, int8Backward, not `int4`"
        ),
        (
            "model.precision: [int8]\n", [],
            "run.yaml:3: model.precision must be one of float32, bfloat16, int8, "
                + "int8Forward, int8Backward, not a list"
        ),
        (
            "", ["model.precision=none"],
            "--set model.precision=none: model.precision must be one of float32, bfloat16, int8, int8Forward, "
                + "int8Backward, not `none`"
        ),
        (
            "model.products: float16\n", [],
            "run.yaml:3: model.products must be one of float32, bf16x3, bfloat16, fast, int8, int8Forward, "
                + "int8Backward, not `float16`"
        ),
        ("model.storage: int8\n", [], "run.yaml:3: model.storage must be one of float32, bfloat16, not `int8`"),
        (
            "model.precision: bfloat16\nparallel: {gemm: onednn}\n", [],
            "run.yaml:3: model.storage bfloat16 saves memory, "
                + "but the copies of parallel.gemm onednn take more than it saves; use parallel.gemm openblas or model.storage "
                + "float32"
        ),
    ])
    func `beside a key that it has become, and with what it never held, it is refused`(
        text: String, set: [String], message: String
    ) throws {
        #expect(try refusal(complete + text, set: set) == message)
    }

    @Test func `the earlier key twice in a file is told by its own name`() throws {
        #expect(
            try refusal("model: {path: t5, precision: int8}\nmodel.precision: int8\n")
                == "run.yaml:2: key model.precision is there twice, first at run.yaml:1; keep one of them")
    }

    @Test func `an option of a command goes over what the user wrote, by either name`() throws {
        func load(_ text: String) throws -> RunConfiguration {
            try RunConfiguration.load(
                yaml: complete + text, name: "run.yaml", directory: "/runs",
                options: [("--products int8", "model.products=int8")])
        }
        #expect(try load("model.precision: int8Forward\n").products == .int8)
        #expect(try load("model.products: float32\n").products == .int8)
        let failure = #expect(throws: (any Error).self) { _ = try load("model.precision: bfloat16\n") }
        #expect("\(try #require(failure))".contains("--products int8: model.products int8 needs model.storage float32"))
    }

    /// The resolved text that the earlier version wrote for a configuration with these keys.
    private static func earlier(_ text: String, _ meaning: (String, ModelStorage, ModelProducts)) -> String {
        let lines = "model.storage: \(meaning.1.rawValue)\nmodel.products: \(meaning.2.rawValue)"
        #expect(text.contains(lines))
        return text.replacing(lines, with: "model.precision: \(meaning.0)")
    }

    @Test(arguments: meanings)
    func `a resolved configuration of the earlier version says the same, and nobody is told to change it`(
        value: String, storage: ModelStorage, products: ModelProducts
    ) throws {
        let new = try load(
            complete, set: "model.storage=\(storage.rawValue)", "model.products=\(products.rawValue)")
        let old = Self.earlier(new.resolvedYAML, (value, storage, products))
        #expect(try load(old) == new && (try load(old).warnings.isEmpty))
        #expect(new.isSaid(by: Data(old.utf8)) && new.isSaid(by: Data(new.resolvedYAML.utf8)))
        #expect(!new.isSaid(by: Data(try load(complete, set: "train.seed=2").resolvedYAML.utf8)))
        // A user's file with the same content is not one that this program wrote.
        #expect(!new.isSaid(by: Data(complete.utf8)) && !new.isSaid(by: nil))
        // This program wrote the former key, so the user may give one of today's keys.
        let changed = try load(old, set: "model.storage=float32", "model.products=int8Backward")
        #expect(changed.products == .int8Backward && changed.storage == .float32 && changed.warnings.isEmpty)
    }

    @Test(arguments: meanings)
    func `a text of the earlier version is no other configuration`(
        value: String, storage: ModelStorage, products: ModelProducts
    ) throws {
        let new = try load(
            complete, set: "model.storage=\(storage.rawValue)", "model.products=\(products.rawValue)")
        let old = Self.earlier(new.resultText, (value, storage, products))
        for use in [AdapterUse.training, .evaluation, .prediction(task: "cola")] {
            #expect(RunConfiguration.differences(from: old, to: new.resultText, for: use).isEmpty)
        }
        let other = try load(complete, set: "model.products=\(products == .int8 ? "int8Forward" : "int8")")
        let was = "model.products was \(products.rawValue) and is \(other.products.rawValue)"
        let differences = RunConfiguration.differences(from: old, to: other.resultText)
        #expect(differences == (storage == .float32 ? [] : ["model.storage was bfloat16 and is float32"]) + [was])
        // The digest of an evaluation's settings is the same as in the earlier version.
        let settings = new.resultText(for: .evaluation)
        #expect(settings.hasPrefix("model.precision: \(value)\nmethod: unolora\n"))
        #expect(!settings.contains("model.storage") && !settings.contains("model.products"))
    }
}
