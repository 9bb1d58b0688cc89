import Configuration
package import Failures
package import Tasks

extension RunConfiguration {
    /// The definitions of the run's tasks, in order.
    package func definitions() throws(Failure) -> [TaskDefinition] {
        var definitions: [TaskDefinition] = []
        for task in tasks {
            switch task {
            case .glue(let name):
                guard let glue else {
                    throw Failure(.badConfiguration, "task \(name) is GLUE's, so data.glue must name its directory")
                }
                definitions.append(
                    try GLUE.task(name, directory: glue, style: usesLabelWords ? .words : .digits))
            case .custom(let custom):
                definitions.append(try custom.definition())
            }
        }
        return definitions
    }

    /// How files become splits.
    package var readingOptions: ReadingOptions {
        ReadingOptions(
            onBadRow: skipsBadRows ? .skip : .fail, dropDuplicates: dropsDuplicates, splitSeed: splitSeed)
    }
}

extension CustomTask {
    /// The definition with which the task's files are read.
    func definition() throws(Failure) -> TaskDefinition {
        let hasNames = format == .jsonl || header
        func column(_ name: String) throws(Failure) -> Column {
            if hasNames { return .named(name) }
            guard let index = columns.firstIndex(of: name) else {
                throw Failure(
                    .badConfiguration,
                    "task \(self.name): \(name) is none of its columns (\(columns.joined(separator: ", ")))")
            }
            return .index(index)
        }
        var fields: [Field] = []
        for field in self.fields { fields.append(Field(field, column: try column(field))) }
        let answers: AnswerSpace
        var map = LabelMap(entries: [])
        if let range {
            answers = .grades(
                minimum: range.minimum, maximum: range.maximum, step: range.step,
                decimals: AnswerSpace.decimals(minimum: range.minimum, step: range.step))
        } else {
            // No two answers are equal, so each label is its own class.
            map = LabelMap(classes: labels.map(\.label))
            answers = .classes(labels.map(\.answer))
        }
        return try TaskDefinition(
            name: name,
            format: format == .jsonl ? .jsonLines : .tsv(hasHeader: header, columns: header ? nil : columns.count),
            fields: fields,
            label: try column(label), template: template, answers: answers, labels: map,
            metrics: metrics.compactMap(Metric.init), positive: positive,
            splits: SplitDefinition.splits(
                train: [train], validation: validation.map { [$0] } ?? [], test: test.map { [$0] } ?? [],
                holdOut: validation == nil ? holdOut : nil, holdOutTest: holdOutTest))
    }
}
