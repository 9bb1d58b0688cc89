/// The largest values of some keys; options of other commands that mean the same have them too.
package enum Limits {
    /// The rank of a low-rank adapter.
    package static let rank = 4096
    /// Examples of a step.
    package static let batch = 1_048_576
    /// Examples of a micro-batch, and of an evaluation batch.
    package static let microBatch = 4096
    /// Threads of a rank.
    package static let threads = 1024
}

/// All keys, section by section, in the order of the resolved file and the reference page.
enum KeyTable {
    private static let rank = Key.Kind.integer(1...Limits.rank)
    private static let size = Key.Kind.integer(1...65536)
    private static let count = Key.Kind.integer(1...(.max))
    private static let share = Key.Kind.number(0...1)

    /// The names of the sections and their purposes, in order.
    static let sections: [(name: String, purpose: String)] = [
        ("", "Top level"), ("data", "Input files and tokenising"), ("lora", "The low-rank adapter"),
        ("hyper", "The hypernetwork of unolora_star"),
        ("hyperformer", "HyperFormer++"), ("init", "The adapter from which a run begins"),
        ("sampler", "Drawing tasks and examples"),
        ("batch", "Sizes of a step"), ("train", "The run"), ("lr", "Learning rate"), ("optim", "AdamW and clipping"),
        ("loss", "The loss"), ("eval", "Evaluation"), ("checkpoint", "Checkpoints"),
        ("parallel", "Threads and communication"), ("log", "Output during the run"),
    ]

    /// The methods, in the order of `MethodTable`.
    static let methods = ["frozen", "unolora", "unolora_star", "lora_per_task", "hyperformer_pp", "full"]

    /// The methods whose options the keys of a section are. Other methods refuse these keys, and their runs do not record them,
    /// so that a new method does not change what an earlier run of another one has recorded.
    static let owners = [
        "lora": ["unolora", "unolora_star", "lora_per_task", "frozen"], "hyper": ["unolora_star"],
        "hyperformer": ["hyperformer_pp"],
    ]

    static let keys: [Key] = top + data + adapter + step + schedule + run

    private static let top: [Key] = [
        Key(
            "preset", .choice(["paper", "hyperformer", "repo"]), "paper",
            "Set of defaults, which the file can then override."),
        Key("model", .path, nil, "Hugging Face T5 directory: config.json, model.safetensors, spiece.model."),
        Key(
            "model.storage", .choice(of: ModelStorage.self), "float32", result: true,
            "How the frozen matrices are stored in memory: float32; or bfloat16, which takes half the memory, is exact for a "
                + "BF16 file, and works with products in float32 by openblas. Norms and position biases stay in float32."
        ),
        Key(
            "model.products", .choice(of: ModelProducts.self), "float32", result: true,
            "Products with frozen weights: in float32; in bf16x3, both operands as sums of two bfloat16 (on matrix "
                + "tiles (AMX) two to three times faster than AVX-512, errors of 5e-6 of the largest result); with both operands rounded to "
                + "bfloat16 (tiles, or onednn with AVX512_BF16; relative error about 0.002); or rounded to 8 bits in the forward, "
                + "in the gradients of inputs, or in both (several times faster with tiles, or onednn and VNNI, up to 1.5 times "
                + "with AVX2; relative error about 0.01). fast is what the machine does best within float32's tolerance: bf16x3 "
                + "with AMX, else float32. The output matrix stays in float32, with tiles in bf16x3, and so does the other "
                + "direction of int8Forward and int8Backward; norms, attention and the adapter stay in float32. "
                + "verify --config measures the effect of storage and products on a model, and so does the start of a run."
        ),
        Key(
            "method", .choice(methods), "unolora", result: true,
            "What is trained: low-rank matrices beside the backbone's (unolora, unolora_star, lora_per_task), generated "
                + "adapters and the norms (hyperformer_pp), every weight (full), or nothing (frozen)."),
        Key(
            "tasks", .tasks, "[cola, mnli, mrpc, qnli, qqp, rte, sst2, stsb]", result: true,
            "GLUE's names (cola, sst2, mrpc, qqp, stsb, mnli, qnli, rte, wnli), SuperGLUE's (boolq, cb, copa, multirc, "
                + "superglue_rte, wic, wsc) and custom tasks."),
        Key(
            "dropout", .optional(.number(0...0.99)), "null", result: true,
            "Dropout rate at T5's own places in training; null takes dropout_rate from the model's config.json."),
    ]

