import Configuration
import Failures
import Tasks

/// The runs into which a row divides its tasks, and the part of the configured steps that each makes.
///
/// Each task is seen as often as in a run of all tasks: that run draws task t with the probability p_t of its mixture, so a run
/// of some tasks makes the sum of their p_t times its steps. A row with its own budget makes all steps in every run.
struct Parts {
    struct Part: Equatable {
        var tasks: [String]
        var share: Double
    }

    private(set) var parts: [Part] = []
    private(set) var isPerTask = false
    private(set) var notices: [String] = []
    /// The figures of all parts together.
    private(set) var figures: [StudyFigure] = []
    /// Whether the figures are those of the test split; otherwise no task has one.
    let usesTest: Bool

    /// `scale` multiplies all shares, as for another number of examples in a step.
    init(
        _ row: StudyFile.Row, _ configuration: RunConfiguration, _ sizes: [TaskSize], scale: Double = 1
    ) throws(Failure) {
        usesTest = sizes.contains(where: \.hasTest)
        let mixture = try Mixture(
            tasks: sizes.map { ($0.name, $0.training) }, temperature: configuration.temperature,
            cap: configuration.samplerCap)
        func share(_ names: [String]) -> Double {
            guard !row.hasOwnBudget, names.count < sizes.count else { return scale }
            return scale * mixture.entries.filter { names.contains($0.task) }.reduce(0) { $0 + $1.share }
        }
        switch row.tasks {
        case .all: parts = [Part(tasks: sizes.map(\.name), share: scale)]
        case .some(let names):
            for name in names where !sizes.contains(where: { $0.name == name }) {
                throw Failure(
                    .badConfiguration,
                    "\(row.place): row \(row.name) has task \(name), which is none of the configuration's tasks "
                        + "(\(sizes.map(\.name).joined(separator: ", ")))")
            }
            let kept = sizes.map(\.name).filter(names.contains)
            parts = [Part(tasks: kept, share: share(kept))]
        case .each:
            isPerTask = true
            let measured = sizes.filter { $0.hasTest || !usesTest }
            let absent = sizes.filter { size in !measured.contains(size) }.map(\.name)
            if !absent.isEmpty {
                notices.append(
                    "no runs of their own for tasks without a test split, which have no figures: "
                        + absent.joined(separator: ", "))
            }
            parts = measured.map { Part(tasks: [$0.name], share: share([$0.name])) }
        }
        let trained = parts.flatMap(\.tasks)
        figures = sizes.filter { trained.contains($0.name) && ($0.hasTest || !usesTest) }.flatMap { size in
            size.metrics.map { StudyFigure(task: size.name, metric: $0) }
        }
    }
}
