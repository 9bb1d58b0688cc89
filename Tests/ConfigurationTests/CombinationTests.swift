import Failures
import Testing

@testable import Configuration

@Suite struct CombinationTests {

    @Test(arguments: [
        (
            "model.storage: bfloat16\nparallel: {gemm: onednn}",
            "model.storage bfloat16 saves memory, but the copies of parallel.gemm onednn take more than it saves; use "
                + "parallel.gemm openblas or model.storage float32"
        ),
        (
            "model.products: int8Forward\nmodel.storage: bfloat16",
            "model.products int8Forward needs model.storage float32 in this version, not bfloat16; use it, or model.products "
                + "float32"
        ),
        (
            "model.storage: bfloat16\nparallel: {gemm: tiles}",
            "model.storage bfloat16 saves memory, but the copies of parallel.gemm tiles take more than it saves; use "
                + "parallel.gemm openblas or model.storage float32"
        ),
        (
            "parallel: {gemm: tiles}",
            "parallel.gemm tiles computes no products in float32; use model.products bf16x3, which is nearly as accurate, or "
                + "parallel.gemm auto"
        ),
        (
            "model.products: bf16x3\nparallel: {gemm: onednn}",
            "parallel.gemm onednn computes no products in bf16x3; use parallel.gemm tiles, which works on every processor "
                + "(slowly without AMX), or model.products float32"
        ),
        (
            "model.products: bfloat16\nparallel: {gemm: openblas}",
            "parallel.gemm openblas computes no products in bfloat16; use parallel.gemm tiles, which works on every processor "
                + "(slowly without AMX), or model.products float32"
        ),
        (
            "batch: {global: 30, micro: 4}",
            "batch.global 30 is no multiple of batch.micro 4; use e.g. batch.global 32"
        ),
        (
            "data.glueSplits: dev\neval: {split: test}",
            "with data.glueSplits dev GLUE's tasks have no test split, which eval.split test would evaluate; use eval.split "
                + "validation or data.glueSplits paper"
        ),
        ("batch: {micro: 3}", "batch.global 32 is no multiple of batch.micro 3; use e.g. batch.global 33"),
        (
            "train: {steps: 20}\nlr: {warmup: 1000}",
            "lr.warmup 1000 is more than train.steps 20, so the peak is never reached; lower it"
        ),
        (
            "method: full\nlora: {alpha: 4}",
            "lora.alpha has no meaning for method full, only for unolora, unolora_star and lora_per_task; remove it or use "
                + "method unolora"
        ),
        (
            "method: full\nmodel.products: int8",
            "model.products int8 is for frozen weights, and method full has none; use model.products float32 or another method"
        ),
        ("lora: {targets: {}}", "lora.targets names no projection; name one or use method frozen"),
        (
            "hyper: {dim: 4}",
            "hyper.dim has no meaning for method unolora, only for unolora_star; remove it or use method unolora_star"
        ),
        (
            "hyperformer: {reduction: 16}",
            "hyperformer.reduction has no meaning for method unolora, only for hyperformer_pp; remove it or use method "
                + "hyperformer_pp"
        ),
        (
            "lora: {rank: 8, rankA: 4, rankB: 2}",
            "lora.rank has no effect beside lora.rankA and lora.rankB; remove one of them"
        ),
    ])
    func `what is impossible together is refused with the line of a key at fault`(line: String, message: String) throws
    {
        let place = try refusal(complete + line + "\n")
        #expect(place.wholeMatch(of: #/run\.yaml:[34]: (.*)/#)?.1 == message[...], "\(place)")
    }

    private static let freezing: [(keys: [String], place: String, sentence: String)] = [
        (
            ["lora.freezeB=true"], "lora.freezeB=true",
            "lora.freezeB without init.from would leave B at 0 for ever, so that nothing could be learned; name an origin, or "
                + "freeze A alone"
        ),
        (
            ["init.from=a", "lora.freezeA=true", "lora.freezeB=true"], "lora.freezeA=true",
            "lora.freezeA and lora.freezeB leave nothing to train with method unolora; remove one of them"
        ),
        (
            ["init.from=a", "method=unolora_star", "lora.freezeA=true", "lora.freezeB=true", "hyper.freeze=true"],
            "lora.freezeA=true",
            "lora.freezeA, lora.freezeB and hyper.freeze leave nothing to train with method unolora_star; remove one of them"
        ),
        (
            ["method=unolora_star", "hyper.onlyNewTasks=true"], "hyper.onlyNewTasks=true",
            "hyper.onlyNewTasks needs an origin without some of the run's tasks; name one with init.from"
        ),
        (
            ["init.from=a", "method=unolora_star", "hyper.onlyNewTasks=true", "hyper.freeze=true"],
            "hyper.onlyNewTasks=true",
            "hyper.onlyNewTasks trains a part of what hyper.freeze freezes; remove one of them"
        ),
        (
            ["init.from=a", "method=unolora_star", "hyper.onlyNewTasks=true", "hyper.inputs=[sample]"],
            "hyper.onlyNewTasks=true",
            "hyper.onlyNewTasks trains embeddings of tasks, which a hypernetwork without task in hyper.inputs does not have; "
                + "remove it"
        ),
    ]

