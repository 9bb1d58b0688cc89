"""Writes a case for `unolora-dist verify` with the numbers that transformers computes from a T5 directory.

  python transformers_case.py MODEL CASE                           the model as it is
  python transformers_case.py MODEL CASE --peft LORA --adapter DIRECTORY
                                                                   with an adapter of PEFT, of one rank, on q and v; DIRECTORY is
                                                                   the adapter of a run that began with it (`--init-from`)

Needs torch and transformers, and peft for --peft. The examples have random tokens and lengths. The gradients, and the step of
AdamW, are those of the adapter; without one the case has logits, loss, the encoder's output and greedy answers.
"""

import argparse
import json
import os
import shutil

import torch
import transformers
from safetensors.torch import save_file
from transformers import T5ForConditionalGeneration

LENGTHS = [(23, 4), (5, 2), (64, 3), (1, 1), (40, 9)]
NEW_TOKENS = 12


def examples(vocabulary, generator):
    """Padded sources and labels, which end with the end token 1, and the lengths of the sources."""
    sources = torch.zeros(len(LENGTHS), max(s for s, _ in LENGTHS), dtype=torch.long)
    labels = torch.full((len(LENGTHS), max(t for _, t in LENGTHS)), -100)
    for row, (source, target) in enumerate(LENGTHS):
        for tokens, length in ((sources, source), (labels, target)):
            tokens[row, :length] = torch.randint(3, vocabulary, (length,), generator=generator)
            tokens[row, length - 1] = 1
    return sources, labels, torch.tensor([source for source, _ in LENGTHS])


def trained_tensors(model):
    """The adapter's tensors by the names of this program; none without an adapter."""
    trained = {
        name.removeprefix("base_model.model.").replace(".default.", "."): parameter
        for name, parameter in model.named_parameters()
        if "lora_" in name
    }
    for parameter in trained.values():
        parameter.requires_grad_(True)
    return trained


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="T5 directory of Hugging Face")
    parser.add_argument("case", help="new directory")
    parser.add_argument("--peft", help="directory of a LoRA that PEFT saved")
    parser.add_argument("--adapter", help="directory with the adapter of a run that began with --peft")
    options = parser.parse_args()
    if bool(options.peft) != bool(options.adapter):
        parser.error("--peft and --adapter are given together")

    os.makedirs(options.case)
    os.symlink(os.path.abspath(options.model), os.path.join(options.case, "model"))
    adapter = os.path.join(options.case, "adapter")
    model, loading = T5ForConditionalGeneration.from_pretrained(
        options.model, dtype=torch.float32, output_loading_info=True
    )
    assert not loading["missing_keys"] and not loading["unexpected_keys"], loading
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    vocabulary = model.config.vocab_size
    if options.peft:
        import peft

        model = peft.PeftModel.from_pretrained(model, options.peft)
        versions["peft"] = peft.__version__
        shutil.copytree(options.adapter, adapter)
    else:
        os.makedirs(adapter)
        with open(os.path.join(adapter, "unolora_config.json"), "w", encoding="utf-8") as file:
            json.dump({"method": "frozen", "rank": 1, "alpha": 1, "tasks": 1}, file)
    model.eval()

    sources, labels, lengths = examples(vocabulary, torch.Generator().manual_seed(1))
    mask = (torch.arange(sources.shape[1])[None] < lengths[:, None]).long()
    trained = trained_tensors(model)
    output = model(input_ids=sources, attention_mask=mask, labels=labels)
    answers = model.generate(
        input_ids=sources, attention_mask=mask, max_new_tokens=NEW_TOKENS, do_sample=False, num_beams=1
    )[:, 1:]
    arrays = {
        "input_ids": sources.int(),
        "input_lengths": lengths.int(),
        "labels": labels.int(),
        "task_ids": torch.zeros(len(LENGTHS), dtype=torch.int32),
        "loss": output.loss.detach().reshape(1),
        "logits": output.logits.detach() * (labels != -100)[..., None],
        "encoder_output": output.encoder_last_hidden_state.detach() * mask[..., None],
        "generated": torch.nn.functional.pad(answers, (0, NEW_TOKENS - answers.shape[1])).int(),
    }
    if trained:
        output.loss.backward()
        arrays |= {f"grad.{name}": parameter.grad.clone() for name, parameter in trained.items()}
        torch.optim.AdamW(trained.values(), lr=1e-3, weight_decay=0.01).step()
        arrays |= {f"step.{name}": parameter.detach() for name, parameter in trained.items()}
    path = os.path.join(options.case, "case.safetensors")
    save_file({name: tensor.contiguous() for name, tensor in arrays.items()}, path, metadata=versions)
    print(f"{path}: {versions}")


if __name__ == "__main__":
    main()
