/// All keys, section by section, in the order of the resolved file and the reference page.
enum KeyTable {
    private static let rank = Key.Kind.integer(1...4096)
    private static let size = Key.Kind.integer(1...65536)
    private static let count = Key.Kind.integer(1...(.max))
    /// The largest number of examples in a step.
    static let largestBatch = 1_048_576
    private static let share = Key.Kind.number(0...1)

    /// The names of the sections and their purposes, in order.
    static let sections: [(name: String, purpose: String)] = [
        ("", "Top level"), ("data", "Input files and tokenising"), ("lora", "The low-rank adapter"),
        ("hyper", "The hypernetwork of unolora_star"),
        ("hyperformer", "HyperFormer++"), ("sampler", "Drawing tasks and examples"),
        ("batch", "Sizes of a step"), ("train", "The run"), ("lr", "Learning rate"), ("optim", "AdamW and clipping"),
        ("loss", "The loss"), ("eval", "Evaluation"), ("checkpoint", "Checkpoints"),
        ("parallel", "Threads and communication"), ("log", "What is written while it runs"),
    ]

    static let keys: [Key] = top + data + adapter + step + schedule + run

    private static let top: [Key] = [
        Key(
            "preset", .choice(["paper", "hyperformer", "repo"]), "paper", "Set of defaults that the file then changes."),
        Key("model", .path, nil, "Hugging Face T5 directory: config.json, model.safetensors, spiece.model."),
        Key(
            "model.storage", .choice(of: ModelStorage.self), "float32", result: true,
            "How the frozen matrices are kept in memory: float32; or bfloat16, in half the memory, exactly what a BF16 file "
                + "holds, for products in float32 by openblas. Norms and position biases stay in float32."),
        Key(
            "model.products", .choice(of: ModelProducts.self), "float32", result: true,
            "Products with frozen weights: in float32; or with both operands rounded to 8 bits (several times faster with "
                + "onednn and VNNI, up to half as fast again with AVX2; off by about a hundredth), in the forward, in the "
                + "gradients of inputs, or in both; the output matrix, norms, attention and the adapter stay in float32. "
                + "verify --config measures what storage and products do to a model, and so does the start of a run."),
        Key(
            "method", .choice(["frozen", "unolora", "unolora_star", "lora_per_task", "full", "hyperformer_pp"]),
            "unolora", result: true, "What is trained; full and hyperformer_pp are not in this version."),
        Key(
            "tasks", .tasks, "[cola, mnli, mrpc, qnli, qqp, rte, sst2, stsb]", result: true,
            "GLUE's names (cola, sst2, mrpc, qqp, stsb, mnli, qnli, rte, wnli) and custom tasks."),
        Key(
            "dropout", .optional(.number(0...0.99)), "null", result: true,
            "Dropout at T5's own places in training; null takes dropout_rate of the model's config.json."),
    ]

    private static let data: [Key] = [
        Key(
            "data.glue", .optional(.path), "null",
            "Directory of GLUE as its download gives it; needed for GLUE's tasks."),
        Key(
            "data.cache", .optional(.path), "null",
            "Directory of the token cache; null takes cache in the run directory."),
        Key("data.maxSource", .integer(2...100_000), "128", result: true, "Longest source in tokens, end included."),
        Key(
            "data.onBadRow", .choice(["fail", "skip"]), "fail", result: true,
            "What a malformed row does; skips are counted."),
        Key(
            "data.dropDuplicates", .flag, "false", result: true, "Removes training rows whose text is in another split."
        ),
        Key("data.splitSeed", .integer(0...(.max)), "1", result: true, "Seed of the hold-outs from GLUE's own files."),
        Key(
            "data.labelStyle", .choice(["digits", "words"]), "digits", result: true,
            "Answers as digits or as T5's own words."),
    ]

