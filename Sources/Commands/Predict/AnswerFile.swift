import Failures
import Foundation
import Tensors

/// A file of answers, to which lines are appended in the order of the input. After any interruption it can be continued without
/// a lost or doubled line.
///
/// `FILE.state.json` beside it says what decides the answers (`AnswerState`). Every few seconds the lines are brought to the
/// disk, and the state says up to where. Lines behind that are kept if they are whole. For one thread and one process only.
final class AnswerFile {
    /// Lines that the file has.
    private(set) var lines = 0
    /// How many of them say that an input line could not be answered.
    private(set) var bad = 0
    /// Whether the file had all answers when it was opened.
    private(set) var wasFinished = false

    private let path: String
    private let descriptor: Int32
    private var bytes = 0
    private var state: AnswerState
    private var synchronised = ContinuousClock.now

    private static let interval = Duration.seconds(5)

    private var statePath: String { Self.statePath(path) }

    private static func statePath(_ path: String) -> String { path + ".state.json" }

    /// Creates the file, or continues it with `resumes`; it is then created only if it does not exist. Throws `usage` when it
    /// exists and is not to be continued, `badConfiguration` when it was begun with something else, `badData` when it was changed,
    /// and `cannotWrite`.
    ///
    /// `says` gets remarks for the user.
    init(_ path: String, _ fresh: AnswerState, resumes: Bool, says: (String) -> Void) throws(Failure) {
        self.path = path
        state = fresh
        guard !Self.isStandardOutput(path) else {
            throw Failure(
                .usage,
                "--output \(path.shown) is standard output, to which answers are written without --output; leave it out"
            )
        }
        // Without O_NONBLOCK, opening a named pipe would wait for its reader.
        let flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK
        descriptor = unsafe open(path, flags | (resumes ? 0 : O_EXCL), 0o666)
        if descriptor < 0 {
            guard errno == EEXIST else { throw writeFailure("open", path) }
            var found = stat()
            guard unsafe stat(path, &found) != 0 || found.st_mode & S_IFMT == S_IFREG else { throw Self.noFile(path) }
            throw Failure(
                .usage,
                "--output \(path.shown) exists already; add --resume to continue it, remove it, or choose another")
        }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Self.noFile(path)
        }
        guard lock() else {
            throw Failure(
                .cannotWrite, "--output \(path.shown) is being written by another process; wait for its end or stop it")
        }
        if resumes {
            try resume(fresh, size: Int(status.st_size), says)
        }
        if lines == 0 {
            try state.write(statePath)
            try DurableFile.synchronize(directory: URL(fileURLWithPath: path).deletingLastPathComponent().path)
        }
    }

    private static func noFile(_ path: String) -> Failure {
        Failure(
            .usage, "--output \(path.shown) is no regular file; leave out --output and redirect standard output to it")
    }

    /// Whether a path leads to where standard output does, such as `/dev/stdout`: what is written there cannot be continued.
    private static func isStandardOutput(_ path: String) -> Bool {
        var (named, standard) = (stat(), stat())
        return unsafe stat(path, &named) == 0 && fstat(STDOUT_FILENO, &standard) == 0
            && named.st_dev == standard.st_dev && named.st_ino == standard.st_ino
    }

    /// Takes the file for this process; waits a moment for one that is ending. A file system without locks is accepted.
    private func lock() -> Bool {
        for _ in 0..<20 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK { return true }
            usleep(50_000)
        }
        return false
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Checks in the input, before it is skipped, that what is answered already is the same.
    func expect(in input: InputLines) { input.expect(state.answered, after: state.lines) }

    /// Appends the answers of the next `count` lines, of which `bad` could not be answered; `answered` is the digest of all
    /// input lines up to there.
    func append(_ answers: [UInt8], lines count: Int, bad: Int, answered: () -> ContentDigest) throws(Failure) {
        guard unsafe answers.withUnsafeBytes({ unsafe writeAll($0, to: descriptor) }) else {
            throw writeFailure("append to", path)
        }
        lines += count
        self.bad += bad
        bytes += answers.count
        if synchronised.duration(to: .now) >= Self.interval { try synchronise(answered(), isFinished: false) }
    }

    /// Brings all lines to the disk and records that they are all.
    func finish(answered: ContentDigest) throws(Failure) { try synchronise(answered, isFinished: true) }

    private func synchronise(_ answered: ContentDigest, isFinished: Bool) throws(Failure) {
        guard Tensors.synchronise(descriptor) else { throw writeFailure("write", path) }
        (state.lines, state.bytes, state.answered, state.isFinished) = (lines, bytes, answered, isFinished)
        try state.write(statePath)
        synchronised = .now
    }

    private func resume(_ fresh: AnswerState, size: Int, _ says: (String) -> Void) throws(Failure) {
        guard let found = try AnswerState(path: statePath) else {
            guard size == 0 else {
                throw Failure(
                    .usage,
                    "--output \(path.shown) cannot be continued, because \(statePath.shown), which says what it answers, is "
                        + "missing; choose another --output or remove it")
            }
            return
        }
        if let difference = found.identity.difference(to: fresh.identity) {
            throw Failure(
                .badConfiguration,
                "--output \(path.shown) cannot be continued: \(difference); put that back, or choose another --output")
        }
        state = found
        for (name, version) in found.libraries.sorted(by: { $0.key < $1.key })
        where fresh.libraries[name] != version {
            says(
                "note: \(name) was \(version) and is \(fresh.libraries[name] ?? "absent"): scores may differ from here on"
            )
        }
        state.libraries = fresh.libraries
        try scan(size: size)
        if size < found.bytes {
            says("note: \(path.shown) is shorter than \(statePath.shown) says; what is missing is answered again")
        }
        wasFinished = found.isFinished && lines == found.lines && size == found.bytes
        guard bytes < size else { return }
        guard ftruncate(descriptor, off_t(bytes)) == 0, Tensors.synchronise(descriptor) else {
            throw writeFailure("cut the unfinished line of", path)
        }
    }

    /// Counts the answers. An unfinished or damaged end, as a kill or the loss of power leaves it, does not count.
    private func scan(size: Int) throws(Failure) {
        // An answer repeats no more of its line than the id.
        let written = try InputLines(path, longest: 2 * InputLines.longest)
        while true {
            let group = try written.next(lines: 1, bytes: 1)
            guard group.count == 1 else { return }
            var isBad = false
            if written.lastIsEnded, case .text(let line) = group[0],
                let number = Self.number(of: line, &isBad), number == lines + 1
            {
                lines += 1
                bad += isBad ? 1 : 0
                bytes = written.consumed
                continue
            }
            // What the state vouches for was whole.
            guard bytes >= state.bytes || (size < state.bytes && !written.lastIsEnded) else {
                throw Failure(
                    .badData,
                    "\(path.shown), line \(lines + 1) is not the answer to that line, so the file was changed; restore it, or "
                        + "choose another --output")
            }
            return
        }
    }

    /// The number of the line that an answer is for; nil when the text is no answer.
    private static func number(of line: String, _ isBad: inout Bool) -> Int? {
        var line = line
        var (number, foundError) = (Int?.none, false)
        let isWhole = line.withUTF8 { bytes in
            var reader = unsafe JSONReader(UnsafeRawBufferPointer(bytes))
            do throws(JSONReader.Problem) {
                try reader.object { (reader, key) throws(JSONReader.Problem) in
                    switch key {
                    case "line": number = try reader.natural()
                    case "error":
                        foundError = true
                        try reader.skipValue()
                    default: try reader.skipValue()
                    }
                }
                return reader.peek() == nil
            } catch {
                return false
            }
        }
        isBad = foundError
        return isWhole ? number : nil
    }
}
