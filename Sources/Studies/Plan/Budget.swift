import Configuration
import Failures

/// What keeps the number of examples of each task equal in rows that do not ask for a budget of their own.
enum Budget {
    /// Refuses tasks that a row or the grid sets as a key of the run: the shares of the tasks would be those of other tasks.
    static func refuseTasks(
        _ row: StudyFile.Row, _ point: [(key: String, entry: StudyFile.Axis.Entry)]
    ) throws(Failure) {
        let settings = [row.settings].compactMap(\.self) + point.map(\.entry.settings)
        guard !row.hasOwnBudget, let place = settings.lazy.compactMap({ $0.place(of: "tasks") }).first else { return }
        throw Failure(
            .badConfiguration,
            "\(place): row \(row.name) would not see each task as often as other rows do; choose tasks by the row's own key "
                + "tasks, as in {name: \(row.name), tasks: [cola, rte]}, or add budget: own to the row")
    }

    /// The factor of the steps with which a row with another `batch.global` than the study's sees as many examples. It is 1 when
    /// the row has steps of its own. `common` loads the configuration without row and grid.
    static func scale(
        _ row: StudyFile.Row, _ point: [(key: String, entry: StudyFile.Axis.Entry)], _ configuration: RunConfiguration,
        common: () throws(Failure) -> RunConfiguration
    ) throws(Failure) -> Double {
        let keys = ([row.settings].compactMap(\.self) + point.map(\.entry.settings)).flatMap(\.keys)
        guard !row.hasOwnBudget, !keys.contains("train.steps"), keys.contains("batch.global") || keys.contains("preset")
        else { return 1 }
        let common = try common()
        // A preset may bring steps that fit its batch.
        guard common.steps == configuration.steps else { return 1 }
        return Double(common.globalBatch) / Double(configuration.globalBatch)
    }
}
