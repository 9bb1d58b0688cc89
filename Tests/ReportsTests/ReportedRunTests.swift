import Foundation
import Pages
import Runs
import Tasks
import TestSupport
import Testing

@testable import Reports

/// The parts of a report that are made of what runs have logged.
@Suite struct ReportedRunTests {
    @Test(arguments: [
        (["runs/a", "runs/b"], ["a", "b"]), (["x/run", "y/run"], ["x/run", "y/run"]), (["/runs/only"], ["only"]),
        (["a/b/c", "d/b/c", "c"], ["a/b/c", "d/b/c", "c"]),
    ])
    func `names are as short as they can be`(paths: [String], names: [String]) {
        #expect(ReportedRun.names(paths) == names)
    }

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
        return RunHistory(RunDirectory(directory.path))
    }

    @Test func `a history has every kind of line, and no line that cannot be read`() throws {
        let history = try Self.history()
        #expect(history.training.map(\.step) == [10, 20] && history.evaluations.count == 1)
        #expect(history.interference.map { $0.cosine(0, 1) } == [nil, -0.25])
        #expect(
            history.figures[.validation]?.tasks["a"]?.figures == ["accuracy": 0.75] && history.figures[.test] == nil)
    }

    @Test func `the figures of a run show its numbers`() throws {
        let run = ReportedRun(name: "one", tasks: ["a", "b"], history: try Self.history())
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
        let other = ReportedRun(name: "two", tasks: ["a", "b"], history: try Self.history())
        let both = InterferenceSection([run, other]).section
        let pair = Page(title: "t", introduction: [], sections: [both], footer: "").figures.map(\.id)
        #expect(Set(pair).count == pair.count && pair.contains("cosines-two"))
    }

    @Test func `a run that has logged nothing leaves parts out`() {
        let run = ReportedRun(name: "one", tasks: ["a"], history: RunHistory())
        let page = Page(
            title: "t", introduction: [],
            sections: [
                FigureSection([run]).section, CurveSection([run]).section, InterferenceSection([run]).section,
            ], footer: "")
        #expect(page.figures.isEmpty && !page.source.contains("<section"))
    }
}
