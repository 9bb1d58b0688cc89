"""Loads what `unolora-dist export` wrote with transformers and peft, and compares it with the program's own numbers.

  python exported.py PROGRAM DIRECTORY --base MODEL [--adapter ADAPTER] --task NAME --rows ROWS --fields a,b [--run RUN]

DIRECTORY is an exported directory of format peft or merged. ROWS has a JSON object a line with the fields of the task;
the text is that of the task's usual template. ADAPTER is what the program computes with: the `adapter` directory of the
checkpoint, or, for unolora_star, the exported directory of format peft. The program replays the logits and answers of
the library on MODEL with ADAPTER (`verify`); with --run, the answers are also compared with those of `predict`.
Without --adapter it replays those of a merged directory on that directory, as a plain model: where the base is BF16,
merging rounds, so that the base with the adapter has other logits.

Prints one JSON line; for an adapter of PEFT it says how far the adapter moves the logits from the base's. The exit code
is 1 when a logit differs by more than 1e-4 of the largest one, or an answer differs. Needs torch, transformers, peft
and sentencepiece.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import peft
import safetensors.torch
import torch
import transformers

LIMIT = 1e-4


def load(directory, base):
    """The model and its tokenizer, as their model card says; refuses tensors that the library does not find or use."""
    is_adapter = os.path.exists(os.path.join(directory, "adapter_config.json"))
    model, loading = transformers.AutoModelForSeq2SeqLM.from_pretrained(
        base if is_adapter else directory, dtype=torch.float32, output_loading_info=True
    )
    assert not loading["missing_keys"] and not loading["unexpected_keys"], loading
    tokenizer = transformers.AutoTokenizer.from_pretrained(base if is_adapter else directory)
    if is_adapter:
        model = peft.PeftModel.from_pretrained(model, directory)
        saved = safetensors.torch.load_file(os.path.join(directory, "adapter_model.safetensors"))
        loaded = {name.replace(".default.", "."): p for name, p in model.named_parameters() if "lora_" in name}
        assert saved.keys() == loaded.keys(), "the library adapts other modules"
        assert all(torch.equal(saved[name], loaded[name]) for name in saved), "the library has other numbers"
    return ("peft" if is_adapter else "merged"), model.eval(), tokenizer


def adapter_for_case(source, task, target):
    """Copies the adapter with which the program computes into a case, none for None; returns the number of the task there."""
    os.makedirs(target)
    if source is None:
        with open(os.path.join(target, "unolora_config.json"), "w", encoding="utf-8") as file:
            json.dump({"method": "frozen", "rank": 1, "alpha": 1, "tasks": 1, "forwardOnly": True}, file)
        return 0
    path = os.path.join(source, "adapter_config.json")
    if not os.path.exists(path):
        with open(os.path.join(source, "unolora_config.json"), encoding="utf-8") as file:
            configuration = json.load(file)
        shutil.copy(os.path.join(source, "unolora_model.safetensors"), target)
        number = configuration["taskNames"].index(task)
    else:
        with open(path, encoding="utf-8") as file:
            own = json.load(file)
        targets = {key: set() for key in ("encoderSelf", "decoderSelf", "decoderCross", "feedForward")}
        for module in own["target_modules"]:
            stack, kind, leaf = re.fullmatch(r"(\w+)\.block\.\d+\.layer\.\d+\.(\w+)\.(\w+)", module).groups()
            key = {"SelfAttention": stack + "Self", "EncDecAttention": "decoderCross"}.get(kind, "feedForward")
            targets[key].add(leaf)
        configuration = {"method": "unolora", "rank": own["r"], "alpha": own["lora_alpha"], "tasks": 1}
        configuration["targets"] = {key: sorted(leaves) for key, leaves in targets.items()}
        tensors = safetensors.torch.load_file(os.path.join(source, "adapter_model.safetensors"))
        tensors = {name.removeprefix("base_model.model."): tensor for name, tensor in tensors.items()}
        safetensors.torch.save_file(tensors, os.path.join(target, "unolora_model.safetensors"))
        number = 0
    configuration = {key: value for key, value in configuration.items() if key != "loraDropout"}
    with open(os.path.join(target, "unolora_config.json"), "w", encoding="utf-8") as file:
        json.dump({**configuration, "forwardOnly": True}, file)
    return number


def write_case(path, arrays, options):
    """Writes a case for `unolora-dist verify`."""
    model = options.base if options.adapter else options.directory
    os.symlink(os.path.abspath(model), os.path.join(path, "model"))
    number = adapter_for_case(options.adapter, options.task, os.path.join(path, "adapter"))
    arrays["task_ids"] = torch.full((len(arrays["input_ids"]),), number, dtype=torch.int32)
    arrays = {name: tensor.contiguous() for name, tensor in arrays.items()}
    safetensors.torch.save_file(arrays, os.path.join(path, "case.safetensors"))


def computed(model, tokens, new_tokens):
    """The library's greedy answers, and the logits of every token of these answers."""
    mask = tokens["attention_mask"]
    with torch.no_grad():
        answers = model.generate(
            input_ids=tokens["input_ids"], attention_mask=mask, max_new_tokens=new_tokens, do_sample=False, num_beams=1
        )[:, 1:]
        ended = (answers == model.config.eos_token_id).long().cumsum(1)
        labels = torch.where(ended - (answers == model.config.eos_token_id).long() > 0, -100, answers)
        output = model(input_ids=tokens["input_ids"], attention_mask=mask, labels=labels)
    return answers, {
        "input_ids": tokens["input_ids"].int(),
        "input_lengths": mask.sum(1).int(),
        "labels": labels.int(),
        "loss": output.loss.reshape(1),
        "logits": output.logits * (labels != -100)[..., None],
        "encoder_output": output.encoder_last_hidden_state * mask[..., None],
        "generated": torch.nn.functional.pad(answers, (0, new_tokens - answers.shape[1])).int(),
    }


