package import Runs

/// A run in a report: a short name, and what it has logged.
package struct ReportedRun {
    /// The name in figures.
    package let name: String
    /// The names of its tasks, in their order.
    package let tasks: [String]
    package let history: RunHistory

    /// Creates a run.
    package init(name: String, tasks: [String], history: RunHistory) {
        self.name = name
        self.tasks = tasks
        self.history = history
    }

    /// Short names of run directories: as many of the last parts of their paths as tell them apart.
    package static func names(_ paths: [String]) -> [String] {
        let parts = paths.map { $0.split(separator: "/").map(String.init) }
        return parts.map { own in
            for count in 1...max(own.count, 1) {
                let end = own.suffix(count)
                if parts.count(where: { $0.suffix(count).elementsEqual(end) }) == 1 {
                    return end.joined(separator: "/")
                }
            }
            return own.joined(separator: "/")
        }
    }

    /// The tasks of several runs, each once, in the order in which they occur.
    static func tasks(_ runs: [ReportedRun]) -> [String] {
        runs.reduce(into: []) { tasks, run in
            for task in run.tasks where !tasks.contains(task) { tasks.append(task) }
        }
    }
}
