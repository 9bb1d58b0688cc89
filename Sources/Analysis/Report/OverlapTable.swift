/// The overlaps of the subspaces of two adapters, site by site.
package struct OverlapTable: Codable, Sendable {
    /// One of the two adapters.
    package struct Side: Codable, Sendable, Equatable {
        /// The run's name.
        package let run: String
        /// The task, if its matrices belong to one.
        package let task: String?
    }

    /// What the vectors of the subspaces are.
    package enum Space: String, Codable, Sendable {
        /// Rows of A, or of the down projection: the directions of a site's input that are read.
        case rows
        /// Columns of B, or of the up projection: the directions of its output that are written.
        case columns
    }

    /// One site.
    package struct Entry: Codable, Sendable {
        package let site: SiteLabel
        package let overlap: SubspaceOverlap
    }

    package let first: Side
    package let second: Side
    package let matrix: MatrixRole
    package let space: Space
    package let state: AdapterState
    /// The sites that both have.
    package let sites: [Entry]
}
