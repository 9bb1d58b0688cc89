import Adapters
import Backbone
import Backbones
package import Configuration
package import Failures
import Kernels

extension RunConfiguration {
    /// The model in a directory as it is, without any adapter, with the storage and the products of this configuration. Not
    /// collective: nothing is shared with other ranks.
    ///
    /// - Parameters:
    ///   - maximumLength: the longest source or target.
    ///   - tasks: the number of tasks that examples may have.
    package func plainModel(
        directory: String, maximumLength: Int, tasks: Int
    ) throws(Failure) -> AdaptedModel {
        let products = try ProductBackend.forUse(self)
        let model = try Backbones.open(
            directory: directory, maximumLength: maximumLength, format: weightFormat,
            packing: products.packing(products.packs(self, training: false)))
        let nothing = AdapterConfiguration(method: "frozen", rank: 1, alpha: 1, tasks: tasks)
        let made = try MethodTable.standard.method(nothing, on: model.shape, from: .file(path: directory))
        return AdaptedModel(made.method, on: model, seed: seed)
    }
}