def largest_change(model, arrays):
    """The largest difference of the logits from those of a model, in parts of the largest logit."""
    labels = arrays["labels"].long()
    mask = (torch.arange(arrays["input_ids"].shape[1])[None] < arrays["input_lengths"][:, None]).long()
    with torch.no_grad():
        logits = model(input_ids=arrays["input_ids"].long(), attention_mask=mask, labels=labels).logits
    difference = (logits - arrays["logits"])[labels != -100].abs().max()
    return (difference / arrays["logits"].abs().max()).item()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("directory")
    parser.add_argument("--base", required=True, help="T5 directory of the run")
    parser.add_argument("--adapter", help="what the program computes with on the base; none: the merged model itself")
    parser.add_argument("--task", required=True)
    parser.add_argument("--rows", required=True, help="JSON lines with the fields of the task")
    parser.add_argument("--fields", required=True, help="the fields, separated by commas")
    parser.add_argument("--run", help="run directory whose `predict` answers the same rows")
    parser.add_argument("--checkpoint", default="last", help="the checkpoint for `predict`")
    parser.add_argument("--new-tokens", type=int, default=4)
    options = parser.parse_args()

    kind, model, tokenizer = load(options.directory, options.base)
    if kind == "peft" and not options.adapter:
        parser.error("a directory of format peft needs --adapter")
    with open(options.rows, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    fields = options.fields.split(",")
    texts = [" ".join([options.task] + [f"{field}: {row[field]}" for field in fields]) for row in rows]
    answers, arrays = computed(model, tokenizer(texts, return_tensors="pt", padding=True), options.new_tokens)
    report = {
        "directory": options.directory,
        "kind": kind,
        "against": "the adapter on the base" if options.adapter else "the merged model",
        "task": options.task,
        "rows": len(rows),
        "different_answers": len({tuple(answer.tolist()) for answer in answers}),
        "largest_logit": arrays["logits"].abs().max().item(),
    }
    with tempfile.TemporaryDirectory() as path:
        write_case(path, arrays, options)
        result = subprocess.run([options.program, "verify", path], capture_output=True, text=True, check=False)
        verified = json.loads(result.stdout)
    if kind == "peft":
        with model.disable_adapter():
            report["adapter_changes_logits_by"] = largest_change(model, arrays)
    report["logits"] = verified["errors"]["logits"]
    report["generated_equal"] = verified["generatedEqual"]
    passed = verified["errors"]["logits"] < LIMIT and verified["generatedEqual"]
    if options.run:
        result = subprocess.run(
            [options.program, "predict", options.run, "--task", options.task, "--input", options.rows, "--checkpoint",
             options.checkpoint],
            capture_output=True, text=True, check=True,
        )
        own = [json.loads(line)["answer"] for line in result.stdout.splitlines()]
        theirs = tokenizer.batch_decode(answers, skip_special_tokens=True)
        report["predict_equal"] = sum(a == b for a, b in zip(own, theirs, strict=True))
        passed = passed and report["predict_equal"] == len(rows)
    report["passed"] = passed
    report["versions"] = {module.__name__: module.__version__ for module in (torch, transformers, peft)}
    print(json.dumps(report))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
