"""Writes the goldens of adapters that PEFT itself made: `python make_peft.py`. Needs torch, transformers and peft.

Each case is a directory with a tiny T5 (`model`), an adapter of PEFT on it (`adapter`) and `case.safetensors`: the
tokens of some examples and the logits of the adapted model, computed in double precision. The model is saved without
its embedding's spare rows and with one block in each stack, so that a case is a few kilobytes.
"""

import shutil
from pathlib import Path

import numpy as np
import peft
import torch
import transformers
from safetensors.numpy import save_file

HERE = Path(__file__).resolve().parent
SHAPE = dict(
    vocab_size=40, d_model=12, d_kv=4, num_heads=2, d_ff=16, num_layers=1, num_decoder_layers=1, dropout_rate=0.1,
    relative_attention_num_buckets=8, relative_attention_max_distance=16, decoder_start_token_id=0,
)
# name -> (random seed, further keys of the model, settings of LoraConfig)
CASES = {
    "plain-v1.0": (1, {}, dict(r=4, lora_alpha=8, target_modules=["q", "v"])),
    # Other ranks and factors at some sites, rank-stabilised, at all kinds of projections.
    "patterns-v1.1": (
        2,
        dict(feed_forward_proj="gated-gelu", tie_word_embeddings=False),
        dict(
            r=4,
            lora_alpha=8,
            use_rslora=True,
            target_modules=["q", "k", "v", "o", "wi_0", "wi_1", "wo"],
            rank_pattern={"decoder.*.EncDecAttention.q": 2, "wo": 3},
            alpha_pattern={"decoder.*.v": 5, "encoder.block.0.layer.1.DenseReluDense.wi_1": 3},
        ),
    ),
}
EXAMPLES = [([5, 9, 31, 7, 1], [12, 8, 1]), ([22, 1], [3, 39, 4, 30, 1])]


def main():
    for name, (seed, keys, settings) in CASES.items():
        torch.manual_seed(seed)
        directory = HERE / name
        shutil.rmtree(directory, ignore_errors=True)
        model = transformers.T5ForConditionalGeneration(transformers.T5Config(**SHAPE, **keys))
        # The library's own start would leave the adapter with hardly any effect.
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(torch.randn_like(parameter) * 0.3)
        model.save_pretrained(directory / "model")
        adapted = peft.get_peft_model(model, peft.LoraConfig(task_type="SEQ_2_SEQ_LM", lora_dropout=0.1, **settings))
        with torch.no_grad():
            for key, parameter in adapted.named_parameters():
                if "lora_" in key:
                    parameter.copy_(torch.randn_like(parameter) * 0.3)
        adapted.save_pretrained(directory / "adapter")
        (directory / "adapter" / "README.md").unlink(missing_ok=True)

        # Both are read again as a user would read them.
        base = transformers.T5ForConditionalGeneration.from_pretrained(directory / "model", dtype=torch.float64)
        read = peft.PeftModel.from_pretrained(base, directory / "adapter", autocast_adapter_dtype=False)
        read = read.double().eval()
        logits = []
        with torch.no_grad():
            for source, target in EXAMPLES:
                logits.append(read(input_ids=torch.tensor([source]), labels=torch.tensor([target])).logits[0])
            with read.disable_adapter():
                source, target = EXAMPLES[0]
                plain = read(input_ids=torch.tensor([source]), labels=torch.tensor([target])).logits[0]
        assert (plain - logits[0]).abs().max() > 0.1, "the adapter does next to nothing"
        flat = {"sources": [e[0] for e in EXAMPLES], "targets": [e[1] for e in EXAMPLES]}
        arrays = {"logits": torch.cat(logits).float().numpy()}
        for key, lists in flat.items():
            arrays[key] = np.array(sum(lists, []), dtype=np.int32)
            arrays[key[:-1] + "_lengths"] = np.array([len(tokens) for tokens in lists], dtype=np.int32)
        versions = dict(torch=torch.__version__, transformers=transformers.__version__, peft=peft.__version__)
        save_file(arrays, directory / "case.safetensors", metadata=versions)
        print(name, versions)


if __name__ == "__main__":
    main()
