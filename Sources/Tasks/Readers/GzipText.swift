import CZlib
import Failures
import Heartbeat
import Tensors

/// Unpacks a gzip file (RFC 1952), which may have several members one after the other. Nothing but zeros may follow the last one.
///
/// Safe except for its bytes, which must outlive it.
@safe struct GzipText {
    private let packed: UnsafeRawBufferPointer
    private let path: String
    private var size: Int { unsafe packed.count }

    /// zlib counts in 32 bits, and each part counts as progress.
    private static let part = 1 << 24
    /// No byte of packed data can become more bytes than this.
    private static let largestRatio = 1_032
    private static let purpose = Memory.Purpose(
        "the text of a gzip file", remedy: "unpack the file on the disk with gunzip")

    init(_ packed: UnsafeRawBufferPointer, _ path: String) {
        unsafe self.packed = packed
        self.path = path
    }

    /// Whether bytes begin as a gzip file does.
    static func isPacked(_ bytes: UnsafeRawBufferPointer) -> Bool { unsafe bytes.starts(with: [0x1F, 0x8B]) }

    /// The whole text in memory that the caller gives back with `Memory.free`; without memory if it is empty. Throws `badData` for
    /// a file that is damaged or cut off.
    ///
    /// The last bytes of the file say how long the text is, unless there are several members or more than 4 GB. Only then the
    /// data is unpacked twice, the first time to count: the text is never in memory more than once.
    func unpacked() throws(Failure) -> UnsafeMutableRawBufferPointer {
        let expected = unsafe size < 4 ? 0 : packed.loadUnaligned(fromByteOffset: size - 4, as: UInt32.self)
        var length = Int(UInt32(littleEndian: expected))
        if length / Self.largestRatio > size { length = 0 }
        while true {
            let text = unsafe Self.allocate(length)
            do throws(Failure) {
                let count = try unsafe unpack(into: text)
                if count == length { return unsafe text }
                length = count
            } catch {
                unsafe Self.release(text)
                throw error
            }
            unsafe Self.release(text)
        }
    }

    /// Unpacks as much as has room in `text`, and returns the number of bytes of the whole text.
    private func unpack(into text: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
        let scratch = unsafe Self.allocate(1 << 16)
        defer { unsafe Self.release(scratch) }
        var stream = unsafe z_stream()
        // 16 more than the window's 15 bits: with gzip's head and end.
        guard unsafe inflateInit2_(&stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw Failure(.internal, "zlib cannot be used to unpack \(path.shown); check the library of this build")
        }
        defer { unsafe _ = inflateEnd(&stream) }
        var (read, written) = (0, 0)
        while true {
            Heartbeat.beat()
            let input = min(size - read, Self.part)
            let isInText = written < text.count
            let room = isInText ? min(text.count - written, Self.part) : scratch.count
            let target = unsafe isInText ? text.baseAddress! + written : scratch.baseAddress!
            unsafe stream.next_in = UnsafeMutablePointer(
                mutating: (packed.baseAddress! + read).assumingMemoryBound(to: UInt8.self))
            unsafe stream.avail_in = UInt32(input)
            unsafe stream.next_out = target.assumingMemoryBound(to: UInt8.self)
            unsafe stream.avail_out = UInt32(room)
            let result = unsafe inflate(&stream, Z_NO_FLUSH)
            unsafe read += input - Int(stream.avail_in)
            unsafe written += room - Int(stream.avail_out)
            switch result {
            case Z_STREAM_END:
                guard try hasMember(at: read) else { return written }
                unsafe inflateReset(&stream)
            case Z_OK where unsafe read < size || stream.avail_out == 0:
                continue
            case Z_OK, Z_BUF_ERROR:
                throw Failure(
                    .badData,
                    "\(path.shown) is cut off: its gzip data has no end after \(size) bytes; copy or download it again")
            default:
                let reason = unsafe stream.msg.map { unsafe " (\(String(cString: $0)))" } ?? ""
                throw Failure(
                    .badData,
                    "\(path.shown) is damaged: its gzip data is wrong at byte \(read)\(reason); copy or download it again"
                )
            }
        }
    }

    /// Whether another member begins at a byte; throws unless there is one or only zeros, with which tapes are filled.
    private func hasMember(at place: Int) throws(Failure) -> Bool {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: packed[place...])
        if unsafe Self.isPacked(rest) { return true }
        guard unsafe rest.allSatisfy({ $0 == 0 }) else {
            throw Failure(
                .badData,
                "\(path.shown) has something behind its gzip data, at byte \(place), that is not gzip's; copy or download it again"
            )
        }
        return false
    }

    private static func allocate(_ count: Int) -> UnsafeMutableRawBufferPointer {
        guard count > 0 else { return unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0) }
        return unsafe UnsafeMutableRawBufferPointer(
            start: Memory.allocate(byteCount: count, for: purpose), count: count)
    }

    private static func release(_ memory: UnsafeMutableRawBufferPointer) {
        if let base = memory.baseAddress { unsafe Memory.free(base) }
    }
}
