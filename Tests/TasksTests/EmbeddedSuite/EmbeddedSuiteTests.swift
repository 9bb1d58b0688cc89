import Failures
import Foundation
import TestSupport
import Testing

@testable import Tasks

@Suite struct EmbeddedSuiteTests {
    private func bytes(seed: UInt64) throws -> [String: Data] {
        let directory = try TemporaryDirectory()
        try EmbeddedSuite.write(to: directory.path, seed: seed)
        var files: [String: Data] = [:]
        for task in EmbeddedTask.allCases {
            for split in EmbeddedTask.splits {
                let path = EmbeddedSuite.path(of: task, split, in: directory.path)
                files["\(task).\(split)"] = try Data(contentsOf: URL(fileURLWithPath: path))
            }
        }
        return files
    }

    @Test func `the files are a pure function of the seed`() throws {
        let files = try bytes(seed: 3)
        #expect(try bytes(seed: 3) == files)
        let others = try bytes(seed: 4)
        for (name, content) in files { #expect(others[name] != content, "\(name)") }
    }

    @Test func `the bytes of a seed stay what they are`() throws {
        // FNV-1a over all files; recorded results depend on these rows, so any change here must be intended.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for (_, content) in try bytes(seed: 1).sorted(by: { $0.key < $1.key }) {
            for byte in content { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        }
        #expect(String(hash, radix: 16) == "94b4ad96da7c03fd")
    }

    @Test(arguments: EmbeddedTask.allCases)
    func `every written row reads back as it was generated`(task: EmbeddedTask) throws {
        let directory = try TemporaryDirectory()
        try EmbeddedSuite.write(to: directory.path, seed: 2)
        // Writing again replaces the files.
        try EmbeddedSuite.write(to: directory.path, seed: 1)
        let definitions = try EmbeddedSuite.definitions(directory: directory.path)
        #expect(definitions.map(\.name) == EmbeddedTask.allCases.map(\.rawValue))
        let definition = try #require(definitions.first { $0.name == task.rawValue })
        let examples = try TaskExamples(definition)
        #expect(examples.report.files.map { $0.badRows + $0.incompleteRows + $0.ignoredRows }.reduce(0, +) == 0)
        let rows = EmbeddedSuite.rows(of: task, seed: 1)
        for split in EmbeddedTask.splits {
            #expect(examples.count(split) == task.count(split))
            for (index, row) in (rows[split] ?? []).enumerated().prefix(200) {
                let example = try examples.example(split, index)
                let texts = zip(task.fields, row.texts).map { "\($0): \($1)" }.joined(separator: " ")
                #expect(example.source == "\(task.rawValue) \(texts)")
                #expect(example.gold == task.gold(of: row))
            }
        }
        let shared = examples.report.splits.flatMap(\.equalText).map(\.examples)
        #expect(shared.allSatisfy { $0 == 0 })
    }

    @Test func `training sets are unequal and tests have at least 400 rows`() {
        let counts = EmbeddedTask.allCases.map { $0.count(.train) }
        #expect(counts.max()! >= 20 * counts.min()!)
        #expect(Set(counts).count == counts.count)
        for task in EmbeddedTask.allCases {
            #expect(task.count(.test) >= 400)
            #expect(task.count(.validation) >= 200)
            let rows = EmbeddedSuite.rows(of: task, seed: 1)
            for split in EmbeddedTask.splits { #expect(rows[split]?.count == task.count(split)) }
        }
    }

    @Test(arguments: EmbeddedTask.allCases, [1, 2] as [UInt64])
    func `no text occurs twice in a task`(task: EmbeddedTask, seed: UInt64) {
        let rows = EmbeddedSuite.rows(of: task, seed: seed).values.flatMap { $0 }
        #expect(Set(rows.map(\.texts)).count == rows.count)
    }

    @Test(arguments: EmbeddedTask.allCases)
    func `answers are in the space and balanced in every split`(task: EmbeddedTask) throws {
        let rows = EmbeddedSuite.rows(of: task, seed: 1)
        for split in EmbeddedTask.splits {
            let gold = (rows[split] ?? []).map(task.gold(of:))
            var counts: [Int: Int] = [:]
            for answer in gold {
                if case .score(let score) = answer { #expect((0...5).contains(score)) }
                counts[task.answerSpace.targetIndex(of: answer), default: 0] += 1
            }
            let shares = (0..<task.answerSpace.targetCount).map { Double(counts[$0] ?? 0) / Double(gold.count) }
            #expect(counts.values.reduce(0, +) == gold.count)
            switch task {
            case .acceptability, .sentiment: #expect(shares == [0.5, 0.5])
            // There are more paraphrases than others, so the constant answer is the one that F1 rewards.
            case .paraphrase: #expect(shares == [0.45, 0.55])
            case .entailment: #expect(shares == [Double](repeating: 1.0 / 3, count: 3))
            case .similarity: #expect(shares.allSatisfy { (0.08...0.25).contains($0) }, "\(shares)")
            }
        }
    }

    @Test func `similarity scores are the shared words' weights`() throws {
        let weights = [0.8, 1.2, 1.2, 1.0, 0.8]
        for row in EmbeddedSuite.rows(of: .similarity, seed: 1)[.test] ?? [] {
            let slots = row.texts.map { text in
                let words = text.split(separator: " ").map(String.init)
                return [1, 2, 3, 5, 8].map { words[$0] }
            }
            var score = 0.0
            for slot in weights.indices where slots[0][slot] == slots[1][slot] { score += weights[slot] }
            let written = try #require(Double(row.answer))
            #expect(abs(score - written) < 1e-9, "\(row)")
        }
    }

    @Test func `sentences are short and the vocabulary is small`() {
        var words = Set<Substring>()
        for task in EmbeddedTask.allCases {
            for row in EmbeddedSuite.rows(of: task, seed: 1).values.flatMap({ $0 }) {
                for text in row.texts {
                    let tokens = text.split(separator: " ")
                    #expect((3...14).contains(tokens.count), "\(text)")
                    words.formUnion(tokens)
                }
            }
        }
        #expect((200...400).contains(words.count), "\(words.count) words")
        let corpus = EmbeddedSuite.corpus(seed: 1)
        let trained = Set(corpus.flatMap { $0.split(separator: " ") })
        #expect(words.isSubset(of: trained))
        #expect(trained.isSuperset(of: ["0", "1", "2", "3", "4", "5", "acceptability", "sentence1:", "hypothesis:"]))
        #expect(corpus.count == EmbeddedTask.allCases.map { $0.count(.train) }.reduce(0, +))
    }

    @Test func `a directory that cannot be written is refused`() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("taken", "a file")
        #expect {
            try EmbeddedSuite.write(to: file, seed: 1)
        } throws: {
            guard let failure = $0 as? Failure else { return false }
            return failure.code == .cannotWrite && failure.message.contains(file)
        }
    }
}
