package import Configuration
package import Failures
package import Foundation
package import Tasks
import Tensors

/// `unolora_tasks.json` beside an adapter's weights: what is needed to answer with the adapter where the run is gone.
package struct AdapterDescription: Codable, Equatable {
    /// The base of the adapter.
    package struct Base: Codable, Equatable {
        /// Digest of its shape and weights.
        package var digest: String
        /// The name under which others find it; else the last part of its path.
        package var name: String
    }

    /// The file's name.
    package static let fileName = "unolora_tasks.json"
    /// The format that this version writes and reads.
    private static let format = 1

    private var format = Self.format
    package let base: Base
    /// `RunConfiguration.adapterText`.
    package let configuration: String
    /// The tasks in the order of their ids.
    package let tasks: [DescribedTask]

    /// Describes the adapter of a run.
    package init(_ configuration: RunConfiguration, _ tasks: [TaskDefinition], backbone: String) throws(Failure) {
        let name = try BaseName(ofModel: configuration.model, given: nil).published
        base = Base(digest: backbone, name: name ?? String(configuration.model.split(separator: "/").last ?? ""))
        self.configuration = configuration.adapterText
        self.tasks = tasks.map(DescribedTask.init)
    }

    /// Reads the text of a file; `path` is for messages.
    package init(_ data: Data, path: String) throws(Failure) {
        guard let description = try? BoundedJSON.decode(Self.self, from: data), description.format == Self.format else {
            throw Failure(
                .badData,
                "\(path.shown) is no description of an adapter that this version reads; export the adapter again")
        }
        self = description
    }

    /// The file.
    package func json() throws(Failure) -> Data { try StableJSON.document(self, "the description of the adapter") }
}
