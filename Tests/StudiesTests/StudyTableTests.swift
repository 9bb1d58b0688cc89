import Foundation
import Runs
import Studies
import Testing

@Suite struct StudyTableTests {
    /// Two rows, two seeds; the second row lacks its second seed, for a reason with a character that LaTeX does not take.
    private static func table() throws -> StudyTable {
        let study = try study(
            """
            rows:
              - {name: one_run}
              - {name: each, tasks: each}
            seeds: [1, 2]
            reference: one_run
            """)
        func result(_ cola: Double, _ accuracy: Double, _ f1: Double, rate: Double) -> RunResult {
            RunResult(
                tasks: ["cola": task(["matthews": cola]), "rte": task(["accuracy": accuracy, "f1": f1])],
                examplesPerSecond: rate, peakMemory: 64 << 20)
        }
        let results = StudyResults(
            lines: [
                [
                    SeedResult(seed: 1, [result(0.25, 0.5, 0.75, rate: 100)], isComplete: true),
                    SeedResult(seed: 2, [result(0.5, 0.75, 1, rate: 200)], isComplete: true),
                ],
                [
                    SeedResult(seed: 1, [result(0.5, 0.5, 0.5, rate: 80)], isComplete: true),
                    SeedResult(seed: 2, [], isComplete: false),
                ],
            ],
            missing: [
                .init(line: 1, run: "each/seed-2/cola", reason: "a loss of 100 % is not finite"),
                .init(line: 1, run: "each/seed-2/rte", reason: nil),
            ])
        return StudyTable(
            study, results,
            counts: [
                .init(trainable: [1000], backbone: 100_000, tasks: 2, bytesPerStep: 1 << 20),
                .init(trainable: [1000, 1000], backbone: 100_000, tasks: 2, bytesPerStep: 1 << 19),
            ])!
    }

