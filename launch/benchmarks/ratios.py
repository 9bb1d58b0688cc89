"""Prints what compare.sh has measured: medians of the rates, and ratios class of accuracy by class.

The directory that is named holds a file for each way to compute, peer-PRECISION-LAYOUT and ours-PRODUCTS-LAYOUT, with the examples
per second of each pair, a line each. Products in float32 and bf16x3 are compared with the peer's float32, bfloat16 with the
faster of its two kinds of bfloat16, 8 bits with whatever is the peer's fastest. Its best of a class is that with the highest
median; a ratio is the median over the pairs of both rates of the same pair.
"""

import pathlib
import statistics
import sys

OPPONENTS = {
    "float32": ("float32", ["float32"]),
    "bf16x3": ("float32", ["float32"]),
    "fast": ("float32", ["float32"]),
    "bfloat16": ("bfloat16", ["autocast", "bfloat16"]),
}
ANY = ("any kind", ["float32", "autocast", "bfloat16"])


def main():
    rates = {
        file.name: [float(line) for line in file.read_text(encoding="utf-8").split()]
        for prefix in ("peer-*", "ours-*")
        for file in sorted(pathlib.Path(sys.argv[1]).glob(prefix))
    }
    for name, values in rates.items():
        print(f"{name}: median {statistics.median(values):.2f} examples/s of {', '.join(f'{rate:.2f}' for rate in values)}")
    for ours in (name for name in rates if name.startswith("ours-")):
        label, precisions = OPPONENTS.get(ours.split("-")[1], ANY)
        peers = [name for name in rates if name.startswith("peer-") and name.split("-")[1] in precisions]
        if not peers:
            print(f"{ours}: the peer was not measured in {label}")
            continue
        best = max(peers, key=lambda name: statistics.median(rates[name]))
        ratios = [own / peer for own, peer in zip(rates[ours], rates[best], strict=True)]
        print(
            f"{ours} / the peer's best of {label}, {best}: median {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()
