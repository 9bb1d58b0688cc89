package import Configuration
package import Failures
import Foundation

/// A study as its YAML file describes it, checked as far as the file alone allows.
package struct StudyFile {
    /// Where the configuration comes from that all rows change.
    package enum Base {
        /// A run's own file, by its path.
        case file(String)
        /// Keys in the study's file.
        case inline(Settings)
        /// The embedded example.
        case embedded
    }

    /// The tasks of a row.
    package enum Tasks: Equatable {
        /// All tasks of the configuration in one run.
        case all
        /// One run for each task.
        case each
        /// Some tasks in one run.
        case some([String])
    }

    /// A row of the table: a method or a setting to compare.
    package struct Row {
        /// The row whose finished adapters this one's runs begin with.
        package struct Origin {
            package var name: String
            /// `init.from`, with a path that stands for that of each run's own origin.
            package var settings: Settings
            package var place: String
        }

        package var name: String
        package var settings: Settings?
        package var origin: Origin?
        package var tasks = Tasks.all
        /// Whether every run of the row has the configured number of steps, whatever its tasks.
        package var hasOwnBudget = false
        /// `study.yaml:12`.
        package var place: String
    }

    /// A key whose values are crossed with the rows.
    package struct Axis {
        /// A value of the key.
        package struct Entry {
            /// The value as the user wrote it, in one line.
            package var label: String
            /// The value as part of a file's name; no two values of a key have the same.
            package var fileName: String
            package var settings: Settings
        }

        package var key: String
        package var values: [Entry]
        package var place: String
    }

    /// The file's name in messages.
    package let name: String
    /// Relative paths are relative to this directory.
    package let directory: String
    package internal(set) var base = Base.embedded
    package internal(set) var shared: Settings?
    package internal(set) var rows: [Row] = []
    package internal(set) var axes: [Axis] = []
    /// Without the key, the run's own seed is taken when its configuration is read.
    package internal(set) var seeds = [1]
    package internal(set) var hasSeeds = false
    /// The row with which the others are compared, or one line of the table.
    package internal(set) var reference: (name: String, place: String)?
    /// Runs at once on a node or by a rank.
    package internal(set) var parallel = 1
    /// Threads of a run; nil for an equal share of the cores.
    package internal(set) var threads: Int?

    /// Reads a file. Throws `inputMissing` for a missing file, and `badConfiguration` with file and line for everything that is
    /// unknown, repeated or of the wrong type.
    package static func load(_ path: String) throws(Failure) -> StudyFile {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Failure(.inputMissing, "the study \(path) cannot be read; check the path given to --config")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw Failure(.badConfiguration, "\(path): the file is not UTF-8; save it as UTF-8 text")
        }
        return try StudyFile(
            yaml: text, name: path, directory: URL(fileURLWithPath: path).deletingLastPathComponent().path)
    }
}
