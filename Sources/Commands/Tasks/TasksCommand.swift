import Configuration
public import Failures
import Foundation
import Runs
public import Tasks
import Tensors

/// `tasks`: the built-in tasks, and a proposal for a file of the user.
public enum TasksCommand {
    /// A table of the built-in tasks.
    public static func list() throws(Failure) -> String {
        var rows = [["name", "of", "files, rows", "labels (answers)", "figures"]]
        for task in try builtIn() {
            let files = task.publishedFiles.map { "\($0.file) \($0.rows)" }.joined(separator: ", ")
            let folder = task.paths.first?.split(separator: "/").dropLast().last ?? ""
            rows.append([
                task.name, task.suite?.rawValue ?? "", "\(folder): \(files)", labels(of: task),
                task.metrics.map(\.rawValue).joined(separator: ", "),
            ])
        }
        return TextTable(rows, left: [0, 1, 2, 3, 4]).text
    }

    private static func builtIn() throws(Failure) -> [TaskDefinition] {
        // The definitions do not need the files, which are not read.
        var tasks: [TaskDefinition] = []
        for name in GLUE.names { tasks.append(try GLUE.task(name, directory: ".")) }
        for name in SuperGLUE.names { tasks.append(try SuperGLUE.task(name, directory: ".")) }
        return tasks
    }

    private static func labels(of task: TaskDefinition) -> String {
        switch task.answers {
        case .classes(let answers):
            zip(task.labelNames, answers).map { $0 == $1 ? $0 : "\($0) (\($1))" }.joined(separator: ", ")
        case .grades(let minimum, let maximum, let step, _):
            String(format: "%g to %g, in steps of %g", minimum, maximum, step)
        case .texts: "free text"
        }
    }

    /// An entry of `tasks` for a data file, and what the model would see of it. The format is that of the file's name unless one is
    /// given; the task's name, too.
    public static func describe(
        _ path: String, format: FileFormat?, hasHeader: Bool?, name: String?
    ) throws(Failure) -> String {
        if let name, let problem = CustomTask.problem(ofName: name) {
            throw Failure(.usage, "--name \"\(name.shown)\": \(problem)")
        }
        let format = if let format { format } else { try FileFormat(ofName: path) }
        let survey = try FileSurvey(path: path, format: format, hasHeader: hasHeader)
        return try TaskProposal(survey, name: name ?? taskName(of: path)).text()
    }

    /// A task's name from a file's: its folder if the file is named after a split. A name of a built-in task gets a beginning, so that
    /// nobody takes the two for each other.
    private static func taskName(of path: String) -> String {
        let parts = URL(fileURLWithPath: path).path.split(separator: "/").map(String.init)
        let file = parts.last?.prefix { $0 != "." } ?? ""
        let isSplit = ["train", "training", "data"].contains(file.lowercased())
        let name = isSplit && parts.count > 1 ? parts[parts.count - 2][...] : file
        let letters = name.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
        guard !letters.isEmpty else { return "task" }
        let isBuiltIn = SuperGLUE.names.contains(String(letters)) || CustomTask.problem(ofName: String(letters)) != nil
        return (isBuiltIn ? "own_" : "") + String(letters)
    }
}
