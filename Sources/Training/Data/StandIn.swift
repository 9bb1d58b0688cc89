package import Configuration
package import Failures
package import Tasks
import Tensors

/// Files that are evaluated in the place of one of the run's tasks.
package struct StandIn: Sendable {
    /// How the files are read and measured.
    package let definition: TaskDefinition
    /// The number of the run's task whose place it takes.
    package let task: Int
    /// That task's name.
    package let stands: String
    /// What is not as in the training, apart from the files; each is a part of a sentence.
    package let changes: [String]

    /// Whether the run was not trained on such a task.
    package var isOther: Bool { definition.name != stands }
}

extension StandInTask {
    /// The entry with all that it does not say taken from the run's task. Throws `badConfiguration` for an entry that does not fit.
    package func standIn(among trained: [TaskDefinition]) throws(Failure) -> StandIn {
        guard let number = trained.firstIndex(where: { $0.name == stands }) else {
            throw refusal("the run has no task \(stands)")
        }
        let task = trained[number]
        let format = try format(like: task)
        let fields = try fields(of: task, format)
        let column = try place(
            label.map { [$0] } ?? Self.names(task.label, or: "label"), task.label, label != nil, format)
        let (answers, map) = try answers(of: task)
        let measured = metrics.isEmpty ? task.metrics : metrics.compactMap(Metric.init)
        // Groups decide nothing else of an evaluation on all examples, and other files need not have them.
        let group =
            measured.contains(.groupExactMatch)
            ? try task.group.map { column throws(Failure) in
                try place(Self.names(column, or: "group"), column, false, format)
            } : nil
        let splits = [(SplitName.validation, validation), (.test, test)].compactMap { name, file in
            file.map { SplitDefinition(name, .files([$0])) }
        }
        let definition = try TaskDefinition(
            name: name, format: format, fields: fields, label: column, group: group,
            template: template ?? task.template.pattern,
            answers: answers, labels: map, metrics: measured,
            positive: measured.contains(.f1) ? positive ?? positiveLabel(of: task, answers, map) : positive,
            splits: splits, leavesOutIncompleteRows: task.leavesOutIncompleteRows, isTrained: false)
        return StandIn(definition: definition, task: number, stands: stands, changes: changes(definition, from: task))
    }

    private func refusal(_ sentence: String) -> Failure {
        Failure(.badConfiguration, "\(place): task \(name): \(sentence)")
    }

    /// The given format; otherwise the one that the files' names end with, otherwise that of the run's task.
    private func format(like task: TaskDefinition) throws(Failure) -> TableFormat {
        let endings = Set([validation, test].compactMap(\.self).compactMap(Self.ending))
        let named = CustomTask.Format.allCases.filter { endings.contains($0.rawValue) }
        guard named.count < 2 else { throw refusal("its files have two formats; give them as two tasks") }
        let own: (header: Bool, columns: Int?)?
        var standard = CustomTask.Format.jsonl
        switch task.format {
        case .tsv(let header, let columns, _): (own, standard) = ((header, columns), .tsv)
        case .csv(let header, let columns): (own, standard) = ((header, columns), .csv)
        case .jsonLines, .jsonRows: own = nil
        }
        // Only a table has a header, or none.
        let format = format ?? (header != nil && named.first == nil ? .tsv : named.first) ?? standard
        let hasHeader = header ?? own?.header ?? true
        let count = header == nil ? own?.columns : hasHeader ? nil : columns.count
        switch format {
        case .tsv: return .tsv(hasHeader: hasHeader, columns: count, ragged: isRagged ? true : nil)
        case .csv: return .csv(hasHeader: hasHeader, columns: count)
        case .jsonl: if case .jsonRows = task.format { return task.format } else { return .jsonLines }
        }
    }

    /// What a file's name ends with, `.gz` aside.
    private static func ending(_ path: String) -> String? {
        let parts = path.split(separator: ".")
        return (parts.last == "gz" ? parts.dropLast() : parts[...]).last.map(String.init)
    }

    /// The names under which a column of the run's files may be found in other files.
    private static func names(_ column: Column, or name: String) -> [String] {
        if case .named(let own) = column { own == name ? [own] : [own, name] } else { [name] }
    }

