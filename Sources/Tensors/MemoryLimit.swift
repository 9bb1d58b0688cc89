import Glibc

/// How much memory a process, or all processes of a machine together, may have.
public struct MemoryLimit: Sendable, Equatable {
    /// The limit in bytes.
    public let bytes: Int
    /// The name of what limits them, for messages.
    public let name: String

    /// Creates a limit.
    public init(bytes: Int, name: String) {
        self.bytes = bytes
        self.name = name
    }

    /// The limit on this process's addresses (`ulimit -v`), mapped files included; nil for none.
    public static var addresses: MemoryLimit? {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur < rlim_t(Int.max)
        else {
            return nil
        }
        return MemoryLimit(bytes: Int(limit.rlim_cur), name: "ulimit -v")
    }

    /// Whether memory that is only reserved counts against a limit: because of `ulimit -v`, or on a system that promises no
    /// more than it has.
    static var countsReserved: Bool {
        addresses != nil || content("/proc/sys/vm/overcommit_memory").map { $0.hasPrefix("2") } == true
    }

    /// Bytes of address space that this process uses now.
    public static var addressesInUse: Int {
        let pages = content("/proc/self/statm")?.split(separator: " ").first.flatMap { Int($0) } ?? 0
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }

    /// The memory that all processes of this machine may have together: the machine's, or less when a control group limits this
    /// job.
    public static var machine: MemoryLimit {
        let pages = max(sysconf(Int32(_SC_PHYS_PAGES)), 0)
        let whole = MemoryLimit(bytes: pages * sysconf(Int32(_SC_PAGESIZE)), name: "this machine")
        return least(whole, groups: content("/proc/self/cgroup") ?? "") { content("/sys/fs/cgroup" + $0) }
    }

    /// The smallest of `whole`, the limits of the control groups that `/proc/self/cgroup` names, and the limits of all groups
    /// above them; `read` returns the content of a file below `/sys/fs/cgroup`.
    static func least(_ whole: MemoryLimit, groups: String, read: (String) -> String?) -> MemoryLimit {
        var least = whole
        for line in groups.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let isSecond = parts[1].isEmpty
            guard isSecond || parts[1].split(separator: ",").contains("memory") else { continue }
            let (root, file) = isSecond ? ("", "memory.max") : ("/memory", "memory.limit_in_bytes")
            var path = parts[2].split(separator: "/")
            while true {
                let place = root + path.map { "/" + $0 }.joined() + "/" + file
                let text = read(place)?.split(whereSeparator: \.isWhitespace).first
                if let bytes = text.flatMap({ Int($0) }), bytes < least.bytes {
                    least = MemoryLimit(bytes: bytes, name: "the job (its control group)")
                }
                guard path.popLast() != nil else { break }
            }
        }
        return least
    }

    private static func content(_ path: String) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 8192)
        let count = unsafe read(descriptor, &bytes, bytes.count)
        return count >= 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}
