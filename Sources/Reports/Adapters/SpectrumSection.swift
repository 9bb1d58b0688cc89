import Analysis
package import Pages

/// What became of the matrices of adapters: singular values, effective ranks and norms.
package struct SpectrumSection {
    private let runs: [ReportedAdapter]

    /// Of some adapters.
    package init(_ runs: [ReportedAdapter]) { self.runs = runs }

    /// The part of the page.
    package var section: Page.Section {
        let figures = spectra + maps
        return Page.Section(
            "Spectra",
            text: figures.isEmpty
                ? []
                : [
                    "What the adapter adds to the weights (BA); for full the change of the weights, for hyperformer_pp a generated "
                        + "projection. The effective rank is the exponential of the entropy of the "
                        + "singular values divided by their sum: between 1 and the number of singular values."
                ], figures: figures)
    }

    /// What a title says about the run, and about the task if the matrices are those of one.
    private func suffix(_ name: RunName, _ chosen: [MatrixAnalysis]) -> String {
        Self.words(chosen) + name.suffix + (chosen.first?.task.map { ", task \($0)" } ?? "")
    }

    /// The matrices that stand for a run: what is added to the weights, or else the generated or trained ones; without scales, and
    /// of the first task where each has its own.
    private func matrices(_ run: RunAnalysis) -> [MatrixAnalysis] {
        let all = run.measures.matrices
        for role in [MatrixRole.update, .weight, .up] {
            let state: AdapterState = role == .weight ? .minusStart : .trained
            let chosen = all.filter { $0.matrix == role && $0.state == state && $0.spectrum != nil }
            let shared = chosen.filter { $0.task == nil }
            if !shared.isEmpty { return shared }
            if let task = chosen.first?.task { return chosen.filter { $0.task == task } }
        }
        return []
    }

    /// The matrices of all runs that can be compared with these: updates with updates, weights with weights.
    private func alike(_ chosen: [MatrixAnalysis]) -> [MatrixAnalysis] {
        runs.flatMap { matrices($0.analysis) }.filter { $0.matrix == chosen.first?.matrix }
    }

    /// What a run's matrices are, in words.
    private static func words(_ chosen: [MatrixAnalysis]) -> String {
        switch chosen.first?.matrix {
        case .weight: " (W minus its start)"
        case .up: " (the generated up projections)"
        default: ""
        }
    }

    /// A matrix's singular values divided by the largest.
    private static func relative(_ matrix: MatrixAnalysis) -> [Double]? {
        guard let values = matrix.spectrum?.singularValues, let first = values.first, first > 0 else { return nil }
        return values.prefix(64).map { $0 / first }
    }

    /// The singular values of each kind of site, relative to the largest: the median of the sites, and their range. All runs
    /// with the same kind of matrices have one scale.
    private var spectra: [Figure] {
        runs.compactMap { adapter in
            let name = adapter.name
            let chosen = matrices(adapter.analysis)
            let all = alike(chosen).compactMap(Self.relative)
            let least = all.joined().filter { $0 > 1e-12 }.min() ?? 1
            let longest = Double(all.map(\.count).max() ?? 1)
            let kinds = Self.kinds(chosen)
            let series = kinds.enumerated().compactMap { index, kind -> LineChart.Series? in
                let relative = chosen.filter { $0.site.kind == kind }.compactMap(Self.relative)
                let count = relative.map(\.count).max() ?? 0
                let sorted = (0..<count).map { place in
                    relative.compactMap { $0.indices.contains(place) ? $0[place] : nil }.filter { $0 > 1e-12 }.sorted()
                }.prefix { !$0.isEmpty }
                let points = sorted.enumerated().map { (x: Double($0 + 1), y: $1[$1.count / 2]) }
                let band = sorted.enumerated().map { (x: Double($0 + 1), low: $1[0], high: $1[$1.count - 1]) }
                return points.isEmpty ? nil : LineChart.Series(kind, points, band: band, index: index)
            }
            guard !series.isEmpty else { return nil }
            let chart = LineChart(
                series, horizontal: "number of the singular value", vertical: "relative to the largest",
                kind: .logarithmic, bounds: [1, least], horizontalBounds: [1, longest],
                perFrame: series.count > 3 ? 2 : nil)
            return Figure(
                name.id("spectra"), title: "Singular values\(suffix(name, chosen))",
                reading: "Medians over the blocks, with their range: a steep fall means that few directions are used.",
                chart.drawing, table: table(series))
        }
    }

    private func table(_ series: [LineChart.Series]) -> DataTable {
        CurveSection.table(series, horizontal: "number")
    }

    private static func kinds(_ matrices: [MatrixAnalysis]) -> [String] {
        matrices.reduce(into: []) { kinds, matrix in
            if !kinds.contains(matrix.site.kind) { kinds.append(matrix.site.kind) }
        }
    }

    /// The name of a kind in few letters.
    private static func short(_ kind: String) -> String {
        kind.replacing("encoder", with: "enc ").replacing("decoder", with: "dec ").replacing("FeedForward", with: "ff")
            .replacing("Self", with: "self").replacing("Cross", with: "cross")
    }

    /// The number of a site's block, from its path.
    private static func block(_ site: SiteLabel) -> Int {
        let parts = site.name.split(separator: ".")
        guard let place = parts.firstIndex(of: "block"), place + 1 < parts.count else { return 0 }
        return Int(parts[place + 1]) ?? 0
    }

    /// Effective ranks and norms, a row for each block and a column for each kind; on one scale for all runs.
    private var maps: [Figure] {
        let measures: [(id: String, title: String, reading: String, value: (MatrixAnalysis) -> Double?)] = [
            (
                "effective-rank", "Effective rank",
                "How many directions each site's update uses; dark sites use more.",
                { $0.spectrum?.effectiveRankEntropy }
            ),
            (
                "update-norm", "Size of the update",
                "The Frobenius norm of what is added at each site; dark sites change most.", { $0.frobeniusNorm }
            ),
        ]
        return measures.flatMap { measure in
            runs.compactMap { adapter in
                let name = adapter.name
                let chosen = matrices(adapter.analysis)
                let all = alike(chosen).compactMap(measure.value)
                guard let largest = all.max(), largest > 0 else { return nil }
                let least = measure.id == "effective-rank" ? min(1, all.min() ?? 0) : 0
                let kinds = Self.kinds(chosen)
                let blocks = Set(chosen.map { Self.block($0.site) }).sorted()
                let values = blocks.map { block in
                    kinds.map { kind in
                        chosen.first { $0.site.kind == kind && Self.block($0.site) == block }.flatMap(measure.value)
                    }
                }
                let map = HeatMap(
                    rows: blocks.map { "block \($0)" }, columns: kinds.map(Self.short), values: values,
                    colours: .sequential(least, largest), unit: measure.title.lowercased())
                return Figure(
                    name.id(measure.id), title: "\(measure.title)\(suffix(name, chosen))", reading: measure.reading,
                    map.drawing,
                    table: InterferenceSection.table(blocks.map { "block \($0)" }, kinds, values))
            }
        }
    }
}
