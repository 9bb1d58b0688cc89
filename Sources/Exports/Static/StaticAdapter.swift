package import Adapters
package import Backbone
import Tensors
package import Training

/// A LoRA adapter in which nothing depends on the example: `y += (alpha / rank) (x A^T) B^T` at each site.
package struct StaticAdapter: Sendable {
    /// One adapted projection.
    package struct Site: Sendable {
        /// The projection's path in the backbone.
        package let module: String
        /// Width of its input.
        package let inputWidth: Int
        /// Width of its output.
        package let outputWidth: Int
        /// `[rank, in]`.
        package let a: [Float]
        /// `[out, rank]`.
        package let b: [Float]
    }

    /// Rank of every site.
    package let rank: Int
    /// The update is scaled by alpha / rank.
    package let alpha: Double
    /// Dropout rate of the low-rank path in training.
    package let dropout: Double
    /// The sites in their canonical order.
    package let sites: [Site]

    /// What multiplies the product of A and B.
    package var factor: Double { alpha / Double(rank) }

    /// The backbone with this adapter in the method `unolora`; `options` are those of the run, of which the targets and the number
    /// of tasks are kept. It computes as the program that loads the exported adapter does.
    package func applied(to backbone: any Backbone, like options: LowRankOptions) -> AdaptedModel {
        let method = LowRankMethod(
            LowRankOptions(
                method: .unolora, rankA: rank, alpha: alpha, tasks: options.tasks, targets: options.targets, dropout: 0),
            on: backbone.shape)
        let model = AdaptedModel(method, on: backbone, seed: 0)
        for site in sites {
            for (ending, values) in [(PEFTNames.a, site.a), (PEFTNames.b, site.b)] {
                guard let entry = method.parameters[site.module + ending] else {
                    preconditionFailure("\(site.module) is a site of the run")
                }
                precondition(entry.count == values.count, "\(entry.name) has another shape")
                for (i, value) in values.enumerated() { unsafe model.weights.base[entry.offset + i] = value }
            }
        }
        return model
    }
}
