import Configuration
public import Failures
import Foundation
public import MPI
import Runs
import Tasks
import Tensors
import Training

/// `evaluate`: all figures of a checkpoint as a table and JSON.
public enum EvaluateCommand {
    /// The options of the command line, apart from the run directory.
    public struct Request: Sendable {
        /// best, last, a step or a path.
        public var checkpoint: String
        /// `train`, `validation` or `test`; nil for `validation`, or the `eval.split` among the settings.
        public var split: String?
        /// Tasks; nil for all.
        public var tasks: [String]?
        /// Whether the figures of single labels are printed for tasks with many labels too.
        public var showsLabels: Bool
        /// A file of tasks that stand in the place of the run's; nil for none.
        public var tasksFile: String?
        /// `key=value` of keys that decide nothing of the training.
        public var settings: [String]
        /// Where the model lies; nil for the place of the training.
        public var model: String?
        /// Whether only the JSON is printed.
        public var asJSON: Bool
        /// Whether task files and settings may differ from those of the training.
        public var allowsChanges: Bool

        /// Creates a request.
        public init(
            checkpoint: String, split: String? = nil, tasks: [String]? = nil, tasksFile: String? = nil,
            settings: [String] = [], model: String? = nil, showsLabels: Bool, asJSON: Bool, allowsChanges: Bool
        ) {
            self.checkpoint = checkpoint
            self.split = split
            self.tasks = tasks
            self.showsLabels = showsLabels
            self.tasksFile = tasksFile
            self.settings = settings
            self.model = model
            self.asJSON = asJSON
            self.allowsChanges = allowsChanges
        }
    }

    /// Evaluates and prints; collective. The decoding is spread over all ranks. The figures of a checkpoint of this run are also
    /// written into the run directory. Unless changes are allowed, it refuses rows or settings that differ from the checkpoint's
    /// training: a row that was trained on may be held out now. What the request itself names to be different is named in the result.
    public static func run(_ path: String, _ request: Request, world: Communicator) throws(Failure) -> Int32 {
        let opened = try OpenedRun(
            path, checkpoint: request.checkpoint, model: request.model, setting: request.settings, world: world)
        let standIns = try world.rankZeroFirst { () throws(Failure) in try Self.standIns(opened, request) }
        var changed: [String] = []
        let session = try EvaluationSession(
            opened, standIns: standIns, names: request.tasks, limit: opened.settings.maxExamples
        ) { present, uses throws(Failure) in
            changed = try opened.changes(to: present, for: uses, areAllowed: request.allowsChanges)
        }
        let split = SplitName(rawValue: request.split ?? opened.settings.split ?? SplitName.validation.rawValue)
        let tasks = session.tasks(split)
        try world.rankZeroFirst { () throws(Failure) in
            guard tasks.isEmpty else { return }
            throw Failure(.usage, "no task has a split \(split.rawValue); use another --split")
        }
        let begun = ContinuousClock.now
        let results = try opened.base.evaluator.evaluate(tasks, team: opened.team(), over: world)
        try session.checkInputs(MappedInputs.noFigures)
        guard world.rank == 0, let checkpoint = opened.checkpoint else { return 0 }
        for notice in DataReport.notices(session.reports, of: split, maxSource: opened.base.configuration.maxSource) {
            Terminal.complain("data: \(notice)")
        }
        let baselines = try session.baselines(tasks)
        var record = session.record(
            results, of: tasks, split: split, step: checkpoint.step, adapter: checkpoint.adapter, seed: checkpoint.seed,
            baselines: baselines, seconds: ProgressLine.seconds(begun.duration(to: .now)))
        if !request.asJSON {
            try Terminal.print("\(split.rawValue) split, \(checkpoint.path) (step \(checkpoint.step)), times 100")
            try Terminal.print(ScoreTable(results, baseline: baselines.mapValues(\.scores)).text)
            for note in session.footnotes(split, isBest: request.checkpoint == "best") { try Terminal.print(note) }
            let labels = LabelTable(results, most: request.showsLabels ? .max : LabelTable.few)
            if let text = labels.text { try Terminal.print(text) }
        }
        let asked = session.changes(since: checkpoint.identity.sources)
        for notice in session.positiveNotices + session.rowNotices + asked + opened.settings.remarks {
            Terminal.complain("note: \(notice)")
        }
        record.changed = changed.isEmpty && asked.isEmpty ? nil : asked + changed
        let given = opened.settings.given
        record.settings =
            given.isEmpty ? nil : Dictionary(uniqueKeysWithValues: given.map { ($0.key, $0.value) })
        let file = EvaluationFile(record)
        try Terminal.print(String(decoding: file.json(), as: UTF8.self))
        // The run may belong to another user.
        if checkpoint.isOwn, FileManager.default.isWritableFile(atPath: opened.run.path) {
            let plain = EvaluationFile.path(opened.run, split, step: checkpoint.step)
            let marks = Self.marks(request, opened.settings, changed: !changed.isEmpty)
            let written = try file.write(beside: plain, marks: marks, in: opened.run)
            if written != plain { Terminal.complain("the figures are in \(written)") }
        }
        return 0
    }

    /// The files that stand in the place of the run's. Refuses names of tasks that are neither the run's nor theirs.
    private static func standIns(_ opened: OpenedRun, _ request: Request) throws(Failure) -> [StandIn] {
        let trained = opened.base.taskNames
        var standIns: [StandIn] = []
        if let file = request.tasksFile {
            standIns = try StandInTask.load(file: file, trained: trained).map { task throws(Failure) in
                try task.standIn(among: opened.base.definitions)
            }
        }
        let known = trained + standIns.filter(\.isOther).map(\.definition.name)
        if let unknown = request.tasks?.first(where: { !known.contains($0) }) {
            throw Failure(.usage, "--tasks \(unknown) is none of the run's tasks (\(known.joined(separator: ", ")))")
        }
        return standIns
    }

    /// In which respects the figures are not those of the run as it was trained, as words for the name of their file.
    private static func marks(_ request: Request, _ settings: EvaluationSettings, changed: Bool) -> [String] {
        var marks: [String] = []
        if let tasks = request.tasks {
            marks.append(tasks.count > 3 ? "\(tasks.count)-tasks" : tasks.joined(separator: "-"))
        }
        if let file = request.tasksFile {
            marks.append(URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent)
        }
        if let limit = settings.maxExamples { marks.append("\(limit)-examples") }
        for given in settings.given where given.key == "eval.maxNewTokens" { marks.append("\(given.value)-tokens") }
        return changed ? marks + ["changed"] : marks
    }
}
