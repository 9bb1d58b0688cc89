package import Failures

/// The matrices of all sites of an adapter in one role and state.
package struct MatrixFamily: Sendable {
    /// One site's matrix.
    package struct Member: Sendable {
        package let site: SiteLabel
        package let decomposition: SingularValueDecomposition
    }

    package let matrix: MatrixRole
    package let task: String?
    package let state: AdapterState
    package let members: [Member]

    /// Names decomposed matrices.
    package init(_ matrix: MatrixRole, task: String?, _ state: AdapterState, _ members: [Member]) {
        (self.matrix, self.task, self.state, self.members) = (matrix, task, state, members)
    }

    /// Decomposes matrices.
    package init(
        _ matrix: MatrixRole, task: String?, _ state: AdapterState, _ matrices: [(site: SiteLabel, matrix: DenseMatrix)]
    ) throws(Failure) {
        var members: [Member] = []
        for (site, matrix) in matrices {
            members.append(Member(site: site, decomposition: try SingularValueDecomposition(matrix)))
        }
        self.init(matrix, task: task, state, members)
    }

    /// The measures of each matrix.
    var analyses: [MatrixAnalysis] {
        members.map { member in
            let values = member.decomposition.values
            return MatrixAnalysis(
                site: member.site, matrix: matrix, task: task, state: state, shape: member.decomposition.shape,
                frobeniusNorm: values.reduce(0) { $0 + $1 * $1 }.squareRoot(),
                spectrum: Spectrum(singularValues: values))
        }
    }
}

extension AdapterMeasures {
    /// Adds the measures of all matrices of a family and of their likeness.
    package mutating func add(_ family: MatrixFamily) throws(Failure) {
        matrices += family.analyses
        let shapes = family.members.map(\.decomposition.shape)
        var seen: [[Int]] = []
        for shape in shapes where !seen.contains(shape) {
            seen.append(shape)
            let members = family.members.filter { $0.decomposition.shape == shape }
            let gram = GramMatrix(members.map(\.decomposition))
            addCorrelations(gram, members.map(\.site), family.matrix, family.task, family.state, shape)
            try addComponents(.elements, gram.products, members.map(\.site), family, shape)
            try addSpectrumComponents(members, family, shape)
        }
    }

    /// Adds the correlations of the sites of each kind.
    mutating func addCorrelations(
        _ gram: GramMatrix, _ sites: [SiteLabel], _ matrix: MatrixRole, _ task: String?, _ state: AdapterState,
        _ shape: [Int]
    ) {
        var kinds: [String] = []
        for site in sites where !kinds.contains(site.kind) { kinds.append(site.kind) }
        for kind in kinds {
            let own = sites.indices.filter { sites[$0].kind == kind }
            correlations.append(
                CorrelationMatrix(
                    kind: kind, matrix: matrix, task: task, state: state, shape: shape,
                    sites: own.map { sites[$0].name },
                    values: own.map { i in own.map { gram.correlation(i, $0) } }))
        }
    }

    /// Adds the components of the spectra's shapes.
    private mutating func addSpectrumComponents(
        _ members: [MatrixFamily.Member], _ family: MatrixFamily, _ shape: [Int]
    ) throws(Failure) {
        let used = members.filter { $0.decomposition.values.first ?? 0 > 0 }
        let width = used.map(\.decomposition.values.count).max() ?? 0
        let features = used.map { member in
            let sum = member.decomposition.values.reduce(0, +)
            let shares = member.decomposition.values.map { $0 / sum }
            return shares + Array(repeating: 0, count: width - shares.count)
        }
        let points = DenseMatrix(rows: used.count, columns: width, values: features.flatMap(\.self))
        try addComponents(.spectrum, points.timesTransposed(points), used.map(\.site), family, shape)
    }

    private mutating func addComponents(
        _ features: SiteComponents.Features, _ gram: DenseMatrix, _ sites: [SiteLabel], _ family: MatrixFamily,
        _ shape: [Int]
    ) throws(Failure) {
        // Two points are always on a line.
        guard sites.count > 2 else { return }
        let found = try PrincipalComponents(gram: gram)
        components.append(
            SiteComponents(
                features: features, matrix: family.matrix, task: family.task, state: family.state, shape: shape,
                explained: found.explained,
                points: zip(sites, found.coordinates).map { SiteComponents.Point(site: $0, coordinates: $1) }))
    }
}
