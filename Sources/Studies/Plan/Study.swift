package import Configuration
package import Failures
import Foundation
package import Tasks

/// All runs of a study, each with its checked configuration.
package struct Study {
    package let file: StudyFile
    package let lines: [StudyLine]
    /// The runs, in the order of the lines; but those that begin with the adapter of a run come after all that do not.
    package let runs: [StudyRun]
    /// The line with which each line is compared; nil for a line that is itself a reference, and in a study without one.
    package let references: [Int?]
    /// All figures of the lines, in the order in which the lines first have them, those of one task in sequence.
    package let figures: [StudyFigure]
    /// The split of the figures: test, or validation when no task has a test split.
    package let split: SplitName
    /// Sentences for the user.
    package let notices: [String]
    /// Whether lines make other numbers of steps because their steps have other numbers of examples.
    package let scalesSteps: Bool

    /// The text of the configuration that the rows change.
    package struct BaseText {
        var yaml: String
        var name: String
        var directory: String
        var isOwn: Bool

        package init(yaml: String, name: String, directory: String, isOwn: Bool) {
            self.yaml = yaml
            self.name = name
            self.directory = directory
            self.isOwn = isOwn
        }
    }

    /// Resolves every run. Refuses keys and values like `train`, and rows that are equal.
    ///
    /// - Parameters:
    ///   - overrides: `--set` of the command line, for all runs.
    ///   - directory: path of the directory with all run directories, in which runs find the adapters of others.
    ///   - cache: directory of the token cache that all runs share, unless the configuration names one.
    ///   - sizes: reads the sizes of a configuration's tasks.
    package init(
        _ file: StudyFile, base: BaseText, overrides: [String], directory: String, cache: String?,
        sizes: (RunConfiguration) throws(Failure) -> [TaskSize]
    ) throws(Failure) {
        var file = file
        var common: [Settings] = []
        if case .inline(let settings) = file.base { common.append(settings) }
        if let shared = file.shared { common.append(shared) }
        let options = try overrides.map { assignment throws(Failure) in try Settings(shared: assignment) }
        if options.contains(where: { $0.keys.contains("train.seed") }) {
            throw Failure(.usage, "--set train.seed: the seeds of a study are in its file, as in seeds: [1, 2, 3]")
        }
        if options.contains(where: { $0.keys.contains("parallel.threads") }) {
            throw Failure(
                .usage,
                "--set parallel.threads: the threads of a study's runs are in its file; use the key threads, as in threads: 2"
            )
        }
        if options.contains(where: { $0.keys.contains(StudyFile.originKey) }),
            let row = file.rows.first(where: { $0.origin != nil })
        {
            throw Failure(
                .usage,
                "--set \(StudyFile.originKey): row \(row.name) has an origin of its own by the key from; remove one of them"
            )
        }
        func load(_ settings: [Settings]) throws(Failure) -> RunConfiguration {
            try RunConfiguration.load(
                yaml: base.yaml, name: base.name, directory: base.directory, isOwn: base.isOwn, settings: settings)
        }
        var lines: [StudyLine] = []
        var runs: [StudyRun] = []
        var notices: [String] = []
        var usesTest = false
        var scalesSteps = false
        for row in file.rows {
            for point in Self.points(file.axes) {
                try Self.refuseBoth(row, point)
                try Budget.refuseTasks(row, point)
                let configuration = try load(
                    common + [row.settings, row.origin?.settings].compactMap(\.self) + point.map(\.entry.settings)
                        + options)
                guard configuration.evaluatesAtEnd else {
                    throw Failure(
                        .badConfiguration,
                        "\(row.place): row \(row.name) has eval.atEnd false, so its runs would have no figures; set it to true"
                    )
                }
                if !file.hasSeeds { file.seeds = [Int(configuration.seed)] }
                let scale = try Budget.scale(row, point, configuration) { () throws(Failure) in
                    try load(common + options)
                }
                scalesSteps = scalesSteps || scale != 1
                let parts = try Parts(row, configuration, sizes(configuration), scale: scale)
                for seed in file.seeds {
                    let origin = row.origin.map { Self.name($0.name, point, seed) }
                    for part in parts.parts {
                        let variant = configuration.variant(
                            tasks: part.tasks, share: part.share, cache: cache, seed: seed,
                            origin: origin.map { "\(directory)/\($0)" })
                        let task = parts.isPerTask ? part.tasks[0] : nil
                        runs.append(
                            StudyRun(
                                line: lines.count, seed: seed, task: task,
                                name: Self.name(row.name, point, seed) + (task.map { "/\($0)" } ?? ""), origin: origin,
                                configuration: variant))
                    }
                }
                usesTest = usesTest || parts.usesTest
                notices += parts.notices.filter { !notices.contains($0) }
                lines.append(
                    StudyLine(
                        row: row.name, point: point.map { ($0.key, $0.entry.label) }, isPerTask: parts.isPerTask,
                        figures: parts.figures,
                        steps: parts.parts.map { configuration.variant(share: $0.share).steps },
                        configuration: configuration.variant(tasks: parts.parts.flatMap(\.tasks), seed: file.seeds[0])))
            }
        }
        try Self.refuseEqual(file, lines, runs)
        self.file = file
        self.lines = lines
        let depths = lines.map { line in file.row(line.row).map(file.depth) ?? 0 }
        self.runs = Set(depths).sorted().flatMap { depth in runs.filter { depths[$0.line] == depth } }
        self.notices = notices
        self.scalesSteps = scalesSteps
        split = usesTest ? .test : .validation
        var figures: [StudyFigure] = []
        for figure in lines.flatMap(\.figures) where !figures.contains(figure) { figures.append(figure) }
        self.figures = figures
        references = try Self.references(file, lines)
    }

    /// The line with whose adapters the runs of a line begin; nil for a line without origin.
    package func origin(of line: Int) -> Int? {
        guard let name = file.row(lines[line].row)?.origin?.name else { return nil }
        return lines.firstIndex { $0.row == name && $0.point.map(\.value) == lines[line].point.map(\.value) }
    }

    private typealias Point = [(key: String, entry: StudyFile.Axis.Entry)]

    /// All combinations of the grid's values; the last key varies fastest.
    private static func points(_ axes: [StudyFile.Axis]) -> [Point] {
        axes.reduce([[]]) { points, axis in
            points.flatMap { point in axis.values.map { point + [(axis.key, $0)] } }
        }
    }

    /// The name of a row's run at a point of the grid; further parts follow for the runs of single tasks.
    private static func name(_ row: String, _ point: Point, _ seed: Int) -> String {
        let values = point.map { "\($0.key)=\($0.entry.fileName)" }.joined(separator: ",")
        return ([row] + (point.isEmpty ? [] : [values]) + ["seed-\(seed)"]).joined(separator: "/")
    }

    /// Refuses a key that both a row and the grid set, since one of them would do nothing.
    private static func refuseBoth(_ row: StudyFile.Row, _ point: Point) throws(Failure) {
        for (key, _) in point {
            guard let place = row.settings?.place(of: key) else { continue }
            throw Failure(
                .badConfiguration,
                "\(place): row \(row.name) sets \(key), which grid varies too; remove one of them")
        }
    }

    /// Refuses lines whose runs are the same.
    private static func refuseEqual(
        _ file: StudyFile, _ lines: [StudyLine], _ runs: [StudyRun]
    ) throws(Failure) {
        func content(_ line: Int) -> [RunConfiguration] { runs.filter { $0.line == line }.map(\.configuration) }
        for later in lines.indices.dropFirst() {
            for earlier in 0..<later where content(earlier) == content(later) {
                let place = file.rows.first { $0.name == lines[later].row }?.place ?? file.name
                throw Failure(
                    .badConfiguration,
                    "\(place): \(lines[later].title) has the same runs as \(lines[earlier].title); remove it, or give it a "
                        + "setting of its own")
            }
        }
    }

    /// A row's name compares the lines of each grid point; a line's title compares all lines with that one.
    private static func references(_ file: StudyFile, _ lines: [StudyLine]) throws(Failure) -> [Int?] {
        guard let reference = file.reference else { return lines.map { _ in nil } }
        if file.rows.contains(where: { $0.name == reference.name }), file.rows.count > 1 || lines.count == 1 {
            return lines.map { line in
                guard line.row != reference.name else { return nil }
                return lines.firstIndex { $0.row == reference.name && $0.point.map(\.value) == line.point.map(\.value) }
            }
        }
        guard let index = lines.firstIndex(where: { $0.title == reference.name }) else {
            let titles = lines.map(\.title)
            if let line = lines.first(where: { $0.row == reference.name }) {
                throw Failure(
                    .badConfiguration,
                    "\(reference.place): reference \(reference.name) is the only row, and grid makes several lines of it; name "
                        + "one line, such as reference: \(line.title)")
            }
            let hint =
                UnknownKey.nearest(to: reference.name, among: titles) { $0 }.map { "; did you mean \($0)?" } ?? ""
            throw Failure(
                .badConfiguration,
                "\(reference.place): reference \(reference.name) names no row of this study, nor a line of its table\(hint) "
                    + "(\(titles.prefix(8).joined(separator: "; ")))")
        }
        return lines.indices.map { $0 == index ? nil : index }
    }
}