    /// Where a column of the run's files is in these files: the first of the names that their columns have. `isGiven` says that
    /// the entry names it.
    private func place(
        _ names: [String], _ column: Column, _ isGiven: Bool, _ format: TableFormat
    ) throws(Failure) -> Column {
        if !columns.isEmpty {
            guard let index = names.lazy.compactMap(columns.firstIndex).first else {
                throw refusal(
                    "\(names.joined(separator: " or ")) is none of the columns \(columns.joined(separator: ", "))")
            }
            return .index(index)
        }
        switch (format, column) {
        case (.tsv(hasHeader: false, _, _), _) where isGiven, (.csv(hasHeader: false, _), _) where isGiven:
            throw refusal(
                "the files have no header, as those of \(stands); add header: false and columns to name their columns")
        case (.tsv(hasHeader: false, _, _), .index), (.csv(hasHeader: false, _), .index): return column
        case (.tsv(hasHeader: false, _, _), .named), (.csv(hasHeader: false, _), .named):
            throw refusal("the files have no header; add columns to name their columns")
        default: return .named(names[0])
        }
    }

    private func fields(of task: TaskDefinition, _ format: TableFormat) throws(Failure) -> [Field] {
        if template != nil, !fields.isEmpty {
            return try fields.map { name throws(Failure) in
                Field(name, column: try place([name], .named(name), true, format))
            }
        }
        let own = task.fields.map(\.name)
        if let unknown = columnOfField.keys.sorted().first(where: { !own.contains($0) }) {
            throw refusal("fields names \(unknown), and the fields of \(stands) are \(own.joined(separator: ", "))")
        }
        guard fields.isEmpty || fields.count == own.count else {
            throw refusal(
                "fields must have a column for each field of \(stands), in the order \(own.joined(separator: ", ")); or give a "
                    + "template, too")
        }
        // A list of the fields' own names means each by its name, in whatever order.
        let isByName = Set(fields) == Set(own)
        return try zip(task.fields, own.indices).map { field, index throws(Failure) in
            let given = columnOfField[field.name] ?? (fields.isEmpty ? nil : isByName ? field.name : fields[index])
            let names = given.map { [$0] } ?? Self.names(field.column, or: field.name)
            return Field(field.name, column: try place(names, field.column, given != nil, format))
        }
    }

    /// The answers that are expected, and what the labels of the files mean.
    private func answers(of task: TaskDefinition) throws(Failure) -> (AnswerSpace, LabelMap) {
        guard !labels.isEmpty else { return (task.answers, task.labels) }
        guard case .classes(let texts) = task.answers else {
            throw refusal(
                "\(stands) has no labels but \(task.answers == .texts ? "free text" : "scores"); remove labels")
        }
        var asked: [String] = []
        for label in labels where !asked.contains(label.answer) { asked.append(label.answer) }
        let other = asked.first { !texts.contains($0) }
        if let other, !isOther {
            throw refusal(
                "\(other.shown) is none of the answers that the run was trained to give (\(texts.map(\.shown).joined(separator: ", "))); "
                    + "map the labels to these, or give the task another name, with as: \(stands)")
        }
        let space = other == nil ? texts : asked
        let entries = labels.compactMap { label in
            space.firstIndex(of: label.answer).map { LabelMap.Entry(label: label.label, index: $0) }
        }
        let ignored = task.labels.ignored.filter { ignored in !labels.contains { $0.label == ignored } }
        return (.classes(space), LabelMap(entries: entries, ignored: ignored))
    }

    /// The files' label of the class for which the run's F1 is computed, so that it is of the same answer here.
    private func positiveLabel(of task: TaskDefinition, _ answers: AnswerSpace, _ map: LabelMap) -> String? {
        guard !labels.isEmpty else { return task.positive }
        guard answers == task.answers, let index = task.positiveClass?.index else { return nil }
        return map.entries.first { $0.index == index }?.label
    }

    private func changes(_ definition: TaskDefinition, from task: TaskDefinition) -> [String] {
        var changes = isOther ? ["task \(name) is answered as \(stands), and the run was not trained on it"] : []
        func add(_ key: String, _ was: String, _ now: String) {
            if was != now { changes.append("task \(name): \(key) was \(was) and is \(now)") }
        }
        func list(_ map: LabelMap, _ answers: AnswerSpace) -> String {
            guard case .classes(let texts) = answers else { return "" }
            return "{" + map.entries.map { "\($0.label.shown): \(texts[$0.index].shown)" }.joined(separator: ", ") + "}"
        }
        add("template", task.template.pattern.shown, definition.template.pattern.shown)
        add("labels", list(task.labels, task.answers), list(definition.labels, definition.answers))
        func names(_ metrics: [Metric]) -> String { metrics.map(\.rawValue).joined(separator: ", ") }
        add("metrics", names(task.metrics), names(definition.metrics))
        return changes
    }
}
