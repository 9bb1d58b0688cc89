import Adapters
import Analysis
import Backbone
import Backbones
import Configuration
import Failures
import Kernels
import Runs
import Tensors

extension AnalyzedRun {
    /// The analysis of the adapters that HyperFormer++ generates for each task.
    func analyse(_ method: HyperFormerMethod, into found: inout Findings) throws(Failure) {
        let start = start(into: &found)
        for (task, name) in tasks.enumerated() {
            let trained = try families(method, task: task, weights.readOnly)
            for (role, matrices) in trained { try found.add(MatrixFamily(role, task: name, .trained, matrices)) }
            guard let start else { continue }
            let begun = try families(method, task: task, start.readOnly)
            for (now, before) in zip(trained, begun) {
                try found.add(
                    MatrixFamily(
                        now.role, task: name, .minusStart,
                        zip(now.matrices, before.matrices).map { ($0.site, $0.matrix.minus($1.matrix)) }))
            }
        }
        found.source.notes.append(
            "of hyperformer_pp the generated down and up projections are analysed, but not their biases and norms, nor the norms "
                + "of the model")
    }

    private typealias Family = (role: MatrixRole, matrices: [(site: SiteLabel, matrix: DenseMatrix)])

    private func families(
        _ method: HyperFormerMethod, task: Int, _ weights: ReadOnlyArena
    ) throws(Failure) -> [Family] {
        let adapters = method.generatedAdapters(task: task, weights: weights)
        for adapter in adapters where !(adapter.down + adapter.up).allSatisfy(\.isFinite) {
            throw Failure(
                .badData,
                "\(run.path): the adapter generated for \(adapter.name) and task \(tasks[task].shown) is not finite; use another "
                    + "checkpoint")
        }
        func family(_ role: MatrixRole, _ matrix: (GeneratedAdapter) -> DenseMatrix) -> Family {
            (role, adapters.map { (SiteLabel(name: $0.name, kind: $0.kind), matrix($0)) })
        }
        return [
            family(.down) { DenseMatrix(rows: $0.bottleneck, columns: $0.width, values: $0.down.map(Double.init)) },
            family(.up) { DenseMatrix(rows: $0.width, columns: $0.bottleneck, values: $0.up.map(Double.init)) },
        ]
    }

    /// The analysis of a model all of whose weights were trained, one kind of weights at a time.
    func analyseWeights(into found: inout Findings) throws(Failure) {
        let start = backbone(into: &found)
        if start != nil { found.source.start = .model }
        let groups = shape.projectionGroups()
        var kinds: [String: String] = [:]
        for group in groups {
            for projection in group.projections { kinds[projection.name] = "\(group.region).\(projection.leaf)" }
        }
        func site(_ entry: ParameterLayout.Entry) -> SiteLabel {
            let module = entry.name.hasSuffix(".weight") ? String(entry.name.dropLast(".weight".count)) : entry.name
            return SiteLabel(name: module, kind: kinds[module] ?? "other")
        }
        var order: [String] = []
        for entry in method.parameters.entries where !order.contains(site(entry).kind) {
            order.append(site(entry).kind)
        }
        for kind in order {
            // Tensors of no kind may be large, and are not compared with each other.
            let own = method.parameters.entries.filter { site($0).kind == kind }
            for part in kind == "other" ? own.map({ [$0] }) : [own] {
                try found.measures.add(
                    part.map { entry in
                        let before = start.flatMap { $0.tensor(named: entry.name) }
                        return TrainedWeight(
                            site: site(entry), trained: DenseMatrix(weights.readOnly.matrix(entry)),
                            start: before.map {
                                DenseMatrix(rows: $0.rows, columns: $0.columns, values: $0.copied().map(Double.init))
                            })
                    })
            }
        }
        found.source.notes.append(
            "of full the weights' norms are given, and of the changes of all but vectors and the largest matrices (the "
                + "embedding) also singular values and correlations; subspaces and components are not")
    }

    /// The model as it was before the training; nil, with a note, if it is gone or has changed.
    private func backbone(into found: inout Findings) -> (any Backbone)? {
        do throws(Failure) {
            let digest = try Backbones.check(directory: configuration.model).hexadecimal
            guard digest == state.identity.backbone, state.identity.origin == nil else {
                throw Failure(
                    .badConfiguration,
                    state.identity.origin == nil
                        ? "\(configuration.model) has other weights than before the training; restore the model"
                        : "the run began with another run's weights, which are not compared")
            }
            return try Backbones.open(directory: configuration.model, maximumLength: configuration.maxSource)
        } catch {
            found.source.notes.append("nothing is given minus its start, because \(error.message)")
            return nil
        }
    }
}
