"""Writes the goldens of exports as the libraries compute with them: `python make_logits.py`. Needs torch, transformers, peft.

The directories beside this file are what the program exported on a tiny base:

  UNOLORA_WRITE_EXPORTS=1 swift test -c release -Xswiftc -enable-testing --filter LibraryLogitsTests

Each gets `case.safetensors`, the logits of the examples below: `peft` of the base (`model`) with the adapter (`peft`), and
`merged` of the model `merged`, computed in double precision.
"""

from pathlib import Path

import peft
import torch
import transformers
from safetensors.torch import load_file, save_file

HERE = Path(__file__).resolve().parent
# TinyBase.texts and its target.
SOURCES = [[5, 9, 31, 7, 1], [22, 1], [3, 40, 41, 17, 8, 11, 1]]
TARGET = [9, 4, 1]


def load(directory):
    """A model as a user loads it; refuses tensors that the library does not find or use."""
    model, loading = transformers.AutoModelForSeq2SeqLM.from_pretrained(
        directory, dtype=torch.float64, output_loading_info=True
    )
    assert not loading["missing_keys"] and not loading["unexpected_keys"], loading
    return model.eval()


def logits(model):
    labels = torch.tensor([TARGET])
    with torch.no_grad():
        return torch.cat([model(input_ids=torch.tensor([source]), labels=labels).logits[0] for source in SOURCES])


def main():
    versions = dict(torch=torch.__version__, transformers=transformers.__version__, peft=peft.__version__)
    for directory in sorted(path.parent for path in HERE.glob("*/peft")):
        merged = logits(load(directory / "merged"))
        base = load(directory / "model")
        plain = logits(base)
        adapted = peft.PeftModel.from_pretrained(base, directory / "peft", autocast_adapter_dtype=False).double().eval()
        saved = load_file(directory / "peft" / "adapter_model.safetensors")
        loaded = {name.replace(".default.", "."): p for name, p in adapted.named_parameters() if "lora_" in name}
        assert saved.keys() == loaded.keys(), "the library adapts other modules"
        assert all(torch.equal(saved[name].double(), loaded[name]) for name in saved), "the library has other numbers"
        numbers = dict(peft=logits(adapted), merged=merged)
        moved = (plain - numbers["peft"]).abs().max().item()
        assert moved > 0.1, "the adapter does next to nothing"
        tensors = {name: tensor.float().contiguous() for name, tensor in numbers.items()}
        save_file(tensors, directory / "case.safetensors", metadata=versions)
        apart = (numbers["peft"] - merged).abs().max().item()
        print(f"{directory.name}: moved by {moved:.2f}, peft and merged differ by {apart:.1e}, {versions}")


if __name__ == "__main__":
    main()
