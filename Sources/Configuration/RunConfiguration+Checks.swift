public import Failures

extension RunConfiguration {
    /// Refuses values that are impossible together.
    func check(_ places: Places) throws(Failure) {
        func refuse(_ keys: String..., because sentence: String) -> Failure { places.refusal(keys, sentence) }
        if !places.isForUse { try checkLibrary(places) }
        if storage != .float32, products != .float32 {
            throw refuse(
                "model.products", "model.storage",
                because: "model.products \(products.rawValue) needs model.storage float32 in this version, not "
                    + "\(storage.rawValue); use it, or model.products float32")
        }
        if trainsWholeModel, products != .float32 {
            throw refuse(
                "model.products", "method",
                because: "model.products \(products.rawValue) is for frozen weights, and method full has none; use "
                    + "model.products float32 or another method")
        }
        if trainsWholeModel, storage != .float32 {
            throw refuse(
                "model.storage", "method",
                because: "model.storage \(storage.rawValue) is for frozen weights, and method full has none; use "
                    + "model.storage float32 or another method")
        }
        guard globalBatch % microBatch == 0 else {
            throw refuse(
                "batch.micro", "batch.global",
                because: "batch.global \(globalBatch) is no multiple of batch.micro \(microBatch); use e.g. "
                    + "batch.global \((globalBatch / microBatch + 1) * microBatch)")
        }
        guard warmup <= steps else {
            throw refuse(
                "lr.warmup", "train.steps",
                because: "lr.warmup \(warmup) is more than train.steps \(steps), so the peak is never reached; lower it"
            )
        }
        if conflict == .pcgrad, let (key, sentence) = refusedProjection {
            throw refuse(key, "train.conflict", because: sentence)
        }
        if hasLoraKeys, method != "frozen", targets.values.allSatisfy(\.isEmpty) {
            throw refuse("lora.targets", because: "lora.targets names no projection; name one or use method frozen")
        }
        if method == "unolora_star", hyperInputs.isEmpty {
            throw refuse("hyper.inputs", because: "hyper.inputs is empty; name at least one of task, position, sample")
        }
        if let (keys, sentence) = refusedFreezing {
            throw places.refusal(keys, sentence)
        }
        if let key = KeyTable.keys.first(where: { places.own.contains($0.path) && !applies($0) }) {
            if key.path == "lora.rank", hasLoraKeys {
                throw refuse(
                    key.path, because: "lora.rank has no effect beside lora.rankA and lora.rankB; remove one of them")
            }
            if key.path == "init.newTask" {
                throw refuse(
                    key.path, because: "init.newTask has no meaning without init.from; remove it or name an origin")
            }
            // Keys of `lora` are accepted for `frozen`, but do nothing there.
            let owners = (KeyTable.owners[Self.section(key.path)] ?? []).filter { $0 != "frozen" }
            let names = [owners.dropLast().joined(separator: ", "), owners.last ?? ""].filter { !$0.isEmpty }
            throw refuse(
                key.path,
                because:
                    "\(key.path) has no meaning for method \(method), only for \(names.joined(separator: " and ")); remove "
                    + "it or use method \(owners.first ?? "")")
        }
        if glue == nil, let task = tasks.first(where: { if case .glue = $0 { true } else { false } }) {
            throw refuse(
                "tasks", "data.glue",
                because: "task \(task.name) is GLUE's, so data.glue must name the directory that holds CoLA, SST-2, ..."
            )
        }
        if superglue == nil, let task = tasks.first(where: { if case .superglue = $0 { true } else { false } }) {
            throw refuse(
                "tasks", "data.superglue",
                because:
                    "task \(task.name) is SuperGLUE's, so data.superglue must name the directory that holds BoolQ, CB, ..."
            )
        }
        let areAllBuiltIn = tasks.allSatisfy { if case .custom = $0 { false } else { true } }
        if areAllBuiltIn, glueSplits == .dev, evaluationSplit == "test" {
            throw refuse(
                "eval.split", "data.glueSplits",
                because:
                    "with data.glueSplits dev GLUE's tasks have no test split, which eval.split test would evaluate; use "
                    + "eval.split validation" + (places.isForUse ? "" : " or data.glueSplits paper"))
        }
    }

