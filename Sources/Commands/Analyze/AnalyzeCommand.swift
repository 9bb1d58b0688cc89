import Analysis
public import Failures
import Foundation
import Kernels
public import MPI
import Reports
import Runs
import Studies
import Tasks

/// `analyze`: what the adapters of runs have become, as tables for machines.
public enum AnalyzeCommand {
    /// The options of the command line.
    public struct Request: Sendable {
        /// The run directories.
        public var runs: [String]
        /// best, last, a step or a checkpoint's path; the same for all runs.
        public var checkpoint: String
        /// Where the files go.
        public var out: String

        /// Creates a request.
        public init(runs: [String], checkpoint: String, out: String) {
            (self.runs, self.checkpoint, self.out) = (runs, checkpoint, out)
        }
    }

    /// Analyses the runs and writes the files; for one process. Nothing is written unless all runs can be analysed.
    public static func run(_ request: Request, world: Communicator) throws(Failure) -> Int32 {
        try world.rankZeroFirst { () throws(Failure) in
            if world.size > 1 { throw Failure(.usage, "analyze runs as one process; start it without mpirun") }
        }
        let paths = request.runs.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
        for (index, path) in paths.enumerated() where paths[..<index].contains(path) {
            throw Failure(.usage, "\(request.runs[index]) is given twice; name each run once")
        }
        let directory = try AnalysisDirectory(request.out)
        var report = try report(request, world: world)
        let files = PageFiles(AnalysisPage.page(report, reported(report)), name: AnalysisDirectory.page)
        report.files += files.files.map(\.name)
        try directory.write(report, files)
        for run in report.runs {
            for note in run.source.notes { Terminal.complain("note: \(run.source.name): \(note)") }
        }
        for comparison in report.comparisons {
            guard let reason = comparison.reason else { continue }
            Terminal.complain("note: \(comparison.first) and \(comparison.second) are not compared: \(reason)")
        }
        try Terminal.print(summary(report))
        let names = AnalysisTables.names + [AnalysisDirectory.page]
        try Terminal.print("\(request.out): \(names.joined(separator: ", ")), figures")
        return 0
    }

    /// The analysed runs with what their directories say about them.
    private static func reported(_ report: AnalysisReport) -> [ReportedRun] {
        let sources = report.runs.map(\.source)
        let runs = sources.map { RunDirectory($0.name) }
        let conditions = RunCondition.conditions(runs)
        let histories = zip(runs, conditions).map(RunHistory.init)
        let names = RunName.names(sources.map(\.name), histories.map(\.condition))
        return sources.indices.map { index in
            let (run, tasks) = (RunDirectory(sources[index].name), sources[index].tasks)
            var intervals: [SplitName: FigureIntervals] = [:]
            for (split, record) in histories[index].figures {
                intervals[split] = AnswersFile.read(run, split).map { FigureIntervals(record, $0, tasks: tasks) }
            }
            return ReportedRun(name: names[index], tasks: tasks, history: histories[index], intervals: intervals)
        }
    }

    /// All that the files contain: the only place that computes it.
    static func report(_ request: Request, world: Communicator) throws(Failure) -> AnalysisReport {
        var analyses: [RunAnalysis] = []
        var subspaces: [AdapterSubspaces] = []
        for path in request.runs {
            let analyzed = try AnalyzedRun(path, checkpoint: request.checkpoint)
            let (analysis, spaces) = try analyzed.analysis(world: world)
            analyses.append(analysis)
            subspaces.append(spaces)
        }
        var comparisons: [RunComparison] = []
        for first in analyses.indices {
            for second in analyses.indices[(first + 1)...] {
                comparisons.append(
                    try comparison(
                        (analyses[first].source, subspaces[first]), (analyses[second].source, subspaces[second])))
            }
        }
        return AnalysisReport(
            version: ProgramVersion.current, commit: ProgramVersion.commit ?? "unknown",
            library: BLAS.description, files: AnalysisTables.names,
            definitions: AnalysisDefinitions.all,
            runs: analyses,
            comparisons: comparisons)
    }

    /// Compares two runs where their adapters are alike, or says why not.
    private static func comparison(
        _ first: (source: RunAnalysis.Source, spaces: AdapterSubspaces),
        _ second: (source: RunAnalysis.Source, spaces: AdapterSubspaces)
    ) throws(Failure) -> RunComparison {
        var reason: String?
        var overlaps: [OverlapTable] = []
        if first.source.backbone != second.source.backbone {
            reason = "they were trained on different models"
        } else {
            overlaps = try first.spaces.with(second.spaces)
            if overlaps.isEmpty { reason = "they have no matrices of the same kind at the same sites" }
        }
        return RunComparison(
            first: first.source.name, second: second.source.name, reason: reason, overlaps: overlaps)
    }

    /// A few figures of each run for people.
    private static func summary(_ report: AnalysisReport) -> String {
        func mean(_ values: [Double]) -> String {
            values.isEmpty ? "" : String(format: "%.4g", values.reduce(0, +) / Double(values.count))
        }
        var rows = [["run", "matrix", "state", "matrices", "norm", "spectral norm", "effective rank", "by entropy"]]
        for run in report.runs {
            for matrix in MatrixRole.allCases {
                for state in AdapterState.allCases {
                    let chosen = run.measures.matrices.filter { $0.matrix == matrix && $0.state == state }
                    guard !chosen.isEmpty else { continue }
                    let spectra = chosen.compactMap(\.spectrum)
                    rows.append([
                        run.source.name, matrix.rawValue, state == .trained ? "trained" : "minus start",
                        "\(chosen.count)",
                        mean(chosen.map(\.frobeniusNorm)), mean(spectra.map(\.spectralNorm)),
                        mean(spectra.map(\.effectiveRankSum)), mean(spectra.map(\.effectiveRankEntropy)),
                    ])
                }
            }
        }
        return TextTable(rows, left: [0, 1, 2]).text
    }
}
