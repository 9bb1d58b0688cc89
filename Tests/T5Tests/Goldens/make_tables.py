"""Writes the small tables: learning-rate schedules, clipped AdamW steps, relative-position buckets, dropout masks.

Schedules come from transformers, the optimiser from torch, buckets from transformers; masks are this directory's own.
"""

import json
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers.models.t5.modeling_t5 import T5Attention

import masks

HERE = Path(__file__).resolve().parent


def write(name, value):
    """One entry a line, so that a difference shows where it is."""
    lines = ",\n".join(f" {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items())
    (HERE / name).write_text("{\n" + lines + "\n}\n")


def schedules():
    """lr[i] is the rate of update i, counted from 0: with a warmup the first update's rate is 0."""
    makers = {
        "cosine": lambda o, warmup, steps: transformers.get_cosine_schedule_with_warmup(o, warmup, steps),
        "linear": lambda o, warmup, steps: transformers.get_linear_schedule_with_warmup(o, warmup, steps),
        "constant": lambda o, warmup, steps: transformers.get_constant_schedule_with_warmup(o, warmup),
    }
    table = {}
    for kind, maker in makers.items():
        for peak, warmup, steps in ((3e-4, 5, 20), (1e-3, 0, 7), (1e-4, 6, 6)):
            optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=peak)
            schedule, rates = maker(optimiser, warmup, steps), []
            for _ in range(steps):
                rates.append(schedule.get_last_lr()[0])
                optimiser.step()
                schedule.step()
            table[f"{kind}, peak {peak:g}, warmup {warmup}, steps {steps}"] = dict(
                kind=kind, peak=peak, warmup=warmup, steps=steps, lr=rates
            )
    write("schedules.json", table)


def clipped_adamw():
    """Five updates of two tensors in double precision; gradients of steps 1 and 3 are below the norm."""
    generator, settings = np.random.RandomState(7), dict(lr=1e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
    single = lambda shape, scale: (scale * generator.standard_normal(shape)).astype(np.float32).astype(np.float64)
    tensors = [torch.tensor(single(5, 1.0)), torch.tensor(single((2, 3), 0.5))]
    optimiser, steps = torch.optim.AdamW(tensors, **settings), []
    initial = [t.flatten().tolist() for t in tensors]
    for scale in (3.0, 0.1, 1.0, 0.02, 20.0):
        for i, t in enumerate(tensors):
            t.grad = torch.tensor(single(t.shape, scale))
        raw = [t.grad.flatten().tolist() for t in tensors]
        norm = torch.nn.utils.clip_grad_norm_(tensors, 1.0)
        assert (norm < 1) == (scale in (0.1, 0.02))
        clipped = [t.grad.flatten().tolist() for t in tensors]
        optimiser.step()
        state = [optimiser.state[t] for t in tensors]
        steps.append(
            dict(
                gradient=raw,
                norm=float(norm),
                clipped=clipped,
                weights=[t.flatten().tolist() for t in tensors],
                m=[s["exp_avg"].flatten().tolist() for s in state],
                v=[s["exp_avg_sq"].flatten().tolist() for s in state],
            )
        )
    write(
        "clipped_adamw.json",
        dict(
            clip=1.0,
            lr=settings["lr"],
            betas=settings["betas"],
            eps=settings["eps"],
            weightDecay=settings["weight_decay"],
            initial=initial,
        )
        | {"steps": steps},
    )


def relative_buckets():
    """bucket[i] belongs to the distance key - query = i - 140."""
    distance = torch.arange(-140, 141)
    table = {}
    for count, farthest in ((32, 128), (8, 20)):
        for both in (True, False):
            found = T5Attention._relative_position_bucket(
                distance, bidirectional=both, num_buckets=count, max_distance=farthest
            )
            table[f"{count} buckets, distance {farthest}, {'bidirectional' if both else 'causal'}"] = dict(
                buckets=count, distance=farthest, bidirectional=both, first=-140, bucket=found.tolist()
            )
    write("relative_buckets.json", table)


def dropout_masks():
    """Rows of kept (1) and dropped (0) elements as text."""
    table = {}
    for number, (seed, step, slot, where, rows, width, rate) in enumerate(
        [
            (0, 0, 0, masks.place("encoder", 0, masks.EMBEDDING), 2, 16, 0.1),
            (81_985_529_216_487, 11, 3, masks.place("decoder", 2, masks.OUTER), 3, 64, 0.1),
            (2**64 - 1, 262_144, 31, masks.place("decoder", 11, masks.CROSS_KV, 1), 2, 530, 0.1),
            (42, 7, 1, masks.place("encoder", 1, masks.SELF_PROBABILITIES), 2, 9, 0.5),
        ]
    ):
        threshold = int(np.floor(rate * 65536 + 0.5))
        bits = masks.kept(seed, step, slot, where, rows, width, threshold)
        table[f"mask {number}"] = dict(
            seed=str(seed),
            step=step,
            slot=slot,
            place=where,
            rows=rows,
            width=width,
            rate=rate,
            threshold=threshold,
            kept=["".join("01"[int(b)] for b in row) for row in bits],
        )
    write("masks.json", table)


if __name__ == "__main__":
    torch.set_num_threads(1)
    schedules()
    clipped_adamw()
    relative_buckets()
    dropout_masks()
