import Configuration
import Failures
import Foundation
import MPI
import Tasks
import Tensors

/// A finished or running run, opened to be used: its configuration, model and one checkpoint's weights.
struct OpenedRun {
    let run: RunDirectory
    let base: RunModel
    let state: TrainState
    let checkpoint: String
    /// Whether the checkpoint stands in the run directory; on rank 0.
    let holdsCheckpoint: Bool
    let threads: Int

    /// Opens a run directory; collective. `checkpoint` is best, last, a step or a path.
    init(_ path: String, checkpoint name: String, world: Communicator) throws(Failure) {
        run = RunDirectory(path)
        let file = run.configuration
        let configuration = try world.rankZeroFirst { () throws(Failure) in
            guard FileManager.default.fileExists(atPath: file) else {
                throw Failure(
                    .inputMissing,
                    "\(path) is no run directory: it holds no config.yaml; give the --out of a train command")
            }
            return try RunConfiguration.load(file: file)
        }
        base = try RunModel(configuration, training: false, world: world)
        state = TrainState(layout: base.layout, seed: configuration.seed)
        (checkpoint, holdsCheckpoint) = try base.load(name, of: run, into: state)
        threads = try ThreadChoice(requested: configuration.threads, world: world, microBatches: nil).threads
    }

    /// Workers for generation.
    func team() -> WorkerTeam {
        WorkerTeam(
            threads: threads, model: base.model, state: state,
            sums: StepSums(parameters: state.weights.count, tasks: base.taskNames.count))
    }
}

/// `evaluate`: all figures of a checkpoint as a table and JSON.
public enum EvaluateRun {
    /// Evaluates and prints; collective, the decoding is spread over all ranks. `asJSON`: without the table. What all
    /// tasks of a checkpoint of the run give is also written into the run directory.
    public static func run(
        _ path: String, checkpoint: String, split: String, tasks names: [String]?, asJSON: Bool, world: Communicator
    ) throws(Failure) -> Int32 {
        let opened = try OpenedRun(path, checkpoint: checkpoint, world: world)
        let known = opened.base.taskNames
        try world.rankZeroFirst { () throws(Failure) in
            guard let unknown = names?.first(where: { !known.contains($0) }) else { return }
            throw Failure(.usage, "--tasks \(unknown) is none of the run's tasks (\(known.joined(separator: ", ")))")
        }
        let session = try RunSession(opened.base, run: opened.run)
        let split = SplitName(rawValue: split)
        let tasks = session.evaluationTasks(split, names: names)
        try world.rankZeroFirst { () throws(Failure) in
            guard tasks.isEmpty else { return }
            throw Failure(.usage, "no task has a split \(split.rawValue); use --split validation or --split test")
        }
        let all = tasks + session.tasksBeside(split, names: names)
        let begun = ContinuousClock.now
        let results = try opened.base.evaluator.evaluate(all, team: opened.team(), over: world)
        try session.inputs.check(on: world, MappedInputs.noFigures)
        guard world.rank == 0 else { return 0 }
        let reports = session.data.cache.tasks.map(\.report).filter { names?.contains($0.task) ?? true }
        for notice in DataReport.notices(reports, of: split, maxSource: opened.base.configuration.maxSource) {
            Terminal.complain("data: \(notice)")
        }
        let seconds = ProgressLine.seconds(begun.duration(to: .now))
        let step = opened.state.step
        if !asJSON {
            try Terminal.print("\(split.rawValue) split, \(opened.checkpoint) (step \(step)), times 100")
            try Terminal.print(ScoreTable(results, baseline: session.baselines(all)).text)
            if let omission = session.omission(split, names: names) { try Terminal.print(omission) }
        }
        let file = EvaluationFile(
            EvaluationRecord(results, step: step, split: split.rawValue, seconds: seconds))
        try Terminal.print(String(decoding: file.json(), as: UTF8.self))
        // Another's run may be evaluated too.
        if names == nil, opened.holdsCheckpoint, FileManager.default.isWritableFile(atPath: opened.run.path) {
            try file.write(opened.run, split: split, step: step)
        }
        return 0
    }
}
