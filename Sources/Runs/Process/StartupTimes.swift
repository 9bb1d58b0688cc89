import Foundation

/// How long each part of a run's start takes, from the start of the process to that of the first step.
public struct StartupTimes: Sendable {
    /// The parts, in their order.
    public enum Part: String, Sendable, CaseIterable {
        /// From the start of the process: loading libraries, reading the command line.
        case process
        /// Starting MPI.
        case mpi
        /// Reading the configuration, and the run directory.
        case configuration
        /// Tasks, vocabulary and the tokens of answers.
        case vocabulary
        /// Reading all weights: whether they are finite, and their digest.
        case weights
        /// Mapping the model, and packing its projections.
        case model
        /// Opening the token cache, or building it.
        case data
        /// State, checkpoint, files of the run, workers.
        case state
    }

    /// The record in `environment.json`, in seconds.
    package struct Record: Codable {
        package var seconds: Double
        package var parts: [String: Double]
    }

    private var seconds: [Part: Double]
    private var last = ContinuousClock.now

    /// Ends the first part.
    public init() {
        seconds = [.process: Self.ageOfProcess]
    }

    /// Ends a part that began when the previous one ended.
    public mutating func finished(_ part: Part) {
        let now = ContinuousClock.now
        seconds[part, default: 0] += ProgressLine.seconds(last.duration(to: now))
        last = now
    }

    /// The parts so far.
    package var record: Record {
        Record(
            seconds: seconds.values.reduce(0, +),
            parts: Dictionary(uniqueKeysWithValues: seconds.map { ($0.key.rawValue, $0.value) }))
    }

    /// Seconds since this process was started, to the kernel's tick of usually 10 ms; 0 when it cannot be found out.
    private static var ageOfProcess: Double {
        // The name in parentheses may contain spaces; the 20th field after it is the start in ticks since the system's start.
        guard let text = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return 0 }
        let fields = text[end...].split(separator: " ")
        var now = timespec()
        guard fields.count > 20, let start = Double(fields[20]), unsafe clock_gettime(CLOCK_BOOTTIME, &now) == 0 else {
            return 0
        }
        let age = Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9 - start / Double(sysconf(Int32(_SC_CLK_TCK)))
        return max(0, age)
    }
}
