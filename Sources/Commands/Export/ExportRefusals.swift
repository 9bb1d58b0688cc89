import Adapters
import Backbone
import Exports
import Failures
import Tensors
import Training

/// What cannot be exported, by name and with what to use instead.
enum ExportRefusals {
    /// The tasks whose adapters become a directory each, in their order; nil when all tasks share one. Throws `badConfiguration`
    /// for a method that the format cannot hold, and `usage` for a task that is not there or cannot be alone.
    static func tasks(_ opened: OpenedRun, _ format: ExportFormat, asked: String?) throws(Failure) -> [String]? {
        let (method, names) = (opened.base.adapter.method, opened.base.taskNames)
        func refuse(_ reason: String) -> Failure {
            Failure(.badConfiguration, "a run of method \(method) cannot be exported as \(format.rawValue): \(reason)")
        }
        guard opened.base.method.parameters.count > 0 else {
            throw Failure(
                .badConfiguration,
                "a run of method \(method) trains nothing, so there is nothing to export; use the model itself")
        }
        if let asked, !names.contains(asked) {
            throw Failure(.usage, "--task \(asked) is none of the run's tasks (\(names.joined(separator: ", ")))")
        }
        let lowRank = opened.base.method as? LowRankMethod
        let isWhole = opened.base.method.isWholeModel(of: opened.base.model.shape)
        switch format {
        case .native: break
        case .peft where isWhole: throw refuse("it has no adapter, every weight is trained; use --format merged")
        case .merged where isWhole: break
        case .peft, .merged:
            guard lowRank != nil else {
                throw refuse("its adapters are no update of the weights; use --format native")
            }
        }
        let hasOne: Bool =
            switch lowRank?.options.method {
            case .loraPerTask, .unoloraStar: format == .native
            default: true
            }
        guard hasOne else {
            let chosen = asked.map { [$0] } ?? names
            if let name = chosen.first(where: { $0.hasPrefix(".") }) {
                throw Failure(
                    .badConfiguration,
                    "task \(name.shown) would give its directory a hidden name; name another one with --task, or use --format "
                        + "native")
            }
            return chosen
        }
        guard asked == nil else {
            throw Failure(
                .usage,
                format == .native
                    ? "--format native writes the adapter with all of its tasks; leave out --task"
                    : "method \(method) has one adapter for all tasks; leave out --task")
        }
        return nil
    }
}
