"""T5 with a low-rank adapter as plain functions of one example: no modules, batch or padding.

Written from the formulas of T5 (JMLR 2020), LoRA (ICLR 2022) and UnoLoRA (NeurIPS 2024 FITML) without a model library.
Everything runs in the dtype of the weights. Activations are [tokens, features].
"""

from dataclasses import dataclass, field
from math import log, pi, sqrt

import torch

import masks

GROUPS = ("encoderSelf", "decoderSelf", "decoderCross", "feedForward")
EVERY_INPUT = ("task", "position", "sample")


@dataclass
class Options:
    """An adapter's configuration; the field defaults are what an absent key means."""

    method: str
    rank: int = 0
    alpha: float = 1.0
    tasks: int = 1
    rankA: int = 0
    rankB: int = 0
    targets: dict = field(default_factory=lambda: {group: ["q", "v"] for group in GROUPS[:3]})
    hyperInputs: tuple = EVERY_INPUT
    hyperScaleInit: str = "onePlus"
    hyperPositions: int = 0
    hyperDim: int = 8
    hyperOutDim: int = 8
    hyperBottleneck: int = 16
    labelSmoothing: float = 0.0
    lossReduction: str = "tokenMean"
    padTargets: int = 0
    dropout: float = 0.0
    loraDropout: float = 0.0
    loraDropoutMask: str = "perInput"
    seed: int = 0
    step: int = 0

    def __post_init__(self):
        self.rankA, self.rankB = self.rankA or self.rank, self.rankB or self.rank

    @property
    def adapts(self):
        return self.method in ("unolora", "unolora_star", "lora_per_task")


def sites(config, targets):
    """Names of the adapted projections in canonical order: encoder first; in a block self, cross, feed-forward."""
    inner = ("wi_0", "wi_1", "wo") if gated(config) else ("wi", "wo")
    names = []
    for block in range(config["num_layers"]):
        names += [
            f"encoder.block.{block}.layer.0.SelfAttention.{p}" for p in "qkvo" if p in targets.get("encoderSelf", ())
        ]
        names += [
            f"encoder.block.{block}.layer.1.DenseReluDense.{p}" for p in inner if p in targets.get("feedForward", ())
        ]
    for block in range(config["num_decoder_layers"]):
        names += [
            f"decoder.block.{block}.layer.0.SelfAttention.{p}" for p in "qkvo" if p in targets.get("decoderSelf", ())
        ]
        names += [
            f"decoder.block.{block}.layer.1.EncDecAttention.{p}" for p in "qkvo" if p in targets.get("decoderCross", ())
        ]
        names += [
            f"decoder.block.{block}.layer.2.DenseReluDense.{p}" for p in inner if p in targets.get("feedForward", ())
        ]
    return names


def gated(config):
    return config["feed_forward_proj"].startswith("gated")


def tied(config):
    return config["tie_word_embeddings"]


@dataclass
class Pass:
    """One forward of one example. `slot` None means without dropout."""

    config: dict
    weights: dict
    options: Options
    adapter: dict
    task: int
    slot: int | None = None
    sites: list = None
    scales: torch.Tensor = None

    def drop(self, x, rate, stack, block, kind, projection=None):
        """x with each element zeroed or scaled up. x is [tokens, width] or [heads, queries, keys]."""
        if self.slot is None or rate == 0:
            return x
        # The probabilities of a head are one row.
        o, flat = self.options, x.reshape(x.shape[0], -1)
        m = masks.multipliers(o.seed, o.step, self.slot, masks.place(stack, block, kind, projection), *flat.shape, rate)
        return (flat * torch.from_numpy(m).to(x.dtype)).view(x.shape)


# name of a projection -> (kind of its input's dropout place, its index among the projections that read that input)
READS = {
    **{("SelfAttention", p): (masks.SELF_QKV, i) for i, p in enumerate("qkv")},
    ("SelfAttention", "o"): (masks.SELF_O, 0),
    ("EncDecAttention", "q"): (masks.CROSS_Q, 0),
    **{("EncDecAttention", p): (masks.CROSS_KV, i) for i, p in enumerate("kv")},
    ("EncDecAttention", "o"): (masks.CROSS_O, 0),
    ("DenseReluDense", "wi"): (masks.WI, 0),
    ("DenseReluDense", "wi_0"): (masks.WI, 0),
    ("DenseReluDense", "wi_1"): (masks.WI, 1),
    ("DenseReluDense", "wo"): (masks.WO, 0),
}


