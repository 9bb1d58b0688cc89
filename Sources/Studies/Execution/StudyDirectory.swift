package import Failures
import Foundation
package import Runs
import Tensors

/// The directory of a study and the paths of everything in it.
package struct StudyDirectory {
    package let path: String

    /// A relative path is relative to the working directory. It is made absolute, since configurations that the study writes
    /// name files in it, and paths of a configuration are relative to its own file.
    package init(_ path: String) {
        self.path = URL(fileURLWithPath: path).standardizedFileURL.path
    }

    /// The directory of all run directories.
    package var runs: String { path + "/runs" }
    /// The token cache that all runs share.
    package var cache: String { path + "/cache" }
    /// The table, by the ending of its format.
    package func table(_ ending: String) -> String { "\(path)/table.\(ending)" }
    /// The run directory of a run.
    package func run(_ run: StudyRun) -> RunDirectory { RunDirectory("\(runs)/\(run.name)") }
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

    /// Removes figures of an earlier page; `names` are relative to the study's directory.
    package func removeFigures(but names: [String]) {
        for file in (try? FileManager.default.contentsOfDirectory(atPath: path + "/figures")) ?? []
        where file.hasSuffix(".svg") && !names.contains("figures/\(file)") {
            try? FileManager.default.removeItem(atPath: "\(path)/figures/\(file)")
        }
    }

    func make(_ directory: String) throws(Failure) {
        guard makeDirectories(directory) else {
            throw Failure(
                .cannotWrite,
                "the study's directory \(directory) cannot be created (\(systemMessage(errno))); choose another with --out"
            )
        }
    }
}
