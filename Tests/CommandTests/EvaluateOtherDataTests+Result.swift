extension ProgramTests.EvaluateOtherDataTests {
    /// A file of figures, as far as tests read it.
    struct Evaluation: Decodable {
        struct File: Decodable, Equatable {
            var name: String
            var digest: String
        }
        struct Split: Decodable, Equatable {
            var split: String
            var rows: String
            var files: [File]
            var examples: Int
        }
        struct Task: Decodable {
            var figures: [String: Double]
            var examples: Int
            var baseline: [String: Double]?
            var baselineOf: String?
            var standsFor: String?
            var template: String?
            var splits: [Split]?
        }
        struct Checkpoint: Decodable {
            var step: Int
            var digest: String
        }
        struct Model: Decodable {
            var digest: String
            var vocabulary: String
        }
        struct Program: Decodable {
            var version: String
            var commit: String
        }

        var basis: String
        var split: String
        var step: Int
        var maxExamples: Int?
        var averagedFigures: Int
        var tasks: [String: Task]
        var changed: [String]?
        var settings: [String: String]?
        var method: String?
        var seed: Int?
        var splitSeed: Int?
        var glueSplits: String?
        var runTasks: [String]?
        var checkpoint: Checkpoint?
        var model: Model?
        var program: Program?
    }
}
