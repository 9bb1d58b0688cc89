import Failures
import Foundation
import Runs
import Tensors
import Text
import Training

/// What only rank 0 does: it reads the lines, writes the answers and shows the progress.
struct PredictFront {
    private let input: InputLines
    /// Where the answers go; nil for standard output.
    private let file: AnswerFile?
    private let output: String?
    /// Digest of the whole input, for a file of answers.
    private let whole: ContentDigest?
    private let earlier: Int
    private let earlierBad: Int
    private var bad = 0
    private var lines = 0
    private var progress: PredictProgress

    /// Opens input and output, and goes to the first line that is not answered.
    init(_ opened: OpenedRun, _ request: PredictCommand.Request) throws(Failure) {
        let input = try InputLines(request.input)
        self.input = input
        output = request.output
        let standardOutputIsTerminal = request.output == nil && isatty(STDOUT_FILENO) == 1
        progress = PredictProgress(
            size: input.size, isTerminal: isatty(STDERR_FILENO) == 1 && !standardOutputIsTerminal)
        guard let output = request.output else {
            (file, whole, earlier, earlierBad) = (nil, nil, 0, 0)
            return
        }
        let whole = input.isStream ? nil : try input.wholeDigest()
        self.whole = whole
        let model = opened.base.identity(data: "", sources: nil)
        let identity = AnswerState.Identity(
            checkpoint: unsafe ContentDigest(of: UnsafeRawBufferPointer(opened.model.weights.elements)),
            model: model.backbone, vocabulary: opened.base.vocabulary.digest.hexadecimal,
            settings: model.configuration, task: request.task, scores: request.scores,
            input: whole.flatMap { digest in input.size.map { AnswerState.Input(bytes: $0, digest: digest) } })
        let fresh = AnswerState(
            identity, libraries: opened.base.libraries, answered: input.digest)
        let file = try AnswerFile(output, fresh, resumes: request.resumes) { Terminal.complain($0) }
        self.file = file
        (earlier, earlierBad) = (file.lines, file.bad)
        if !file.wasFinished {
            file.expect(in: input)
            try input.skip(earlier)
        }
    }

    /// The next lines; none when all are answered.
    func next(lines: Int, bytes: Int) throws(Failure) -> LineGroup {
        file?.wasFinished == true ? LineGroup(first: 1) : try input.next(lines: lines, bytes: bytes)
    }

    /// Writes the answers of a group, which all ranks have made.
    mutating func write(_ parts: [LineAnswers.Part], of group: LineGroup) throws(Failure) {
        let bad = parts.reduce(0) { $0 + $1.bad }
        let bytes = parts.flatMap(\.bytes)
        if let file {
            try file.append(bytes, lines: group.count, bad: bad) { input.digest }
        } else {
            try Terminal.print(String(decoding: bytes.dropLast(), as: UTF8.self))
        }
        lines += group.count
        self.bad += bad
        progress.show(lines: lines, bad: self.bad + earlierBad, consumed: input.consumed)
    }

    /// Says how many lines there were; returns the exit code.
    mutating func finish() throws(Failure) -> Int32 {
        let code = bad + earlierBad > 0 ? ExitCode.badData.rawValue : 0
        if let file, let output {
            if file.wasFinished {
                let remark =
                    earlierBad > 0
                    ? ": " + PredictProgress.sentence(bad: earlierBad, of: earlier, output: output) : ""
                let unread = input.isStream ? "; \(input.name) was not read again" : ""
                Terminal.complain("\(output) has the answers to all \(earlier) lines already" + remark + unread)
                return code
            }
            if let whole, whole != input.digest {
                throw Failure(.badData, "\(input.name) changed while it was read; answer it anew with another --output")
            }
            try file.finish(answered: input.digest)
        }
        progress.finish(lines: lines, bad: bad + earlierBad, earlier: earlier, output: output)
        return code
    }
}
