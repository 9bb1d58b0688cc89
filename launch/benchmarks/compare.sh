#!/usr/bin/env bash
# Runs the peer (peer.py: transformers, PEFT, PyTorch) and this trainer alternately, in pairs, with the same lengths, the same
# global batch and two cores each, and prints the medians and the ratios, class of accuracy by class (ratios.py).
#   PEER_PYTHON=/path/to/python launch/benchmarks/compare.sh MODEL_DIRECTORY LENGTHS.json [PAIRS] [options of unolora-bench step]
# The peer runs in float32, with torch.autocast to bfloat16, and with frozen weights in bfloat16; this trainer with the products that
# OUR_PRODUCTS names (values of --products; default "float32 bf16x3 bfloat16 int8", of which those are left out, and it is said, that
# this processor does not have). Each runs as one process of two threads and as two of one. PEER_PRECISIONS names fewer of the
# peer's ("float32"). With `--method full` the peer trains all weights, too, and the products are in float32 alone. PEER_PYTHON needs
# torch, transformers and peft. Nothing else should run at the same time.
set -euo pipefail

project=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd -P)
bench=$project/.build/release/unolora-bench

# refuse SENTENCE
refuse() {
    echo "compare: $1" >&2
    exit 64
}

if [ $# -lt 2 ] || [ "$1" = --help ]; then
    refuse "usage: PEER_PYTHON=/path/to/python compare.sh MODEL_DIRECTORY LENGTHS.json [PAIRS] [options of unolora-bench step]"
fi
peer_python=${PEER_PYTHON-}
[ -n "$peer_python" ] || refuse "PEER_PYTHON must name a Python that has torch, transformers and peft"
model=$1
lengths=$2
shift 2
pairs=3
if [ $# -gt 0 ] && [[ $1 != --* ]]; then
    pairs=$1
    shift
fi
[[ $pairs =~ ^[1-9][0-9]{0,3}$ ]] || refuse "PAIRS is $pairs; give a number from 1 to 9999, or leave it out for 3"
. "$project/launch/mpi-environment.sh"

# Options that the peer must have, too, or that are not for this script.
peer_options=()
all_products="float32 bf16x3 bfloat16 int8"
arguments=("$@")
for ((i = 0; i < $#; i++)); do
    name=${arguments[i]%%=*}
    if [[ ${arguments[i]} == *=* ]]; then value=${arguments[i]#*=}; else value=${arguments[i + 1]-}; fi
    case $name in
    --products | --forward | --backward | --threads | --model | --lengths | --help | -h)
        refuse "leave out $name; OUR_PRODUCTS names the products, and the rest is given by this script"
        ;;
    --batch | --steps) peer_options+=("$name" "$value") ;;
    --method)
        [ "$value" != full ] || peer_options+=(--full)
        [ "$value" != full ] || all_products=float32
        ;;
    esac
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# rate NAME COMMAND... : adds the examples per second of the command's JSON report to the file NAME, and shows it. A report may
# have lines of others before it.
rate() {
    local value
    "${@:2}" >"$work/report" 2>"$work/errors" && value=$("$peer_python" -c '
import json, sys
text = open(sys.argv[1], encoding="utf-8").read()
print(json.loads(text[text.index("{"):])["examplesPerSecond"])' "$work/report") || {
        tail -n 20 "$work/errors" >&2
        echo "compare: $1 failed: ${*:2}" >&2
        return 1
    }
    echo "$value" >>"$work/$1"
    echo "pair $pair: $1 $value examples/s"
}

# The peer uses its libraries with their defaults; the variables that this trainer sets for its own would slow the peer down.
peer() {
    rate "$1" env -u OPENBLAS_NUM_THREADS -u OPENBLAS_CORETYPE -u OMP_NUM_THREADS "${@:2}"
}

read -r -a precisions <<<"${PEER_PRECISIONS-float32 autocast bfloat16}"
read -r -a asked <<<"${OUR_PRODUCTS-$all_products}"
products=()
for name in "${asked[@]}"; do
    code=0
    "$bench" step --model "$model" --lengths "$lengths" --threads 2 "$@" --products "$name" --steps 1 >/dev/null 2>"$work/errors" || code=$?
    case $code in
    0) products+=("$name") ;;
    78) echo "compare: $name is not measured: $(tail -n 1 "$work/errors")" ;;
    *)
        cat "$work/errors" >&2
        exit "$code"
        ;;
    esac
done
if [ ${#products[@]} -eq 0 ]; then
    echo "compare: nothing of ${asked[*]} can be measured here" >&2
    exit 78
fi
for ((pair = 1; pair <= pairs; pair++)); do
    for precision in "${precisions[@]}"; do
        options=("$project/launch/benchmarks/peer.py" --model "$model" --lengths "$lengths" --precision "$precision" "${peer_options[@]}")
        peer "peer-$precision-1x2" "$peer_python" "${options[@]}" --threads 2
        peer "peer-$precision-2x1" "$peer_python" -m torch.distributed.run --nproc_per_node 2 "${options[@]}" --threads 1
    done
    for name in "${products[@]}"; do
        options=(step --model "$model" --lengths "$lengths" "$@" --products "$name")
        rate "ours-$name-1x2" "$bench" "${options[@]}" --threads 2
        rate "ours-$name-2x1" mpirun -n 2 "$bench" "${options[@]}" --threads 1
    done
done
"$peer_python" "$project/launch/benchmarks/ratios.py" "$work"
