import Foundation
import Tensors

/// The process that has a run directory, as its lease says.
struct LeaseHolder: Equatable, Sendable {
    /// What can be told of a holder from here.
    enum Presence {
        case there
        case gone
        /// It is, or was, on another machine or in a container.
        case unknown
    }

    var process: Int32
    var host: String
    /// Tells this holder from all others, also from one of the same process.
    var id: String
    /// The start of the machine and the spaces of its processes and clocks: where these and the host are the same, the
    /// process can be looked for. Empty where the system does not tell.
    var machine: String
    /// When the process began, in ticks of the machine: a later one may have its number.
    var began: UInt64

    /// This process, with a new id.
    static func ofThisProcess() -> LeaseHolder {
        LeaseHolder(
            process: getpid(), host: ProcessInfo.processInfo.hostName, id: UUID().uuidString, machine: thisMachine,
            began: beginning(of: getpid())?.began ?? 0)
    }

    /// For messages.
    var description: String { "process \(process) on \(host.shown)" }

    /// What the lease says of it: lines, the first of which is for people.
    var text: String { "process \(process) on \(host)\nid \(id)\nmachine \(machine)\nbegan \(began)\n" }

    /// Reads what `text` gives, and more lines after it; nil for anything else.
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

    /// Whether the process still is, looked at from the process of `other`.
    func presence(from other: LeaseHolder) -> Presence {
        guard !machine.isEmpty, machine == other.machine, host == other.host else { return .unknown }
        guard let found = Self.beginning(of: process) else {
            // The processes of other users may be hidden.
            return kill(process, 0) != 0 && errno == ESRCH ? .gone : .there
        }
        return found.began != began || found.isOver ? .gone : .there
    }

    /// When a process began, and whether all of it has ended though its parent has not asked yet; nil where that cannot
    /// be told.
    private static func beginning(of process: Int32) -> (began: UInt64, isOver: Bool)? {
        guard let text = FileManager.default.contents(atPath: "/proc/\(process)/stat"),
            let end = text.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        // The name in the second field may have blanks and parentheses.
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
