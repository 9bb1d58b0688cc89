import Foundation
import Pages
import Studies
import Tasks
import TestSupport
import Testing

@testable import Reports
@testable import Runs

/// The parts of a report that are made of what runs have logged.
@Suite struct ReportedRunTests {
    /// A run directory whose lines are written out.
    private static func history() throws -> RunHistory {
        let directory = try TemporaryDirectory()
        let timing = #""timing":{"seconds":1,"examplesPerSecond":2,"tokensPerSecond":3}"#
        func train(_ step: Int, _ a: Double, _ b: Double) -> String {
            #"{"kind":"train","step":\#(step),"loss":\#((a + b) / 2),"learningRate":1,"gradientNorm":1,"examples":40,"tokens":8,"tasks":{"a":{"loss":\#(a),"tokens":4,"examples":30},"b":{"loss":\#(b),"tokens":4,"examples":10}},\#(timing)}"#
        }
        func interference(_ step: Int, _ cosine: String) -> String {
            #"{"kind":"interference","step":\#(step),"source":"averages","tasks":["a","b"],"cosines":[[1,\#(cosine)],[\#(cosine),1]],"norms":[1,0.1],"weights":[0.5,0.5],"conflictRate":1,"effectiveStep":0.4,"effectiveSteps":[0.1,-0.2]}"#
        }
        let evaluation =
            #"{"kind":"evaluation","step":20,"split":"validation","average":0.5,"averagedFigures":2,"averageOverTasks":0.5,"tasks":{"a":{"figures":{"accuracy":0.75},"examples":4,"invalidAnswers":0,"undefined":[]}},"timing":{"seconds":1,"examplesPerSecond":1}}"#
        let lines = [
            train(10, 2, 4), interference(10, "null"), train(20, 1, 3), interference(20, "-0.25"), evaluation,
            #"{"kind":"other","step":1}"#, "torn {",
            // Lists of another length than the tasks.
            interference(30, "0.5").replacing(#""norms":[1,0.1]"#, with: #""norms":[1]"#),
            interference(40, "0.5").replacing("[[1,", with: "[[1],["),
        ]
        try directory.write("metrics.jsonl", lines.joined(separator: "\n"))
        try directory.write("evaluation-validation.json", evaluation)
        return RunHistory(RunDirectory(directory.path), .unknown)
    }

    @Test func `a history has every kind of line, and no line that cannot be read`() throws {
        let history = try Self.history()
        #expect(history.training.map(\.step) == [10, 20] && history.evaluations.count == 1)
        #expect(history.interference.map { $0.cosine(0, 1) } == [nil, -0.25])
        #expect(
            history.figures[.validation]?.tasks["a"]?.figures == ["accuracy": 0.75] && history.figures[.test] == nil)
    }

    @Test func `the figures of a run show its numbers`() throws {
        let run = ReportedRun(
            name: RunName("one", isAlone: true), tasks: ["a", "b"], history: try Self.history())
        let page = Page(
            title: "t", introduction: [],
            sections: [
                FigureSection([run]).section, CurveSection([run]).section, InterferenceSection([run]).section,
            ], footer: "")
        let ids = page.figures.map(\.id)
        #expect(
            ids == [
                "results-validation", "mixture", "loss", "loss-a", "loss-b", "figure-a-accuracy", "cosines",
                "cosines-over-time", "norms", "conflict-rate", "effective-step",
            ])
        let source = page.source
        // The mixture, a loss, a figure and a cosine.
        for text in ["75.0 %", "25.0 %", ">3</td>", ">75.00<", "\u{2212}0.25"] {
            #expect(source.contains(text), "\(text)")
        }
        // Two runs with the same name would have the same figures.
        let two = try ["one", "two"].map {
            ReportedRun(name: RunName($0), tasks: ["a", "b"], history: try Self.history())
        }
        let both = InterferenceSection(two).section
        let pair = Page(title: "t", introduction: [], sections: [both], footer: "").figures.map(\.id)
        #expect(Set(pair).count == pair.count && pair.contains("cosines-two"))
    }

    @Test func `a run that has logged nothing leaves parts out`() {
        let run = ReportedRun(name: RunName("one", isAlone: true), tasks: ["a"], history: RunHistory())
        let page = Page(
            title: "t", introduction: [],
            sections: [
                FigureSection([run]).section, CurveSection([run]).section, InterferenceSection([run]).section,
            ], footer: "")
        #expect(page.figures.isEmpty && !page.source.contains("<section"))
    }

    /// Half of 100 answers are right, so that a resample's accuracy is a binomial number with probability 1/2 over 100.
    @Test func `figures have intervals where the answers are kept, and say where they are not`() throws {
        let gold = [Double](repeating: 1, count: 100)
        let answers = (0..<100).map { Double($0 % 2) }
        var file = AnswersFile([])
        file.tasks = ["a": AnsweredSplit(classes: 2, metrics: [.accuracy], gold: gold, answers: answers)]
        var record = try #require(try Self.history().figures[.validation])
        record.tasks["a"]?.figures["accuracy"] = 0.5
        (record.average, record.averagedFigures) = (0.5, 1)
        let intervals = FigureIntervals(record, file, tasks: ["a", "b"])
        var history = RunHistory()
        history.figures[.validation] = record
        func run(_ name: String, _ intervals: [SplitName: FigureIntervals]) -> ReportedRun {
            ReportedRun(name: RunName(name), tasks: ["a", "b"], history: history, intervals: intervals)
        }
        func source(_ runs: [ReportedRun]) -> String {
            Page(title: "t", introduction: [], sections: [FigureSection(runs).section], footer: "").source
        }
        let both = source([run("one", [.validation: intervals]), run("two", [:])])
        #expect(both.contains("A bar holds 95 % of 2000 resamples of the examples; two: none, since no answers"))
        #expect(both.contains(">one: 50.0 (40.0 to 60.0)<") && both.contains(">two: 50.0<"), "\(both)")
        #expect(both.contains("<td>one</td><td>50.00</td><td>40.00</td><td>60.00</td>"), "\(both)")
        #expect(source([run("two", [:])]).contains("No intervals, since no answers are kept"))
    }

    @Test func `more tasks than colours are a map, not bars`() throws {
        let names = (0..<9).map { "task \($0)" }
        var history = RunHistory()
        history.training = [
            TrainRecord(
                step: 1, loss: 1, learningRate: 1, gradientNorm: 1, examples: 9, tokens: 9,
                tasks: Dictionary(uniqueKeysWithValues: names.map { ($0, .init(loss: 1, tokens: 1, examples: 1)) }),
                timing: .init(seconds: 1, examplesPerSecond: 1, tokensPerSecond: 1))
        ]
        let run = ReportedRun(name: RunName("one", isAlone: true), tasks: names, history: history)
        let source = Page(title: "t", introduction: [], sections: [CurveSection([run]).section], footer: "").source
        #expect(source.contains("one, task 8: 11.1") && source.contains("A row shows how"))
    }
}
