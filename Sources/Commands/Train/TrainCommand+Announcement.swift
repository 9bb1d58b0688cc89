import Backbone
import Configuration
import MPI
import Runs
import Tasks
import Tensors
import Training

extension TrainCommand {
    /// Says what the run is and what its user must know of its configuration and data.
    func announce(
        _ session: RunSession, _ statistics: DataStatistics?, _ threads: ThreadChoice, _ state: TrainState,
        _ memory: RankMemory?
    ) {
        let backbone = session.base.model.shape.weightCount
        say(
            "\(configuration.method) on \(configuration.model): \(state.trained.count) trainable of \(backbone) weights, "
                + "\(session.taskNames.count) tasks, \(world.size) rank(s) x \(threads.threads) thread(s)")
        let frozen = state.weights.count - state.trained.count
        if frozen > 0 { say("\(frozen) of the adapter's \(state.weights.count) weights stay as they began") }
        let reports = session.data.cache.tasks.map(\.report)
        for line in statistics.map({ DataReport.lines($0, reports) }) ?? [] { say("data: \(line)") }
        let unusual = RunModel.warning(session.base.vocabulary, session.base.model.shape)
        for warning in [unusual].compactMap(\.self) + DataReport.warnings(reports) { say("warning: \(warning)") }
        let evaluation = EvaluationSession(session)
        for notice in evaluation.positiveNotices + evaluation.rowNotices { say("note: \(notice)") }
        if let omission = evaluation.omission(SplitName(rawValue: configuration.evaluationSplit)) {
            say("warning: \(omission)")
        }
        if configuration.reduction == .fast {
            say(
                "note: parallel.reduction fast: the bits depend on the number of ranks and threads and on their timing, and "
                    + "so does what a resume continues with")
        }
        if let notice = session.base.products.notice(configuration.products) { say("note: \(notice)") }
        if let warning = session.base.products.warning(configuration.products) { say("warning: \(warning)") }
        let shortages = memory.map { session.warnings($0, ranksOnNode: threads.ranksOnNode) } ?? []
        let cap = configuration.capNotice(session.taskNames.indices.map(session.data.trainingCount)).map { [$0] } ?? []
        // The keys of a replay do not come from the user.
        let keys = request.replayedLines == nil ? configuration.warnings + cap : []
        for warning in keys + request.stop.warnings + threads.warnings + shortages {
            say("warning: \(warning)")
        }
    }
}
