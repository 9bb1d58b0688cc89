import Configuration
import Failures
import Foundation
import Runs

/// A run of a study in a process of its own.
final class RunProcess {
    /// How the process ended.
    enum End: Equatable {
        case finished
        /// It saved its last step because it was told to leave; with its exit code.
        case stopped(Int32)
        /// It failed with this exit code and sentence.
        case failed(Int32, String)
        /// Another job holds its run directory.
        case held(String)
    }

    let run: StudyRun
    let begun = ContinuousClock.now
    private let process: ChildProcess
    private let directory: StudyDirectory
    /// Length of the log before this process.
    private let logBegin: UInt64
    /// Whether a signal was passed on.
    private var isAsked = false

    /// Starts `train` for a run.
    init(
        _ run: StudyRun, in directory: StudyDirectory, program: String, threads: Int, environment: [String: String]
    ) throws(Failure) {
        self.run = run
        self.directory = directory
        try directory.write(run.configuration.resolvedYAML, to: directory.configuration(run))
        let log = directory.log(run)
        try directory.make(URL(fileURLWithPath: log).deletingLastPathComponent().path)
        if !FileManager.default.fileExists(atPath: log) {
            _ = FileManager.default.createFile(atPath: log, contents: nil)
        }
        guard let output = FileHandle(forWritingAtPath: log), let end = try? output.seekToEnd() else {
            throw Failure(.cannotWrite, "\(log) cannot be written; choose another --out")
        }
        logBegin = end
        let arguments = [
            "train", "--config", directory.configuration(run), "--out", directory.run(run).path, "--parent",
            "\(ProcessInfo.processInfo.processIdentifier)", "--set", "parallel.threads=\(threads)",
        ]
        process = try ChildProcess(program, arguments, environment: environment, output: output.fileDescriptor)
    }

    /// Passes a signal on.
    func send(_ signal: Int32) {
        isAsked = true
        process.send(signal)
    }

    /// How the process ended; nil while it runs.
    func end() -> End? {
        guard let end = process.end else { return nil }
        let code =
            switch end {
            case .exit(let code): code
            case .signal(let signal): 128 + signal
            }
        let status = RunStatus.read(directory.run(run))
        if code == 0, status?.state == .finished { return .finished }
        if case .exit = end, [85, 130, 143].contains(code) { return .stopped(code) }
        let sentence = lastSentence()
        if code == ExitCode.cannotWrite.rawValue, let sentence, sentence.contains("in use by") {
            return .held(sentence)
        }
        if case .signal(let signal) = end {
            // A scheduler may send its signal to the run before the study has passed it on.
            return Self.ending(by: signal, isAsked: isAsked || RunQueue.request != nil, log: "logs/\(run.name).txt")
        }
        return .failed(code, sentence ?? "its process ended with code \(code)")
    }

    /// What the end of a process by a signal means. A run that was asked to leave and had no handler any more, or not yet, has
    /// stopped as it should.
    static func ending(by signal: Int32, isAsked: Bool, log: String) -> End {
        let reasons: [Int32: StopReason] = [SIGTERM: .terminated, SIGINT: .interrupted, SIGUSR1: .preempted]
        if isAsked, let reason = reasons[signal] { return .stopped(reason.exitCode) }
        if signal == SIGKILL {
            return .failed(128 + signal, "its process was ended by signal \(signal) (Killed), as when memory is short")
        }
        let name = unsafe strsignal(signal).map { unsafe String(cString: $0) } ?? "unknown"
        return .failed(128 + signal, "its process was ended by signal \(signal) (\(name)); see \(log)")
    }

    /// The last sentence of the program in what the process printed.
    private func lastSentence() -> String? {
        guard let file = FileHandle(forReadingAtPath: directory.log(run)) else { return nil }
        let end = (try? file.seekToEnd()) ?? 0
        try? file.seek(toOffset: max(logBegin, end > 8192 ? end - 8192 : 0))
        let text = String(decoding: (try? file.readToEnd()) ?? Data(), as: UTF8.self)
        let mark = "unolora-dist: "
        return text.split(separator: "\n").last { $0.hasPrefix(mark) }.map { String($0.dropFirst(mark.count)) }
    }
}
