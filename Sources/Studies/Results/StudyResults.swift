import Runs

/// The results of all finished runs of a study.
package struct StudyResults {
    /// A run that is not finished.
    package struct Missing: Equatable {
        package let line: Int
        package let run: String
        /// Why it failed; nil for a run that has not begun or goes on.
        package let reason: String?
        /// Whether another job trains it.
        package let runsElsewhere: Bool

        package init(line: Int, run: String, reason: String?, runsElsewhere: Bool = false) {
            self.line = line
            self.run = run
            self.reason = reason
            self.runsElsewhere = runsElsewhere
        }
    }

    /// Results by line and seed, in the study's order.
    package let lines: [[SeedResult]]
    package let missing: [Missing]

    package init(lines: [[SeedResult]], missing: [Missing]) {
        self.lines = lines
        self.missing = missing
    }

    /// Reads the results of the runs that are finished; `states` are those of the study's runs, and `elsewhere` has the names of
    /// runs that other jobs train.
    package init(
        _ study: Study, _ states: [RunStates.State], elsewhere: Set<String>, in directory: StudyDirectory
    ) {
        var missing: [Missing] = []
        var finished: [StudyRun] = []
        for (run, state) in zip(study.runs, states) {
            if state == .finished {
                finished.append(run)
            } else {
                missing.append(
                    Missing(
                        line: run.line, run: run.name, reason: state.reason, runsElsewhere: elsewhere.contains(run.name)
                    ))
            }
        }
        var results: [String: RunResult] = [:]
        for run in finished {
            if let result = RunResult(directory.run(run), split: study.split) {
                results[run.name] = result
            } else {
                missing.append(
                    Missing(line: run.line, run: run.name, reason: "its evaluation-\(study.split).json cannot be read"))
            }
        }
        self.missing = missing
        lines = study.lines.indices.map { line in
            study.file.seeds.map { seed in
                let runs = study.runs.filter { $0.line == line && $0.seed == seed }
                let found = runs.compactMap { results[$0.name] }
                return SeedResult(seed: seed, found, isComplete: found.count == runs.count)
            }
        }
    }
}
