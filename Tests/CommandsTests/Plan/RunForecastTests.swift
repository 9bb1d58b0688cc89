import Configuration
import Tasks
import Testing

@testable import Commands

@Suite struct RunForecastTests {
    private static func configuration(_ overrides: String...) throws -> RunConfiguration {
        try RunConfiguration.load(
            yaml: "model: t5\ntasks:\n  - {name: t, train: t.tsv, fields: [a], labels: [x, y]}\n", name: "run.yaml",
            directory: "/",
            overrides: ["train.steps=100", "lr.warmup=0", "eval.every=30", "checkpoint.every=40"] + overrides)
    }

    private static func cost(_ seconds: Double, _ processor: Double) -> RunPace.Cost {
        RunPace.Cost(seconds: seconds, processorSeconds: processor)
    }

    private static let pace = RunPace(
        start: cost(3, 2), unit: cost(0.5, 0.25), step: cost(1, 2), answers: [cost(2, 3)], checkpoint: cost(7, 1),
        hasTokenCache: true, sources: ["somewhere"], isMeasured: true)
    private static let work = DrawnSteps.Work(busiest: 10, all: 40)

    private static func answers(_ batches: [Double]) -> PlannedAnswers {
        let part = PlannedAnswers.Part(task: 0, split: .validation, examples: [0, 1, 2], batches: batches)
        return PlannedAnswers(during: [part], atEnd: [part, part])
    }

    @Test func `a run takes the sum of its parts`() throws {
        let forecast = RunForecast(
            try Self.configuration(), Self.work, Self.answers([1, 2, 4]), Self.pace, ranks: 2, threads: 2, precision: 8)
        #expect(forecast.part(.start).cost == Self.cost(3 + 4, 2 + 2))
        // 10 units of the busiest worker and what each step takes; all units, and that on both ranks.
        #expect(forecast.part(.steps).each == Self.cost(6, 14) && forecast.part(.steps).count == 100)
        // After 30, 60, 90 and the last step. Of two threads of rank 0 one takes batches of 2 and 4, after one of 1.
        #expect(forecast.part(.evaluations).count == 4)
        #expect(forecast.part(.evaluations).each == Self.cost(2 * 5, 3 * 7))
        #expect(forecast.part(.finalEvaluation).count == 1)
        // After 40, 80 and the last step, and each evaluated step once more.
        #expect(forecast.savedSteps == 3 && forecast.part(.checkpoints).count == 7)
        #expect(forecast.seconds == forecast.parts.reduce(0) { $0 + $1.cost.seconds })
        #expect(forecast.seconds == 7 + 600 + 40 + forecast.part(.finalEvaluation).cost.seconds + 49)
        #expect(forecast.processorSeconds == forecast.parts.reduce(0) { $0 + $1.cost.processorSeconds })
        #expect(forecast.coreHours == forecast.seconds * 4 / 3600)
    }

    @Test func `all ranks answer if they are asked to`() throws {
        func evaluation(_ overrides: String) throws -> Double {
            RunForecast(
                try Self.configuration(overrides), Self.work, Self.answers([4, 4, 4, 4]), Self.pace, ranks: 2,
                threads: 2,
                precision: 0
            ).part(.evaluations).each.seconds
        }
        #expect(try evaluation("eval.ranks=zero") == 16 && evaluation("eval.ranks=all") == 8)
    }

    @Test func `a run without evaluations has none`() throws {
        let forecast = RunForecast(
            try Self.configuration("eval.every=null", "eval.atEnd=false", "checkpoint.every=null"), Self.work,
            PlannedAnswers(during: [], atEnd: []), Self.pace, ranks: 1, threads: 1, precision: 0)
        #expect(forecast.part(.evaluations).count == 0 && forecast.part(.finalEvaluation).count == 0)
        #expect(forecast.part(.checkpoints).count == 1)
    }

    @Test func `clock times`() {
        #expect(RunForecast.clock(0) == "0:00:00" && RunForecast.clock(59.2) == "0:01:00")
        #expect(RunForecast.clock(3_723) == "1:02:03" && RunForecast.clock(90_000) == "1 d 1:00:00")
    }
}