    private static let data: [Key] = [
        Key(
            "data.glue", .optional(.path), "null",
            "Directory of GLUE's own download; needed for GLUE's tasks."),
        Key(
            "data.superglue", .optional(.path), "null",
            "Directory of SuperGLUE's own download; needed for SuperGLUE's tasks."),
        Key(
            "data.glueSplits", .choice(of: GLUESplitsChoice.self), "paper", result: true, recordsDefault: false,
            "How the files of GLUE and SuperGLUE become splits: paper has a validation and a test split for every task, GLUE's as "
                + "in HyperFormer; dev has the whole dev set as validation, no test split, and the whole training set "
                + "(docs/glue.md)."),
        Key(
            "data.cache", .optional(.path), "null",
            "Directory of the token cache; null takes cache in the run directory."),
        Key("data.maxSource", .integer(2...100_000), "128", result: true, "Longest source in tokens, end included."),
        Key(
            "data.maxTarget", .integer(2...4096), "128", result: true, recordsDefault: false,
            "Longest target of tasks with free text in tokens, end included. Longer answers are cut and counted for training; "
                + "figures are always of the whole texts."),
        Key(
            "data.onBadRow", .choice(["fail", "skip"]), "fail", result: true,
            "Whether a malformed row ends the job or is skipped and counted."),
        Key(
            "data.dropDuplicates", .flag, "false", result: true, "Removes training rows whose text is in another split."
        ),
        Key("data.splitSeed", .integer(0...(.max)), "1", result: true, "Seed of the halves and hold-outs of files."),
        Key(
            "data.labelStyle", .choice(["digits", "words"]), "digits", result: true,
            "Answers as digits or as T5's own words."),
    ]

    private static let adapter: [Key] = [
        Key(
            "lora.rank", rank, "8", result: true,
            "Rank r of A and B, at most the smaller side of every adapted matrix, since no update has a larger rank."),
        Key("lora.rankA", .optional(rank), "null", result: true, "Rank of A if it differs from lora.rank."),
        Key(
            "lora.rankB", .optional(rank), "null", result: true,
            "Rank of B if it differs from lora.rank; with different ranks there is a core C between A and B."),
        Key("lora.alpha", .positive, "16", result: true, "The update is scaled by alpha / rank of A."),
        Key("lora.dropout", .number(0...0.99), "0.1", result: true, "Dropout rate at the input of the low-rank path."),
        Key(
            "lora.dropoutMask", .choice(["perInput", "perSite"]), "perInput", result: true,
            "One dropout mask for all sites that read the same tensor, or one for each site as in PEFT."),
        Key(
            "lora.aInit", .choice(["kaimingIn", "kaimingRank"]), "kaimingIn", result: true,
            "Start of A in every LoRA method: U(±1/sqrt(in)), or U(±1/sqrt(r)) with A's own rank r as in the authors' code "
                + "for unolora_star."),
        Key(
            "lora.freezeA", .flag, "false", result: true, recordsDefault: false,
            "Whether every A stays as it began, so that only B, C and the hypernetwork are trained."),
        Key(
            "lora.freezeB", .flag, "false", result: true, recordsDefault: false,
            "Whether every B stays as it began. It needs init.from, since B begins at 0 without an origin."),
        Key(
            "lora.targets", .targets,
            "{encoderSelf: [q, v], decoderSelf: [q, v], decoderCross: [q, v], feedForward: []}",
            result: true, "Adapted projections."),
        Key("hyper.dim", size, "8", result: true, "Width h of the hypernetwork's embeddings."),
        Key("hyper.outDim", size, "8", result: true, "Width e of the hypernetwork's output."),
        Key("hyper.bottleneck", size, "16", result: true, "Width inside the sample encoder."),
        Key(
            "hyper.inputs", .subset(["task", "position", "sample"]), "[task, position, sample]", result: true,
            "Inputs on which the scales depend."),
        Key(
            "hyper.scaleInit", .choice(["onePlus", "zeroMean"]), "onePlus", result: true,
            "Whether a scale is 1 + the network's value or the value alone."),
        Key(
            "hyper.positions", .positions, "perSite", result: true,
            "A position embedding for each site, or P embeddings of which site m uses number m mod P; twiceBlocks is "
                + "P = 2 (L_e + L_d), as in the authors' code."),
        Key(
            "hyper.freeze", .flag, "false", result: true, recordsDefault: false,
            "Whether the whole hypernetwork stays as it began."),
        Key(
            "hyper.onlyNewTasks", .flag, "false", result: true, recordsDefault: false,
            "Whether of the hypernetwork only the embeddings of those tasks are trained that the origin (init.from) does not "
                + "have."),
        Key(
            "hyperformer.reduction", .integer(1...4096), "32", result: true,
            "d_model divided by the width of the generated adapters."),
        Key(
            "init.from", .optional(.path), "null",
            "A run, a checkpoint, an adapter's directory, an exported adapter, or a LoRA adapter of PEFT, whose weights the run begins with; null "
                + "begins at random. A run keeps the origin that it began with."),
        Key(
            "init.newTask", .choice(of: NewTaskChoice.self), "mean", result: true,
            "How what belongs to a task begins that the origin does not have: at the mean of the origin's tasks, or at random."
        ),
    ]

