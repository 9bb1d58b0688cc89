"""Writes the golden cases of every option: `python make_goldens.py` (all) or `python make_goldens.py NAME...`.

A case is computed in double precision and stored in single, so a golden carries no rounding of its own. Before it
is written the same case is computed in single precision and must agree, and every greedy choice must be clear, so
that no sound implementation can fail on rounding.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

import t5

HERE = Path(__file__).resolve().parent
OPTIMISER = dict(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
BUDGET = 5  # generated tokens
AGREEMENT = 2e-5  # single against double precision, relative to the magnitude of the tensor
CLEAR = 5e-3  # least lead of a greedy choice

DROPOUT = dict(dropout=0.1, loraDropout=0.1, seed=81_985_529_216_487, step=11)
ALL_ATTENTION = {group: list("qkvo") for group in t5.GROUPS[:3]}
SMALL_HYPER = dict(hyperDim=4, hyperOutDim=4, hyperBottleneck=6)

# name -> (random seed, shape, adapter options). A shape is v1.0 or v1.1 with [encoder blocks, decoder blocks].
CASES = {
    "targets-all-v1.0": (
        201,
        dict(blocks=[2, 1]),
        dict(method="unolora", rank=2, targets={**ALL_ATTENTION, "feedForward": ["wi", "wo"]}),
    ),
    "targets-all-v1.1": (
        2,
        dict(gated=True, blocks=[1, 2]),
        dict(method="unolora", rank=2, targets={**ALL_ATTENTION, "feedForward": ["wi_0", "wi_1", "wo"]}),
    ),
    "targets-subset-unolora_star": (
        3,
        dict(blocks=[2, 1]),
        dict(
            method="unolora_star",
            rank=3,
            **SMALL_HYPER,
            targets=dict(encoderSelf=[], decoderSelf=[], decoderCross=["k", "o"], feedForward=["wo"]),
        ),
    ),
    "targets-decoder_only": (
        204,
        dict(gated=True, blocks=[1, 2]),
        dict(
            method="unolora",
            rank=2,
            targets=dict(encoderSelf=[], decoderSelf=["o"], decoderCross=["v"], feedForward=[]),
        ),
    ),
    "ranks-unolora": (205, dict(blocks=[1, 2]), dict(method="unolora", rankA=2, rankB=3)),
    "ranks-unolora_star": (506, dict(gated=True, blocks=[2, 1]), dict(method="unolora_star", rankA=4, rankB=2)),
    "ranks-lora_per_task": (207, dict(blocks=[1, 2]), dict(method="lora_per_task", rankA=3, rankB=2)),
    "inputs-task": (408, dict(blocks=[1, 1]), dict(method="unolora_star", rank=2, hyperInputs=["task"])),
    "inputs-position_sample": (
        9,
        dict(blocks=[2, 1]),
        dict(
            method="unolora_star",
            rank=2,
            hyperInputs=["position", "sample"],
            hyperDim=4,
            hyperOutDim=6,
            hyperBottleneck=10,
        ),
    ),
    "inputs-task_position": (
        410,
        dict(gated=True, blocks=[1, 1]),
        dict(method="unolora_star", rank=2, hyperInputs=["task", "position"]),
    ),
    "zero_mean": (
        111,
        dict(blocks=[1, 2]),
        dict(method="unolora_star", rank=3, hyperScaleInit="zeroMean", **SMALL_HYPER),
    ),
    "modulo": (212, dict(blocks=[1, 2]), dict(method="unolora_star", rank=2, hyperPositions=5, **SMALL_HYPER)),
    "smoothing-mean": (413, dict(blocks=[1, 1]), dict(method="unolora", rank=2, labelSmoothing=0.1)),
    "smoothing-sum": (
        214,
        dict(gated=True, blocks=[1, 1]),
        dict(method="unolora", rank=2, labelSmoothing=0.1, lossReduction="sum"),
    ),
    "pad_targets": (215, dict(blocks=[1, 1]), dict(method="unolora", rank=2, padTargets=6)),
    "dropout-unolora-per_input": (
        216,
        dict(blocks=[2, 2]),
        dict(method="unolora", rank=2, **DROPOUT, loraDropoutMask="perInput"),
    ),
    "dropout-unolora_star-per_input": (
        117,
        dict(blocks=[2, 1]),
        dict(method="unolora_star", rank=2, **SMALL_HYPER, **DROPOUT, loraDropoutMask="perInput"),
    ),
    "dropout-unolora_star-per_site": (
        118,
        dict(blocks=[1, 1]),
        dict(method="unolora_star", rank=2, **SMALL_HYPER, **DROPOUT, loraDropoutMask="perSite"),
    ),
    "dropout-targets-per_site": (
        219,
        dict(gated=True, blocks=[1, 1]),
        dict(
            method="unolora",
            rank=1,
            **DROPOUT,
            loraDropoutMask="perSite",
            targets={**ALL_ATTENTION, "feedForward": ["wi_0", "wi_1", "wo"]},
        ),
    ),
    "dropout-targets-per_input": (
        20,
        dict(blocks=[1, 1]),
        dict(
            method="lora_per_task",
            rank=1,
            **DROPOUT,
            loraDropoutMask="perInput",
            targets={**ALL_ATTENTION, "feedForward": ["wi", "wo"]},
        ),
    ),
    # More than 64 columns everywhere: a row of a mask is several chunks.
    "dropout-wide": (
        221,
        dict(gated=True, blocks=[1, 1], d_ff=72, source=[67, 9], target=[3, 2]),
        dict(
            method="unolora",
            rank=2,
            **DROPOUT,
            loraDropoutMask="perInput",
            targets=dict(encoderSelf=["q", "v"], decoderSelf=[], decoderCross=["q", "v"], feedForward=["wo"]),
        ),
    ),
}


def configuration(gated=False, blocks=(2, 2), d_ff=20, dropout=0.0, **_):
    return {
        "architectures": ["T5ForConditionalGeneration"],
        "model_type": "t5",
        "vocab_size": 64,
        "d_model": 16,
        "d_kv": 4,
        "d_ff": d_ff,
        "num_layers": blocks[0],
        "num_decoder_layers": blocks[1],
        "num_heads": 2,
        "relative_attention_num_buckets": 8,
        "relative_attention_max_distance": 20,
        "layer_norm_epsilon": 1e-6,
        "dropout_rate": dropout,
        "feed_forward_proj": "gated-gelu" if gated else "relu",
        "tie_word_embeddings": not gated,
        "pad_token_id": 0,
        "eos_token_id": 1,
        "decoder_start_token_id": 0,
    }


def backbone_shapes(c):
    """Tensor name -> shape of a T5 directory."""
    d, inner, wide = c["d_model"], c["num_heads"] * c["d_kv"], c["d_ff"]
    shapes = {"shared.weight": (c["vocab_size"], d)}
    for which, count in (("encoder", c["num_layers"]), ("decoder", c["num_decoder_layers"])):
        attentions = ["SelfAttention"] + ["EncDecAttention"] * (which == "decoder")
        shapes[f"{which}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"] = (
            c["relative_attention_num_buckets"],
            c["num_heads"],
        )
        shapes[f"{which}.final_layer_norm.weight"] = (d,)
        for block in range(count):
            at = f"{which}.block.{block}.layer."
            for i, name in enumerate(attentions):
                shapes |= {f"{at}{i}.{name}.{p}.weight": (inner, d) for p in "qkv"}
                shapes |= {f"{at}{i}.{name}.o.weight": (d, inner), f"{at}{i}.layer_norm.weight": (d,)}
            i = len(attentions)
            shapes |= {
                f"{at}{i}.DenseReluDense.{p}.weight": (wide, d) for p in (("wi_0", "wi_1") if t5.gated(c) else ("wi",))
            }
            shapes |= {f"{at}{i}.DenseReluDense.wo.weight": (d, wide), f"{at}{i}.layer_norm.weight": (d,)}
    if not t5.tied(c):
        shapes["lm_head.weight"] = (c["vocab_size"], d)
    return shapes


def adapter_shapes(c, o, backbone):
    """Name -> shape of every trainable."""
    names, lead, shapes = t5.sites(c, o.targets), (o.tasks,) if o.method == "lora_per_task" else (), {}
    for name in names:
        rows, columns = backbone[name + ".weight"]
        shapes[name + ".lora_A.weight"] = (*lead, o.rankA, columns)
        shapes[name + ".lora_B.weight"] = (*lead, rows, o.rankB)
        if o.rankA != o.rankB:
            shapes[name + ".lora_C.weight"] = (*lead, o.rankB, o.rankA)
    if o.method != "unolora_star":
        return shapes
    h, narrow = o.hyperDim, o.hyperBottleneck
    linears = {
        f"mlp.{i}": s
        for i, s in enumerate([(2 * h, len(o.hyperInputs) * h), (2 * h, 2 * h), (2 * h, 2 * h), (o.hyperOutDim, 2 * h)])
    }
    if "task" in o.hyperInputs:
        shapes["hypernet.task_embedding.weight"] = (o.tasks, h)
    if "position" in o.hyperInputs:
        shapes["hypernet.position_embedding.weight"] = (o.hyperPositions or len(names), h)
    if "sample" in o.hyperInputs:
        linears |= {
            f"sample_encoder.{i}": s for i, s in enumerate([(narrow, c["d_model"]), (narrow, narrow), (h, narrow)])
        }
    for name, shape in linears.items():
        shapes |= {f"hypernet.{name}.weight": shape, f"hypernet.{name}.bias": shape[:1]}
    shapes["hypernet.scale.weight"], shapes["hypernet.scale.bias"] = (len(names), o.rankA, o.hyperOutDim), (
        len(names),
        o.rankA,
    )
    return shapes


def random_tensors(shapes, generator):
    """Values large enough that every path matters: norms near 1, matrices near variance-preserving, biases not zero."""

    def one(name, shape):
        x = generator.standard_normal(shape)
        if "layer_norm" in name:
            x = 1 + 0.25 * x
        elif name == "shared.weight" or "relative" in name or "embedding" in name:
            x = 0.7 * x
        elif "lora_" in name or "scale" in name:
            x = 0.2 * x
        elif name.endswith("bias"):
            x = 0.3 * x
        elif name.endswith((".o.weight", ".wo.weight")):
            x = 2 * x / np.sqrt(shape[-1])  # sublayers outweigh the embedding, or a tied model would repeat its input
        else:
            x = x / np.sqrt(shape[-1])
        return x.astype(np.float32)

    return {name: one(name, shape) for name, shape in shapes.items()}


def examples(c, o, shape, generator):
    """Sentences ending in the end token, as (source, label) pairs, and their tasks."""

    def sentence(length):
        return [*map(int, generator.randint(3, c["vocab_size"], length - 1)), c["eos_token_id"]]

    pairs = [(sentence(s), sentence(t)) for s, t in zip(shape.get("source", [8, 3, 5]), shape.get("target", [2, 4, 1]))]
    # The task between is left unused: its rows only decay.
    return pairs, [(o.tasks - 1, 0)[i % 2] for i in range(len(pairs))]


def evaluate(c, o, backbone, adapter, pairs, tasks, dtype):
    """Every figure of a case as numpy arrays, and the least lead of a greedy choice."""
    weights = {k: torch.tensor(v, dtype=dtype) for k, v in backbone.items()}
    trainables = {k: torch.tensor(v, dtype=dtype, requires_grad=True) for k, v in adapter.items()}
    if o.method == "full":
        weights = trainables
    long, wide = max(len(s) for s, _ in pairs), o.padTargets or max(len(t) for _, t in pairs)
    encoded = np.zeros((len(pairs), long, c["d_model"]))
    logits, generated = np.zeros((len(pairs), wide, c["vocab_size"])), np.zeros((len(pairs), BUDGET), np.int32)
    total, count, lead = 0, 0, float("inf")
    for slot, ((source, label), task) in enumerate(zip(pairs, tasks)):
        label = t5.padded_labels(o, label)
        memory, scores = t5.forward(t5.prepare(c, weights, o, trainables, source, task, slot), source, label)
        total, count = total + t5.loss(o, scores, label), count + len(label)
        encoded[slot, : len(source)], logits[slot, : len(label)] = memory.detach(), scores.detach()
        with torch.no_grad():
            tokens, least = t5.generate(t5.prepare(c, weights, o, trainables, source, task, None), source, BUDGET)
        generated[slot, : len(tokens)], lead = tokens, min(lead, least)
    value = total if o.lossReduction == "sum" else total / count
    gradients = {}
    if trainables:
        found = torch.autograd.grad(value, list(trainables.values()))
        gradients = {"grad." + k: g.numpy() for k, g in zip(trainables, found)}
    return (
        dict(logits=logits, loss=np.array([value.item()]), encoder_output=encoded, generated=generated, **gradients),
        lead,
    )


def optimiser_step(adapter, figures):
    """Every trainable after one AdamW step on the gradients as stored."""
    updated = {k: torch.tensor(v, dtype=torch.float64) for k, v in adapter.items()}
    for name, value in updated.items():
        value.grad = torch.tensor(figures["grad." + name].astype(np.float32), dtype=torch.float64)
    torch.optim.AdamW(updated.values(), **OPTIMISER).step()
    return {"step." + name: value.numpy() for name, value in updated.items()}


def padded(rows, fill):
    width = max(map(len, rows))
    return np.array([row + [fill] * (width - len(row)) for row in rows], np.int32)


def check(name, figures, single, lead, generated_differs):
    """Refuses a case on which rounding could decide."""
    largest = max((np.abs(v).max() for k, v in figures.items() if k.startswith("grad.")), default=0)
    worst = 0
    for key, exact in figures.items():
        assert np.isfinite(exact).all(), f"{name}: {key} is not finite"
        if exact.dtype.kind == "f":
            floor = 1e-3 * largest if key.startswith("grad.") else 0
            worst = np.maximum(worst, np.abs(single[key] - exact).max() / max(np.abs(exact).max(), floor))
    assert worst < AGREEMENT, f"{name}: single precision differs by {worst}"
    assert lead > CLEAR and not generated_differs, f"{name}: a greedy choice leads by {lead} only"
    dead = [k for k, v in figures.items() if k.startswith("grad.") and not v.any()]
    assert not dead, f"{name}: no gradient reaches {dead}"
    return worst


def make(name):
    seed, shape, settings = CASES[name]
    meta = dict(method=settings["method"], rank=settings.get("rankA"), alpha=3.0, tasks=3) | settings
    o = t5.Options(**meta)
    generator = np.random.RandomState(seed)  # the legacy stream is frozen across numpy versions
    c = configuration(**shape, dropout=o.dropout)
    shapes = backbone_shapes(c)
    backbone = random_tensors(shapes, generator)
    adapter = random_tensors(adapter_shapes(c, o, shapes), generator)
    pairs, tasks = examples(c, o, shape, generator)
    figures, lead = evaluate(c, o, backbone, adapter, pairs, tasks, torch.float64)
    single, _ = evaluate(c, o, backbone, adapter, pairs, tasks, torch.float32)
    worst = check(name, figures, single, lead, (single["generated"] != figures["generated"]).any())
    figures |= optimiser_step(adapter, figures)
    inputs = dict(
        input_ids=padded([s for s, _ in pairs], 0),
        input_lengths=np.array([len(s) for s, _ in pairs], np.int32),
        labels=padded([t for _, t in pairs], -100),
        task_ids=np.array(tasks, np.int32),
    )
    store(
        HERE / "cases" / name,
        c,
        backbone,
        meta,
        adapter,
        inputs | {k: v.astype(np.float32) if v.dtype.kind == "f" else v for k, v in figures.items()},
    )
    print(
        f"{name}: loss {figures['loss'][0]:.5f}, single precision within {worst:.1e}, least lead {lead:.3f}, "
        f"generated {figures['generated'].tolist()}"
    )


def store(folder, c, backbone, meta, adapter, case):
    for part in ("model", "adapter"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "model/config.json").write_text(json.dumps(c, indent=1) + "\n")
    (folder / "adapter/unolora_config.json").write_text(json.dumps(meta, indent=1) + "\n")
    save_file(backbone, folder / "model/model.safetensors", metadata={"format": "pt"})
    save_file(adapter, folder / "adapter/unolora_model.safetensors", metadata={"format": "pt"})
    save_file(case, folder / "case.safetensors")
    for file in folder.glob("**/*.safetensors"):
        file.chmod(0o644)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for case in sys.argv[1:] or CASES:
        make(case)
