import Adapters
import Backbone
import Configuration
import Failures
import T5
import Tensors
import Testing

@testable import Training

@Suite struct RankMemoryTests {
    private static let shape = T5Configuration.presets[0].configuration

    private func configuration(_ overrides: String...) throws -> RunConfiguration {
        try RunConfiguration.load(
            yaml: "model: t5\ntasks:\n  - {name: t, train: t.tsv, fields: [a], labels: [x, y]}\n", name: "run.yaml",
            directory: "/", overrides: ["train.steps=5000"] + overrides)
    }

    private func memory(
        _ configuration: RunConfiguration, threads: Int = 1, batches: RankMemory.Batches? = nil
    ) throws -> RankMemory {
        try RankMemory(
            configuration, shape: Self.shape, method: configuration.method(Self.shape, isNew: true).method,
            threads: threads,
            longestTarget: 3, batches: batches)
    }

    @Test func `snapshots are two, one for the best, and one that is being written`() throws {
        func snapshots(_ overrides: [String]) throws -> ClosedRange<Int> {
            let base = try RunConfiguration.load(
                yaml: "model: t5\ntasks:\n  - {name: t, train: t.tsv, fields: [a], labels: [x, y]}\n",
                name: "run.yaml", directory: "/", overrides: ["train.steps=5000"] + overrides)
            return try memory(base).snapshots
        }
        #expect(try snapshots([]) == 2...3)
        #expect(try snapshots(["checkpoint.every=null"]) == 2...3)
        #expect(try snapshots(["eval.every=null"]) == 1...2)
        #expect(try snapshots(["eval.every=5000", "checkpoint.every=5000"]) == 1...1)
        #expect(try snapshots(["eval.every=null", "checkpoint.every=null"]) == 1...1)
    }

    @Test func `each thread has gradients, each rank weights, moments, sums and snapshots`() throws {
        let (one, three) = (try memory(configuration()), try memory(configuration(), threads: 3))
        let count = one.trainables
        #expect(three.mostBytes - one.mostBytes == 2 * (one.most + RankMemory.threadBytes + 4 * count))
        let fixed = RankMemory.processBytes + RankMemory.threadBytes
        #expect(one.mostBytes == fixed + one.most + (20 + 4 + 3 * 12) * count)
        #expect(one.usualBytes == nil)
    }

    /// Two tasks: averages of floats in the rank and in each snapshot, or sums of 8 bytes in the rank, which pcgrad sends.
    @Test func `the gradients of tasks are counted`() throws {
        func memory(_ overrides: [String]) throws -> RankMemory {
            func task(_ name: String) -> String { "  - {name: \(name), train: t.tsv, fields: [a], labels: [x, y]}\n" }
            let text = "model: t5\ntasks:\n" + task("t") + task("u")
            return try self.memory(
                RunConfiguration.load(
                    yaml: text, name: "run.yaml", directory: "/", overrides: ["train.steps=5000"] + overrides))
        }
        let mixed = "sampler.granularity=example"
        let none = try memory(["log.interferenceEvery=null"])
        let averages = try memory([])
        let sums = try memory([mixed])
        let sent = try memory([mixed, "train.conflict=pcgrad", "log.interferenceEvery=null"])
        let count = none.trainables
        #expect(averages.stateBytes - none.stateBytes == 8 * count)
        #expect(averages.snapshotBytes(2) - none.snapshotBytes(2) == 16 * count)
        #expect(sums.stateBytes - none.stateBytes == 16 * count && sums.snapshotBytes(2) == none.snapshotBytes(2))
        #expect(sent.stateBytes == sums.stateBytes)
        #expect(averages.wireBytes(tasks: 2) == none.wireBytes(tasks: 2))
        #expect(sums.wireBytes(tasks: 2) == none.wireBytes(tasks: 2))
        #expect(sent.wireBytes(tasks: 2) == none.wireBytes(tasks: 2) + 16 * count)
        // A large rank has averages only if they are asked for.
        let large = try memory(["lora.rank=64"])
        let asked = try memory(["lora.rank=64", "log.interferenceEvery=50"])
        #expect(large.averageBytes == 0 && asked.stateBytes - large.stateBytes == 8 * large.trainables)
    }

    @Test func `a trainable costs 32 bytes a rank and 4 a worker, a frozen weight 8 and 4`() throws {
        let (all, frozen) = (try memory(configuration()), try memory(configuration("lora.freezeA=true")))
        #expect(all.trainables == all.weights && frozen.weights == all.weights)
        // A has 384 columns for the 512 rows of B.
        #expect(7 * frozen.trainables == 4 * all.trainables)
        let of = { (memory: RankMemory) in memory.stateBytes + memory.snapshotBytes(1) }
        #expect(of(all) == 32 * all.weights)
        #expect(of(frozen) == 32 * frozen.trainables + 8 * (frozen.weights - frozen.trainables))
        #expect(all.mostOfWorker == frozen.mostOfWorker)
        #expect(all.mostOfWorker == all.most + RankMemory.threadBytes + 4 * all.weights)
        #expect(all.wireBytes(tasks: 3) - frozen.wireBytes(tasks: 3) == 8 * (all.trainables - frozen.trainables))
    }