    private static let step: [Key] = [
        Key(
            "sampler.temperature", .word(["infinity"], .positive), "10", result: true,
            "p_t ~ (n_t/N)^(1/temperature): 1 is proportional, infinity uniform."),
        Key("sampler.cap", .optional(count), "null", result: true, "n_t is at most this before the exponent."),
        Key(
            "sampler.granularity", .choice(of: GranularityChoice.self), "batch", result: true,
            "Which slots share one draw of a task."),
        Key("batch.global", .integer(1...Limits.batch), "32", result: true, "Examples per step."),
        Key(
            "batch.micro", .integer(1...Limits.microBatch), "4", result: true,
            "Examples per micro-batch; part of the result, never derived from ranks or threads. A step's examples are "
                + "distributed so that all micro-batches have about the same number of tokens. If only batch.global is given "
                + "and the default does not divide it, the largest smaller number that does is used, with a notice."),
        Key("train.steps", .integer(1...4_294_967_295), "262144", result: true, "Steps of the run."),
        Key("train.seed", .integer(0...(.max)), "1", result: true, "Seed of adapter, sampling and dropout."),
        Key(
            "train.conflict", .choice(of: ConflictChoice.self), "sum", result: true, recordsDefault: false,
            "What happens to gradients of tasks that point against each other in a step: sum adds them as they are; pcgrad projects each "
                + "onto the normal planes of those that it conflicts with, in an order that train.seed decides, before they "
                + "are added. pcgrad needs several tasks in a step (sampler.granularity microBatch or example); it keeps a "
                + "gradient for each task, in 8 bytes for each trainable."),
        Key(
            "train.onNonFinite", .choice(["stop", "skip"]), "stop", result: true,
            "What all ranks do when the loss or gradient of a step is not finite: stop, or leave the step out and count it; "
                + "25 such steps in a row stop the run."),
        Key(
            "train.stopBefore", .optional(.duration), "null",
            "How long before SLURM_JOB_END_TIME the run leaves, as if preempted; it has no effect if that variable is not set "
                + "or in the past. If a start has no more time than this, it trains nothing."),
    ]

    private static let schedule: [Key] = [
        Key("lr.peak", .positive, "1e-4", result: true, "Highest learning rate."),
        Key(
            "lr.schedule", .choice(of: ScheduleChoice.self), "cosine", result: true, "Decay after the warmup."
        ),
        Key(
            "lr.warmup", .integer(0...(.max)), "1000", result: true,
            "Steps of linear warmup. If it is not given and the default or preset is longer than the run, a tenth of "
                + "train.steps, rounded down, is used, with a notice; a given value longer than the run is refused."),
        Key("optim.beta1", .number(0...0.9999999), "0.9", result: true, "Decay rate of the mean of gradients."),
        Key("optim.beta2", .number(0...0.9999999), "0.999", result: true, "Decay rate of the mean of squares."),
        Key(
            "optim.epsilon", .number(1e-30...(.infinity)), "1e-8", result: true,
            "Added to the square root; the smallest allowed value is still above 0 in single precision."),
        Key("optim.weightDecay", share, "0.01", result: true, "Decoupled weight decay on every trainable."),
        Key(
            "optim.clip", .optional(.positive), "1.0", result: true,
            "Largest global norm of the gradient; null does not clip."),
        Key(
            "loss.labelSmoothing", .number(0...0.99), "0", result: true,
            "Share of each target that is spread over the vocabulary."),
        Key(
            "loss.reduction", .choice(["tokenMean", "sum"]), "tokenMean", result: true,
            "Mean over the global batch's label tokens, or their sum."),
        Key(
            "loss.padTargets", .optional(.integer(1...4096)), "null", result: true,
            "Pads targets to this many tokens with padding that counts in the loss."),
    ]

