import OrderedCollections

extension RunConfiguration {
    /// The tasks in order; a task's position is its id.
    public var tasks: [TaskEntry] {
        guard case .list(let items)? = values["tasks"] else { return [] }
        return items.compactMap { item in
            switch item {
            case .text(let name): TaskReading.glue.contains(name) ? .glue(name) : .superglue(name)
            case .mapping(let parts): .custom(customTask(parts))
            default: nil
            }
        }
    }

    private func customTask(_ parts: Value.Mapping) -> CustomTask {
        func text(_ key: String) -> String? {
            if case .text(let value)? = parts[key] { return value }
            return nil
        }
        var labels: [(label: String, answer: String)] = []
        if case .mapping(let answers)? = parts["labels"] {
            labels = answers.compactMap { label, answer in
                guard case .text(let answer) = answer else { return nil }
                return (label, answer)
            }
        }
        var range: CustomTask.Range?
        if case .list(let numbers)? = parts["range"], case .number(let low) = numbers[0],
            case .number(let high) = numbers[1], case .number(let step) = numbers[2]
        {
            range = CustomTask.Range(minimum: low, maximum: high, step: step)
        }
        var holdOut = 1000
        var holdOutTest: Int?
        switch parts["holdOut"] {
        case .integer(let rows)?: holdOut = rows
        case .mapping(let rows)?:
            if case .integer(let validation)? = rows["validation"] { holdOut = validation }
            if case .integer(let test)? = rows["test"] { holdOutTest = test }
        default: break
        }
        let metrics = texts(parts["metrics"])
        let target = text("target")
        let standard =
            target != nil ? ["exact_match", "token_f1"] : range == nil ? ["accuracy"] : ["pearson", "spearman"]
        return CustomTask(
            name: text("name") ?? "", format: text("format").flatMap(CustomTask.Format.init) ?? .tsv,
            header: parts["header"] != .flag(false), columns: texts(parts["columns"]), train: text("train") ?? "",
            validation: text("validation"), test: text("test"), holdOut: holdOut, holdOutTest: holdOutTest,
            fields: texts(parts["fields"]),
            template: text("template"), label: target ?? text("label") ?? "label", hasFreeText: target != nil,
            group: text("group"), labels: labels, range: range, metrics: metrics.isEmpty ? standard : metrics,
            positive: text("positive"))
    }
}
