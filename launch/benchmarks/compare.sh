#!/usr/bin/env bash
# Runs the peer (peer.py: transformers, PEFT, PyTorch) and this trainer alternately, in pairs, with the same lengths, the same
# global batch and two cores each, and prints the medians and the ratios to the fastest ways to use the peer.
#   PEER_PYTHON=/path/to/python launch/benchmarks/compare.sh MODEL_DIRECTORY LENGTHS.json [PAIRS] [options of unolora-bench step]
# The peer runs in float32, with torch.autocast to bfloat16, and with frozen weights in bfloat16, each as one process of two threads
# and as two of one; PEER_PRECISIONS names fewer ("float32"). A fair comparison is one within a class of accuracy: products in
# float32 or bf16x3 with the peer's float32, bfloat16 with its bfloat16, int8 with the best of any.
# With the option `--method full` the peer trains all weights, too. PEER_PYTHON needs torch, transformers and peft. Nothing else
# should run at the same time.
set -euo pipefail

project=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd -P)
peer_python=${PEER_PYTHON:?names a Python that has torch, transformers and peft}
model=${1:?the directory of a T5}
lengths=${2:?a JSON list of [source, target] token counts}
pairs=${3:-3}
shift $(($# < 3 ? $# : 3))
bench=$project/.build/release/unolora-bench
. "$project/launch/mpi-environment.sh"

peer_options=()
case " $* " in *" --method full "*) peer_options=(--full) ;; esac

# rate FILE : examples per second of a JSON report
rate() {
    "$peer_python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["examplesPerSecond"])' "$1"
}

# The peer uses its libraries with their defaults; the variables that this trainer sets for its own would slow the peer down.
peer() {
    env -u OPENBLAS_NUM_THREADS -u OPENBLAS_CORETYPE -u OMP_NUM_THREADS "$@" 2>/dev/null | tail -n 1 >"$work/report"
    rate "$work/report"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a precisions <<<"${PEER_PRECISIONS:-float32 autocast bfloat16}"
for ((pair = 1; pair <= pairs; pair++)); do
    for precision in "${precisions[@]}"; do
        options=(--model "$model" --lengths "$lengths" --precision "$precision" "${peer_options[@]}")
        peer "$peer_python" "$project/launch/benchmarks/peer.py" "${options[@]}" --threads 2 >>"$work/peer-$precision-1x2"
        peer "$peer_python" -m torch.distributed.run --nproc_per_node 2 "$project/launch/benchmarks/peer.py" "${options[@]}" \
            --threads 1 >>"$work/peer-$precision-2x1"
    done
    "$bench" step --model "$model" --lengths "$lengths" --threads 2 "$@" >"$work/report"
    rate "$work/report" >>"$work/ours-1x2"
    mpirun -n 2 "$bench" step --model "$model" --lengths "$lengths" --threads 1 "$@" >"$work/report"
    rate "$work/report" >>"$work/ours-2x1"
    echo "pair $pair:$(cd "$work" && for file in peer-* ours-*; do echo -n " $file $(tail -n 1 "$file")"; done) examples/s"
done
"$peer_python" - "$work" <<'PYTHON'
import pathlib
import statistics
import sys

rates = {
    file.name: [float(line) for line in file.read_text(encoding="utf-8").split()]
    for prefix in ("peer-*", "ours-*")
    for file in sorted(pathlib.Path(sys.argv[1]).glob(prefix))
}
for name, values in rates.items():
    print(f"{name}: median {statistics.median(values):.2f} examples/s of {', '.join(f'{rate:.2f}' for rate in values)}")
classes = {
    "float32": [name for name in rates if name.startswith("peer-float32")],
    "bfloat16": [name for name in rates if name.startswith(("peer-autocast", "peer-bfloat16"))],
    "any": [name for name in rates if name.startswith("peer-")],
}
for label, names in classes.items():
    if not names:
        continue
    best = max(names, key=lambda name: statistics.median(rates[name]))
    for ours in ("ours-1x2", "ours-2x1"):
        ratios = [own / peer for own, peer in zip(rates[ours], rates[best])]
        print(f"{ours} / the peer's best of {label}, {best}: median of the pairs {statistics.median(ratios):.2f}")
PYTHON