    private static let run: [Key] = [
        Key("eval.every", .optional(count), "1000", "Steps between evaluations; null for none."),
        Key(
            "eval.atEnd", .flag, "true",
            "Whether the last step is evaluated and a table, with the test split, is printed."),
        Key(
            "eval.split", .choice(["validation", "test"]), "validation",
            "Split that is evaluated during training and chooses the best checkpoint."),
        Key(
            "eval.batch", .integer(1...Limits.microBatch), "16",
            "Examples per evaluation batch; no answer depends on it."),
        Key(
            "eval.maxExamples", .optional(count), "null",
            "Largest number of validation examples of a task during training, drawn with data.splitSeed; null for all."),
        Key(
            "eval.ranks", .choice(["zero", "all"]), "zero",
            "Whether only rank 0 or all ranks decode; the numbers are the same."),
        Key(
            "eval.maxNewTokens", .optional(.integer(1...4096)), "null",
            "Generation budget in tokens; null takes max(4, the task's longest label), and data.maxTarget for free text. A longer "
                + "label, or validation or test answer (up to data.maxTarget), is refused."),
        Key(
            "checkpoint.every", .optional(count), "1000", "Steps between checkpoints; null for the last and best only."),
        Key(
            "checkpoint.keep", .integer(1...1_000_000), "2",
            "Number of newest checkpoints that are kept, in addition to the best."),
        Key(
            "checkpoint.snapshot", .choice(["memory", "file"]), "memory",
            "Where the last completed step is kept: in memory, which is enough for signals and the loss of some ranks, or also "
                + "in two files of the run directory, which remain when all processes are killed."),
        Key(
            "checkpoint.best", .choice(of: BestChoice.self), "average",
            "The figure that is largest for the best checkpoint: the mean of all figures, or the mean over tasks."),
        Key(
            "parallel.threads", .word(["auto"], .integer(1...Limits.threads)), "auto",
            "Workers per rank; auto takes the rank's share of the cores that it may use, at most one for each of its "
                + "micro-batches."
        ),
        Key(
            "parallel.reduction", .choice(of: ReductionChoice.self), "exact", result: true,
            "Sum of gradients: exact has the same bits from any number of ranks and threads and takes 8 bytes for each "
                + "trainable; fast adds in float32, in 4 bytes, and its bits depend on ranks, threads and their timing."
        ),
        Key(
            "parallel.gemm", .choice(["auto", "openblas", "onednn", "tiles"]), "auto", result: true,
            "Products with frozen weights: openblas on the mapped file, onednn on copies that are packed once for the "
                + "node (they take twice the model's size, and are faster with AVX-512), or tiles, this program's kernels for "
                + "matrix tiles (AMX) on such copies, with a slow portable twin on processors that have none. auto is tiles "
                + "where the processor has AMX and the products are not in float32; else onednn if the build has it and the "
                + "processor has AVX-512, or VNNI for 8 bits; but openblas for bfloat16 weights. For each weight of the "
                + "projections and each direction bf16x3 takes 4 bytes, bfloat16 2, and 8 bits 1."),
        Key(
            "parallel.stallTimeout", .duration, "60s",
            "Longest time that a rank may make no progress, such as a micro-batch or a block of a file; then the job saves its "
                + "last step, names the rank and ends. Waiting for other ranks does not count as progress."),
        Key("log.every", count, "10", "Steps between lines of metrics.jsonl."),
        Key("log.tensorBoard", .flag, "true", "Whether TensorBoard event files are written into the run directory."),
        Key(
            "log.interferenceEvery", .optional(count), "50",
            "Steps between measurements of the gradient cosines between tasks, in lines of metrics.jsonl; null for none. "
                + "Training keeps its bits. It takes 4 bytes for each trainable and task (8 where tasks share a step), so if "
                + "the key is not given, only unolora and unolora_star measure, with ranks of A and B up to 32."),
    ]

    /// Other names of keys.
    static let aliases = ["labels.style": "data.labelStyle", "model.path": "model"]

    static let byPath: [String: Key] = Dictionary(uniqueKeysWithValues: keys.map { ($0.path, $0) })
}
