#!/usr/bin/env bash
# Runs the peer (peer.py: transformers, PEFT, PyTorch) and this trainer alternately, in pairs, with the same lengths, the same
# global batch and two cores each, and prints the medians and the ratio to the faster of the two ways to use the peer.
#   PEER_PYTHON=/path/to/python launch/benchmarks/compare.sh MODEL_DIRECTORY LENGTHS.json [PAIRS] [options of unolora-bench step]
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
for ((pair = 1; pair <= pairs; pair++)); do
    peer "$peer_python" "$project/launch/benchmarks/peer.py" --model "$model" --lengths "$lengths" --threads 2 \
        "${peer_options[@]}" >>"$work/peer-1x2"
    "$bench" step --model "$model" --lengths "$lengths" --threads 2 "$@" >"$work/report"
    rate "$work/report" >>"$work/ours-1x2"
    peer "$peer_python" -m torch.distributed.run --nproc_per_node 2 "$project/launch/benchmarks/peer.py" \
        --model "$model" --lengths "$lengths" --threads 1 "${peer_options[@]}" >>"$work/peer-2x1"
    mpirun -n 2 "$bench" step --model "$model" --lengths "$lengths" --threads 1 "$@" >"$work/report"
    rate "$work/report" >>"$work/ours-2x1"
    echo "pair $pair: peer 1x2 $(tail -n 1 "$work/peer-1x2"), 2x1 $(tail -n 1 "$work/peer-2x1"); ours 1x2 $(tail -n 1 "$work/ours-1x2"), 2x1 $(tail -n 1 "$work/ours-2x1") examples/s"
done
"$peer_python" - "$work" <<'PYTHON'
import statistics
import sys

def rates(name):
    with open(f"{sys.argv[1]}/{name}", encoding="utf-8") as file:
        return [float(line) for line in file]

medians = {name: statistics.median(rates(name)) for name in ("peer-1x2", "peer-2x1", "ours-1x2", "ours-2x1")}
better = max(("peer-1x2", "peer-2x1"), key=medians.get)
for name, value in medians.items():
    print(f"{name}: median {value:.2f} examples/s of {', '.join(f'{rate:.2f}' for rate in rates(name))}")
for ours in ("ours-1x2", "ours-2x1"):
    ratios = [own / peer for own, peer in zip(rates(ours), rates(better))]
    print(f"{ours} / {better}: median of the pairs {statistics.median(ratios):.2f}")
PYTHON
