import Configuration
public import Failures
import Foundation
public import MPI
import Runs
import Tensors
import Text
import Training

/// `predict`: answers each input line.
public enum PredictCommand {
    /// The options of the command line, apart from the run directory.
    public struct Request: Sendable {
        /// best, last, a step, a path, or auto: best, or last where nothing has been evaluated.
        public var checkpoint: String
        /// The task of all lines; nil if each line names its own.
        public var task: String?
        /// A file or named pipe; nil or `-` for standard input.
        public var input: String?
        /// The file for the answers; nil for standard output.
        public var output: String?
        /// Whether an output that exists is continued.
        public var resumes: Bool
        /// Whether log-probabilities of all labels are given.
        public var scores: Bool
        /// Whether a line that cannot be answered ends the job, instead of being answered with its error.
        public var failsOnBadLine: Bool
        /// Where the model lies; nil for the place of the training.
        public var model: String?
        /// Whether settings may differ from those of the training.
        public var allowsChanges: Bool

        /// Creates a request.
        public init(
            checkpoint: String, task: String?, input: String?, output: String?, resumes: Bool, scores: Bool,
            failsOnBadLine: Bool, model: String? = nil, allowsChanges: Bool
        ) {
            self.checkpoint = checkpoint
            self.task = task
            self.input = input
            self.output = output
            self.resumes = resumes
            self.scores = scores
            self.failsOnBadLine = failsOnBadLine
            self.model = model
            self.allowsChanges = allowsChanges
        }
    }

    /// The largest number of bytes of lines that are read before they are answered.
    private static let mostBytes = 8 << 20

    /// Answers every line with a line of JSON, in order; collective. It needs the run and its model but not the data. Unless
    /// changes are allowed, it refuses a configuration that gives other sources or answers for a line than the checkpoint's
    /// training.
    ///
    /// Rank 0 reads and writes. The lines of a group are shared out over the ranks, and the next group is read when all are
    /// answered, so the memory does not depend on the number of lines. A group has as many lines as are answered in two seconds,
    /// and of a pipe at most those that have arrived. The groups do not change any answer.
    ///
    /// Returns 65 if lines could not be answered, otherwise 0. Throws `badData` for such a line if the request says so.
    public static func run(_ path: String, _ request: Request, world: Communicator) throws(Failure) -> Int32 {
        // What is written can be continued wherever it ends.
        StopSignals.endAtOnce()
        let isRun = try world.share(OpenedRun.isRun(path), "whether it is a run")
        try world.rankZeroFirst { () throws(Failure) in
            guard !isRun, request.checkpoint != RunModel.usualCheckpoint else { return }
            throw Failure(
                .usage,
                "\(path) is an adapter without its run, which has one set of weights; leave out --checkpoint, or give the run"
            )
        }
        let opened =
            try isRun
            ? OpenedRun(path, checkpoint: request.checkpoint, model: request.model, world: world)
            : OpenedRun(adapter: path, model: request.model, world: world)
        let task = try world.rankZeroFirst { () throws(Failure) in try number(of: request.task, opened) }
        try checkChanges(opened, request)
        let name = request.input.flatMap { $0 == "-" ? nil : $0 } ?? "standard input"
        let answers = try world.rankZeroFirst { () throws(Failure) in
            try LineAnswers(opened, task: task, scores: request.scores, inputName: name)
        }
        var front = world.rank == 0 ? try PredictFront(opened, request) : nil
        let least = world.size * opened.threads * opened.base.configuration.evaluationBatch
        var wanted = least
        while true {
            var group = try front?.next(lines: wanted, bytes: mostBytes) ?? LineGroup(first: 1)
            if world.size > 1 {
                // The ranks sleep while they wait for lines.
                try world.idleBarrier()
                group = try LineGroup(encoded: world.broadcast(front == nil ? [] : group.encoded, from: 0))
            }
            guard group.count > 0 else { break }
            let begun = ContinuousClock.now
            let lines = answers.read(group.share(of: world.rank, size: world.size), of: group)
            if request.failsOnBadLine {
                // The first bad line of all ranks is the one that is reported.
                let bad = lines.firstBad
                let own = Int64(bad?.number ?? .max)
                let first = world.size > 1 ? try world.allReduce(.minimum, own) : own
                if let bad, own == first { throw answers.failure(bad) }
            }
            let own = try answers.answer(lines)
            var parts = [own]
            if world.size > 1 {
                try world.idleBarrier()
                parts = try world.gather(own.encoded, to: 0).map(LineAnswers.Part.init(encoded:))
            }
            try front?.write(parts, of: group)
            if group.count == wanted {
                let seconds = max(ProgressLine.seconds(begun.duration(to: .now)), 1e-3)
                wanted = Int(min(max(Double(wanted) * min(2 / seconds, 2), Double(least)), Double(64 * least)))
            }
        }
        let code = Int64(try front?.finish() ?? 0)
        return Int32(world.size > 1 ? try world.allReduce(.maximum, code) : code)
    }

    private static func number(of name: String?, _ opened: OpenedRun) throws(Failure) -> Int? {
        guard let name else { return nil }
        guard let task = opened.base.taskNames.firstIndex(of: name) else {
            throw Failure(
                .usage,
                "--task \(name) is none of the run's tasks (\(opened.base.taskNames.joined(separator: ", ")))")
        }
        return task
    }

    private static func checkChanges(_ opened: OpenedRun, _ request: Request) throws(Failure) {
        guard let checkpoint = opened.checkpoint else { return }
        let present = opened.base.identity(data: "", sources: nil)
        let uses = (request.task.map { [$0] } ?? opened.base.taskNames).map { AdapterUse.prediction(task: $0) }
        _ = try opened.changes(to: present, for: uses, areAllowed: request.allowsChanges)
        if checkpoint.identity.vocabulary == nil {
            Terminal.complain(
                "note: \(checkpoint.path), of an earlier version, does not say which vocabulary it was trained with; check that "
                    + "\(opened.base.vocabulary.path) is still that one")
        }
    }
}
