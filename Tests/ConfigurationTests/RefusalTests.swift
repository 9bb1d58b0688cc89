import Configuration
import Failures
import Foundation
import TestSupport
import Testing

@Suite struct RefusalTests {
    @Test func `an unknown key is refused with its line, the nearest key and the allowed ones`() throws {
        let message = try refusal(complete + "lora:\n  alpha: 8\n  rnk: 4\n")
        #expect(
            message == "run.yaml:5: key lora.rnk is unknown; did you mean lora.rank?; allowed here: lora.rank, "
                + "lora.rankA, lora.rankB, lora.alpha, lora.dropout, lora.dropoutMask, lora.aInit, lora.freezeA, "
                + "lora.freezeB, lora.targets")
    }

    @Test(arguments: [
        ("rank: 4", "lora.rank"), ("model.storge: float32", "model.storage"),
        ("model.product: int8", "model.products"), ("seed: 4", "train.seed"), ("methd: frozen", "method"),
        ("optim: {eps: 1}", nil),
        ("lora: {rakn: 4}", "lora.rank"), ("batch: {mirco: 4}", "batch.micro"), ("zzz: 1", nil),
        ("data: {labelstyle: words}", "data.labelStyle"), ("train: {warmup: 3}", "lr.warmup"),
    ])
    func `a slip or a key of another section is recognised`(line: String, meant: String?) throws {
        let message = try refusal("model: t5\n" + line + "\n")
        #expect(message.hasPrefix("run.yaml:2: key "))
        if let meant {
            #expect(message.contains("; did you mean \(meant)?"))
        } else {
            #expect(!message.contains("did you mean"))
        }
    }

    @Test(arguments: [
        ("lora: {rank: 0}", "lora.rank must be a whole number from 1 to 4096, not `0`"),
        ("lora: {rank: eight}", "lora.rank must be a whole number from 1 to 4096, not `eight`"),
        (
            "lora: {rank: \"8\"}",
            "lora.rank must be a whole number from 1 to 4096, not the quoted text `8`; remove the quotes"
        ),
        ("lora: {rank: 1.5}", "lora.rank must be a whole number from 1 to 4096, not `1.5`"),
        ("lora: {rank: [8]}", "lora.rank must be a whole number from 1 to 4096, not a list"),
        ("lora: {rank: }", "lora.rank must be a whole number from 1 to 4096, not nothing"),
        ("lora: {dropout: 1}", "lora.dropout must be a number from 0.0 to 0.99, not `1`"),
        ("lora: {dropout: nan}", "lora.dropout must be a number from 0.0 to 0.99, not `nan`"),
        ("lora: {alpha: 0}", "lora.alpha must be a number above 0, not `0`"),
        (
            "lora: {alpha: 1e39}",
            "lora.alpha is `1e39`, which single precision cannot hold; use a number from 1.2e-38 to 3.4e38"
        ),
        (
            "lr: {peak: 1e-46}",
            "lr.peak is `1e-46`, which single precision cannot hold; use a number from 1.2e-38 to 3.4e38"
        ),
        (
            "optim: {clip: 1e40}",
            "optim.clip is `1e40`, which single precision cannot hold; use a number from 1.2e-38 to 3.4e38"
        ),
        ("dropout: 1", "dropout must be a number from 0.0 to 0.99, or null, not `1`"),
        ("lora: {dropoutMask: none}", "lora.dropoutMask must be one of perInput, perSite, not `none`"),
        ("lora: {aInit: zero}", "lora.aInit must be one of kaimingIn, kaimingRank, not `zero`"),
        (
            "method: lora",
            "method must be one of frozen, unolora, unolora_star, lora_per_task, hyperformer_pp, full, "
                + "not `lora`"
        ),
        ("preset: papers", "preset must be one of paper, hyperformer, repo, not `papers`"),
        (
            "hyper: {inputs: [task, depth]}",
            "hyper.inputs must be a list of some of task, position, sample, and `depth` is none of them"
        ), ("hyper: {inputs: [task, task]}", "hyper.inputs has task twice; keep one of them"),
        ("hyper: {inputs: task}", "hyper.inputs must be a list of some of task, position, sample, not `task`"),
        (
            "hyper: {positions: modulo(0)}",
            "hyper.positions must be perSite, modulo(twiceBlocks) or modulo(P) with a whole number P from 1, "
                + "not `modulo(0)`"
        ),
        // This is 0 in single precision, and an update would be 0/0.
        ("optim: {epsilon: 1e-46}", "optim.epsilon must be a number from 1e-30, not `1e-46`"),
        ("sampler: {temperature: 0}", "sampler.temperature must be infinity or a number above 0, not `0`"),
        ("sampler: {cap: 0}", "sampler.cap must be a whole number from 1, or null, not `0`"),
        ("sampler: {granularity: step}", "sampler.granularity must be one of batch, microBatch, example, not `step`"),
        ("batch: {global: 0}", "batch.global must be a whole number from 1 to 1048576, not `0`"),
        ("train: {steps: 0}", "train.steps must be a whole number from 1 to 4294967295, not `0`"),
        ("train: {seed: -1}", "train.seed must be a whole number from 0, not `-1`"),
        (
            "train: {seed: 9223372036854775808}",
            "train.seed must be a whole number from 0 to 9223372036854775807, not `9223372036854775808`"
        ),
        ("train: {stopBefore: soon}", "train.stopBefore must be a duration such as 90s, 2m or 1h, or null, not `soon`"),
        ("train: {stopBefore: 0s}", "train.stopBefore must be a duration such as 90s, 2m or 1h, or null, not `0s`"),
        ("lr: {peak: -1e-4}", "lr.peak must be a number above 0, not `-1e-4`"),
        ("lr: {schedule: step}", "lr.schedule must be one of cosine, linear, constant, not `step`"),
        ("optim: {beta1: 1}", "optim.beta1 must be a number from 0.0 to 0.9999999, not `1`"),
        ("optim: {clip: 0}", "optim.clip must be a number above 0, or null, not `0`"),
        ("loss: {labelSmoothing: 1}", "loss.labelSmoothing must be a number from 0.0 to 0.99, not `1`"),
        ("loss: {reduction: mean}", "loss.reduction must be one of tokenMean, sum, not `mean`"),
        ("eval: {atEnd: yes}", "eval.atEnd must be true or false, not `yes`"),
        ("eval: {ranks: one}", "eval.ranks must be one of zero, all, not `one`"),
        ("eval: {split: train}", "eval.split must be one of validation, test, not `train`"),
        ("checkpoint: {keep: 0}", "checkpoint.keep must be a whole number from 1 to 1000000, not `0`"),
        ("checkpoint: {best: loss}", "checkpoint.best must be one of average, taskMean, not `loss`"),
        ("parallel: {threads: 0}", "parallel.threads must be auto or a whole number from 1 to 1024, not `0`"),
        ("model: null", "model must be a path, not `null`"), ("model: \"\"", "model must be a path, not nothing"),
        ("log: {tensorBoard: 1}", "log.tensorBoard must be true or false, not `1`"),
    ])
    func `a wrong type or a value out of range is refused with what is allowed`(line: String, message: String) throws {
        #expect(try refusal("# a comment\n\n" + line + "\n") == "run.yaml:3: " + message)
    }

    @Test func `targets are lists of projections by attention`() throws {
        for (targets, rest) in [
            ("[q]", " must be a mapping from encoderSelf, decoderSelf, decoderCross (lists of q, k, v, o) and "),
            ("{encoder: [q]}", " has no key `encoder`, only encoderSelf, decoderSelf, decoderCross, feedForward"),
            ("{encoderSelf: [wi]}", ".encoderSelf must be a list of some of q, k, v, o, and `wi` is none of them"),
            ("{feedForward: [q]}", ".feedForward must be a list of some of wi, wi_0, wi_1, wo, and `q` is none of"),
            ("{encoderSelf: q}", ".encoderSelf must be a list of some of q, k, v, o, not `q`"),
            ("{encoderSelf: [q], decoderSelf: [v, v]}", ".decoderSelf has v twice; keep one of them"),
        ] {
            let message = try refusal(complete + "lora:\n  targets: \(targets)\n")
            #expect(message.hasPrefix("run.yaml:4: lora.targets" + rest), "\(message)")
        }
    }

    @Test func `a key that is there twice is refused with the line of the second`() throws {
        #expect(
            try refusal("model: a\nlora:\n  rank: 4\n  alpha: 1\n  \"rank\": 8\n")
                == "run.yaml:5: key rank is there twice, first in line 3; keep one of them")
        #expect(
            try refusal("model: a\r\nlora:\r\n  rank: 4\r\n  rank: 8\r\n")
                == "run.yaml:4: key rank is there twice, first in line 3; keep one of them")
        #expect(
            try refusal("model: a\nlora.rank: 4\nlora:\n  rank: 8\n")
                == "run.yaml:4: key lora.rank is there twice, first at run.yaml:2; keep one of them")
        #expect(
            try refusal("data: {labelStyle: words}\nlabels: {style: digits}\n")
                == "run.yaml:2: key data.labelStyle is there twice, first at run.yaml:1; keep one of them")
    }

    @Test(arguments: [
        ("model: [t5\n", "run.yaml:2: not valid YAML"), ("model: t5\n\tlora: x\n", "run.yaml:2: not valid YAML"),
        ("- model\n", "run.yaml: the file must be a mapping of keys"),
        ("model: t5\n---\nmodel: t5\n", "run.yaml:2: not valid YAML"),
        ("? [a]\n: 1\n", "run.yaml:1: a key must be text"), ("model: a\nlora: 4\n", "run.yaml:2: lora is a section"),
    ])
    func `a text that is no mapping of keys is refused`(text: String, start: String) throws {
        let message = try refusal(text)
        #expect(message.hasPrefix(start), "\(message)")
    }

    @Test func `a missing model is refused with what it must be`() throws {
        #expect(
            try refusal("method: frozen\n")
                == "run.yaml: key model is missing; it must be a path: Hugging Face T5 directory: config.json, "
                + "model.safetensors, spiece.model.")
        #expect(try refusal("").hasPrefix("run.yaml: key model is missing"))
    }

    @Test func `a file that is missing or not text is refused`() throws {
        let directory = try TemporaryDirectory()
        let missing = try #require(throws: Failure.self) {
            _ = try RunConfiguration.load(file: directory.file("run.yaml"))
        }
        #expect(missing.code == .inputMissing)
        #expect(missing.message.contains(directory.file("run.yaml")))
        let path = directory.file("latin.yaml")
        try Data([0x6D, 0x3A, 0x20, 0xE9]).write(to: URL(fileURLWithPath: path))
        let foreign = try #require(throws: Failure.self) { _ = try RunConfiguration.load(file: path) }
        #expect(foreign == Failure(.badConfiguration, "\(path): the file is not UTF-8; save it as UTF-8 text"))
    }
}
