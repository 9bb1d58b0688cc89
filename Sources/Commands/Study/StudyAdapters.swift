import Analysis
import Failures
import MPI
import Reports
import Runs
import Studies

/// The adapters of a study for its page: of each line that of the run of the first seed, at its best checkpoint, analysed like
/// `analyze` but with fewer texts. A run is analysed once, since it is finished.
final class StudyAdapters {
    private let study: Study
    private let directory: StudyDirectory
    /// A communicator of this process only: the others may be at something else.
    private let alone: Communicator
    private var known: [String: Result<RunAnalysis, Failure>] = [:]

    init(_ study: Study, in directory: StudyDirectory, alone: Communicator) {
        (self.study, self.directory, self.alone) = (study, directory, alone)
    }

    /// The adapters of the lines, in their order; `states` are those of the study's runs. Nil when `isGivenUp`, which is asked before
    /// every analysis, says so.
    func adapters(_ states: [RunStates.State], isGivenUp: () -> Bool) -> [StudyAdapter]? {
        var adapters: [StudyAdapter] = []
        for (index, line) in study.lines.enumerated() {
            let runs = zip(study.runs, states).filter { $0.0.line == index && $0.0.seed == study.file.seeds[0] }
            // Where every task has a run of its own, one of them stands for all.
            guard let (run, state) = runs.first(where: { $0.1 == .finished }) ?? runs.first else { continue }
            guard state == .finished else {
                adapters.append(.absent(line: line.title, reason: state.reason ?? "not finished"))
                continue
            }
            guard !isGivenUp() else { return nil }
            let name = line.title + (run.task.map { ", task \($0)" } ?? "")
            switch analysis(of: run) {
            case .success(let analysis):
                let name = RunName(name, isAlone: study.lines.count == 1)
                adapters.append(.analysed(ReportedAdapter(name: name, analysis: analysis)))
            case .failure(let failure): adapters.append(.absent(line: name, reason: failure.message))
            }
        }
        return adapters
    }

    private func analysis(of run: StudyRun) -> Result<RunAnalysis, Failure> {
        if let known = known[run.name] { return known }
        let result = Result { () throws(Failure) in
            try AnalyzedRun(directory.run(run).path, checkpoint: "best", depth: .brief).analysis(world: alone).0
        }
        known[run.name] = result
        return result
    }
}
