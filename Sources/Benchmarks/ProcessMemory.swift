import Foundation

/// Memory of this process as Linux accounts for it, in MiB, and its page faults.
public struct ProcessMemory: Encodable, Sendable {
    /// Pages that only this process has.
    public let privateMiB: Double
    /// Pages that it shares or could share: mapped files, shared windows.
    public let sharedMiB: Double
    /// Proportional share of all its pages.
    public let proportionalMiB: Double

    /// As it is now.
    public init() {
        let text = (try? String(contentsOfFile: "/proc/self/smaps_rollup", encoding: .utf8)) ?? ""
        func kibibytes(_ keys: [String]) -> Double {
            text.split(separator: "\n").reduce(0) { sum, line in
                let words = line.split(separator: " ")
                guard words.count >= 2, keys.contains(String(words[0].dropLast())) else { return sum }
                return sum + (Double(words[1]) ?? 0)
            }
        }
        // A file that only this process has mapped is still the file's page, not the process's own.
        privateMiB = kibibytes(["Anonymous"]) / 1024
        sharedMiB = (kibibytes(["Rss"]) - kibibytes(["Anonymous"])) / 1024
        proportionalMiB = kibibytes(["Pss"]) / 1024
    }

    /// Page faults of this process so far, those that needed no disk included.
    static var pageFaults: Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_minflt + usage.ru_majflt
    }
}
