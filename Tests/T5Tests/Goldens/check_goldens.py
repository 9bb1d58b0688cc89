"""Checks the functional T5 and the goldens: `python check_goldens.py [CASE_DIRECTORY...]`.

1. Philox against the published known answers.
2. Every case directory given (of any generator that writes the layout) and every case beside this file is replayed:
   logits of labelled tokens, encoder output, loss, gradients, the optimiser step, generated tokens.
3. Every option of our cases matters: the same case with the option's other value gives visibly different figures.
4. transformers: frozen and merged models, greedy generation, T5's dropout places (its own calls fed with our masks in
   their order), relative-position buckets; torch's cross_entropy with label smoothing.
"""

import json
import sys
from collections import deque
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from safetensors.numpy import load_file

import make_goldens
import masks
import t5

HERE = Path(__file__).resolve().parent
TOLERANCE = 3e-5


def larger(*values):
    """The largest; NaN when one is, which Python's max loses unless it comes first."""
    return float(np.max(values))


def settings(folder):
    return json.loads((folder / "adapter/unolora_config.json").read_text())


class Case:
    """A case directory in memory."""

    def __init__(self, folder):
        self.name, self.folder = folder.name, folder
        self.config = json.loads((folder / "model/config.json").read_text())
        self.options = t5.Options(**settings(folder))
        self.backbone = load_file(folder / "model/model.safetensors")
        trainables = folder / "adapter/unolora_model.safetensors"
        self.adapter = load_file(trainables) if trainables.exists() else {}
        if self.options.method == "full":
            self.adapter = self.backbone
        self.stored = load_file(folder / "case.safetensors")
        s = self.stored
        self.pairs = [
            (s["input_ids"][i, :n].tolist(), [t for t in s["labels"][i].tolist() if t != -100])
            for i, n in enumerate(s["input_lengths"])
        ]
        self.tasks = s["task_ids"].tolist()

    def figures(self, dtype=torch.float64, **changed):
        found, _ = make_goldens.evaluate(
            self.config, replace(self.options, **changed), self.backbone, self.adapter, self.pairs, self.tasks, dtype
        )
        return found


def differences(case, found):
    """Figure -> largest difference relative to the magnitude; gradients as `verify` measures them."""
    stored, result = dict(case.stored), {}
    largest = max((np.abs(v).max() for k, v in stored.items() if k.startswith("grad.")), default=0)
    for key, ours in found.items():
        if key == "generated":
            width = min(ours.shape[1], stored[key].shape[1])
            result[key] = float((ours[:, :width] != stored[key][:, :width]).any())
            continue
        theirs = stored[key]
        if key == "logits":  # beyond its labels an example has no logits of interest
            theirs = theirs.copy()
            for i, (_, label) in enumerate(case.pairs):
                theirs[i, len(t5.padded_labels(case.options, label)) :] = 0
        scale = max(np.abs(theirs).max(), 1e-3 * largest if key.startswith("grad.") else 0)
        group = key.split(".")[0]
        result[group] = larger(result.get(group, 0), np.abs(ours - theirs).max() / scale)
    return result


def replay(folder):
    if settings(folder)["method"] == "hyperformer_pp":
        return print(f"  {folder.name}: not replayed, adapters after a sublayer are not implemented here")
    case = Case(folder)
    found = case.figures()
    if case.adapter:
        stored_gradients = {k: v for k, v in case.stored.items() if k.startswith("grad.")}
        found |= make_goldens.optimiser_step(case.adapter, stored_gradients)
        keys = {k for k in found if k.startswith(("grad.", "step."))}
        assert keys == {k for k in case.stored if k.startswith(("grad.", "step."))}, f"{case.name}: other names"
    worst = differences(case, found)
    print(f"  {case.name}: " + ", ".join(f"{k} {v:.1e}" for k, v in worst.items()))
    assert all(np.isfinite(v).all() for v in case.stored.values()), f"{case.name}: not finite"
    assert larger(*worst.values()) < TOLERANCE, f"{case.name} differs"


