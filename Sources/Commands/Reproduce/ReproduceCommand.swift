import Checkpoints
import Configuration
public import Failures
import Foundation
public import MPI
public import Runs
import Tensors
import Training

/// `reproduce`: repeats a run's training from the start and says whether the bits equal those of the run.
public struct ReproduceCommand {
    /// The options of the command line.
    public struct Request: Sendable {
        /// The run directory.
        public var path: String
        /// Compare at the newest step of at most this many of which there is a checkpoint or a line in `metrics.jsonl`; nil for
        /// the newest checkpoint.
        public var steps: Int?
        /// Where the replay's run directory is kept; nil puts it below the run and removes it at the end.
        public var out: String?
        /// Where the model lies; nil for the place of the training.
        public var model: String?

        /// Creates a request.
        public init(path: String, steps: Int? = nil, out: String? = nil, model: String? = nil) {
            self.model = model
            self.path = path
            self.steps = steps
            self.out = out
        }
    }

    private let request: Request
    private let run: RunDirectory
    private let replay: RunDirectory
    private let world: Communicator
    private let library: MPIEnvironment.Library

    /// Prepares the replay on all ranks, whose number may differ from the run's.
    public init(_ request: Request, world: Communicator, library: MPIEnvironment.Library) {
        self.request = request
        self.world = world
        self.library = library
        run = RunDirectory(request.path)
        replay = RunDirectory(request.out ?? run.path(of: .replay))
    }

    /// Trains and compares; collective. Returns 0 when all bits agree, 1 when some do not, or the code with which the replay
    /// was stopped; started again, the replay then continues.
    public func callAsFunction(startup: StartupTimes) throws(Failure) -> Int32 {
        let configuration = try world.rankZeroFirst { () throws(Failure) in try withoutExtras() }
        // The results of the run are read now, because a training in progress may remove them in the meantime.
        let original = world.rank == 0 ? try Original(run, steps: request.steps) : nil
        let target = try world.share(original?.step ?? 0, "the step")
        let lines = try world.share(original.map { $0.records.keys.sorted() } ?? [], "the steps of the lines")
        // The replay's own directory is removed at the end, and a lock in it would be removed too.
        let isInside = request.out == nil
        if isInside { try world.rankZeroFirst { () throws(Failure) in try refuseForeignLink(replay.path) } }
        let lock =
            world.rank == 0 && isInside
            ? try RunLock(run, name: ".replay.lock", isTemporary: true, say: { Terminal.say($0) }) : nil
        defer { withExtendedLifetime(lock) {} }
        let isContinued = try world.share(
            world.rank == 0 ? try takeOver(configuration, through: target) : false, "whether a replay is there")
        var training = TrainCommand.Request(
            out: replay.path, resume: isContinued ? .auto : .never,
            stop: StopConditions(deadline: nil, afterStep: target), replayedLines: Set(lines))
        training.replayed = original.map { ($0.identity, $0.path) }
        var train = TrainCommand(configuration, training, world: world, library: library, startup: startup)
        let code: Int32
        do throws(Failure) {
            code = try train()
        } catch {
            // A replay that was refused before its first step leaves nothing to continue from.
            if world.rank == 0, isInside, error.code == .badConfiguration,
                (try? CheckpointStore(runDirectory: replay.path).steps()) == []
            {
                try? FileManager.default.removeItem(atPath: replay.path)
            }
            throw error
        }
        var same: Bool?
        if let original, try CheckpointStore(runDirectory: replay.path).steps().contains(target) {
            same = try compare(original)
            if isInside { try? FileManager.default.removeItem(atPath: replay.path) }
        }
        return try world.share(same.map { $0 ? 0 : ExitCode.difference.rawValue } ?? code, "the result")
    }

    /// Whether the replay's directory contains the beginning of this same replay, which then continues. In a directory below
    /// the run, anything else is removed. For rank 0.
    private func takeOver(_ configuration: RunConfiguration, through target: Int) throws(Failure) -> Bool {
        let mark = replay.path + "/replay-of.txt"
        let newest = try CheckpointStore(runDirectory: replay.path).steps().last ?? 0
        let isOurs =
            newest <= target && configuration.isSaid(by: FileManager.default.contents(atPath: mark))
        if isOurs { return true }
        if request.out == nil {
            try? FileManager.default.removeItem(atPath: replay.path)
            try run.make(.replay)
        }
        guard makeDirectories(replay.path) else { throw writeFailure("create", replay.path) }
        // A run that somebody has trained does not get the mark.
        if try CheckpointStore(runDirectory: replay.path).steps().isEmpty {
            try DurableFile.replace(mark) { file throws(Failure) in try file.write(configuration.resolvedYAML) }
        }
        return false
    }

