import Configuration
public import Failures
import Foundation
import Runs

/// `startup`: the time from the start of the process `unolora-dist train` to its first step, which the process then makes. All
/// caches are warm.
public struct StartupBenchmark {
    /// The measurements; one JSON object.
    public struct Report: Encodable, Sendable {
        var benchmark = "startup"
        var model: String
        var gemm: String
        /// Time to the first step.
        var seconds: Spread
        /// Seconds of each part, with the names in `environment.json`.
        var parts: [String: Spread]
    }

    private struct Environment: Decodable {
        struct Startup: Decodable {
            var seconds: Double
            var parts: [String: Double]
        }

        var startup: Startup
        var libraries: [String: String]
    }

    private let file: String
    private let overrides: [String]
    private let repeats: Int

    /// Prepares starts of the run that a configuration file describes.
    public init(file: String, overrides: [String], repeats: Int) {
        self.file = file
        self.overrides = overrides
        self.repeats = repeats
    }

    /// Starts the run once to warm the caches and then repeatedly to measure; the run's files are removed afterwards.
    public func callAsFunction() throws(Failure) -> Report {
        let configuration = try RunConfiguration.load(file: file, overrides: overrides)
        let scratch = try ScratchDirectory()
        let cache = configuration.cache == nil ? ["data.cache=\(scratch.path)/cache"] : []
        var starts: [Environment] = []
        for repetition in 0...repeats {
            let start = try start(out: "\(scratch.path)/run-\(repetition)", cache)
            if repetition > 0 { starts.append(start) }
        }
        let names = starts.reduce(into: Set<String>()) { $0.formUnion($1.startup.parts.keys) }
        return Report(
            model: configuration.model, gemm: starts[0].libraries["products"] ?? "",
            seconds: Spread(starts.map(\.startup.seconds)),
            parts: Dictionary(
                uniqueKeysWithValues: names.map { name in
                    (name, Spread(starts.map { $0.startup.parts[name] ?? 0 }))
                }))
    }

    /// Trains one step in a separate process and reads what the process recorded.
    private func start(out: String, _ more: [String]) throws(Failure) -> Environment {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let program = URL(fileURLWithPath: own).deletingLastPathComponent().path + "/unolora-dist"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments =
            ["train", "--config", file, "--out", out, "--resume", "never", "--stop-after", "1"]
            + (overrides + more).flatMap { ["--set", $0] }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        do {
            try process.run()
        } catch {
            throw Failure(.inputMissing, "\(program) cannot be started; build it with swift build -c release")
        }
        process.waitUntilExit()
        // The exit code shows that the run was stopped, or that the one step was the whole run.
        guard process.terminationReason == .exit,
            [ExitCode.preempted.rawValue, 0].contains(process.terminationStatus)
        else {
            throw Failure(
                ExitCode(rawValue: process.terminationStatus) ?? .internal,
                "unolora-dist train ended with \(process.terminationStatus); its own message is above")
        }
        guard let data = FileManager.default.contents(atPath: RunDirectory(out).environment),
            let environment = try? JSONDecoder().decode(Environment.self, from: data)
        else {
            throw Failure(.badData, "\(program) recorded no times of its start; build both programs from one source")
        }
        return environment
    }
}