def project(run, name, x):
    """x W^T, plus (alpha / rankA) B C ((A drop(x)) * s) where the site is adapted."""
    y = x @ run.weights[name + ".weight"].T
    if name not in run.sites:
        return y
    o = run.options
    a, b, c = (run.adapter.get(f"{name}.lora_{letter}.weight") for letter in "ABC")
    if o.method == "lora_per_task":
        a, b, c = a[run.task], b[run.task], None if c is None else c[run.task]
    which, _, block, _, _, sublayer, leaf = name.split(".")
    kind, index = READS[sublayer, leaf]
    h = run.drop(x, o.loraDropout, which, int(block), kind, index if o.loraDropoutMask == "perSite" else None) @ a.T
    if run.scales is not None:
        h = h * run.scales[run.sites.index(name)]
    if c is not None:
        h = h @ c.T
    return y + (o.alpha / o.rankA) * (h @ b.T)


def rms_norm(run, name, x):
    return (
        x
        * torch.rsqrt((x * x).mean(-1, keepdim=True) + run.config["layer_norm_epsilon"])
        * run.weights[name + ".weight"]
    )


def bucket(config, distance, bidirectional):
    """The relative-position bucket of key index minus query index: exact when near, logarithmic up to the maximum."""
    count, offset = config["relative_attention_num_buckets"], torch.zeros_like(distance)
    if bidirectional:
        count //= 2
        offset, far = count * (distance > 0), distance.abs()
    else:
        far = (-distance).clamp(min=0)
    near = count // 2
    # The logarithm is taken in single precision, as everyone who trained these tables did.
    ratio = torch.log(far.clamp(min=1).float() / near) / log(config["relative_attention_max_distance"] / near)
    return offset + torch.where(far < near, far, (near + (ratio * (count - near)).long()).clamp(max=count - 1))


def position_bias(run, stack, length):
    """[heads, queries, keys] from the table of the stack's first block."""
    at = torch.arange(length)
    table = run.weights[f"{stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"]
    bias = table[bucket(run.config, at[None, :] - at[:, None], stack == "encoder")].permute(2, 0, 1)
    if stack == "decoder":
        bias = bias.masked_fill(at[None, :] > at[:, None], float("-inf"))
    return bias


def attention(run, name, x, memory, bias, stack, block, kind):
    """o(concat over heads of dropped softmax(q k^T + bias) v); scores are not divided by sqrt(d_kv)."""
    heads = run.config["num_heads"]
    q, k, v = (
        project(run, f"{name}.{p}", source).unflatten(-1, (heads, -1)).transpose(0, 1)
        for p, source in (("q", x), ("k", memory), ("v", memory))
    )
    scores = q @ k.transpose(1, 2)
    probabilities = run.drop(
        (scores if bias is None else scores + bias).softmax(-1), run.options.dropout, stack, block, kind
    )
    return project(run, name + ".o", (probabilities @ v).transpose(0, 1).flatten(1))


def gelu_new(x):
    return x / 2 * (1 + torch.tanh(sqrt(2 / pi) * (x + 0.044715 * x * x * x)))


def feed_forward(run, name, x, stack, block):
    if gated(run.config):
        inner = gelu_new(project(run, name + ".wi_0", x)) * project(run, name + ".wi_1", x)
    else:
        inner = project(run, name + ".wi", x).relu()
    return project(run, name + ".wo", run.drop(inner, run.options.dropout, stack, block, masks.INNER))


