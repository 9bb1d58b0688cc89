import Foundation

/// Memory of this process as Linux accounts for it, in MiB.
public struct ProcessMemory: Encodable, Sendable {
    /// Pages that only this process uses.
    public let privateMiB: Double
    /// Pages that the process shares or could share: mapped files, shared windows.
    public let sharedMiB: Double
    /// The proportional share of all its pages.
    public let proportionalMiB: Double

    /// Reads the current values.
    public init() {
        let text = (try? String(contentsOfFile: "/proc/self/smaps_rollup", encoding: .utf8)) ?? ""
        func kibibytes(_ keys: [String]) -> Double {
            text.split(separator: "\n").reduce(0) { sum, line in
                let words = line.split(separator: " ")
                guard words.count >= 2, keys.contains(String(words[0].dropLast())) else { return sum }
                return sum + (Double(words[1]) ?? 0)
            }
        }
        // A page of a file that only this process has mapped still belongs to the file, not to the process.
        privateMiB = kibibytes(["Anonymous"]) / 1024
        sharedMiB = (kibibytes(["Rss"]) - kibibytes(["Anonymous"])) / 1024
        proportionalMiB = kibibytes(["Pss"]) / 1024
    }
}

/// Counts that Linux has kept for this process so far.
enum ProcessUsage {
    /// Page faults, including those that needed no disk.
    static var pageFaults: Int { now.ru_minflt + now.ru_majflt }

    private static var now: rusage {
        var usage = rusage()
        unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage
    }
}
