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
                    try GLUE.task(
                        name, directory: glue, style: usesLabelWords ? .words : .digits, splits: glueSplits.ofTasks))
            case .superglue(let name):
                guard let superglue else {
                    throw Failure(
                        .badConfiguration, "task \(name) is SuperGLUE's, so data.superglue must name its directory")
                }
                definitions.append(
                    try SuperGLUE.task(
                        name, directory: superglue, style: usesLabelWords ? .words : .digits, splits: glueSplits.ofTasks
                    ))
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

extension GLUESplitsChoice {
    fileprivate var ofTasks: SplitRule {
        switch self {
        case .paper: .paper
        case .dev: .dev
        }
    }
}

extension CustomTask {
    private var tableFormat: TableFormat {
        let count = header ? nil : columns.count
        return switch format {
        case .tsv: .tsv(hasHeader: header, columns: count)
        case .csv: .csv(hasHeader: header, columns: count)
        case .jsonl: .jsonLines
        }
    }

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
        if hasFreeText {
            answers = .texts
        } else if let range {
            answers = .grades(
                minimum: range.minimum, maximum: range.maximum, step: range.step,
                decimals: AnswerSpace.decimals(minimum: range.minimum, step: range.step))
        } else {
            // No two answers are equal, so each label is its own class.
            map = LabelMap(classes: labels.map(\.label))
            answers = .classes(labels.map(\.answer))
        }
        return try TaskDefinition(
            name: name, format: tableFormat, fields: fields,
            label: try column(label), group: try group.map(column), template: template, answers: answers, labels: map,
            metrics: metrics.compactMap(Metric.init), positive: positive,
            splits: SplitDefinition.splits(
                train: [train], validation: validation.map { [$0] } ?? [], test: test.map { [$0] } ?? [],
                holdOut: validation == nil ? holdOut : nil, holdOutTest: holdOutTest))
    }
}
