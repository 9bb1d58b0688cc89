import ArgumentParser
import Commands
import Failures
import Runs
import Tasks

struct TasksArguments: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tasks",
        abstract: "Lists the built-in tasks; with describe, writes the entry of tasks for a file of yours.",
        subcommands: [DescribeArguments.self])

    func run() {
        Job.alone("tasks") { () throws(Failure) in
            try Terminal.print(TasksCommand.list())
            return 0
        }
    }
}

struct DescribeArguments: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe",
        abstract: "Reads a data file and writes the entry of tasks that it would take, with examples.",
        discussion: """
            The file is TSV, CSV with quotes, or JSONL, plain or packed with gzip. The answer is guessed: a column with at \
            most 20 different values and a usual name (label, class, target, ...), else numbers in a column named score, \
            rating or similarity, else in JSONL a list of texts named answers, references or the like, else the last column \
            with few values; where no column is like that, the last one with text is proposed as free text. What the guess is based on is said in comments.
            """)

    @Argument(help: ArgumentHelp("Data file.", valueName: "file"), transform: filled)
    var file: String

    @Option(help: "Format, if the file's name does not end with .tsv, .csv or .jsonl (and .gz).")
    var format: FileFormat?

    @Flag(
        inversion: .prefixedNo, help: "Whether the first row of a table has the names of the columns; default: guessed."
    )
    var header: Bool?

    @Option(help: "Name of the task; default: from the file's name or its directory's.")
    var name: String?

    func run() {
        Job.alone("tasks describe") { () throws(Failure) in
            try Terminal.print(TasksCommand.describe(file, format: format, hasHeader: header, name: name))
            return 0
        }
    }
}
