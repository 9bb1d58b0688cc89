import Backbone
import Failures

extension FullMethod {
    /// Makes the method; it has no options.
    static func make(
        _ configuration: AdapterConfiguration, _ shape: any BackboneShape, _ source: MethodSource
    ) throws(Failure) -> MadeMethod {
        guard (1...100_000).contains(configuration.tasks) else {
            throw Failure(.badData, "\(source.path): tasks is out of range")
        }
        return MadeMethod(
            method: FullMethod(on: shape),
            configuration: AdapterConfiguration(
                method: configuration.method, rank: configuration.rank, alpha: configuration.alpha,
                tasks: configuration.tasks), remedy: "use a smaller model or another method")
    }
}
