import Configuration
public import Failures
import Foundation
public import MPI
import Runs
import Tasks
import Training

/// `evaluate`: all figures of a checkpoint as a table and JSON.
public enum EvaluateCommand {
    /// The options of the command line, apart from the run directory.
    public struct Request: Sendable {
        /// best, last, a step or a path.
        public var checkpoint: String
        /// `validation` or `test`.
        public var split: String
        /// Tasks; nil for all.
        public var tasks: [String]?
        /// Whether the figures of single labels are printed for tasks with many labels too.
        public var showsLabels: Bool
        /// Whether only the JSON is printed.
        public var asJSON: Bool
        /// Whether task files and settings may differ from those of the training.
        public var allowsChanges: Bool

        /// Creates a request.
        public init(
            checkpoint: String, split: String, tasks: [String]?, showsLabels: Bool, asJSON: Bool, allowsChanges: Bool
        ) {
            self.checkpoint = checkpoint
            self.split = split
            self.tasks = tasks
            self.showsLabels = showsLabels
            self.asJSON = asJSON
            self.allowsChanges = allowsChanges
        }
    }

    /// Evaluates and prints; collective. The decoding is spread over all ranks. If all tasks of a checkpoint of this run are
    /// evaluated, the figures are also written into the run directory. Unless changes are allowed, it refuses rows or settings
    /// that differ from the checkpoint's training: a row that was trained on may be held out now.
    public static func run(_ path: String, _ request: Request, world: Communicator) throws(Failure) -> Int32 {
        let opened = try OpenedRun(path, checkpoint: request.checkpoint, world: world)
        let (known, names) = (opened.base.taskNames, request.tasks)
        try world.rankZeroFirst { () throws(Failure) in
            guard let unknown = names?.first(where: { !known.contains($0) }) else { return }
            throw Failure(.usage, "--tasks \(unknown) is none of the run's tasks (\(known.joined(separator: ", ")))")
        }
        var changed: [String] = []
        let session = try RunSession(opened.base, run: opened.run, comparedWith: opened.checkpoint?.identity) {
            present throws(Failure) in
            changed = try opened.changes(to: present, for: [.evaluation], areAllowed: request.allowsChanges)
        }
        let split = SplitName(rawValue: request.split)
        let tasks = session.evaluationTasks(split, names: names)
        try world.rankZeroFirst { () throws(Failure) in
            guard tasks.isEmpty else { return }
            throw Failure(.usage, "no task has a split \(split.rawValue); use --split validation or --split test")
        }
        let all = tasks + session.tasksBeside(split, names: names)
        let begun = ContinuousClock.now
        let results = try opened.base.evaluator.evaluate(all, team: opened.team(), over: world)
        try session.inputs.check(on: world, MappedInputs.noFigures)
        guard world.rank == 0, let checkpoint = opened.checkpoint else { return 0 }
        let reports = session.data.cache.tasks.map(\.report).filter { names?.contains($0.task) ?? true }
        for notice in DataReport.notices(reports, of: split, maxSource: opened.base.configuration.maxSource) {
            Terminal.complain("data: \(notice)")
        }
        let seconds = ProgressLine.seconds(begun.duration(to: .now))
        let step = checkpoint.step
        if !request.asJSON {
            try Terminal.print("\(split.rawValue) split, \(checkpoint.path) (step \(step)), times 100")
            try Terminal.print(ScoreTable(results, baseline: session.baselines(all)).text)
            for note in session.footnotes(split, names: names, isBest: request.checkpoint == "best") {
                try Terminal.print(note)
            }
            let labels = LabelTable(results, most: request.showsLabels ? .max : LabelTable.few)
            if let text = labels.text { try Terminal.print(text) }
        }
        for notice in session.positiveNotices + session.rowNotices { Terminal.complain("note: \(notice)") }
        var record = EvaluationRecord(results, step: step, split: split.rawValue, hasLabels: true, seconds: seconds)
        record.basis = session.basis(adapter: checkpoint.adapter)
        record.changed = changed.isEmpty ? nil : changed
        let file = EvaluationFile(record)
        try Terminal.print(String(decoding: file.json(), as: UTF8.self))
        // The run may belong to another user.
        if names == nil, checkpoint.isOwn, FileManager.default.isWritableFile(atPath: opened.run.path) {
            let plain = EvaluationFile.path(opened.run, split, step: step)
            let written = try file.write(beside: plain, in: opened.run)
            if written != plain { Terminal.complain("the figures are in \(written)") }
        }
        return 0
    }
}
