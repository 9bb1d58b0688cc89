package import Failures
package import Foundation
package import Tasks
import Tensors

/// `data.json`: the figures of a run's data. Its bytes depend on the data and on the options of the token cache alone, so every
/// start of a run writes the same ones, on any number of ranks.
extension DataStatistics {
    /// The content of the file, which `prepare --json` prints too.
    package func json() throws(Failure) -> Data { try StableJSON.document(self, "the figures of the data") }

    /// Writes the file into a run directory.
    package func write(to run: RunDirectory) throws(Failure) { try run.write(json(), to: run.data) }
}
