import Failures

extension EmbeddedTask {
    /// The definition for reading the files that `EmbeddedSuite.write` puts into a directory.
    func definition(directory: String) throws(Failure) -> TaskDefinition {
        try TaskDefinition(
            name: rawValue, format: format, fields: fields.map { Field($0, column: column($0)) },
            label: column(labelColumn), answers: answerSpace, labels: LabelMap(classes: fileLabels), metrics: metrics,
            splits: EmbeddedTask.splits.map {
                SplitDefinition($0, .files([EmbeddedSuite.path(of: self, $0, in: directory)]))
            })
    }

    /// The gold answer of a row.
    func gold(of row: SuiteRow) -> GoldAnswer {
        if let label = fileLabels.firstIndex(of: row.answer) { return .label(label) }
        return .score(Double(row.answer) ?? .nan)
    }

    /// The text of a file with these rows.
    func fileContent(_ rows: [SuiteRow], split: SplitName) -> String {
        var lines = rows.enumerated().map { line(number: $0, row: $1, split: split) }
        if format == .tsv(hasHeader: true) { lines.insert(columns.joined(separator: "\t"), at: 0) }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A column by its name, or by its position in files without a header.
    private func column(_ name: String) -> Column {
        guard format == .tsv(hasHeader: false), let index = columns.firstIndex(of: name) else { return .named(name) }
        return .index(index)
    }

    private func line(number: Int, row: SuiteRow, split: SplitName) -> String {
        let cells = columns.map { column -> String in
            if column == labelColumn { return row.answer }
            if let field = fields.firstIndex(of: column) { return row.texts[field] }
            // CoLA's third column marks unacceptable sentences with a star.
            if column == "mark" { return row.answer == "0" ? "*" : "" }
            return "\(split.rawValue)-\(number)"
        }
        guard format == .jsonLines else { return cells.joined(separator: "\t") }
        // The values contain only words, digits and hyphens: nothing that JSON would escape.
        return "{" + zip(columns, cells).map { "\"\($0)\": \"\($1)\"" }.joined(separator: ", ") + "}"
    }
}
