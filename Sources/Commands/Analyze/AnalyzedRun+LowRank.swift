import Adapters
import Analysis
import Backbone
import Configuration
import Failures
import MPI
import Runs
import Tensors
import Training

extension AnalyzedRun {
    /// The analysis of a low-rank adapter.
    func analyse(_ method: LowRankMethod, into found: inout Findings, world: Communicator) throws(Failure) {
        let start = start(into: &found)
        let options = method.options
        guard options.method == .loraPerTask else {
            let families = try families(method, task: 0, named: nil, start)
            try add(families, into: &found)
            if options.method == .unoloraStar { try addScales(method, families, start, into: &found, world: world) }
            return
        }
        for (task, name) in tasks.enumerated() {
            try add(families(method, task: task, named: name, start), into: &found)
        }
    }

    private func add(_ families: LowRankFamilies, into found: inout Findings) throws(Failure) {
        for state in AdapterState.allCases {
            for family in try families.factors(state) { try found.add(family) }
            if let family = try families.updates(state) { try found.add(family) }
        }
    }

    private func families(
        _ method: LowRankMethod, task: Int, named name: String?, _ start: Arena?
    ) throws(Failure) -> LowRankFamilies {
        try LowRankFamilies(
            matrices(method, task: task, weights.readOnly),
            start: start.map { matrices(method, task: task, $0.readOnly) }, task: name)
    }

    private func matrices(_ method: LowRankMethod, task: Int, _ weights: ReadOnlyArena) -> [LowRankMatrices] {
        let factor = method.options.alpha / Double(method.options.rankA)
        return method.sites.map { site in
            func matrix(_ entry: ParameterLayout.Entry) -> DenseMatrix {
                DenseMatrix(LowRankSite.matrix(entry, task: task, of: weights))
            }
            let ranks = [Double](repeating: factor, count: method.options.rankA)
            let core = site.c.map { matrix($0).scalingColumns(by: ranks) } ?? DenseMatrix(diagonal: ranks)
            return LowRankMatrices(
                site: SiteLabel(name: site.name, kind: site.kind), a: matrix(site.a), b: matrix(site.b), core: core)
        }
    }

    /// The scales of `unolora_star`, and BA with each task's mean scales. Without the texts that the hypernetwork reads there is a
    /// note in their place.
    private func addScales(
        _ method: LowRankMethod, _ families: LowRankFamilies, _ start: Arena?, into found: inout Findings,
        world: Communicator
    ) throws(Failure) {
        let scales: [TaskScales]
        let startScales: [TaskScales]?
        do throws(Failure) {
            let texts = try TextScales(self, method, world: world)
            scales = texts.scales(weights.readOnly)
            // The scales of the start matter only where it added something.
            startScales = families.startAddsSomething ? start.map { texts.scales($0.readOnly) } : nil
        } catch {
            found.source.notes.append(
                "scales and BA with scales are not given, because the hypernetwork reads the training texts, and "
                    + error.message)
            return
        }
        for (task, name) in tasks.enumerated() {
            for state in AdapterState.allCases {
                guard
                    let family = try families.updates(
                        state, scales: (name, scales[task].mean), startScales: startScales?[task].mean)
                else { continue }
                try found.add(family)
            }
        }
        let sites = method.sites
        found.scales = ScaleAnalysis(
            basis: method.scalesReadTexts ? .trainingTexts : .anyText,
            tasks: zip(tasks, scales).map { name, scales in
                ScaleAnalysis.Task(
                    task: name, texts: scales.texts,
                    sites: sites.indices.map { site in
                        ScaleAnalysis.Site(
                            site: SiteLabel(name: sites[site].name, kind: sites[site].kind), mean: scales.mean[site],
                            deviation: scales.deviation[site])
                    })
            })
    }
}

/// Computes the scales of a run's tasks over their training texts, as far as the hypernetwork reads them.
private struct TextScales {
    private let method: LowRankMethod
    private let session: RunSession?
    private let threads: Int
    private let most: Int?

    /// Opens the model and the tokenised training texts if they are needed. Throws a failure, whose sentence says why, if they are
    /// not those of the training any more.
    init(_ run: AnalyzedRun, _ method: LowRankMethod, world: Communicator) throws(Failure) {
        (self.method, most) = (method, run.depth.texts)
        guard method.scalesReadTexts else {
            (session, threads) = (nil, 1)
            return
        }
        let base = try RunModel(run.configuration, training: false, freedom: .nothing, world: world)
        base.sayProducts()
        let trained = run.state.identity
        session = try RunSession(base, run: run.run, comparedWith: trained) { present throws(Failure) in
            guard let change = trained.change(to: present) else { return }
            throw Failure(.badConfiguration, "\(run.run.path) has changed since its training: \(change)")
        }
        guard base.method.parameters == method.parameters else {
            throw Failure(.badConfiguration, "\(run.run.configuration) has changed since the training")
        }
        threads = try ThreadChoice(requested: run.configuration.threads, world: world, microBatches: nil).threads
    }

    /// The scales of each task with these weights of the adapter.
    func scales(_ weights: ReadOnlyArena) -> [TaskScales] {
        if let session { return session.trainingScales(weights: weights, threads: threads, most: most) ?? [] }
        return (0..<method.options.tasks).compactMap { method.scales(task: $0, weights: weights) }
    }
}