def hidden_states(run, which, ids, memory=None):
    """Final hidden states [tokens, d] of the encoder, or of the decoder that reads `memory`."""
    rate = run.options.dropout
    x = run.drop(run.weights["shared.weight"][torch.as_tensor(ids)], rate, which, 0, masks.EMBEDDING)
    bias = position_bias(run, which, len(ids))
    for block in range(run.config["num_layers" if which == "encoder" else "num_decoder_layers"]):
        at = f"{which}.block.{block}.layer."
        normed = rms_norm(run, at + "0.layer_norm", x)
        y = attention(run, at + "0.SelfAttention", normed, normed, bias, which, block, masks.SELF_PROBABILITIES)
        x = x + run.drop(y, rate, which, block, masks.SELF_OUTPUT)
        if memory is not None:
            normed = rms_norm(run, at + "1.layer_norm", x)
            y = attention(run, at + "1.EncDecAttention", normed, memory, None, which, block, masks.CROSS_PROBABILITIES)
            x = x + run.drop(y, rate, which, block, masks.CROSS_OUTPUT)
        last = at + ("1" if memory is None else "2")
        y = feed_forward(run, last + ".DenseReluDense", rms_norm(run, last + ".layer_norm", x), which, block)
        x = x + run.drop(y, rate, which, block, masks.OUTER)
    return run.drop(rms_norm(run, which + ".final_layer_norm", x), rate, which, 0, masks.FINAL_NORM)


def vocabulary_logits(run, hidden):
    if tied(run.config):
        return hidden * run.config["d_model"] ** -0.5 @ run.weights["shared.weight"].T
    return hidden @ run.weights["lm_head.weight"].T


def linear(parameters, name, x):
    return x @ parameters[name + ".weight"].T + parameters[name + ".bias"]


def scales(options, adapter, count, mean_embedding, task):
    """s [sites, rankA] of one example: 1 + U_m u_m + c_m, u_m = mlp([task; position of m; sample])."""
    parts = []
    if "task" in options.hyperInputs:
        parts.append(adapter["hypernet.task_embedding.weight"][task].expand(count, -1))
    if "position" in options.hyperInputs:
        table = adapter["hypernet.position_embedding.weight"]
        parts.append(table[torch.arange(count) % len(table)])
    if "sample" in options.hyperInputs:
        z = mean_embedding
        for layer in range(3):
            z = linear(adapter, f"hypernet.sample_encoder.{layer}", z if layer == 0 else z.relu())
        parts.append(z.expand(count, -1))
    u = torch.cat(parts, dim=-1)
    for layer in range(4):
        u = linear(adapter, f"hypernet.mlp.{layer}", u if layer == 0 else u.relu())
    s = (adapter["hypernet.scale.weight"] @ u[:, :, None])[..., 0] + adapter["hypernet.scale.bias"]
    return s + 1 if options.hyperScaleInit == "onePlus" else s


def prepare(config, weights, options, adapter, ids, task, slot):
    """The pass of one example with its scales computed once."""
    run = Pass(config, weights, options, adapter, task, slot)
    run.sites = sites(config, options.targets) if options.adapts else []
    if options.method == "unolora_star":
        mean = weights["shared.weight"].detach()[torch.as_tensor(ids)].mean(0)
        run.scales = scales(options, adapter, len(run.sites), mean, task)
    return run


def forward(run, ids, labels):
    """Encoder output [source, d] and logits [target, vocabulary] under teacher forcing."""
    memory = hidden_states(run, "encoder", ids)
    shifted = [run.config["decoder_start_token_id"], *labels[:-1]]
    return memory, vocabulary_logits(run, hidden_states(run, "decoder", shifted, memory))


def padded_labels(options, labels):
    """The labels with the padding id 0 as an ordinary label up to `padTargets`."""
    return labels + [0] * (options.padTargets - len(labels))


def loss(options, logits, labels):
    """Sum over tokens of (1 - eps) * -log p[label] + eps * mean over the vocabulary of -log p."""
    minus = -torch.log_softmax(logits, -1)
    exact = minus[torch.arange(len(labels)), torch.as_tensor(labels)]
    return ((1 - options.labelSmoothing) * exact + options.labelSmoothing * minus.mean(-1)).sum()


def generate(run, ids, budget):
    """Greedy tokens up to the end token (kept), and the smallest lead of a winner over the runner-up."""
    memory, tokens, lead = hidden_states(run, "encoder", ids), [], float("inf")
    while len(tokens) < budget and run.config["eos_token_id"] not in tokens:
        last = vocabulary_logits(
            run, hidden_states(run, "decoder", [run.config["decoder_start_token_id"], *tokens], memory)
        )[-1]
        best = last.topk(2)
        lead = min(lead, float(best.values[0] - best.values[1]))
        tokens.append(int(best.indices[0]))
    return tokens, lead
