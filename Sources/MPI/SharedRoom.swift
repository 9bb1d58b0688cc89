import CMPI
import Failures
import Foundation
import Heartbeat

/// The room for memory that the ranks of a node share. MPI takes it from a file system in memory, /dev/shm, which in containers
/// often has only 64 MB.
public struct SharedRoom {
    /// The remedy that always helps: a rank that is alone on its node shares nothing.
    public static let oneRank = "start one rank a node, with more threads"

    var byteCount: Int
    let ranks: Int
    let content: String
    let remedy: String

    /// What MPI itself may still use for messages between the ranks of a node: its segments of 4 MiB per rank fill slowly.
    private static let reserve = 1 << 20

    /// Throws when the file system says that there is not enough room.
    func check() throws(Failure) {
        // A table of a few kilobytes is not refused because of what MPI may use later.
        let needed = byteCount + (byteCount > Self.reserve ? ranks * Self.reserve : 0)
        if let free = Self.free, free < needed { throw refusal() }
    }

    /// Takes the pages of new memory now, for the rank that owns it. Until a page is written to it is only promised: when a
    /// file system in memory is full, the next write ends the process with SIGBUS.
    func occupy(_ memory: UnsafeMutableRawBufferPointer) throws(Failure) {
        guard let base = memory.baseAddress else { return }
        let page = sysconf(Int32(_SC_PAGESIZE))
        var place = Int(bitPattern: base) / page * page
        let end = (Int(bitPattern: base) + memory.count + page - 1) / page * page
        while place < end {
            let count = min(end - place, 1 << 26)
            // 23 is MADV_POPULATE_WRITE. Kernels before 5.14 do not know it; with them `check` must be enough.
            while unsafe madvise(UnsafeMutableRawPointer(bitPattern: place), count, 23) != 0 {
                switch errno {
                case EINTR, EAGAIN: continue
                case EINVAL: return
                default: throw refusal()
                }
            }
            place += count
            Heartbeat.beat()
        }
    }

    /// The failure for an MPI error in the allocation. It is never `rankLost`: the ranks of this node have just met, so all
    /// are alive.
    func failure(of error: Int32) -> Failure {
        guard cmpi_kind_of_error(error) != cmpi_misuse else { return MPI.failure(of: error, action) }
        return refusal(" (MPI says: \(errorText(error)))")
    }

    private func refusal(_ more: String = "") -> Failure {
        let place = Self.directory
        let free = Self.free.map { "\(Self.size($0)) free" } ?? "an unknown amount free"
        return Failure(
            .systemRefused,
            "the \(ranks) ranks of this node cannot share \(Self.size(byteCount)) for \(content): \(place) has \(free)\(more); "
                + "make it larger (mount -o remount,size=..., for containers --shm-size), \(remedy)")
    }

    private var action: String { "share \(byteCount) bytes between the ranks of this node" }

    private static func size(_ bytes: Int) -> String {
        bytes < 100_000 ? "\(bytes) bytes" : String(format: "%.1f MB", Double(bytes) / 1e6)
    }

    /// Where MPI makes such memory. Open MPI tells; other libraries use /dev/shm on Linux.
    static var directory: String {
        let told = unsafe text(capacity: Int(cmpi_path_size)) { unsafe cmpi_shared_directory($0) }
        return told.isEmpty ? "/dev/shm" : told
    }

    /// Free bytes there; nil when the system does not tell.
    static var free: Int? {
        var status = statvfs()
        guard unsafe statvfs(directory, &status) == 0 else { return nil }
        return Int(clamping: UInt64(status.f_bavail)) * Int(clamping: UInt64(status.f_frsize))
    }
}