    /// Row one_run: cola 0.25 and 0.5, mean 0.375, deviation 0.25 / sqrt 2 = 0.17678. Averages of the seeds: 0.5 and 0.75. Row each
    /// minus one_run in seed 1, the only common one: cola +0.25, accuracy 0, F1 -0.25, average 0. Trained: 1 %, 0.5 % of each of
    /// two tasks; and twice that.
    @Test func `the table for people`() throws {
        #expect(
            try Self.table().markdown == """
                | row     | runs   | cola matthews | rte accuracy | rte f1      | average     |
                |---------|--------|---------------|--------------|-------------|-------------|
                | one_run | 2      | 37.5 ± 17.7   | 62.5 ± 17.7  | 87.5 ± 17.7 | 62.5 ± 17.7 |
                | each    | 2 of 4 | 50.0          | 50.0         | 50.0        | 50.0        |

                | row  | minus   | cola matthews        | rte accuracy      | rte f1               | average           |
                |------|---------|----------------------|-------------------|----------------------|-------------------|
                | each | one_run | +25.0 [+25.0, +25.0] | +0.0 [+0.0, +0.0] | -25.0 [-25.0, -25.0] | +0.0 [+0.0, +0.0] |

                | row     | steps | trainable % | per task % | examples/s | peak MiB | MiB reduced per step |
                |---------|-------|-------------|------------|------------|----------|----------------------|
                | one_run | 100   | 1.0000      | 0.5000     | 150.0      | 64       | 1.000                |
                | each    | 25–75 | 2.0000      | 1.0000     | 80.0       | 64       | 0.500                |

                - test split, best checkpoint of each run, times 100; mean ± sample standard deviation over the seeds 1, 2.
                - Differences are paired; in brackets the interval of 95 % of 2000 bootstrap resamples over seeds only, where \
                a run has no record of its answers, otherwise test examples and seeds.
                - Rows with a run for each task divide the steps by the shares of the mixture, so each task is seen as often \
                as in the other rows, unless the row has its own budget.
                - Missing: each/seed-2/cola: a loss of 100 % is not finite
                - Missing: each/seed-2/rte: not finished

                """)
    }

    @Test func `a figure that is 0/0 is named below the table with its seeds`() throws {
        let study = try study("rows:\n  - {name: one}\n  - {name: two, set: {lora.rank: 4}}\nseeds: [1, 2]\n")
        func seed(_ seed: Int, undefined: [String]) -> SeedResult {
            var rte = task(["accuracy": 0.5, "f1": 0])
            rte.undefined = undefined
            return SeedResult(
                seed: seed, [RunResult(tasks: ["cola": task(["matthews": 0]), "rte": rte])], isComplete: true)
        }
        let results = StudyResults(
            lines: [
                [seed(1, undefined: []), seed(2, undefined: ["f1"])], [seed(1, undefined: []), seed(2, undefined: [])],
            ], missing: [])
        let counts = StudyTable.Counts(trainable: [1000], backbone: 100_000, tasks: 2, bytesPerStep: 1 << 20)
        let table = try #require(StudyTable(study, results, counts: [counts, counts]))
        let notes = table.markdown.split(separator: "\n").filter { $0.contains("Undefined") }
        #expect(
            notes == [
                "- Undefined (0/0, as with one answer for all examples) and counted as 0: one: rte f1 (seed 2)"
            ])
        #expect(table.lines.flatMap(\.figures).compactMap(\.undefined) == [[2]])
    }

    /// Seeds of one line on different processors; the line in 8 bits asks for other products, so it is compared with no other.
    @Test func `runs that were computed differently are named below the table`() throws {
        let study = try study(
            "rows:\n  - {name: one}\n  - {name: two, set: {lora.rank: 4}}\n  - {name: eight, set: {model.products: int8}}\n"
                + "seeds: [1, 2]\n")
        func table(_ names: [[String?]]) throws -> StudyTable {
            let lines = names.map { names in
                names.enumerated().map { index, name in
                    let tasks = ["cola": task(["matthews": 0.5]), "rte": task(["accuracy": 0.5, "f1": 0.5])]
                    // A library, and after a blank the version of the loops.
                    let words = name?.split(separator: " ").map(String.init)
                    let computedBy = words.map {
                        RunResult.ComputedBy(products: $0[0], loops: $0.count > 1 ? $0[1] : "L")
                    }
                    return SeedResult(
                        seed: index + 1, [RunResult(tasks: tasks, computedBy: computedBy)], isComplete: true)
                }
            }
            let counts = StudyTable.Counts(trainable: [1000], backbone: 100_000, tasks: 2, bytesPerStep: 1 << 20)
            return try #require(
                StudyTable(study, StudyResults(lines: lines, missing: []), counts: [counts, counts, counts]))
        }
        let mixed = try table([["A", "B"], ["A", "A"], ["C", "C"]])
        func notes(_ table: StudyTable) -> [String] {
            table.markdown.split(separator: "\n").map(String.init).filter { $0.contains("kernels for") }
        }
        let products = "- Products with frozen weights that were asked for alike were not computed alike"
        #expect(
            notes(mixed) == [
                "\(products): A, kernels for L: one (seed 1), two (seeds 1, 2); B, kernels for L: one (seed 2)"
            ])
        #expect(mixed.products?.map(\.computedBy) == ["A, kernels for L", "B, kernels for L"])
        #expect(mixed.products?.map(\.differs) == [[.products], [.products]])
        // Where the loops alone differ, nothing is said about products.
        let loops = try table([["A", "A M"], ["A", "A"], ["C", "D M"]])
        let same = "- The program's own loops were not the same in runs that ask for the same products"
        #expect(
            notes(loops) == [
                "\(same): A, kernels for L: one (seed 1), two (seeds 1, 2); A, kernels for M: one (seed 2)",
                "\(products), and the program's own loops were not the same: C, kernels for L: eight (seed 1); "
                    + "D, kernels for M: eight (seed 2)",
            ])
        #expect(loops.products?.map(\.differs) == [[.loops], [.loops], [.products, .loops], [.products, .loops]])
        for alike in [[["A", "A"], ["A", "A"], ["C", "C"]], [[nil, "A"], [nil, nil], ["C", nil]]] {
            #expect(try table(alike).products == nil)
        }
    }

    @Test func `the table for LaTeX`() throws {
        let text = try Self.table().latex
        #expect(
            text.hasPrefix(
                """
                \\begin{tabular}{lrrrrr}
                \\hline
                row & runs & cola matthews & rte accuracy & rte f1 & average \\\\
                \\hline
                one\\_run & 2 & 37.5 $\\pm$ 17.7 & 62.5 $\\pm$ 17.7 & 87.5 $\\pm$ 17.7 & 62.5 $\\pm$ 17.7 \\\\
                each & 2 of 4 & 50.0 & 50.0 & 50.0 & 50.0 \\\\
                \\hline
                \\end{tabular}
                """), "\(text)")
        #expect(text.contains("each & 25--75 & 2.0000 ") && text.contains("trainable \\% & per task \\%"))
    }

    @Test func `the table for programs`() throws {
        let lines = try Self.table().csv.split(separator: "\n").map(String.init)
        #expect(
            lines[0] == "line,row,quantity,task,metric,seeds,mean,deviation,difference,low,high"
                && lines[1] == "one_run,one_run,figure,cola,matthews,2,0.375,0.1767766952966369,,,")
        #expect(lines.contains("each,each,figure,rte,f1,1,0.5,,-0.25,-0.25,-0.25"))
        #expect(lines.contains("each,each,average,,,1,0.5,,0,0,0"))
        #expect(lines.contains("each,each,steps,,,,100,,,,"))
        let json = try JSONSerialization.jsonObject(with: Self.table().json()) as? [String: Any]
        let rows = try #require(json?["lines"] as? [[String: Any]])
        #expect(rows.count == 2 && rows[1]["finished"] as? Int == 2)
        let missing = try #require(rows[1]["missing"] as? [[String: String]])
        #expect(
            missing == [
                ["run": "each/seed-2/cola", "reason": "a loss of 100 % is not finite"], ["run": "each/seed-2/rte"],
            ])
    }

    @Test func `equal results give equal bytes`() throws {
        let (first, second) = (try Self.table().files(), try Self.table().files())
        #expect(first.map(\.ending) == ["json", "csv", "md", "tex"] && first.map(\.text) == second.map(\.text))
    }

    /// 3 + 2 on one place and 4 on the other.
    @Test func `the time of runs that are packed`() {
        #expect(StudyPlan.makespan([3, 4, 2], parallel: 2) == 5)
        // The third run begins when the first has ended, so 3 + 2; and when the second has, 4 + 2.
        #expect(StudyPlan.makespan([3, 4, 2], origins: [nil, nil, 0], parallel: 3) == 5)
        #expect(StudyPlan.makespan([3, 4, 2], origins: [nil, nil, 1], parallel: 2) == 6)
        #expect(StudyPlan.makespan([3, 4, 2], parallel: 1) == 9 && StudyPlan.makespan([], parallel: 3) == 0)
    }
}
