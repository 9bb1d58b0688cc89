import Failures
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Commands

@Suite struct AnswerFileTests {
    private let directory: TemporaryDirectory
    private var path: String { directory.file("answers") }

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// Answers to five lines, the third of which could not be answered.
    private static let answers = (1...5).map { number in
        Array((number == 3 ? #"{"error":"é","line":3}"# : #"{"answer":"é \" x","id":"line","line":\#(number)}"#).utf8)
            + [0x0A]
    }

    private static let whole = answers.flatMap(\.self)

    private static func digest(_ text: String) -> ContentDigest { ContentDigest(of: text) }

    private static func fresh(task: String? = "a") -> AnswerState {
        AnswerState(
            AnswerState.Identity(
                checkpoint: digest("checkpoint"), model: "model", vocabulary: "vocabulary",
                settings: "data.maxSource: 9\n",
                task: task, scores: true, input: nil),
            libraries: ["blas": "1"], answered: digest(""))
    }

    private func open(resumes: Bool = true, _ fresh: AnswerState = fresh()) throws -> AnswerFile {
        try AnswerFile(path, fresh, resumes: resumes) { Issue.record("an unexpected remark: \($0)") }
    }

    private func content() throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

    /// Appends the answers that the file does not have.
    private func complete(_ file: AnswerFile) throws {
        for number in file.lines..<Self.answers.count {
            try file.append(Self.answers[number], lines: 1, bad: number == 2 ? 1 : 0) { Self.digest("never") }
        }
    }

    @Test func `after a cut at any byte the file is continued to the same bytes`() throws {
        for length in 0...Self.whole.count {
            try? FileManager.default.removeItem(atPath: path)
            do { try complete(try open(resumes: false)) }
            #expect(try content() == Self.whole)
            #expect(truncate(path, length) == 0)
            let file = try open()
            let lines = Self.whole[..<length].count { $0 == 0x0A }
            #expect(file.lines == lines && file.bad == (lines > 2 ? 1 : 0) && !file.wasFinished)
            try complete(file)
            #expect(file.bad == 1)
            #expect(try content() == Self.whole)
        }
    }

    @Test func `what a loss of power leaves behind the durable lines is cut`() throws {
        for tail in ["\0\0\0\0", "\0\0\n\0", #"{"answer":"x","line":9}"# + "\n", "{\"line\":4", "{}\n"] {
            try? FileManager.default.removeItem(atPath: path)
            do {
                let file = try open(resumes: false)
                for number in 0..<3 { try file.append(Self.answers[number], lines: 1, bad: 0) { Self.digest("") } }
                try file.append(Array(tail.utf8), lines: 0, bad: 0) { Self.digest("") }
            }
            let again = try open()
            #expect(again.lines == 3)
            try complete(again)
            #expect(try content() == Self.whole)
        }
    }

    @Test func `durable lines that were changed are refused, and missing ones answered again`() throws {
        do {
            let file = try open(resumes: false)
            try complete(file)
            try file.finish(answered: Self.digest("input"))
        }
        var changed = Self.whole
        changed[Self.answers[0].count] = 0x7D
        try Data(changed).write(to: URL(fileURLWithPath: path))
        let refusal = #expect(throws: Failure.self) { try open() }
        #expect(refusal?.code == .badData && refusal?.message.contains("line 2 is not the answer") == true)
        #expect(try content() == changed)
        try Data(Self.whole.dropLast()).write(to: URL(fileURLWithPath: path))
        do {
            var remarks: [String] = []
            let again = try AnswerFile(path, Self.fresh(), resumes: true) { remarks.append($0) }
            #expect(again.lines == 4 && !again.wasFinished && remarks.count == 1)
            try complete(again)
            try again.finish(answered: Self.digest("input"))
        }
        try Data(Self.whole).write(to: URL(fileURLWithPath: path))
        #expect(try open().wasFinished)
    }

    @Test func `one that exists, is in use or was begun differently is refused`() throws {
        let file = try open(resumes: false)
        func refusal(_ resumes: Bool, _ fresh: AnswerState = Self.fresh()) -> Failure? {
            #expect(throws: Failure.self) { try open(resumes: resumes, fresh) }
        }
        #expect(refusal(false)?.message.contains("exists already; add --resume") == true)
        #expect(refusal(true)?.message.contains("is being written by another process") == true)
        withExtendedLifetime(file) {}
    }

    @Test func `other libraries are reported`() throws {
        try complete(try open(resumes: false))
        var other = Self.fresh()
        other.libraries["blas"] = "2"
        var remarks: [String] = []
        _ = try AnswerFile(path, other, resumes: true) { remarks.append($0) }
        #expect(remarks == ["note: blas was 1 and is 2: scores may differ from here on"])
    }

    @Test func `each difference is named`() {
        let identity = Self.fresh().identity
        func difference(_ change: (inout AnswerState.Identity) -> Void) -> String? {
            var other = identity
            change(&other)
            return identity.difference(to: other)
        }
        #expect(difference { _ in } == nil)
        #expect(difference { $0.task = nil } == "it was begun with --task a, and now there is no --task")
        #expect(difference { $0.scores = false } == "it was begun with --scores, and now there is none")
        #expect(difference { $0.settings = "data.maxSource: 8\n" } == "data.maxSource was 9 and is 8")
        #expect(difference { $0.model = "" }?.contains("model") == true)
        #expect(difference { $0.vocabulary = "" }?.contains("vocabulary") == true)
        #expect(difference { $0.checkpoint = Self.digest("") }?.contains("checkpoint") == true)
        #expect(
            difference { $0.input = .init(bytes: 1, digest: Self.digest("")) }
                == "its input was a pipe, and now it is a file")
    }
}
