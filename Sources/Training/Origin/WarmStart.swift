import Adapters
import Backbone
import Configuration
import Failures
import Tensors

/// Writes the weights of an origin over the seeded start of a new run.
struct WarmStart {
    let origin: Origin
    let method: any Method
    let shape: any BackboneShape
    /// The new run's adapter, with the names of its tasks.
    let adapter: AdapterConfiguration
    /// How the rows of a task begin that the origin does not have.
    let newTask: NewTaskChoice

    /// Overwrites in `weights`, which hold the seeded start, all that the origin has. Refuses an origin that is another method's,
    /// another backbone's or vocabulary's, or that means something else with the run's options.
    ///
    /// - Returns: the names of tasks of which something begins anew, since the origin does not have them.
    func apply(to weights: Arena, backbone: String) throws(Failure) -> [String] {
        if let trained = origin.backbone, trained != backbone {
            throw Failure(
                .badConfiguration,
                "init.from: \(origin.path) was trained on another model; use that one, or another origin")
        }
        switch origin.kind {
        case .native(let configuration, let tensors): return try apply(configuration, tensors, weights)
        case .peft(let sites):
            try apply(sites, weights)
            return []
        }
    }

    // MARK: - Adapters of this program

    private func apply(
        _ configuration: AdapterConfiguration, _ tensors: [String: OriginTensor], _ weights: Arena
    ) throws(Failure) -> [String] {
        try origin.checkMethod(adapter.method)
        // A file may leave out what has its method's default.
        var comparable = try MethodTable.standard.method(
            configuration, on: shape, from: .file(path: origin.path)
        ).configuration
        comparable.vocabulary = configuration.vocabulary
        (comparable.taskNames, comparable.labels) = (configuration.taskNames, configuration.labels)
        if let misfit = try OriginMisfit.between(comparable, and: adapter) {
            throw origin.failure(misfit, method: adapter.method)
        }
        let places =
            try adapter.taskNames.map { names throws(Failure) in try origin.places(of: names) }
            ?? Array(0..<adapter.tasks)
        for entry in method.parameters.entries {
            guard let tensor = tensors[entry.name] else { throw missing(entry.name) }
            let isPerTask = method.isPerTask(entry)
            let expected = isPerTask ? [configuration.tasks] + entry.shape.dropFirst() : entry.shape
            guard tensor.shape == expected else {
                throw Failure(
                    .badData,
                    "init.from: tensor \(entry.name.shown) of \(origin.path) has shape \(tensor.shape), but the run's has "
                        + "\(expected)")
            }
            guard isPerTask else {
                write(tensor.values, 0, entry, weights)
                continue
            }
            for (task, place) in places.enumerated() {
                if let place {
                    let start = place * tensor.stride
                    write(tensor.values[start..<start + tensor.stride], task * tensor.stride, entry, weights)
                } else if newTask == .mean {
                    write(Self.mean(tensor), task * tensor.stride, entry, weights)
                } else {
                    try refuseFrozenZeros(entry, task: task, weights)
                }
            }
        }
        let names = Set(method.parameters.entries.map(\.name))
        if let other = tensors.keys.sorted().first(where: { !names.contains($0) }) {
            throw Failure(
                .badData,
                "init.from: \(origin.path) holds tensor \(other.shown), which the run's method does not have")
        }
        guard method.parameters.entries.contains(where: method.isPerTask) else { return [] }
        return zip(adapter.taskNames ?? [], places).filter { $0.1 == nil }.map(\.0)
    }

    /// Refuses a new task whose part of a frozen tensor begins at 0, since it would never learn anything.
    private func refuseFrozenZeros(
        _ entry: ParameterLayout.Entry, task: Int, _ weights: Arena
    ) throws(Failure) {
        let size = entry.count / max(adapter.tasks, 1)
        let row = entry.offset + task * size..<entry.offset + (task + 1) * size
        guard method.trainedRows(of: entry)?.isEmpty ?? false, row.allSatisfy({ unsafe weights.base[$0] == 0 }) else {
            return
        }
        throw Failure(
            .badConfiguration,
            "init.newTask random begins \(entry.name) at 0 for \(adapter.taskNames?[task] ?? "a new task"), where it is frozen, "
                + "so that nothing could be learned; use init.newTask mean, or do not freeze it")
    }