    /// Refuses a library that computes no such products, or not with weights that are kept so, on any machine.
    private func checkLibrary(_ places: Places) throws(Failure) {
        func refuse(_ keys: String..., because sentence: String) -> Failure { places.refusal(keys, sentence) }
        if ["onednn", "tiles"].contains(gemm), storage != .float32 {
            throw refuse(
                "model.storage", "parallel.gemm",
                because:
                    "model.storage \(storage.rawValue) saves memory, but the copies of parallel.gemm \(gemm) take more than "
                    + "it saves; use parallel.gemm openblas or model.storage float32")
        }
        if gemm == "tiles", products == .float32, !trainsWholeModel {
            throw refuse(
                "parallel.gemm", "model.products",
                because:
                    "parallel.gemm tiles computes no products in float32; use model.products bf16x3, which is nearly as "
                    + "accurate, or parallel.gemm auto")
        }
        if products == .bf16x3 && ["openblas", "onednn"].contains(gemm) || products == .bfloat16 && gemm == "openblas" {
            throw refuse(
                "model.products", "parallel.gemm",
                because:
                    "parallel.gemm \(gemm) computes no products in \(products.rawValue); use parallel.gemm tiles, "
                    + "which works on every processor (slowly without AMX), or model.products float32")
        }
    }

    /// Why gradients that conflict cannot be projected, with the key at fault; nil if they can.
    private var refusedProjection: (key: String, sentence: String)? {
        if tasks.count == 1 {
            return ("tasks", "train.conflict pcgrad needs several tasks; use train.conflict sum for a single one")
        }
        if granularity == .batch {
            return (
                "sampler.granularity",
                "train.conflict pcgrad needs several tasks in a step, but with sampler.granularity batch a step trains one; use "
                    + "microBatch or example"
            )
        }
        if reduction == .fast {
            return (
                "parallel.reduction",
                "train.conflict pcgrad sums the gradients of each task exactly; use parallel.reduction exact"
            )
        }
        guard ["frozen", "lora_per_task"].contains(method) else { return nil }
        return (
            "method",
            "train.conflict pcgrad has nothing to project with method \(method), whose tasks share no trained weight; use "
                + "train.conflict sum"
        )
    }

    /// Why the parts that are to stay as they began cannot, with the keys at fault; nil if they can.
    private var refusedFreezing: (keys: [String], sentence: String)? {
        guard hasLoraKeys, method != "frozen" else { return nil }
        let hasHypernetwork = method == "unolora_star"
        if trainsOnlyNewTasks {
            let key = "hyper.onlyNewTasks"
            if freezesHypernetwork {
                return ([key, "hyper.freeze"], "\(key) trains a part of what hyper.freeze freezes; remove one of them")
            }
            if origin == nil {
                return ([key], "\(key) needs an origin without some of the run's tasks; name one with init.from")
            }
            if !hyperInputs.contains("task") {
                return (
                    [key, "hyper.inputs"],
                    "\(key) trains embeddings of tasks, which a hypernetwork without task in hyper.inputs does not have; remove it"
                )
            }
        }
        if freezesB, origin == nil {
            return (
                ["lora.freezeB"],
                "lora.freezeB without init.from would leave B at 0 for ever, so that nothing could be learned; name an origin, "
                    + "or freeze A alone"
            )
        }
        guard freezesA, freezesB, rankA == rankB, !hasHypernetwork || freezesHypernetwork else { return nil }
        let keys = ["lora.freezeA", "lora.freezeB"] + (hasHypernetwork ? ["hyper.freeze"] : [])
        return (
            keys,
            "\(keys.dropLast().joined(separator: ", ")) and \(keys[keys.count - 1]) leave nothing to train with method "
                + "\(method); remove one of them"
        )
    }

    /// Refuses more ranks than a step has micro-batches, since some ranks would have nothing to do.
    public func checkRanks(_ ranks: Int) throws(Failure) {
        let microBatches = globalBatch / microBatch
        guard ranks > microBatches else { return }
        let fitting = (1...microBatch).reversed().first { microBatch % $0 == 0 && globalBatch / $0 >= ranks }
        let (global, isTooLarge) = ranks.multipliedReportingOverflow(by: microBatch)
        var remedies = fitting.map { ["batch.micro: \($0)"] } ?? []
        if !isTooLarge, global <= Limits.batch { remedies.append("batch.global: \(global)") }
        remedies.append("at most \(microBatches) ranks")
        throw Failure(
            .badConfiguration,
            "\(ranks) ranks are more than the \(microBatches) micro-batches of a step (batch.global \(globalBatch) / "
                + "batch.micro \(microBatch)); use \(remedies.joined(separator: ", or ")) "
                + "(batch.micro and batch.global are part of the result)")
    }
}
