import ArgumentParser
import Commands
import Configuration
import Failures
import MPI
import Runs

struct EvaluateArguments: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Prints all figures of a run's checkpoint as a table and JSON.",
        discussion: """
            The JSON is also written into the run directory, as evaluation-SPLIT-STEP.json. Figures of other tasks, data or \
            settings go to files of their own, whose names say what differs and end with the beginning of "basis", the \
            digest of everything that decides the figures.

            --set takes keys that decide nothing of the training: data.glue, data.cache, eval.split, eval.batch, \
            eval.maxExamples, eval.maxNewTokens, parallel.threads and parallel.gemm. --tasks-file is YAML with other files \
            for the run's tasks, or tasks that it was not trained on:

              tasks:
                - {name: mrpc, test: msr_paraphrase_test.txt}

            docs/evaluating.md explains both and the keys of the JSON.
            """)

    @Argument(help: ArgumentHelp("Run directory.", valueName: "run"), completion: .directory, transform: filled)
    var directory: String

    @Option(help: "best (the default), last, a step or a checkpoint directory.", transform: filled)
    var checkpoint = "best"

    @Option(help: "The split to evaluate: train, validation (the default) or test.")
    var split: EvaluatedSplit?

    @Option(help: ArgumentHelp("Tasks, separated by commas; default: all.", valueName: "a,b"))
    var tasks: TaskNames?

    @Option(
        help: ArgumentHelp(
            "Other files in the place of tasks of the run, as YAML with the key tasks.", valueName: "extra.yaml"),
        completion: .file(extensions: ["yaml", "yml"]), transform: filled)
    var tasksFile: String?

    @OptionGroup var overrides: Overrides

    @OptionGroup var place: ModelPlace

    @Flag(help: "Prints the figures of single labels for tasks with more than four labels too; JSON always has them.")
    var labels = false

    @Flag(help: "Prints only the JSON, without the table.")
    var json = false

    @OptionGroup var changes: Changes

    func run() {
        Job.run("evaluate") { mpi throws(Failure) in
            let request = EvaluateCommand.Request(
                checkpoint: checkpoint, split: split?.rawValue, tasks: tasks?.names, tasksFile: tasksFile,
                settings: overrides.values, model: place.model, showsLabels: labels, asJSON: json,
                allowsChanges: changes.areAllowed)
            return try EvaluateCommand.run(directory, request, world: mpi.world)
        }
    }
}

struct PredictArguments: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict", abstract: "Answers input lines, one JSON line for each, in their order.",
        discussion: """
            A line that starts with { is a JSON object with the task's fields, as in {"sentence": "It rained."}. Any \
            other line is plain text: the task's fields in order, separated by tabs (TSV without header). The key "id" of \
            an object is passed on unchanged. Without --task each line is an object that names its task: {"task": "cola", \
            "sentence": "It rained."}. Lines of a pipe or terminal are answered as they come.

            The directory of an adapter, as a checkpoint or an export has it, also answers without its run; it needs --model.

            A line that cannot be answered has {"error": reason, "line": number} as its answer; such lines are counted, and \
            then the exit code is 65. Under mpirun or srun the ranks share the lines; the output is the same.
            """)

    @Argument(help: ArgumentHelp("Run directory.", valueName: "run"), completion: .directory, transform: filled)
    var directory: String

    @Option(help: "Name of the task of all lines; default: each line names its own.", transform: filled)
    var task: String?

    @Option(
        help: ArgumentHelp(
            "Input file or named pipe; default, or with -: standard input.", valueName: "file"), completion: .file(),
        transform: filled)
    var input: String?

    @Option(
        help: ArgumentHelp(
            "File for the answers, which must not exist; default: standard output. What it answers is kept in "
                + "<file>.state.json.", valueName: "file"), completion: .file(), transform: filled)
    var output: String?

    @Flag(
        help: ArgumentHelp(
            "Continues --output after an interruption, with the same input; begins if there is no such file, and does nothing "
                + "if it is complete."))
    var resume = false

    @Flag(
        help: ArgumentHelp(
            "Adds \"scores\": the log-probability of each of the task's labels or grades, normalised over them."))
    var scores = false

    @Option(
        help: ArgumentHelp(
            "answer: a line that cannot be answered has its error as the answer, and the exit code is 65; fail: the job ends there, "
                + "with 65."))
    var onBadLine = BadLine.answer

    @Option(
        help: ArgumentHelp(
            "best, last, a step or a checkpoint directory; by default best, or last where nothing has been evaluated."),
        transform: filled)
    var checkpoint = "auto"

    @OptionGroup var place: ModelPlace

    @OptionGroup var changes: Changes

    func validate() throws {
        guard output != nil || !resume else { throw ValidationError("--resume needs --output") }
    }

    func run() {
        Job.run("predict") { mpi throws(Failure) in
            let request = PredictCommand.Request(
                checkpoint: checkpoint, task: task, input: input, output: output, resumes: resume, scores: scores,
                failsOnBadLine: onBadLine == .fail,
                model: place.model, allowsChanges: changes.areAllowed)
            return try PredictCommand.run(directory, request, world: mpi.world)
        }
    }
}

struct PrepareArguments: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prepare",
        abstract: "Tokenises into the memory-mapped token cache, as train does, and prints figures of the data.",
        discussion: """
            For each task and split: examples, tokens of sources and answers, sources that are cut, text without pieces, \
            labels or scores, and texts that occur more than once or in two splits.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Option(
        help: ArgumentHelp(
            "Run directory of the train command to prepare for, which holds the cache when data.cache is not set; "
                + "default: runs/<name of the configuration>.",
            valueName: "directory"), completion: .directory, transform: filled)
    var out: String?

    @Flag(help: "Prints only the figures, as the JSON of a run's data.json; all else goes to standard error.")
    var json = false

    func run() {
        Job.run("prepare") { mpi throws(Failure) in
            let directory = TrainArguments.runDirectory(out: out, config: options.config)
            return try PrepareCommand.run(options.load, out: directory, asJSON: json, world: mpi.world)
        }
    }
}

struct DoctorArguments: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Shows the MPI, BLAS, cores and threads of this job, and what to correct.")

    @Option(
        help: ArgumentHelp(
            "Configuration (YAML) of the run that the ranks and threads are meant for.", valueName: "run.yaml"),
        completion: .file(extensions: ["yaml", "yml"]), transform: filled)
    var config: String?

    @OptionGroup var overrides: Overrides

    func validate() throws {
        guard config != nil || overrides.values.isEmpty else { throw ValidationError("--set needs --config") }
    }

    func run() {
        Job.run("doctor") { mpi throws(Failure) in
            try DoctorCommand.run(mpi) { () throws(Failure) in
                guard let config else { return nil }
                return try RunConfiguration.load(file: config, overrides: overrides.values)
            }
            return 0
        }
    }
}
