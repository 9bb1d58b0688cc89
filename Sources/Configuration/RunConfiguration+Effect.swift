extension RunConfiguration {
    /// One sentence for each reason why some of the given keys have no effect, because of the values of other keys.
    func keysWithoutEffect(_ given: Set<String>) -> [String] {
        var told: Set<String> = []
        return idle.compactMap { reason, keys in
            let idle = keys.filter { given.contains($0) && told.insert($0).inserted }
            guard !idle.isEmpty else { return nil }
            guard idle.count > 1 else { return "\(idle[0]) has no effect \(reason)" }
            let names = idle.dropLast().joined(separator: ", ") + " and " + idle[idle.count - 1]
            return "\(names) have no effect \(reason)"
        }
    }

    /// Keys that have no effect because of the values of other keys, in the order of the table, with the reason.
    private var idle: [(reason: String, keys: [String])] {
        func section(_ names: String...) -> [String] {
            KeyTable.keys.map(\.path).filter { names.contains(Self.section($0)) }
        }
        var idle: [(reason: String, keys: [String])] = []
        func add(_ applies: Bool, _ reason: String, _ keys: [String]) {
            if applies { idle.append((reason, keys)) }
        }
        add(
            true, "with method \(method)",
            KeyTable.keys.filter { KeyTable.owners[Self.section($0.path)] != nil && !applies($0) }.map(\.path))
        add(method == "frozen", "with method frozen, which trains nothing", section("lora", "lr", "optim"))
        add(
            trainsWholeModel, "with method full, which changes every matrix and packs none", ["parallel.gemm"])
        let usesGLUE = tasks.contains { if case .glue = $0 { true } else { false } }
        let usesSuperGLUE = tasks.contains { if case .superglue = $0 { true } else { false } }
        add(
            !usesGLUE && !usesSuperGLUE, "since no task is one of GLUE's",
            ["data.glue", "data.superglue", "data.glueSplits", "data.labelStyle"])
        add(!usesGLUE, "since no task is one of GLUE's", ["data.glue"])
        add(!usesSuperGLUE, "since no task is one of SuperGLUE's", ["data.superglue"])
        add(
            tasks.count == 1, "with a single task", ["sampler.temperature", "sampler.cap"])
        if interferenceEvery != nil, measuredInterference == nil {
            let reason =
                tasks.count == 1
                ? "with a single task" : "with method \(method), whose tasks share no trained weight"
            add(true, reason, ["log.interferenceEvery"])
        }
        add(loraDropout == 0, "with lora.dropout 0", ["lora.dropoutMask"])
        add(
            method == "unolora_star" && !hyperInputs.contains("sample"), "since hyper.inputs has no sample",
            ["hyper.bottleneck"])
        add(
            method == "unolora_star" && !hyperInputs.contains("position"), "since hyper.inputs has no position",
            ["hyper.positions"])
        let asked = ["eval.split", "eval.maxExamples", "eval.ranks", "checkpoint.best"]
        // With null the user does not ask for evaluations, so `eval.every` itself is not reported.
        add(
            !evaluates, "since training evaluates nothing (eval.every, eval.atEnd, train.steps)",
            evaluateEvery == nil ? asked : ["eval.every"] + asked)
        return idle
    }
}
