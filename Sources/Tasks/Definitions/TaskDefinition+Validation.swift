import Failures
import Tensors

extension TaskDefinition {
    /// Checks everything that can be wrong in a definition without reading files.
    func validate(isTrained: Bool) throws(Failure) {
        try check(isName(name), "a task's name is letters, digits, \"_\", \"-\" and \".\"; rename it")
        try validateFields()
        switch answers {
        case .classes(let classes): try validate(classes)
        case .grades(let minimum, let maximum, let step, let decimals):
            try validate(minimum, maximum, step, decimals)
        case .texts: try check(labels.entries.isEmpty, "it has both labels and free text; choose one")
        }
        let applicable = Metric.names(for: answers)
        try check(!metrics.isEmpty, "it has no metrics; name one of \(applicable)")
        for metric in metrics {
            try check(
                metric.applies(to: answers),
                "the metric \(metric.rawValue) does not apply to its answers; use \(applicable)")
        }
        try check(Set(metrics).count == metrics.count, "a metric is named twice; name each once")
        try check(
            group != nil || !metrics.contains(.groupExactMatch),
            "the metric group_exact_match needs to know which rows belong together; name the column with group")
        if let positive {
            try check(
                metrics.contains(.f1),
                "its positive label \"\(positive.shown)\" is for f1, which is none of its metrics")
            try check(
                labels.entries.contains { $0.label == positive },
                "its positive label \"\(positive.shown)\" is none of its labels; use \(labels.allowed)")
        }
        try validateSplits(isTrained: isTrained)
    }

    private func check(_ holds: Bool, _ message: @autoclosure () -> String) throws(Failure) {
        if !holds { throw Failure(.badConfiguration, message()) }
    }

    private func isName(_ text: String) -> Bool {
        !text.isEmpty
            && text.unicodeScalars.allSatisfy { scalar in
                scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "_-.".unicodeScalars.contains(scalar)
            }
    }

    private func validateFields() throws(Failure) {
        try check(Set(fields.map(\.name)).count == fields.count, "two fields have the same name; rename one")
        for column in fields.map(\.column) + [label] + [group].compactMap(\.self) {
            switch (format, column) {
            case (_, .index(let index)) where index < 0:
                throw Failure(.badConfiguration, "column \(index) does not exist; columns are counted from 0")
            case (.tsv(_, let count?, _), .index(let index)) where index >= count,
                (.csv(_, let count?), .index(let index)) where index >= count:
                throw Failure(.badConfiguration, "there is no column \(index), only 0 to \(count - 1)")
            case (.jsonLines, .index(let index)), (.jsonRows, .index(let index)):
                throw Failure(.badConfiguration, "a JSON object has no column \(index); name its key")
            case (.tsv(hasHeader: false, _, _), .named(let name)), (.csv(hasHeader: false, _), .named(let name)):
                throw Failure(
                    .badConfiguration,
                    "column \"\(name.shown)\" cannot be found in files without a header; give its number, from 0")
            default: break
            }
        }
    }

    private func validate(_ classes: [String]) throws(Failure) {
        try check(classes.count >= 2, "it has \(classes.count) classes, and a task needs 2 or more")
        try check(Set(classes).count == classes.count, "two classes have the same answer text; give each its own")
        for text in classes {
            try check(
                !text.isEmpty && text.first?.isWhitespace == false && text.last?.isWhitespace == false,
                "the answer \"\(text.shown)\" is empty or has white space around it; take that away")
        }
        var seen: Set<String> = []
        for entry in labels.entries {
            try check(
                classes.indices.contains(entry.index),
                "the label \"\(entry.label.shown)\" means class \(entry.index), but there are \(classes.count)")
            try check(
                seen.insert(entry.label).inserted, "the label \"\(entry.label.shown)\" is given twice; give it once")
        }
        for index in classes.indices {
            try check(
                labels.name(of: index) != nil,
                "no label of the files means the answer \"\(classes[index].shown)\"; add one to its labels")
        }
        for label in labels.ignored {
            try check(
                !seen.contains(label), "the label \"\(label.shown)\" is both mapped and ignored; choose one")
        }
    }

    private func validate(
        _ minimum: Double, _ maximum: Double, _ step: Double, _ decimals: Int
    ) throws(Failure) {
        try check(labels.entries.isEmpty, "it has both labels and grades; choose one")
        try check(
            minimum.isFinite && maximum.isFinite && step.isFinite && minimum < maximum && step > 0
                && step <= maximum - minimum && (0...6).contains(decimals),
            "grades from \(minimum) to \(maximum) in steps of \(step) with \(decimals) decimals are impossible; "
                + "use minimum < maximum, a step above 0 that fits between them, and 0 to 6 decimals")
        try check(
            (maximum - minimum) / step <= 10_000, "a step of \(step) makes more than 10,000 grades; use a larger one")
        let texts = (0..<answers.targetCount).map(answers.targetText)
        try check(
            Set(texts).count == texts.count,
            "\(decimals) decimals do not tell grades of a step of \(step) apart; use more decimals")
    }

    private func validateSplits(isTrained: Bool) throws(Failure) {
        try check(Set(splits.map(\.name)).count == splits.count, "two splits have the same name; rename one")
        if isTrained {
            guard case .files(let training)? = split(.train)?.source, !training.isEmpty else {
                throw Failure(.badConfiguration, "it has no training file; give one")
            }
        }
        for split in splits {
            try check(isName(split.name.rawValue), "\"\(split.name.rawValue.shown)\" is no name for a split; rename it")
            if case .heldOutOfTraining(let count) = split.source {
                try check(count >= 1, "\(count) rows cannot be held out of training; use 1 or more")
            } else {
                let paths = split.source.paths
                try check(!paths.isEmpty, "its split \(split.name) has no file; give one")
                let twice = paths.first { path in paths.count { $0 == path } > 1 }
                try check(
                    twice == nil, "its split \(split.name) names the file \((twice ?? "").shown) twice; name it once")
            }
        }
    }
}
