import Configuration
package import Failures
import Foundation
package import Runs
import Tasks
import Tensors

/// The directory of a study and the paths of everything in it.
package struct StudyDirectory {
    package let path: String

    /// A relative path is relative to the working directory. It is made absolute, since configurations that the study writes
    /// name files in it, and paths of a configuration are relative to its own file.
    package init(_ path: String) {
        self.path = URL(fileURLWithPath: path).standardizedFileURL.path
    }

    /// The token cache that all runs share.
    package var cache: String { path + "/cache" }
    /// The table, by the ending of its format.
    package func table(_ ending: String) -> String { "\(path)/table.\(ending)" }
    /// The run directory of a run.
    package func run(_ run: StudyRun) -> RunDirectory { RunDirectory("\(path)/runs/\(run.name)") }
    /// The configuration with which a run is started.
    func configuration(_ run: StudyRun) -> String { "\(path)/configurations/\(run.name).yaml" }
    /// The output of a run's processes.
    func log(_ run: StudyRun) -> String { "\(path)/logs/\(run.name).txt" }
    /// Why a run failed, in one sentence; absent otherwise.
    func failure(_ run: StudyRun) -> String { "\(path)/failures/\(run.name).txt" }

    /// Makes the directory. Throws `cannotWrite`.
    package func create() throws(Failure) { try make(path) }

    /// Writes a file as a whole, and makes its directory.
    package func write(_ text: String, to file: String) throws(Failure) {
        try make(URL(fileURLWithPath: file).deletingLastPathComponent().path)
        try DurableFile.replace(file) { output throws(Failure) in try output.write(text) }
    }

    /// Runs `body` while no other process of the study writes the table.
    package func exclusively<R>(_ body: () throws(Failure) -> R) throws(Failure) -> R {
        try Tensors.exclusively(in: path, body)
    }

    func make(_ directory: String) throws(Failure) {
        guard makeDirectories(directory) else {
            throw Failure(
                .cannotWrite,
                "the study's directory \(directory) cannot be created (\(systemMessage(errno))); choose another with --out"
            )
        }
    }

    /// What is known about a run.
    package enum State: Equatable {
        case finished
        /// Why it failed.
        case failed(String)
        /// It is finished, but another configuration has made it; in one sentence.
        case other(String)
        /// It has not begun, was stopped, or goes on.
        case open
    }

    /// What the files say about a run.
    package func state(_ run: StudyRun) -> State {
        let directory = self.run(run)
        if let status = RunStatus.read(directory), status.state == .finished {
            guard let difference = difference(run) else { return .finished }
            return .other(
                "\(directory.path) was made with another configuration (\(difference)); use another --out, or remove it"
            )
        }
        guard let text = FileManager.default.contents(atPath: failure(run)) else { return .open }
        return .failed(String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// The first difference of a run's configuration from the study's, as a part of a sentence; nil for none.
    private func difference(_ run: StudyRun) -> String? {
        guard let made = try? RunConfiguration.load(file: self.run(run).configuration) else {
            return "its config.yaml cannot be read"
        }
        let differences = RunConfiguration.differences(from: made.recordText, to: run.configuration.recordText)
        if let first = differences.first { return first }
        // Directories may move, but another name is another model.
        let paths = [
            ("model", made.model, run.configuration.model),
            ("init.from", made.origin ?? "null", run.configuration.origin ?? "null"),
        ]
        return paths.first { URL(fileURLWithPath: $1).lastPathComponent != URL(fileURLWithPath: $2).lastPathComponent }
            .map { "\($0) was \($1) and is \($2)" }
    }
}
