package import Failures

/// The subspaces of all sites of one or several families of an adapter, for comparisons.
package struct AdapterSubspaces: Sendable {
    /// The subspaces of one family.
    private struct Group: Sendable {
        let matrix: MatrixRole
        let space: OverlapTable.Space
        let task: String?
        let state: AdapterState
        let sites: [(site: SiteLabel, subspace: Subspace)]
    }

    private let run: String
    private var groups: [Group] = []

    /// No subspaces yet, of the run with this name.
    package init(run: String) { self.run = run }

    /// Adds the rows of A and of down projections, or the columns of B and of up projections; nothing of other matrices.
    package mutating func add(_ family: MatrixFamily) {
        let space: OverlapTable.Space
        switch family.matrix {
        case .a, .down: space = .rows
        case .b, .up: space = .columns
        case .update, .weight: return
        }
        let sites = family.members.map { member in
            let found = member.decomposition
            return (member.site, space == .rows ? Subspace(rowsOf: found) : Subspace(columnsOf: found))
        }
        groups.append(
            Group(matrix: family.matrix, space: space, task: family.task, state: family.state, sites: sites))
    }

    /// The overlaps between all pairs of tasks that have matrices of their own.
    package func betweenTasks() throws(Failure) -> [OverlapTable] {
        var tables: [OverlapTable] = []
        for (index, first) in groups.enumerated() {
            for second in groups[(index + 1)...] where first.task != second.task {
                if let table = try table(first, second, run) { tables.append(table) }
            }
        }
        return tables
    }

    /// The overlaps with another run at the sites that both have: of matrices that all tasks share with each other, and of those of
    /// a task with those of the same task, or with shared ones.
    package func with(_ other: AdapterSubspaces) throws(Failure) -> [OverlapTable] {
        var tables: [OverlapTable] = []
        for first in groups {
            for second in other.groups
            where first.task == second.task || first.task == nil || second.task == nil {
                if let table = try table(first, second, other.run) { tables.append(table) }
            }
        }
        return tables
    }

    private func table(_ first: Group, _ second: Group, _ other: String) throws(Failure) -> OverlapTable? {
        guard first.matrix == second.matrix, first.state == second.state else { return nil }
        let others = Dictionary(second.sites.map { ($0.site.name, $0.subspace) }) { own, _ in own }
        var entries: [OverlapTable.Entry] = []
        for (site, subspace) in first.sites {
            guard let match = others[site.name], match.width == subspace.width else { continue }
            entries.append(OverlapTable.Entry(site: site, overlap: try SubspaceOverlap(subspace, match)))
        }
        guard !entries.isEmpty else { return nil }
        return OverlapTable(
            first: OverlapTable.Side(run: run, task: first.task),
            second: OverlapTable.Side(run: other, task: second.task),
            matrix: first.matrix, space: first.space, state: first.state, sites: entries)
    }
}
