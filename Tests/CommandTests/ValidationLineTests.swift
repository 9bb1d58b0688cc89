import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// The line with the figures of each task that a training prints after an evaluation.
    @Suite struct ValidationLineTests {
        private struct Evaluation: Decodable {
            struct Task: Decodable { var figures: [String: Double] }
            var kind: String
            var step: Int
            var average: Double?
            var tasks: [String: Task]
        }

        @Test(arguments: [nil, 2])
        func `the printed figures are those of metrics.jsonl, in hundredths, for every task`(ranks: Int?) throws {
            let project = try TinyProject()
            let result = try Program.run(
                project.train(["--set", "eval.every=4", "--set", "eval.maxExamples=null"]), ranks: ranks)
            #expect(result.code == 0, "\(result)")
            let metrics = try String(contentsOfFile: project.file("run/metrics.jsonl"), encoding: .utf8)
            let evaluations = try metrics.split(separator: "\n").filter { $0.contains("\"kind\":\"evaluation\"") }
                .map { try JSONDecoder().decode(Evaluation.self, from: Data($0.utf8)) }
            #expect(evaluations.map(\.step) == [4, 8, 12])
            for evaluation in evaluations {
                func figure(_ task: String, _ metric: String) throws -> String {
                    let value = try #require(evaluation.tasks[task]?.figures[metric])
                    return "\(metric) \(String(format: "%.1f", 100 * value))"
                }
                let expected =
                    "step \(evaluation.step): colour \(try figure("colour", "accuracy")), \(try figure("colour", "f1")); "
                    + "pair \(try figure("pair", "accuracy")); "
                    + "grade \(try figure("grade", "pearson")), \(try figure("grade", "spearman"))"
                #expect(
                    result.output.split(separator: "\n").contains { $0 == expected }, "\(expected)\n\(result.output)")
                let average = String(format: "%.2f", 100 * (try #require(evaluation.average)))
                #expect(
                    result.output.contains("\nstep \(evaluation.step): validation average \(average) of 5 figures\n"))
            }
        }
    }
}
