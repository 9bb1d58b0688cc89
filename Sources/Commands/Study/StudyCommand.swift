import Configuration
public import Failures
import Foundation
public import MPI
import Reports
import Runs
import Studies
import Tensors
import Training

/// `study`: trains all runs of a study and compares them in a table.
public enum StudyCommand {
    /// The options of the command line.
    public struct Request: Sendable {
        /// The study's file.
        public var config: String
        /// The study's directory.
        public var out: String
        /// `--set` for all runs.
        public var overrides: [String]
        /// The environment of this process before MPI was started.
        public var environment: [String: String]
        /// How long to wait at the end for runs that other jobs hold.
        public var patience: Duration

        /// Creates a request.
        public init(
            config: String, out: String, overrides: [String], environment: [String: String], patience: Duration
        ) {
            self.patience = patience
            self.config = config
            self.out = out
            self.overrides = overrides
            self.environment = environment
        }
    }

    /// Trains this rank's part of the runs; collective at its begin and end. The process that comes last writes the whole table:
    /// each one writes what there is when its own part has ended. Returns the exit code.
    public static func run(_ request: Request, world: Communicator) throws(Failure) -> Int32 {
        let directory = StudyDirectory(request.out)
        let study = try world.rankZeroFirst { () throws(Failure) in
            try directory.create()
            return try directory.exclusively { () throws(Failure) in
                try StudySource(request.config, overrides: request.overrides).load(
                    example: directory.path, runs: directory.runs, cache: directory.cache)
            }
        }
        try world.rankZeroFirst { () throws(Failure) in try StudySource.checkProducts(study, in: directory) }
        let counts = try StudySource.counts(study, in: directory)
        if world.rank == 0 { for notice in study.notices { Terminal.say("note: \(notice)") } }
        let share = try Share(rank: world.rank, ranks: world.size, environment: request.environment)
        let cores = try ThreadChoice(requested: nil, world: world, microBatches: nil).fairShare
        let isLaunched =
            LaunchEnvironment(request.environment).announcement != nil
            || ["PMIX_RANK", "PMI_RANK"].contains { request.environment[$0] != nil }
        let contents = StudyContents()
        let states = RunStates(
            study, in: directory, adapter: { Origin.digest(ofRun: $0.path)?.hexadecimal },
            change: contents.change(of:since:))
        let queue = RunQueue(
            directory, states: states, study: study, share: share,
            threads: study.file.threads ?? max(1, cores / study.file.parallel), program: try program(),
            environment: RunEnvironment.of(request.environment, isLaunched: isLaunched),
            patience: request.patience, prefix: world.size > 1 ? "rank \(world.rank): " : "")
        let ending = queue()
        // The ranks sleep while they wait, since their parts take different times.
        try world.idleBarrier()
        let alone = try world.split(color: world.rank, key: 0)
        let codes = try world.gather([Int64(ending.stopped ?? 0), Int64(ending.failed ?? 0)], "the ends of the queues")
        guard world.rank == 0, let alone else { return ending.stopped ?? ending.failed ?? 0 }
        if let stopped = codes.map({ $0[0] }).first(where: { $0 != 0 }) {
            Terminal.say("stopped; the same command continues the study")
            return Int32(stopped)
        }
        let elsewhere = states.elsewhere()
        let adapters = StudyAdapters(study, in: directory, alone: alone)
        guard let table = try writeTable(study, states, elsewhere, counts, adapters, in: directory) else {
            Terminal.say("stopped before the table and its page were written; the same command writes them")
            return 128 + (StopSignals.ending ?? SIGTERM)
        }
        try Terminal.print("\n" + table.markdown)
        Terminal.say("table: \(directory.table("md")), .tex, .csv, .json; page: \(directory.path)/\(StudyReport.name)")
        if let failed = codes.map({ Int32($0[1]) }).first(where: { $0 != 0 }) { return failed }
        // The other tasks of an array are this study too, and the last of them finds nothing held.
        guard !elsewhere.isEmpty, !share.isPartOfArray else { return 0 }
        Terminal.say("\(elsewhere.count) run(s) go on in other jobs; the same command continues the study")
        return ExitCode.preempted.rawValue
    }

