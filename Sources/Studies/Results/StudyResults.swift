import Runs

/// The results of all finished runs of a study.
package struct StudyResults {
    /// A run that is not finished.
    package struct Missing: Equatable {
        package let line: Int
        package let run: String
        /// Why it failed; nil for a run that has not begun or goes on.
        package let reason: String?

        package init(line: Int, run: String, reason: String?) {
            self.line = line
            self.run = run
            self.reason = reason
        }
    }

    /// Results by line and seed, in the study's order.
    package let lines: [[SeedResult]]
    package let missing: [Missing]

    package init(lines: [[SeedResult]], missing: [Missing]) {
        self.lines = lines
        self.missing = missing
    }

    /// Reads what is there.
    package init(_ study: Study, in directory: StudyDirectory) {
        var missing: [Missing] = []
        var finished: [StudyRun] = []
        for run in study.runs {
            switch directory.state(run) {
            case .finished: finished.append(run)
            case .failed(let reason), .other(let reason):
                missing.append(Missing(line: run.line, run: run.name, reason: reason))
            case .open: missing.append(Missing(line: run.line, run: run.name, reason: nil))
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
