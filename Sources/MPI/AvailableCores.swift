import Foundation

/// The cores that this process may use, and the limit that decides it.
///
/// count = min(cores of the affinity mask, CPU quota of the control groups rounded up), at least 1. Only physical cores count:
/// two hardware threads of one core count once, since a matrix product gains nothing from the second.
public struct AvailableCores: Sendable, Equatable, CustomStringConvertible {
    /// The limit that decided.
    public enum Limit: String, Sendable {
        /// The affinity mask: taskset, a cpuset, or the binding of mpirun or srun.
        case affinity
        /// A CPU quota of a control group: a container's or service's limit.
        case quota
    }

    /// The logical processors in the affinity mask; each core is represented by the smallest number of its hardware threads.
    public let cores: Set<Int>
    /// The smallest CPU quota of the process's control groups, in cores; nil without a quota.
    public let quota: Double?

    /// How many cores this process may use, if no other process uses them.
    public var count: Int { max(1, min(cores.count, quotaCount ?? cores.count)) }

    /// The limit that `count` comes from.
    public var limit: Limit { (quotaCount ?? .max) < cores.count ? .quota : .affinity }

    private var quotaCount: Int? { quota.map { Int(min($0, 1e6).rounded(.up)) } }

    /// The text that `doctor` prints, such as "4 (affinity)" or "2 (quota of 1.5 cores; affinity allows 8)".
    public var description: String {
        guard limit == .quota, let quota else { return "\(count) (affinity)" }
        return "\(count) (quota of \(quota) cores; affinity allows \(cores.count))"
    }

    /// Creates a value from known limits.
    public init(cores: Set<Int>, quota: Double?) {
        self.cores = cores
        self.quota = quota
    }

    /// The limits of this process.
    public static func ofThisProcess() -> AvailableCores {
        func content(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
        let processors = processors(inStatus: content("/proc/self/status") ?? "")
        let fallback = 0..<ProcessInfo.processInfo.activeProcessorCount
        let cores = (processors.isEmpty ? Array(fallback) : processors).map { processor in
            let topology = "/sys/devices/system/cpu/cpu\(processor)/topology/thread_siblings_list"
            return content(topology).flatMap { list(of: $0).min() } ?? processor
        }
        let quota = quota(memberships: content("/proc/self/cgroup") ?? "", read: content)
        return AvailableCores(cores: Set(cores), quota: quota)
    }

    /// The cores that each process may count on when several share a host. Every core is divided among the processes whose
    /// masks contain it, and the quota among all processes. In the order of `processes`, each at least 1.
    public static func shares(of processes: [AvailableCores]) -> [Int] {
        var users: [Int: Int] = [:]
        for process in processes { for core in process.cores { users[core, default: 0] += 1 } }
        return processes.map { process in
            // The order of the sum is fixed: its last bit must not change the rounding down.
            let affinity = process.cores.sorted().map { 1 / Double(users[$0]!) }.reduce(0, +)
            let quota = process.quota.map { $0.rounded(.up) / Double(processes.count) } ?? .infinity
            return max(1, Int((min(affinity, quota) + 1e-9).rounded(.down)))
        }
    }
}

// MARK: - What the kernel writes

extension AvailableCores {
    /// The processors in the line `Cpus_allowed_list:` of /proc/self/status; empty when there is no such line.
    static func processors(inStatus status: String) -> [Int] {
        let prefix = "Cpus_allowed_list:"
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix(prefix) }) else { return [] }
        return list(of: String(line.dropFirst(prefix.count)))
    }

    /// The numbers of a kernel list such as `0-3,8,10-11`; entries that are no numbers or ranges are left out.
    static func list(of text: String) -> [Int] {
        text.split(separator: ",").flatMap { entry -> [Int] in
            let ends = entry.split(separator: "-").map { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
            guard let first = ends.first, let first, let last = ends.last, let last, first <= last else { return [] }
            return Array(first...last)
        }
    }

    /// The smallest quota, in cores, of all control groups that contain the process and of their ancestors.
    ///
    /// - Parameters:
    ///   - memberships: the content of /proc/self/cgroup. Inside a container its paths may be the host's; the search up to the
    ///     root of the mounted tree then still finds the container's own group.
    ///   - read: returns the content of a file, nil when it cannot be read.
    static func quota(memberships: String, read: (String) -> String?) -> Double? {
        var quotas: [Double] = []
        for line in memberships.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            if fields[0] == "0" && fields[1].isEmpty {
                for group in ancestors(of: fields[2]) {
                    let path = "/sys/fs/cgroup\(group)/cpu.max"
                    quotas += read(path).flatMap(quota(ofVersion2:)).map { [$0] } ?? []
                }
            } else if fields[1].split(separator: ",").contains("cpu") {
                for group in ancestors(of: fields[2]) {
                    let directory = "/sys/fs/cgroup/cpu\(group)"
                    guard let quota = read(directory + "/cpu.cfs_quota_us"),
                        let period = read(directory + "/cpu.cfs_period_us")
                    else { continue }
                    quotas += self.quota(microseconds: quota, period: period).map { [$0] } ?? []
                }
            }
        }
        return quotas.min()
    }

    /// The content of cgroup v2's cpu.max, `max 100000` or `150000 100000`, in cores.
    static func quota(ofVersion2 text: String) -> Double? {
        let fields = text.split(whereSeparator: \.isWhitespace).map(String.init)
        return fields.count == 2 ? quota(microseconds: fields[0], period: fields[1]) : nil
    }

    private static func quota(microseconds: String, period: String) -> Double? {
        let values = [microseconds, period].map { Double($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        guard let quota = values[0], let period = values[1], quota > 0, period > 0 else { return nil }
        return quota / period
    }

    /// `/a/b` gives `/a/b`, `/a` and the empty string for the root.
    private static func ancestors(of path: Substring) -> [String] {
        let parts = path.split(separator: "/")
        return (0...parts.count).reversed().map { count in parts.prefix(count).map { "/" + $0 }.joined() }
    }
}