    /// Writes the table of what is finished, and then the page, for which adapters are analysed: a stop or a lack of memory there
    /// does not take the table away. Another process may finish a run in the meantime and write a newer table, which must not be
    /// replaced by an older one. Nil when a signal asks the program to end.
    private static func writeTable(
        _ study: Study, _ states: RunStates, _ elsewhere: Set<String>, _ counts: [StudyTable.Counts],
        _ adapters: StudyAdapters, in directory: StudyDirectory
    ) throws(Failure) -> StudyTable? {
        while true {
            let present = study.runs.map(states.state)
            let results = StudyResults(study, present, elsewhere: elsewhere, in: directory)
            let isGivenUp = { StopSignals.ending != nil }
            guard let table = StudyTable(study, results, counts: counts, isGivenUp: isGivenUp) else { return nil }
            let files = try table.files()
            let hasTable = try directory.exclusively { () throws(Failure) in
                guard study.runs.map(states.state) == present else { return false }
                for (ending, text) in files { try directory.write(text, to: directory.table(ending)) }
                return true
            }
            guard hasTable else { continue }
            guard let analysed = adapters.adapters(present, isGivenUp: isGivenUp) else { return nil }
            let page = StudyReport.page(study, table, analysed, elsewhere: elsewhere, in: directory)
            let hasPage = try directory.exclusively { () throws(Failure) in
                guard study.runs.map(states.state) == present else { return false }
                directory.removeFigures(but: page.files.map(\.name))
                for file in page.files { try directory.write(file.content, to: "\(directory.path)/\(file.name)") }
                return true
            }
            if hasPage { return table }
        }
    }

    /// The plan of a study as text; trains nothing. `measuring` measures the times instead of guessing them.
    public static func plan(
        _ config: String, overrides: [String], measuring: Plan.Measuring? = nil
    ) throws(Failure) -> String {
        // A study of the embedded example needs its files, whose place does not matter here.
        let example = FileManager.default.temporaryDirectory.appendingPathComponent(
            "unolora-study-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: example) }
        try StudyDirectory(example.path).create()
        let study = try StudySource(config, overrides: overrides).load(
            example: example.path, runs: StudyDirectory(example.path).runs, cache: nil)
        // The first lines may take long to measure.
        try StudySource.checkProducts(study)
        let threads = study.file.threads ?? max(1, AvailableCores.ofThisProcess().count / study.file.parallel)
        var estimates: [StudyPlan.Estimate] = []
        for run in study.runs {
            // The runs of other seeds take as long.
            let first = study.runs.firstIndex { $0.line == run.line && $0.task == run.task }
            if let first, first < estimates.count {
                estimates.append(estimates[first])
                continue
            }
            let configuration = run.configuration
            let report = try StudySource.naming(run.line, of: study) { () throws(Failure) in
                try Plan(
                    configuration, ranks: 1, ranksPerNode: 1, threads: threads,
                    newTasks: StudySource.newTasks(of: run, in: study)
                ).report(of: RunDirectory("\(example.path)/\(run.name)"), measuring: measuring)
            }
            let hasBest = configuration.evaluateEvery.map { $0 < configuration.steps } ?? false
            estimates.append(
                StudyPlan.Estimate(
                    seconds: report.forecast.seconds, checkpointBytes: report.memory.snapshotBytes(1),
                    checkpoints: min(configuration.checkpointKeep, report.forecast.savedSteps) + (hasBest ? 1 : 0)))
        }
        let basis =
            measuring == nil ? "a guess: \(RunPace.uncertainty); --measure measures" : "measured one run at a time"
        return StudyPlan(study, estimates: estimates, threads: threads, basis: basis).text
    }

    /// The path of this program, which also trains the runs.
    private static func program() throws(Failure) -> String {
        guard let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
            throw Failure(.internal, "/proc/self/exe cannot be read, so the program does not find itself")
        }
        return path
    }
}