    @Test(arguments: freezing)
    func `parts that cannot stay as they began are refused`(keys: [String], place: String, sentence: String) throws {
        #expect(try refusal(complete, set: keys) == "--set \(place): \(sentence)")
    }

    @Test func `parts that leave something to train may stay`() throws {
        let frozen = ["init.from=a", "lora.freezeA=true", "lora.freezeB=true"]
        // The hypernetwork, C, and nothing that is asked for.
        for more in [["method=unolora_star"], ["lora.rankB=4"], ["method=frozen"]] {
            let read = try RunConfiguration.load(
                yaml: complete, name: "run.yaml", directory: "/runs", overrides: frozen + more)
            #expect(read.freezesA && read.freezesB)
        }
        #expect(try load(complete, set: "lora.freezeA=true").freezesA)
        #expect(try load(complete, set: "method=unolora_star", "hyper.freeze=true").freezesHypernetwork)
        #expect(
            try load(complete, set: "init.from=a", "method=unolora_star", "hyper.onlyNewTasks=true").trainsOnlyNewTasks)
        // The file's key of another method does nothing.
        let star = complete + "hyper: {onlyNewTasks: true, freeze: true}\n"
        #expect(try !load(star, set: "method=unolora").trainsOnlyNewTasks)
    }

    @Test func `an empty hypernetwork is refused`() throws {
        #expect(
            try refusal(complete + "method: unolora_star\nhyper: {inputs: []}\n")
                == "run.yaml:4: hyper.inputs is empty; name at least one of task, position, sample")
    }

    @Test func `hypernetwork keys of a preset are no mistake of the user's, those of the file are`() throws {
        #expect(try load(complete + "preset: repo\nmethod: unolora\n").method == "unolora")
        let message = try refusal(complete + "preset: repo\nmethod: unolora\nhyper: {outDim: 4}\n")
        #expect(message.hasPrefix("run.yaml:5: hyper.outDim has no meaning"))
    }

    /// A value for each key of `lora` and `hyper`, and for HyperFormer++'s.
    private static let keysOfMethods = [
        "lora.freezeA=true", "lora.freezeB=true", "hyper.freeze=true", "hyper.onlyNewTasks=true",
        "lora.rank=4", "lora.rankA=4", "lora.rankB=4", "lora.alpha=8", "lora.dropout=0.5", "lora.dropoutMask=perSite",
        "lora.aInit=kaimingRank", "lora.targets={decoderSelf: [q]}", "hyper.dim=4", "hyper.outDim=4",
        "hyper.bottleneck=4", "hyper.inputs=[task]", "hyper.scaleInit=zeroMean", "hyper.positions=modulo(5)",
        "hyperformer.reduction=16",
    ]

    @Test(arguments: ["full", "hyperformer_pp"], keysOfMethods)
    func `keys of another method are refused`(method: String, setting: String) throws {
        let key = String(setting.prefix { $0 != "=" })
        if method == "hyperformer_pp", key == "hyperformer.reduction" {
            #expect(try load(complete, set: "method=\(method)", setting).hyperFormerReduction == 16)
            return
        }
        let owners = ["lora": "unolora, unolora_star and lora_per_task", "hyperformer": "hyperformer_pp"]
        let section = String(key.prefix { $0 != "." })
        let message = try refusal(complete, set: ["method=\(method)", setting])
        #expect(
            message.hasPrefix(
                "--set \(setting): \(key) has no meaning for method \(method), only for "
                    + "\(owners[section] ?? "unolora_star"); remove it or use method "), "\(message)")
    }

    @Test func `every key of the methods' sections is among these`() {
        let sections = ["lora", "hyper", "hyperformer"]
        let keys = KeyTable.keys.map(\.path).filter { sections.contains(RunConfiguration.section($0)) }
        #expect(Set(keys) == Set(Self.keysOfMethods.map { String($0.prefix { $0 != "=" }) }))
    }

    @Test(arguments: ["full", "hyperformer_pp"])
    func `a method without keys of its own needs none to be removed from presets and the program's example`(
        method: String
    ) throws {
        for preset in ["paper", "hyperformer", "repo"] {
            #expect(try load(complete + "preset: \(preset)\nmethod: \(method)\n").method == method)
        }
        let example = try RunConfiguration.load(
            yaml: complete + "method: unolora\nlora: {dropout: 0, rank: 4}\n", name: "run.yaml", directory: "/runs",
            isOwn: false, overrides: ["method=\(method)"])
        #expect(example.method == method && !example.hasLoraKeys && example.warnings.isEmpty)
        // One file may serve for several methods; what it has for others is said to do nothing.
        let overridden = try load(complete + "method: unolora\nlora: {dropout: 0}\n", set: "method=\(method)")
        #expect(overridden.warnings == ["lora.dropout has no effect with method \(method)"])
        #expect(throws: Failure.self) { try load(complete + "method: \(method)\nlora: {dropout: 0}\n") }
        #expect(throws: Failure.self) {
            try load(complete + "method: unolora\n", set: "method=\(method)", "lora.dropout=0")
        }
    }

    @Test func `GLUE's tasks need its directory`() throws {
        #expect(
            try refusal("model: t5\ntasks: [rte]\n")
                == "run.yaml:2: task rte is GLUE's, so data.glue must name the directory that holds CoLA, SST-2, ...")
        #expect(try refusal("model: t5\n").hasPrefix("run.yaml: task cola is GLUE's"))
    }

    @Test func `a refusal of an override names the override`() throws {
        #expect(
            try refusal(complete + "batch: {global: 64}\n", set: ["batch.micro=7"])
                == "--set batch.micro=7: batch.global 64 is no multiple of batch.micro 7; use e.g. batch.global 70")
        // The file was right without it, whichever key the sentence is about first.
        let beside = try refusal(complete + "model.products: bf16x3\n", set: ["parallel.gemm=openblas"])
        #expect(beside.hasPrefix("--set parallel.gemm=openblas: parallel.gemm openblas computes no"), "\(beside)")
        #expect(
            try refusal(complete, set: ["lora.rank=x"])
                == "--set lora.rank=x: lora.rank must be a whole number from 1 to 4096, not `x`")
        #expect(try refusal(complete, set: ["lora.rnk=4"]).hasPrefix("--set lora.rnk=4: key lora.rnk is unknown"))
        #expect(try refusal(complete, set: ["lora.rank=[4"]).hasPrefix("--set lora.rank=[4: the value is not YAML"))
    }

    @Test func `an override that is no assignment of one key is wrong usage`() throws {
        #expect(
            try refusal(complete, set: ["lora.rank"], code: .usage)
                == "--set lora.rank: write --set key=value, e.g. --set lora.rank=4")
        #expect(
            try refusal(complete, set: ["lora={rank: 4}"], code: .usage)
                == "--set lora={rank: 4}: lora is a section; set its keys one by one, as lora.KEY=VALUE")
    }

    @Test func `as many ranks as micro-batches fit, one more does not`() throws {
        let configuration = try load(complete)
        try configuration.checkRanks(1)
        try configuration.checkRanks(8)
        let failure = try #require(throws: Failure.self) { try configuration.checkRanks(9) }
        #expect(failure.code == .badConfiguration)
        #expect(
            failure.message
                == "9 ranks are more than the 8 micro-batches of a step (batch.global 32 / batch.micro 4); use "
                + "batch.micro: 2, or batch.global: 36, or at most 8 ranks (batch.micro and batch.global are part of the "
                + "result)")
    }

    @Test func `every value that a refused number of ranks is given fits`() throws {
        for (global, micro, ranks) in [(32, 4, 9), (32, 4, 33), (12, 6, 5), (6, 6, 7)] {
            let configuration = try load(complete, set: "batch.global=\(global)", "batch.micro=\(micro)")
            let failure = try #require(throws: Failure.self) { try configuration.checkRanks(ranks) }
            for proposal in failure.message.matches(of: #/batch\.(global|micro): (\d+)/#) {
                let (key, value) = (String(proposal.1), String(proposal.2))
                let other = key == "global" ? "batch.micro=\(micro)" : "batch.global=\(global)"
                try load(complete, set: other, "batch.\(key)=\(value)").checkRanks(ranks)
            }
        }
    }
}
