import Testing

@testable import Tasks

/// How much a single keyword tells about an answer, with the best rule "answer a if the word occurs, otherwise b".
@Suite struct KeywordTests {
    /// The accuracy of the best rule beyond that of the most frequent answer, and the rule's word.
    private func bestKeyword(_ rows: [(text: String, answer: Int)], answers: Int) -> (gain: Double, word: Substring) {
        var totals = [Int](repeating: 0, count: answers)
        var counts: [Substring: [Int]] = [:]
        for row in rows {
            totals[row.answer] += 1
            for word in Set(row.text.split(separator: " ")) {
                counts[word, default: [Int](repeating: 0, count: answers)][row.answer] += 1
            }
        }
        var best = (gain: 0.0, word: Substring())
        for (word, present) in counts {
            let right = present.max()! + zip(totals, present).map { $0 - $1 }.max()!
            let gain = Double(right - totals.max()!) / Double(rows.count)
            if gain > best.gain { best = (gain, word) }
        }
        return best
    }

    /// The training rows with all texts joined, and for each text separately.
    private func views(_ task: EmbeddedTask, seed: UInt64) -> [(view: String, rows: [(text: String, answer: Int)])] {
        let rows = EmbeddedSuite.rows(of: task, seed: seed)[.train] ?? []
        let answers = rows.map { task.answerSpace.targetIndex(of: task.gold(of: $0)) }
        let joined = ("all texts", zip(rows, answers).map { ($0.texts.joined(separator: " "), $1) })
        return [joined]
            + task.fields.indices.map { field in
                (task.fields[field], zip(rows, answers).map { ($0.texts[field], $1) })
            }
    }

    @Test(arguments: EmbeddedTask.allCases.filter { $0 != .sentiment }, [1, 2, 3, 4] as [UInt64])
    func `no keyword beats the most frequent answer by more than 3 points`(task: EmbeddedTask, seed: UInt64) {
        for (view, rows) in views(task, seed: seed) {
            let best = bestKeyword(rows, answers: task.answerSpace.targetCount)
            #expect(best.gain <= 0.03, "\(best.word) in \(view)")
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `no keyword of a similarity pair correlates with its score`(seed: UInt64) {
        let rows = EmbeddedSuite.rows(of: .similarity, seed: seed)[.train] ?? []
        let scores = rows.map { Double($0.answer) ?? 0 }
        let texts = rows.map { Set($0.texts.joined(separator: " ").split(separator: " ")) }
        for word in Set(texts.joined()) {
            let present = texts.map { $0.contains(word) ? 1.0 : 0.0 }
            // A word in a place that agrees occurs once and not twice, so some correlation is unavoidable.
            #expect(abs(Correlation.pearson(present, scores) ?? 0) < 0.16, "\(word)")
        }
    }

    @Test func `the measure finds a keyword where there is one`() {
        // Words of praise and criticism do give the sentiment away; together they tell more than any single one.
        let sentiment = views(.sentiment, seed: 1)[0].rows
        #expect(bestKeyword(sentiment, answers: 2).gain > 0.03)
        let planted = (0..<90).map { (text: $0 % 3 == 0 ? "a key b" : "a b", answer: $0 % 3 == 0 ? 1 : 0) }
        let found = bestKeyword(planted, answers: 2)
        #expect(found.word == "key")
        #expect(abs(found.gain - 1.0 / 3) < 1e-12)
    }
}
