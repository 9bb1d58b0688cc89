extension RunConfiguration {
    /// The values after defaults and presets have been adapted to the user's own values, since a default or a preset must not
    /// refuse what the user asks for; and a sentence about each change.
    ///
    /// - A warmup that is longer than the run becomes a tenth of its steps, rounded down.
    /// - Methods with many trainables, and adapters of a large rank, do not measure how the gradients of the tasks go together,
    ///   without a sentence: each task would take as much memory as the trainables.
    /// - A micro-batch that does not divide the global batch becomes the largest smaller one that does.
    ///
    /// - Parameter own: the keys that the user gave; they stay as they are.
    func yielding(to own: Set<String>) -> (values: [String: Value], notices: [String]) {
        var values = values
        var notices: [String] = []
        if !own.contains("lr.warmup"), warmup > steps {
            let shorter = steps / 10
            values["lr.warmup"] = .integer(shorter)
            notices.append(
                "lr.warmup is \(shorter), a tenth of train.steps \(steps), since \(origin("lr.warmup")) \(warmup) is longer than "
                    + "the run; set lr.warmup to choose another")
        }
        if !own.contains("batch.micro"), own.contains("batch.global"), globalBatch % microBatch != 0,
            let fitting = (1...microBatch).reversed().first(where: { globalBatch % $0 == 0 })
        {
            values["batch.micro"] = .integer(fitting)
            notices.append(
                "batch.micro is \(fitting), since \(origin("batch.micro")) \(microBatch) does not divide batch.global "
                    + "\(globalBatch); set batch.micro to choose another")
        }
        if !own.contains("log.interferenceEvery"), !measuresUnasked { values["log.interferenceEvery"] = .null }
        return (values, notices)
    }

    /// The largest rank of A and B with which interference is measured without being asked for: with t5-base, `q` and `v` and
    /// eight tasks, the averages then take 113 MB.
    private static let largestRankMeasuredUnasked = 32

    /// Whether interference is measured if the user gives no `log.interferenceEvery`.
    private var measuresUnasked: Bool {
        ["unolora", "unolora_star"].contains(method) && max(rankA, rankB) <= Self.largestRankMeasuredUnasked
    }

    /// Where a value comes from that the user did not give.
    private func origin(_ path: String) -> String {
        let isPresets = (try? Layer(yaml: Presets.yaml(preset), name: "").leaves[path]) != nil
        guard !isPresets else { return "the preset's" }
        guard let key = KeyTable.byPath[path], let standard = key.standard,
            let leaf = try? Layer.standard(key, standard), (try? key.read(leaf, directory: "/")) == values[path]
        else { return "the example's" }
        return "the default of"
    }
}
