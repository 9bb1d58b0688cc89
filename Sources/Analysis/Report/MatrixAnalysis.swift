/// Which matrix of a site is meant.
package enum MatrixRole: String, Codable, Sendable, CaseIterable {
    /// A of a low-rank method, `[rank, in]`.
    case a = "A"
    /// B, `[out, rank]`.
    case b = "B"
    /// What a low-rank method adds to the weight: `alpha / rank` times `B C diag(s) A`, `[out, in]`.
    case update = "BA"
    /// The weight of the backbone itself.
    case weight = "W"
    /// The projection that HyperFormer++ generates before its adapter's activation, `[bottleneck, d]`.
    case down
    /// The projection after it, `[d, bottleneck]`.
    case up
}

/// Which numbers of a matrix are meant.
package enum AdapterState: String, Codable, Sendable, CaseIterable {
    /// After the training.
    case trained
    /// The trained ones minus those with which the run began.
    case minusStart
}

/// A place of the backbone that is adapted.
package struct SiteLabel: Codable, Hashable, Sendable {
    /// The module's path in the model's files.
    package let name: String
    /// Sites of one kind have the same place within their blocks, such as `encoderSelf.q`.
    package let kind: String

    package init(name: String, kind: String) { (self.name, self.kind) = (name, kind) }
}

/// The measures of one matrix.
package struct MatrixAnalysis: Codable, Sendable {
    package let site: SiteLabel
    package let matrix: MatrixRole
    /// The task to which the matrix belongs; nil for one that all tasks share. For BA of `unolora_star` the task of whose texts it
    /// has the mean scales; nil is BA without scales.
    package let task: String?
    package let state: AdapterState
    /// Rows and columns.
    package let shape: [Int]
    /// The root of the sum of all squared elements.
    package let frobeniusNorm: Double
    /// Nil where it was not computed (`full`: of the trained weights themselves, of vectors and of the largest matrices).
    package let spectrum: Spectrum?
}

/// Correlations of the flattened matrices of all sites of one kind and shape.
package struct CorrelationMatrix: Codable, Sendable {
    package let kind: String
    package let matrix: MatrixRole
    package let task: String?
    package let state: AdapterState
    package let shape: [Int]
    /// Names of the sites.
    package let sites: [String]
    /// Pearson's correlation, `[sites][sites]`; nil if all elements of one of the two are equal.
    package let values: [[Double?]]
}

/// Principal components of the sites whose matrices have one shape.
package struct SiteComponents: Codable, Sendable {
    /// What the coordinates of a site's point were.
    package enum Features: String, Codable, Sendable {
        /// All elements of the matrix.
        case elements
        /// Its singular values divided by their sum; zero matrices are left out.
        case spectrum
    }

    /// A site in the plane of the first two components.
    package struct Point: Codable, Sendable {
        package let site: SiteLabel
        /// Along the first and the second component.
        package let coordinates: [Double]
    }

    package let features: Features
    package let matrix: MatrixRole
    package let task: String?
    package let state: AdapterState
    package let shape: [Int]
    /// The share of the variance along each component.
    package let explained: [Double]
    package let points: [Point]
}
