import Checkpoints
import Configuration
import Failures
import Foundation
import MPI
import Tensors

/// `reproduce`: trains a run once more from its start and says whether the bits are those that it left.
public struct ReproduceRun {
    /// What the command line says.
    public struct Request: Sendable {
        /// The run directory.
        public var path: String
        /// Compare at the newest checkpoint of at most so many steps; nil for the newest of all.
        public var steps: Int?
        /// Where the run directory of the replay is kept; nil for below the run, and removed at the end.
        public var out: String?

        /// Creates a request.
        public init(path: String, steps: Int? = nil, out: String? = nil) {
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

    /// Prepares it on all ranks, whose number need not be that of the run.
    public init(_ request: Request, world: Communicator, library: MPIEnvironment.Library) {
        self.request = request
        self.world = world
        self.library = library
        run = RunDirectory(request.path)
        replay = RunDirectory(request.out ?? request.path + "/replay")
    }

    /// Trains and compares; collective. Returns 0 where all bits agree, 1 where some do not, or the code with which the
    /// replay was stopped.
    public func callAsFunction(startup: StartupTimes) throws(Failure) -> Int32 {
        let configuration = try world.rankZeroFirst { () throws(Failure) in try withoutExtras() }
        let target = try world.share(world.rank == 0 ? try target() : 0, "the step")
        // What a replay left that was killed is of no use: it has to begin at the start.
        if world.rank == 0, request.out == nil { try? FileManager.default.removeItem(atPath: replay.path) }
        try world.barrier()
        let training = TrainRun.Request(
            out: replay.path, resume: .never, stop: StopConditions(deadline: nil, afterStep: target))
        var train = TrainRun(configuration, training, world: world, library: library, startup: startup)
        let code = try train()
        var same: Bool?
        if world.rank == 0, try CheckpointStore(runDirectory: replay.path).steps().contains(target) {
            same = try compare(target)
        }
        if world.rank == 0, request.out == nil { try? FileManager.default.removeItem(atPath: replay.path) }
        return try world.share(same.map { $0 ? 0 : ExitCode.difference.rawValue } ?? code, "the result")
    }

    /// The run's own configuration, without what changes no bit and takes time.
    private func withoutExtras() throws(Failure) -> RunConfiguration {
        guard FileManager.default.fileExists(atPath: run.configuration) else {
            throw Failure(
                .inputMissing,
                "\(run.path) is no run directory: it holds no config.yaml; give the --out of a train command")
        }
        let own = try RunConfiguration.load(file: run.configuration)
        var changes = [
            "eval.every=null", "eval.atEnd=false", "checkpoint.every=null", "checkpoint.keep=1",
            "log.tensorBoard=false", "checkpoint.snapshot=memory", "train.stopBefore=null",
        ]
        if own.cache == nil { changes.append("data.cache=\(run.path)/cache") }
        return try RunConfiguration.load(file: run.configuration, overrides: changes)
    }

    /// The step to compare at.
    private func target() throws(Failure) -> Int {
        let store = CheckpointStore(runDirectory: run.path)
        for step in try store.steps().reversed() where step > 0 && step <= request.steps ?? .max {
            do throws(Failure) {
                return try store.open(.step(step)).step
            } catch {
                Terminal.say("refused \(error.message)")
            }
        }
        throw Failure(
            .inputMissing,
            "\(store.directory) has no intact checkpoint\(request.steps.map { " of at most \($0) steps" } ?? "") to compare "
                + "with; raise --steps or train first")
    }

    private func compare(_ step: Int) throws(Failure) -> Bool {
        let old = try CheckpointStore(runDirectory: run.path).open(.step(step))
        let new = try CheckpointStore(runDirectory: replay.path).open(.step(step))
        for (name, version) in old.manifest.dependsOn.sorted(by: { $0.key < $1.key })
        where new.manifest.dependsOn[name] != version {
            Terminal.say("note: \(name) was \(version) and is \(new.manifest.dependsOn[name] ?? "absent")")
        }
        var differences: [String] = []
        for (file, what) in [(\Checkpoint.adapterModel, "weights"), (\Checkpoint.optimizer, "moments")] {
            differences += try differing(old[keyPath: file], new[keyPath: file]).map { "\(what): \($0)" }
        }
        differences += try differingLines(through: step)
        guard let first = differences.first else {
            try Terminal.print("step \(step): the same bits of weights, moments and metrics")
            return true
        }
        let more = differences.count > 1 ? ", and \(differences.count - 1) more" : ""
        try Terminal.print("step \(step): other bits: \(first)\(more)")
        return false
    }

    /// A sentence about each tensor that differs.
    private func differing(_ path: String, _ other: String) throws(Failure) -> [String] {
        let (old, new) = (try SafetensorsFile(path: path), try SafetensorsFile(path: other))
        var sentences: [String] = []
        for tensor in new.tensors where !old.tensors.contains(where: { $0.name == tensor.name }) {
            sentences.append("\(tensor.name) was not there before")
        }
        for tensor in old.tensors {
            guard let twin = new.tensors.first(where: { $0.name == tensor.name }) else {
                sentences.append("\(tensor.name) is not there any more")
                continue
            }
            let (before, now) = (old.bytes(of: tensor), new.bytes(of: twin))
            let places = zip(before, now).enumerated().first { $1.0 != $1.1 }
            if let place = places?.offset {
                sentences.append("\(tensor.name) from its element \(place / 4) on")
            } else if before.count != now.count {
                sentences.append("\(tensor.name) has another shape")
            }
        }
        return sentences
    }

    /// A sentence about each line of `metrics.jsonl` about training that differs.
    private func differingLines(through step: Int) throws(Failure) -> [String] {
        let old = try Self.records(run, through: step)
        let new = try Self.records(replay, through: step)
        let steps = Set(old.keys).union(new.keys).sorted()
        return steps.compactMap { old[$0] == new[$0] ? nil : "the line of step \($0) in metrics.jsonl" }
    }

    /// The lines about training by their step, without their times.
    private static func records(_ run: RunDirectory, through step: Int) throws(Failure) -> [Int: TrainRecord] {
        let file = try MappedFile(path: run.metrics)
        return withExtendedLifetime(file) {
            var records: [Int: TrainRecord] = [:]
            for line in Data(file.bytes).split(separator: 0x0A) {
                guard var record = try? BoundedJSON.decode(TrainRecord.self, from: line), record.kind == "train",
                    record.step <= step
                else { continue }
                record.timing = TrainRecord.Timing(seconds: 0, examplesPerSecond: 0, tokensPerSecond: 0)
                records[record.step] = record
            }
            return records
        }
    }
}
