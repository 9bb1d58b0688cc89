import Failures
import Tensors

extension TaskExamples {
    /// Counts, for every pair of splits, the examples of the later split whose text occurs in the earlier one.
    static func countEqualText(_ files: [IndexedFile], _ rows: [[RowID]], _ report: inout TaskReport) {
        for later in rows.indices.dropFirst() {
            let texts = Set(rows[later].lazy.map { files[$0.file].rows[$0.row].text })
            for earlier in 0..<later {
                // The set holds the texts of the later split, which is small when the earlier one is training.
                let common = Set(rows[earlier].lazy.map { files[$0.file].rows[$0.row].text }.filter(texts.contains))
                if common.isEmpty { continue }
                let count = rows[later].count { common.contains(files[$0.file].rows[$0.row].text) }
                report.splits[later].equalText.append(
                    TaskReport.EqualText(with: report.splits[earlier].name, examples: count))
            }
        }
    }

    /// Removes training rows whose text occurs in another split; throws `badData` when none are left.
    static func dropDuplicates(
        _ definition: TaskDefinition, _ files: [IndexedFile], _ rows: inout [[RowID]], _ report: inout TaskReport
    ) throws(Failure) {
        guard let training = definition.splits.firstIndex(where: { $0.name == .train }) else { return }
        var elsewhere: Set<ContentDigest> = []
        for split in rows.indices where split != training {
            for id in rows[split] { elsewhere.insert(files[id.file].rows[id.row].text) }
        }
        let before = rows[training].count
        rows[training].removeAll { elsewhere.contains(files[$0.file].rows[$0.row].text) }
        report.droppedDuplicates = before - rows[training].count
        report.splits[training].examples = rows[training].count
        guard !rows[training].isEmpty else {
            throw Failure(
                .badData,
                "task \"\(definition.name.shown)\": every training text occurs in another split, so dropping duplicates "
                    + "leaves no training examples; give it other files")
        }
    }
}