    private static let adapter: [Key] = [
        Key(
            "lora.rank", rank, "8", result: true,
            "Rank r of A and B, at most the smaller side of every adapted matrix: more has no use."),
        Key("lora.rankA", .optional(rank), "null", result: true, "Rank of A where it differs from lora.rank."),
        Key(
            "lora.rankB", .optional(rank), "null", result: true,
            "Rank of B where it differs; with different ranks a core C stands between."),
        Key("lora.alpha", .positive, "16", result: true, "The update is scaled by alpha / rank of A."),
        Key("lora.dropout", .number(0...0.99), "0.1", result: true, "Dropout on the input of the low-rank path."),
        Key(
            "lora.dropoutMask", .choice(["perInput", "perSite"]), "perInput", result: true,
            "One mask for the sites that read one tensor, or one each as PEFT draws them."),
        Key(
            "lora.aInit", .choice(["kaimingIn", "kaimingRank"]), "kaimingIn", result: true,
            "Start of A in every LoRA method: U(±1/sqrt(in)), or U(±1/sqrt(r)) with A's own rank r as the authors' code has "
                + "it for unolora_star."),
        Key(
            "lora.targets", .targets,
            "{encoderSelf: [q, v], decoderSelf: [q, v], decoderCross: [q, v], feedForward: []}",
            result: true, "Adapted projections."),
        Key("hyper.dim", size, "8", result: true, "Width h of the embeddings."),
        Key("hyper.outDim", size, "8", result: true, "Width e of the output."),
        Key("hyper.bottleneck", size, "16", result: true, "Width inside the sample encoder."),
        Key(
            "hyper.inputs", .subset(["task", "position", "sample"]), "[task, position, sample]", result: true,
            "What the scales depend on."),
        Key(
            "hyper.scaleInit", .choice(["onePlus", "zeroMean"]), "onePlus", result: true,
            "Whether a scale is 1 + the network's value or the value alone."),
        Key(
            "hyper.positions", .positions, "perSite", result: true,
            "A position embedding for each site, or P of them used modulo; twiceBlocks takes P = 2 (L_e + L_d), as the "
                + "authors' code does."),
        Key(
            "hyperformer.reduction", .integer(1...4096), "32", result: true,
            "d_model over the width of the generated adapters; for hyperformer_pp, which is not in this version."),
    ]

    private static let step: [Key] = [
        Key(
            "sampler.temperature", .word(["infinity"], .positive), "10", result: true,
            "p_t ~ (n_t/N)^(1/temperature): 1 is proportional, infinity uniform."),
        Key("sampler.cap", .optional(count), "null", result: true, "n_t is at most this before the exponent."),
        Key(
            "sampler.granularity", .choice(of: GranularityChoice.self), "batch", result: true,
            "How many slots share a draw of the task."),
        Key("batch.global", .integer(1...largestBatch), "32", result: true, "Examples in a step."),
        Key(
            "batch.micro", .integer(1...4096), "4", result: true,
            "Examples in a micro-batch; part of the result, never derived from ranks or threads. A step's examples are dealt "
                + "to micro-batches of about the same number of tokens. Where it is not given, and "
                + "the default does not divide a batch.global that is, it is the largest smaller number that does, which is "
                + "said."),
        Key("train.steps", .integer(1...4_294_967_295), "262144", result: true, "Steps of the run."),
        Key("train.seed", .integer(0...(.max)), "1", result: true, "Seed of adapter, sampling and dropout."),
        Key(
            "train.onNonFinite", .choice(["stop", "skip"]), "stop", result: true,
            "What all ranks do about a step whose loss or gradient is not finite: stop, or leave it out and count it; 25 such "
                + "steps one after the other stop the run."),
        Key(
            "train.stopBefore", .optional(.duration), "null",
            "Leaves so long before SLURM_JOB_END_TIME, as if preempted; without that variable, or with one that is past, it has "
                + "no effect. A start that has no more time than that trains nothing."),
    ]

    private static let schedule: [Key] = [
        Key("lr.peak", .positive, "1e-4", result: true, "Highest learning rate."),
        Key(
            "lr.schedule", .choice(of: ScheduleChoice.self), "cosine", result: true, "What follows the warmup."
        ),
        Key(
            "lr.warmup", .integer(0...(.max)), "1000", result: true,
            "Steps of linear warmup. Where it is not given, and the default's or preset's is longer than the run, it is a tenth "
                + "of train.steps, rounded down, which is said; one that is given is refused then."),
        Key("optim.beta1", .number(0...0.9999999), "0.9", result: true, "Decay of the mean of gradients."),
        Key("optim.beta2", .number(0...0.9999999), "0.999", result: true, "Decay of the mean of squares."),
        Key(
            "optim.epsilon", .number(1e-30...(.infinity)), "1e-8", result: true,
            "Added to the root; the least keeps it above 0 in single precision."),
        Key("optim.weightDecay", share, "0.01", result: true, "Decoupled weight decay on every trainable."),
        Key("optim.clip", .optional(.positive), "1.0", result: true, "Global norm; null does not clip."),
        Key("loss.labelSmoothing", .number(0...0.99), "0", result: true, "Share spread over the vocabulary."),
        Key(
            "loss.reduction", .choice(["tokenMean", "sum"]), "tokenMean", result: true,
            "Mean over the global batch's label tokens, or their sum."),
        Key(
            "loss.padTargets", .optional(.integer(1...4096)), "null", result: true,
            "Fills targets up to so many tokens with padding that counts in the loss."),
    ]

