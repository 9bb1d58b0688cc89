import Adapters
import Exports
public import Failures
import Foundation
public import MPI
import Runs
import Tensors
import Training

/// `export`: takes an adapter out of a run.
public enum ExportCommand {
    /// The options of the command line, apart from the run directory.
    public struct Request: Sendable {
        /// peft, merged or native.
        public var format: String
        /// One task of a method with an adapter per task; nil for all.
        public var task: String?
        /// best, last, a step or a path.
        public var checkpoint: String
        /// The directory to make.
        public var out: String
        /// The name under which others find the base; nil to look for it.
        public var baseName: String?
        /// Whether the change of the figures is measured.
        public var measures: Bool
        /// Where the model lies; nil for the place of the training.
        public var model: String?
        /// Whether task files and settings may differ from those of the training.
        public var allowsChanges: Bool

        /// Creates a request.
        public init(
            format: String, task: String? = nil, checkpoint: String = "best", out: String, baseName: String? = nil,
            measures: Bool = true, model: String? = nil, allowsChanges: Bool = false
        ) {
            self.format = format
            self.task = task
            self.checkpoint = checkpoint
            self.out = out
            self.baseName = baseName
            self.measures = measures
            self.model = model
            self.allowsChanges = allowsChanges
        }
    }

    /// The values of `--format`.
    public static var formats: [String] { ExportFormat.allCases.map(\.rawValue) }

    /// Writes the directory, prints what was measured, and leaves nothing behind when it fails; for one process.
    public static func run(_ path: String, _ request: Request, world: Communicator) throws(Failure) -> Int32 {
        try world.rankZeroFirst { () throws(Failure) in
            guard world.size > 1 else { return }
            throw Failure(.usage, "export runs as one process; start it without mpirun")
        }
        guard let format = ExportFormat(rawValue: request.format) else {
            throw Failure(.usage, "--format \(request.format) is none of \(formats.joined(separator: ", "))")
        }
        try AtomicDirectory.refuseExisting(request.out)
        // The model of the run is closed before a merged one is opened.
        let source = try ExportSource.read(path, format, request, world: world)
        let directory = try AtomicDirectory(request.out)
        var said: [String] = [source.base.notice].compactMap(\.self)
        do throws(Failure) {
            for part in source.parts {
                let place = try part.task.map { task throws(Failure) in try directory.make(task) } ?? directory.path
                said += try source.write(part, format, into: place, measures: request.measures)
            }
            try directory.finish()
        } catch {
            directory.abandon()
            throw error
        }
        let checkpoint = "\(source.checkpoint.path) (step \(source.checkpoint.step))"
        try Terminal.print("\(request.out): \(format.rawValue) of \(checkpoint), method \(source.adapter.method)")
        for line in said { try Terminal.print(line) }
        return 0
    }
}
