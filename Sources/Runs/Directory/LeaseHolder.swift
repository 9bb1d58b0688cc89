import Foundation
import Tensors

/// The process that holds a run directory, as its lease says.
struct LeaseHolder: Equatable, Sendable {
    /// Whether a holder is alive, as far as this process can tell.
    enum Presence {
        case there
        case gone
        /// The holder is, or was, on another machine or in a container.
        case unknown
    }

    var process: Int32
    var host: String
    /// Distinguishes this holder from all others, even from another one in the same process.
    var id: String
    /// The boot of the machine and its namespaces of processes and clocks. When these and the host are the same, this process
    /// can look for the holder. Empty when the system does not tell.
    var machine: String
    /// When the process began, in ticks of the machine; a later process may have the same number.
    var began: UInt64

    /// This process, with a new id.
    static func ofThisProcess() -> LeaseHolder {
        LeaseHolder(
            process: getpid(), host: ProcessInfo.processInfo.hostName, id: UUID().uuidString, machine: thisMachine,
            began: beginning(of: getpid())?.began ?? 0)
    }

    /// The holder in messages.
    var description: String { "process \(process) on \(host.shown)" }

    /// The lines of the lease about this holder; the first one is for people.
    var text: String { "process \(process) on \(host)\nid \(id)\nmachine \(machine)\nbegan \(began)\n" }

    /// Reads the lines of `text`, which more lines may follow; nil for anything else.
    init?(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count > 4, lines[1].hasPrefix("id "), lines[2].hasPrefix("machine "), lines[3].hasPrefix("began ")
        else { return nil }
        let words = lines[0].split(separator: " ")
        guard words.count == 4, words[0] == "process", words[2] == "on", let process = Int32(words[1]), process > 0,
            let began = UInt64(lines[3].dropFirst(6)), lines[1].utf8.count > 3
        else { return nil }
        self.init(
            process: process, host: String(words[3]), id: String(lines[1].dropFirst(3)),
            machine: String(lines[2].dropFirst(8)), began: began)
    }

    init(process: Int32, host: String, id: String, machine: String, began: UInt64) {
        self.process = process
        self.host = host
        self.id = id
        self.machine = machine
        self.began = began
    }

    /// Whether the holder's process is alive, as seen from the process of `other`.
    func presence(from other: LeaseHolder) -> Presence {
        guard !machine.isEmpty, machine == other.machine, host == other.host else { return .unknown }
        guard let found = Self.beginning(of: process) else {
            // The processes of other users may be hidden.
            return kill(process, 0) != 0 && errno == ESRCH ? .gone : .there
        }
        return found.began != began || found.isOver ? .gone : .there
    }

    /// When a process began, and whether it is a zombie: it has ended but its parent has not collected it. Nil when that is
    /// unknown.
    private static func beginning(of process: Int32) -> (began: UInt64, isOver: Bool)? {
        guard let text = FileManager.default.contents(atPath: "/proc/\(process)/stat"),
            let end = text.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        // The name in the second field may contain blanks and parentheses.
        let fields = String(decoding: text[(end + 1)...], as: UTF8.self).split(separator: " ")
        guard fields.count > 19, let began = UInt64(fields[19]) else { return nil }
        let threads = Int(fields[17]) ?? 1
        return (began, ["Z", "X"].contains(fields[0]) && threads <= 1)
    }

    private static let thisMachine: String = {
        func content(_ path: String) -> String? {
            FileManager.default.contents(atPath: path).map {
                String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            }
        }
        let spaces = ["pid", "time"].map {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/\($0)")) ?? "none"
        }
        guard let boot = content("/proc/sys/kernel/random/boot_id"), !boot.isEmpty, spaces[0] != "none" else {
            return ""
        }
        return ([boot] + spaces).joined(separator: " ")
    }()
}