    private static let run: [Key] = [
        Key("eval.every", .optional(count), "1000", "Steps between evaluations; null for none."),
        Key(
            "eval.atEnd", .flag, "true", "Whether the last step is evaluated and a table printed, test split included."),
        Key(
            "eval.split", .choice(["validation", "test"]), "validation",
            "Split that is evaluated during training and chooses the best checkpoint."),
        Key("eval.batch", .integer(1...4096), "16", "Examples in an evaluation batch; no answer depends on it."),
        Key(
            "eval.maxExamples", .optional(count), "null",
            "At most so many validation examples of a task during training, drawn with data.splitSeed."),
        Key("eval.ranks", .choice(["zero", "all"]), "zero", "Whether rank 0 alone or all ranks decode; same numbers."),
        Key(
            "eval.maxNewTokens", .optional(.integer(1...4096)), "null",
            "Generation budget; null takes max(4, the task's longest label). A longer label is refused."),
        Key(
            "checkpoint.every", .optional(count), "1000", "Steps between checkpoints; null for the last and best only."),
        Key("checkpoint.keep", .integer(1...1_000_000), "2", "Newest checkpoints that are kept, beside the best."),
        Key(
            "checkpoint.snapshot", .choice(["memory", "file"]), "memory",
            "Where the last completed step is kept: in memory, which outlives signals and the death of some ranks, or also in "
                + "two files of the run directory, which outlive all processes."),
        Key(
            "checkpoint.best", .choice(of: BestChoice.self), "average",
            "What the best checkpoint is greatest in: the mean of all figures, or the mean over tasks."),
        Key(
            "parallel.threads", .word(["auto"], .integer(1...1024)), "auto",
            "Workers of a rank; auto takes its share of the cores it may use, at most one for each of its micro-batches."
        ),
        Key(
            "parallel.reduction", .choice(of: ReductionChoice.self), "exact", result: true,
            "Sum of gradients: exact has the same bits from any number of ranks and threads and takes 8 bytes for each "
                + "trainable; fast adds in float32, in 4 bytes, and its bits depend on ranks, threads and their timing."),
        Key(
            "parallel.gemm", .choice(["auto", "openblas", "onednn"]), "auto", result: true,
            "Products with frozen weights: openblas on the mapped file, or onednn on copies that it packed once for the "
                + "node (twice the model's size more, and faster with AVX-512); auto is onednn where build and processor have "
                + "these, or VNNI for 8 bits, but not for bfloat16 weights. 8 bits take a byte for each weight of the "
                + "projections and direction, with either."),
        Key(
            "parallel.stallTimeout", .duration, "60s",
            "Longest time without progress of a rank, such as a micro-batch or a block of a file; then the job is ended with "
                + "the rank's name and its last step saved. Waiting for others is none."),
        Key("log.every", count, "10", "Steps between lines of metrics.jsonl."),
        Key("log.tensorBoard", .flag, "true", "Whether TensorBoard event files are written into the run directory."),
        Key(
            "log.interferenceEvery", .optional(count), "50",
            "Steps between measurements of the gradient cosines between tasks; null for none. Has no effect in this "
                + "version."),
    ]

    /// Keys that this version accepts but ignores.
    static let withoutEffect = ["log.interferenceEvery"]

    /// Other names of keys.
    static let aliases = ["labels.style": "data.labelStyle", "model.path": "model"]

    static let byPath: [String: Key] = Dictionary(uniqueKeysWithValues: keys.map { ($0.path, $0) })
}