# Option -> a value that a wrong implementation might use instead.
ALTERNATIVES = dict(
    alpha=lambda o: 2 * o.alpha,
    hyperScaleInit=lambda o: "onePlus" if o.hyperScaleInit == "zeroMean" else "zeroMean",
    labelSmoothing=lambda o: 0.0,
    lossReduction=lambda o: "tokenMean",
    padTargets=lambda o: 0,
    dropout=lambda o: 0.0,
    loraDropout=lambda o: 0.0,
    loraDropoutMask=lambda o: "perSite" if o.loraDropoutMask == "perInput" else "perInput",
    seed=lambda o: o.seed & 0xFFFFFFFF,
    step=lambda o: 0,
    rankA=lambda o: o.rankB,
)


def sensitive(folder):
    """Each named option, changed, moves the loss or a gradient by far more than any tolerance."""
    case, moved = Case(folder), {}
    named = settings(folder)
    for option, other in ALTERNATIVES.items():
        if option not in named or (option in ("rankA", "alpha") and other(case.options) == named[option]):
            continue
        found = case.figures(**{option: other(case.options)})
        if found["logits"].shape != case.stored["logits"].shape:
            continue  # other shapes cannot be mistaken
        worst = differences(case, {k: v for k, v in found.items() if k == "loss" or k.startswith("grad.")})
        moved[option] = larger(*worst.values())
    print(f"  {case.name}: " + ", ".join(f"{k} {v:.2g}" for k, v in moved.items()))
    assert min(moved.values(), default=1) > 1e-2, f"{case.name}: an option hardly matters"


