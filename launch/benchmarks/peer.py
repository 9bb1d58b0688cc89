"""The usual way to train a LoRA, or all weights, of a T5 on a CPU: transformers, PEFT, PyTorch; timed for compare.sh.

Needs torch, transformers and peft. Alone, or under torchrun for several processes (gloo). Prints one JSON line:
examples per second of all processes, from the median step.
"""

import argparse
import json
import os
import statistics
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import T5Config, T5ForConditionalGeneration


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="directory with a T5's config.json; its weights are not read")
    parser.add_argument("--lengths", required=True, help="JSON list of [source, target] token counts")
    parser.add_argument("--batch", type=int, default=32, help="examples in a step, of all processes")
    parser.add_argument("--steps", type=int, default=6, help="measured steps, after two others")
    parser.add_argument("--full", action="store_true", help="train all weights instead of a LoRA")
    parser.add_argument(
        "--precision",
        choices=("float32", "autocast", "bfloat16"),
        default="float32",
        help="autocast: products in bfloat16 by torch.autocast; bfloat16: the frozen weights are kept so, too",
    )
    parser.add_argument("--threads", type=int, default=2, help="threads of each process")
    return parser.parse_args()


def padded_batch(pairs, generator):
    """Random tokens, padded to the longest of the batch as data collators do."""
    longest = [max(pair[i] for pair in pairs) for i in (0, 1)]
    tokens = torch.zeros(len(pairs), longest[0], dtype=torch.long)
    mask = torch.zeros_like(tokens)
    labels = torch.full((len(pairs), longest[1]), -100, dtype=torch.long)
    for row, (source, target) in enumerate(pairs):
        tokens[row, :source] = torch.randint(3, 32000, (source,), generator=generator)
        mask[row, :source] = 1
        labels[row, :target] = torch.randint(3, 32000, (target,), generator=generator)
    return {"input_ids": tokens, "attention_mask": mask, "labels": labels}


def main():
    options = arguments()
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    rank = int(os.environ.get("RANK", "0"))
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    if processes > 1:
        torch.distributed.init_process_group("gloo")
    model = T5ForConditionalGeneration(T5Config.from_pretrained(options.model))
    if not options.full:
        model = get_peft_model(
            model,
            LoraConfig(
                task_type="SEQ_2_SEQ_LM", r=8, lora_alpha=16, lora_dropout=0.1, target_modules=["q", "v"]
            ),
        )
    if options.precision == "bfloat16":
        # What is trained stays in float32, as PEFT does by default.
        for parameter in model.parameters():
            if not parameter.requires_grad:
                parameter.data = parameter.data.bfloat16()
    model.train()
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=1e-4)
    step_model = torch.nn.parallel.DistributedDataParallel(model) if processes > 1 else model
    with open(options.lengths, encoding="utf-8") as file:
        pool = json.load(file)
    generator = torch.Generator().manual_seed(1)
    own = options.batch // processes
    seconds = []
    for _ in range(options.steps + 2):
        drawn = torch.randint(len(pool), (options.batch,), generator=generator).tolist()
        batch = padded_batch([pool[i] for i in drawn[rank * own : (rank + 1) * own]], generator)
        if processes > 1:
            torch.distributed.barrier()
        begun = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.precision != "float32"):
            loss = step_model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trainable, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.perf_counter() - begun)
    if rank == 0:
        print(json.dumps({"examplesPerSecond": options.batch / statistics.median(seconds[2:])}))


if __name__ == "__main__":
    main()
