import Backbone
import Failures

extension HyperFormerMethod {
    /// The default of `reduction`, the authors' choice.
    private static let usualReduction = 32

    /// Makes the method; refuses a reduction with which the adapters would have no width.
    static func make(
        _ configuration: AdapterConfiguration, _ shape: any BackboneShape, _ source: MethodSource
    ) throws(Failure) -> MadeMethod {
        let reduction = configuration.reduction ?? usualReduction
        guard (1...100_000).contains(configuration.tasks) else {
            throw Failure(.badData, "\(source.path): tasks is out of range")
        }
        guard (1...shape.modelWidth).contains(reduction) else {
            let limit = "must be from 1 to \(shape.modelWidth), the model's width"
            switch source {
            case .run, .newRun:
                throw Failure(.badConfiguration, "hyperformer.reduction is \(reduction), but \(limit)")
            case .file(let path): throw Failure(.badData, "\(path): reduction is \(reduction), but \(limit)")
            }
        }
        var complete = AdapterConfiguration(
            method: configuration.method, rank: configuration.rank, alpha: configuration.alpha,
            tasks: configuration.tasks)
        complete.reduction = reduction
        return MadeMethod(
            method: HyperFormerMethod(tasks: configuration.tasks, reduction: reduction, on: shape),
            configuration: complete, remedy: "raise hyperformer.reduction")
    }
}
