package import Configuration
package import Failures

/// What computes where an adapter is used that was trained before.
extension ProductBackend {
    /// The backend for using an adapter that was trained with a configuration. What this machine or this build does not have is
    /// replaced by what computes products of the same kind here, if need be the twin of the tiles: nothing is trained any more, so
    /// only the last digits of answers depend on it.
    package static func forUse(_ configuration: RunConfiguration) throws(Failure) -> ProductBackend {
        do throws(Failure) {
            return try ProductBackend(configuration)
        } catch {
            let other = preferred(configuration.products, keeping: configuration.weightFormat)
            guard let backend = try? ProductBackend(configuration, gemm: other.rawValue) else { throw error }
            return backend
        }
    }

    /// Refuses a value of `parallel.gemm` that was set for this use, when it cannot compute here what the adapter was trained with.
    package static func check(_ settings: EvaluationSettings) throws(Failure) {
        let configuration = settings.configuration
        guard configuration.gemm != "auto",
            let place = settings.given.first(where: { $0.key == "parallel.gemm" })?.place
        else { return }
        do throws(Refusal) {
            _ = try chosen(by: configuration, gemm: configuration.gemm)
        } catch {
            // `auto` is always possible: what this machine does not have is replaced.
            let others = available.map(\.rawValue).filter { (try? chosen(by: configuration, gemm: $0)) != nil }
            throw Failure(
                .badConfiguration,
                "\(place): \(error.reason); model.products \(configuration.products.rawValue) and model.storage "
                    + "\(configuration.storage.rawValue) were decided when the adapter was trained, so set parallel.gemm to "
                    + (["auto"] + others).joined(separator: " or ") + ", or leave it out")
        }
    }
}