def published_philox():
    """Known answers of Random123 for philox4x32-10."""
    answers = [
        (0, [0] * 4, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        (2**64 - 1, [0xFFFFFFFF] * 4, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            0x299F31D0A4093822,
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ]
    for key, counter, words in answers:
        assert masks.philox(key, np.array(counter, np.uint64)).tolist() == words


def doubles(tensors):
    return {k: torch.tensor(v, dtype=torch.float64) for k, v in tensors.items()}


def distance(theirs, memory, logits):
    """Largest absolute difference of encoder output and logits from those of transformers."""
    pairs = ((theirs.logits, logits), (theirs.encoder_last_hidden_state, memory))
    return larger(*(float((a[0] - b).abs().max()) for a, b in pairs))


def peer(case, adapted):
    """transformers' model of the case, with a task-independent adapter merged into its weights."""
    from transformers import T5Config, T5ForConditionalGeneration

    # "eager" so that the probabilities of attention pass through a dropout call of their own.
    model = T5ForConditionalGeneration(T5Config(**case.config, attn_implementation="eager")).double().eval()
    if not t5.tied(case.config):
        model.lm_head.weight = torch.nn.Parameter(torch.zeros_like(model.lm_head.weight))
    merged, adapter = doubles(case.backbone), doubles(case.adapter)
    o = case.options
    for name in t5.sites(case.config, o.targets) if adapted else ():
        a, b = adapter[name + ".lora_A.weight"], adapter[name + ".lora_B.weight"]
        c = adapter.get(name + ".lora_C.weight", torch.eye(o.rankA).double())
        merged[name + ".weight"] = merged[name + ".weight"] + o.alpha / o.rankA * b @ c @ a
    missing, extra = model.load_state_dict(merged, strict=False)
    aliases = ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight", *["lm_head.weight"] * t5.tied(case.config))
    assert not extra and set(missing) <= set(aliases), (missing, extra)
    return model


def against_transformers(folder, adapted):
    case = Case(folder)
    model, ours = peer(case, adapted), case.options if adapted else t5.Options(method="frozen")
    weights, adapter = doubles(case.backbone), doubles(case.adapter)
    worst = 0
    for (source, label), task in zip(case.pairs, case.tasks):
        label = t5.padded_labels(ours, label)
        run = t5.prepare(case.config, weights, ours, adapter, source, task, None)
        with torch.no_grad():
            theirs = model(input_ids=torch.tensor([source]), labels=torch.tensor([label]))
            memory, logits = t5.forward(run, source, label)
            tokens, _ = t5.generate(run, source, make_goldens.BUDGET)
            # No cache: transformers 5.23 sizes it by the encoder's blocks, and fails where the decoder has more.
            answer = model.generate(
                torch.tensor([source]), max_new_tokens=make_goldens.BUDGET, do_sample=False, use_cache=False
            )[0, 1:].tolist()
        worst = larger(worst, distance(theirs, memory, logits))
        exact = replace(ours, labelSmoothing=0.0)
        worst = larger(worst, abs(float(theirs.loss) - float(t5.loss(exact, logits, label)) / len(label)))
        for eps in (0.0, 0.1):
            torchs = torch.nn.functional.cross_entropy(
                logits, torch.tensor(label), label_smoothing=eps, reduction="sum"
            )
            worst = larger(worst, abs(float(torchs - t5.loss(replace(ours, labelSmoothing=eps), logits, label))))
        assert tokens == answer, f"{case.name}: {tokens} is not {answer}"
    print(
        f"  {case.name}, {'merged' if adapted else 'frozen'}: largest absolute difference {worst:.1e}, generated equal"
    )
    # transformers keeps a few operations in single precision whatever the weights are.
    assert worst < 5e-6, case.name


def places_against_transformers(folder):
    """Feeds our masks to transformers' dropout calls in their order."""
    case = Case(folder)
    o = replace(case.options, loraDropout=0.0)
    worst = 0
    model = peer(case, True).train()
    weights, adapter = doubles(case.backbone), doubles(case.adapter)
    for slot, ((source, label), task) in enumerate(zip(case.pairs, case.tasks)):
        run = t5.prepare(case.config, weights, o, adapter, source, task, slot)
        places = deque()
        for which, count in (("encoder", case.config["num_layers"]), ("decoder", case.config["num_decoder_layers"])):
            inside = [masks.SELF_PROBABILITIES, masks.SELF_OUTPUT, masks.INNER, masks.OUTER]
            if which == "decoder":
                inside[2:2] = [masks.CROSS_PROBABILITIES, masks.CROSS_OUTPUT]
            within = [(which, block, kind) for block in range(count) for kind in inside]
            places += [(which, 0, masks.EMBEDDING), *within, (which, 0, masks.FINAL_NORM)]

        def fed(x, p=0.5, training=True, inplace=False):
            assert training and p == o.dropout
            return run.drop(x[0], p, *places.popleft())[None]

        with torch.no_grad(), patch("torch.nn.functional.dropout", fed):
            theirs = model(input_ids=torch.tensor([source]), labels=torch.tensor([label]))
        with torch.no_grad():
            memory, logits = t5.forward(run, source, label)
        worst = larger(worst, distance(theirs, memory, logits))
        assert not places and worst < 5e-6, (case.name, worst, places)
    print(f"  {case.name}: dropout places agree, {worst:.1e}")


def buckets_against_transformers():
    from transformers.models.t5.modeling_t5 import T5Attention

    apart = torch.arange(-1000, 1001)
    for count, farthest in ((32, 128), (8, 20), (16, 64), (8, 16)):
        config = dict(relative_attention_num_buckets=count, relative_attention_max_distance=farthest)
        for both in (True, False):
            theirs = T5Attention._relative_position_bucket(apart, both, count, farthest)
            assert torch.equal(theirs, t5.bucket(config, apart, both)), (count, farthest, both)


if __name__ == "__main__":
    torch.set_num_threads(1)
    published_philox()
    own = sorted((HERE / "cases").iterdir())
    print("replayed, relative difference:")
    for folder in [*map(Path, sys.argv[1:]), *own]:
        replay(folder)
    print("options that matter, relative difference when changed:")
    for folder in own:
        sensitive(folder)
    print("against transformers:")
    buckets_against_transformers()
    for folder in own:
        against_transformers(folder, adapted=False)
        if Case(folder).options.method == "unolora":
            against_transformers(folder, adapted=True)
            if Case(folder).options.dropout:
                places_against_transformers(folder)