    private static func mean(_ tensor: OriginTensor) -> [Float] {
        let count = tensor.shape.first ?? 0
        return (0..<tensor.stride).map { i in
            Float((0..<count).reduce(0.0) { $0 + Double(tensor.values[$1 * tensor.stride + i]) } / Double(count))
        }
    }

    // MARK: - Adapters of PEFT

    private func apply(_ sites: [PEFTAdapter.Site], _ weights: Arena) throws(Failure) {
        guard adapter.method == "unolora", (adapter.rankA ?? adapter.rank) == (adapter.rankB ?? adapter.rank) else {
            throw Failure(
                .badConfiguration,
                "init.from: \(origin.path) is a LoRA adapter of PEFT, from which only method unolora with equal ranks can begin"
            )
        }
        let rank = adapter.rank
        try refuseFrozenZeros(outside: Set(sites.map(\.module)))
        for site in sites {
            guard let a = method.parameters[site.module + ".lora_A.weight"],
                let b = method.parameters[site.module + ".lora_B.weight"]
            else {
                throw Failure(
                    .badConfiguration,
                    "init.from: the adapter in \(origin.path) adapts \(site.module.shown), which the run does not; name it in "
                        + "lora.targets")
            }
            guard site.rank <= rank else {
                throw Failure(
                    .badConfiguration,
                    "init.from: the adapter in \(origin.path) has rank \(site.rank) at \(site.module), and lora.rank is "
                        + "\(rank); set lora.rank to \(sites.map(\.rank).max() ?? site.rank)")
            }
            guard site.a.stride == a.shape[1], site.b.shape[0] == b.shape[0] else {
                throw Failure(
                    .badData,
                    "init.from: the adapter in \(origin.path) is for another model: \(site.module) has \(site.b.shape[0]) x "
                        + "\(site.a.stride) there and \(b.shape[0]) x \(a.shape[1]) here")
            }
            // Rows of A beyond the site's rank keep their random start, and the columns of B for them their zeros: they add
            // nothing yet, but can learn.
            write(site.a.values, 0, a, weights)
            let factor = site.factor * Double(rank) / adapter.alpha
            for row in 0..<site.b.shape[0] {
                let values = site.b.values[row * site.rank..<(row + 1) * site.rank]
                write(factor == 1 ? Array(values) : values.map { Float(Double($0) * factor) }, row * rank, b, weights)
            }
        }
    }

    /// Refuses a projection that the adapter does not have, where B is frozen: it begins at 0.
    private func refuseFrozenZeros(outside modules: Set<String>) throws(Failure) {
        for entry in method.parameters.entries where entry.name.hasSuffix(".lora_B.weight") {
            let module = String(entry.name.dropLast(".lora_B.weight".count))
            guard method.trainedRows(of: entry)?.isEmpty ?? false, !modules.contains(module) else { continue }
            throw Failure(
                .badConfiguration,
                "init.from: the adapter in \(origin.path) does not adapt \(module), where lora.freezeB would leave B at 0, so "
                    + "that nothing could be learned; leave it out of lora.targets, or do not freeze B")
        }
    }

    private func write(
        _ values: some Collection<Float>, _ place: Int, _ entry: ParameterLayout.Entry, _ weights: Arena
    ) {
        precondition(place >= 0 && place + values.count <= entry.count, "numbers outside the tensor")
        for (i, value) in values.enumerated() { unsafe weights.base[entry.offset + place + i] = value }
    }

    private func missing(_ name: String) -> Failure {
        Failure(.badData, "init.from: \(origin.path) has no tensor \(name.shown), which the run's method needs")
    }
}