    /// The run's own configuration, without settings that take time and change no bit.
    private func withoutExtras() throws(Failure) -> RunConfiguration {
        let own = try RunConfiguration.load(file: OpenedRun.configuration(of: run))
        guard own.reduction == .exact else {
            throw Failure(
                .badConfiguration,
                "\(run.path) was trained with parallel.reduction fast, whose bits no second training need have; compare the "
                    + "figures of two runs, or train with parallel.reduction exact")
        }
        var changes = [
            "eval.every=null", "eval.atEnd=false", "checkpoint.every=null", "checkpoint.keep=1",
            "log.tensorBoard=false", "log.interferenceEvery=null", "checkpoint.snapshot=memory",
            "train.stopBefore=null",
        ]
        // If the run's cache is another user's link, the replay builds its own cache, which takes longer: it might write to the
        // cache.
        let cache = run.path(of: .cache)
        if own.cache == nil, foreignLinkOwner(cache) == nil { changes.append("data.cache=\(cache)") }
        let plain = try RunConfiguration.load(file: run.configuration, overrides: changes)
        let configuration = request.model.map(plain.placing(model:)) ?? plain
        try OpenedRun.refuseMissingModel(configuration, of: run)
        return configuration
    }

    private func compare(_ original: Original) throws(Failure) -> Bool {
        let step = original.step
        let new = try CheckpointStore(runDirectory: replay.path).open(.step(step))
        for (name, version) in original.dependsOn.sorted(by: { $0.key < $1.key })
        where new.manifest.dependsOn[name] != version {
            Terminal.say("note: \(name) was \(version) and is \(new.manifest.dependsOn[name] ?? "absent")")
        }
        for difference in original.differences {
            Terminal.say("note: the run's jobs were not computed alike: \(difference); a replay has one for all steps")
        }
        var differences: [String] = []
        if let bits = original.bits {
            let weights = differing(bits.weights, try SafetensorsFile(path: new.adapterModel))
            let moments = differing(bits.moments, try SafetensorsFile(path: new.optimizer))
            differences = weights.map { "weights: \($0)" } + moments.map { "moments: \($0)" }
        }
        let records = try Original.records(replay, through: step)
        differences += Set(original.records.keys).union(records.keys).sorted().compactMap {
            original.records[$0] == records[$0] ? nil : "the line of step \($0) in metrics.jsonl"
        }
        guard let first = differences.first else {
            let same =
                original.bits != nil
                ? "the same bits of weights, moments and metrics"
                : "the same losses and norms in \(records.count) \(records.count == 1 ? "line" : "lines") of metrics.jsonl; "
                    + "weights were not compared, since no checkpoint of the step is kept"
            try Terminal.print("step \(step): \(same)")
            return true
        }
        let more = differences.count > 1 ? ", and \(differences.count - 1) more" : ""
        try Terminal.print("step \(step): other bits: \(first)\(more)")
        return false
    }

    /// One sentence about each tensor that differs.
    private func differing(_ old: SafetensorsFile, _ new: SafetensorsFile) -> [String] {
        var sentences: [String] = []
        for tensor in new.tensors where !old.tensors.contains(where: { $0.name == tensor.name }) {
            sentences.append("\(tensor.name) was not there before")
        }
        for tensor in old.tensors {
            guard let twin = new.tensors.first(where: { $0.name == tensor.name }) else {
                sentences.append("\(tensor.name) is not there any more")
                continue
            }
            let (before, now) = unsafe (old.bytes(of: tensor), new.bytes(of: twin))
            let places = unsafe zip(before, now).enumerated().first { $1.0 != $1.1 }
            if let place = places?.offset {
                sentences.append("\(tensor.name) from its element \(place / 4) on")
            } else if before.count != now.count {
                sentences.append("\(tensor.name) has another shape")
            }
        }
        return sentences
    }
}