    @Test func `what the data has is less than what it may have, and counts its longest batch`() throws {
        var batches = RankMemory.Batches()
        for source in [20, 60, 40] { batches.training.append(BatchLengths(examples: 4, source: source, target: 3)) }
        let base = try configuration()
        let usual = try memory(base, batches: batches)
        #expect(try #require(usual.usual) < usual.most)
        batches.training = [BatchLengths(examples: 4, source: 60, target: 3)]
        #expect(try memory(base, batches: batches).usual == usual.usual)
        batches.answering = [(BatchLengths(examples: 16, source: 128, target: 0), 4)]
        #expect(try memory(base, batches: batches).usual == usual.most)
        // A run without evaluations answers nothing.
        let silent = try configuration("eval.every=null", "eval.atEnd=false")
        #expect(try memory(silent, batches: batches).usual == usual.usual)
    }

    @Test func `a node and a process that have too little are told`() throws {
        var batches = RankMemory.Batches()
        batches.training = [BatchLengths(examples: 4, source: 20, target: 3)]
        let memory = try memory(configuration(), batches: batches)
        let (usual, most) = (try #require(memory.usualBytes), memory.mostBytes)
        func warning(_ bytes: Int) -> String? {
            memory.warning(ranks: 2, shared: 1000, limit: MemoryLimit(bytes: bytes, name: "this machine"))
        }
        #expect(warning(1000 + 2 * most) == nil)
        #expect(try #require(warning(999 + 2 * most)).hasPrefix("a node needs up to "))
        #expect(try #require(warning(999 + 2 * usual)).hasPrefix("a node needs about "))
        // Where packing takes the most, lower batches would not help.
        let limit = MemoryLimit(bytes: 1001 + 2 * most, name: "this machine")
        let packing = try #require(memory.warning(ranks: 2, shared: 1000, packing: most + 1, limit: limit))
        #expect(packing.contains("while weights are packed") && !packing.contains("batch.micro"))
        #expect(memory.warning(ranks: 2, shared: 1000, packing: most, limit: limit) == nil)
        #expect(memory.warning(addresses: nil, inUse: 1 << 40) == nil)
        #expect(memory.warning(addresses: MemoryLimit(bytes: 2 * most, name: "ulimit -v"), inUse: 0) == nil)
        let addresses = try #require(
            memory.warning(addresses: MemoryLimit(bytes: 2 * most, name: "ulimit -v"), inUse: 2 * most))
        #expect(addresses.contains("ulimit -v allows"))
    }

    @Test(arguments: [
        (["lora.rank=385"], "lora.rank 385 is more than 384"), (["lora.rankA=400"], "lora.rankA 400 is more than 384"),
        (["lora.rankB=1024"], "lora.rankB 1024 is more than 384"),
    ])
    func `a rank above the width of a layer is refused with its name`(overrides: [String], words: String) throws {
        let base = try RunConfiguration.load(
            yaml: "model: t5\ntasks:\n  - {name: t, train: t.tsv, fields: [a], labels: [x, y]}\n", name: "run.yaml",
            directory: "/", overrides: ["train.steps=5000"] + overrides)
        let failure = try #require(throws: Failure.self) { try base.method(Self.shape, isNew: true) }
        // A run that began before this check existed may go on.
        _ = try base.method(Self.shape, isNew: false)
        #expect(failure.code == .badConfiguration)
        #expect(failure.message.hasPrefix(words), "\(failure.message)")
        #expect(failure.message.contains("encoder.block.0.layer.0.SelfAttention.q ("), "\(failure.message)")
    }

    @Test func `a rank of the layer's width is not refused, nor one of a method that has none`() throws {
        for overrides in ["lora.rank=384", "method=frozen"] {
            let base = try configuration(overrides)
            _ = try base.method(Self.shape, isNew: true)
        }
    }

    @Test func `a cap that no task reaches is said`() throws {
        func notice(_ cap: String, _ examples: [Int]) throws -> String? {
            try RunConfiguration.load(
                yaml: "model: t5\ndata: {glue: /g}\ntasks: [rte, wnli]\n", name: "run.yaml", directory: "/",
                overrides: ["train.steps=5000", "sampler.cap=\(cap)"]
            ).capNotice(examples)
        }
        #expect(try notice("100", [100, 7]) == "sampler.cap has no effect since no task has more than 100 examples")
        #expect(try notice("99", [100, 7]) == nil && notice("null", [100, 7]) == nil)
    }

    @Test func `trainables that no machine holds are refused with its limit`() throws {
        let base = try configuration()
        let made = try base.method(Self.shape, isNew: true)
        let count = made.method.parameters.count
        let small = MemoryLimit(bytes: 36 * count - 1, name: "the job (its control group)")
        try base.check(made, training: true, fits: MemoryLimit(bytes: 36 * count, name: "this machine"))
        try base.check(made, training: false, fits: small)
        // What is frozen needs less.
        let frozen = try configuration("lora.freezeA=true")
        try frozen.check(
            frozen.method(Self.shape, isNew: true), training: true,
            fits: MemoryLimit(bytes: 36 * (4 * count / 7) + 12 * (3 * count / 7), name: "this machine"))
        let failure = try #require(throws: Failure.self) { try base.check(made, training: true, fits: small) }
        #expect(failure.message.contains("the job (its control group) has"), "\(failure.message)")
    }
}
