import Failures
import Tensors

extension TaskExamples {
    /// Counts in each split the examples whose text occurs in it more than once, and for every pair of splits the examples of
    /// the later one whose text occurs in the earlier one.
    static func countEqualText(
        _ definition: TaskDefinition, _ files: [IndexedFile], _ rows: [[RowID]], _ report: inout TaskReport
    ) {
        let texts = rows.map { AnsweredTexts(definition.answers, $0.lazy.map { files[$0.file].rows[$0.row] }) }
        for split in rows.indices {
            report.splits[split].repeated = texts[split].repeats(
                rows[split].lazy.map { files[$0.file].rows[$0.row] })
            report.splits[split].equalText = (0..<split).map { earlier in
                var equal = TaskReport.EqualText(with: report.splits[earlier].name)
                for id in rows[split] { _ = texts[earlier].count(files[id.file].rows[id.row], in: &equal) }
                return equal
            }
        }
    }

    /// Removes training rows whose text occurs in another split; throws `badData` when none are left.
    static func dropDuplicates(
        _ definition: TaskDefinition, _ files: [IndexedFile], _ rows: inout [[RowID]], _ report: inout TaskReport
    ) throws(Failure) {
        guard let training = definition.splits.firstIndex(where: { $0.name == .train }) else { return }
        let others = rows.indices.filter { $0 != training }
        let texts = others.map { split in
            AnsweredTexts(definition.answers, rows[split].lazy.map { files[$0.file].rows[$0.row] })
        }
        var dropped = others.map { TaskReport.EqualText(with: report.splits[$0].name) }
        let before = rows[training].count
        var first: String?
        rows[training].removeAll { id in
            let row = files[id.file].rows[id.row]
            var isElsewhere = false
            for other in others.indices where texts[other].count(row, in: &dropped[other]) { isElsewhere = true }
            if isElsewhere, first == nil { first = "\(files[id.file].report.name.shown):\(row.position.line)" }
            return isElsewhere
        }
        report.droppedDuplicates = before - rows[training].count
        report.dropped = dropped
        report.firstDropped = first
        report.splits[training].examples = rows[training].count
        guard !rows[training].isEmpty else {
            throw Failure(
                .badData,
                "task \"\(definition.name.shown)\": every training text occurs in another split, so dropping duplicates "
                    + "leaves no training examples; give it other files")
        }
    }
}

/// The texts of some rows, each with the answer that the model is to give, or the fact that rows have different ones.
private struct AnsweredTexts {
    private static let several: Int64 = -1
    private var answers: [ContentDigest: Int64] = [:]
    private var holdsSeveral = false
    private let space: AnswerSpace

    init(_ space: AnswerSpace, _ rows: some Collection<IndexedFile.Row>) {
        self.space = space
        answers.reserveCapacity(rows.count)
        for row in rows {
            let answer = answer(row)
            if let known = answers.updateValue(answer, forKey: row.text), known != answer {
                answers[row.text] = Self.several
                holdsSeveral = true
            }
        }
    }

    /// Grades that become the same target are the same answer.
    private func answer(_ row: IndexedFile.Row) -> Int64 {
        switch row.answer {
        case .label(let label): Int64(label)
        case .score(let score): Int64(space.targetIndex(of: .score(score)))
        case .text(let digest): Int64(digest.words[0] >> 1)
        }
    }

    /// The repeats among `rows`, which are those of `init`.
    func repeats(_ rows: some Collection<IndexedFile.Row>) -> TaskReport.Repeats {
        TaskReport.Repeats(
            examples: rows.count - answers.count,
            otherAnswer: holdsSeveral ? rows.count { answers[$0.text] == Self.several } : 0)
    }

    /// Counts a row of another split in `equal` if its text is here; returns whether it is.
    func count(_ row: IndexedFile.Row, in equal: inout TaskReport.EqualText) -> Bool {
        guard let known = answers[row.text] else { return false }
        equal.examples += 1
        if known != answer(row) { equal.otherAnswer += 1 }
        return true
    }
}
