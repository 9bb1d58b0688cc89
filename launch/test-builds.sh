#!/usr/bin/env bash
# Builds the program in the other ways that README.md names, each in its own scratch path, and compares each build with the
# default one: `doctor` must name its parts, and a short training of the embedded example under mpirun must end with the
# expected bits. With MPICH it also runs DistributedTests, with 1, 2 and 4 processes. It ends with one line, `N passed, N
# failed`. Without root or network MPICH may be missing: then its part is not run. The script says so, and with CI=true this
# counts as a failure.
#   launch/test-builds.sh [--only-build] [no-onednn | no-avx2 | mpich]...      all of them unless some are named
# With --only-build it makes the builds and tests nothing: launch/test.sh does that while its other tests run.
set -euo pipefail

project=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
default=$project/.build/release/unolora-dist
limit=120 # seconds for a training of seconds
checks=builds
# shellcheck source=launch/checks.sh
. "$project/launch/checks.sh"

# build NAME OPTIONS...: builds and sets `program`. The flags are those of launch/test.sh, which also builds MPICH's tests
# there; `product` may name these.
build() {
    local scratch=$project/.build-$1 start=$SECONDS
    say "building $1"
    swift build --package-path "$project" --scratch-path "$scratch" -c release --product "${product:-unolora-dist}" \
        -Xswiftc -enable-testing --explicit-target-dependency-import-check error "${@:2}" </dev/null >"$work/$1.build" 2>&1 || {
        tail -n 20 "$work/$1.build"
        return 1
    }
    say "built $1 in $((SECONDS - start)) s"
    program=$scratch/release/unolora-dist
}

# train PROGRAM NAME RANKS SETTINGS...: trains and prints the digest of the result; 0 ranks: without mpirun.
train() {
    local launcher=() run=$work/$2
    [ "$3" -eq 0 ] || launcher=("${UNOLORA_MPIRUN:-mpirun}" -n "$3")
    timeout --foreground -k 10 "$limit" "${launcher[@]}" "$1" train --out "$run" --set train.steps=12 --set lr.warmup=2 \
        --set method=unolora_star --set eval.every=null --set eval.atEnd=false --set checkpoint.every=null \
        --set parallel.threads=1 "${@:4}" </dev/null >"$run.log" 2>&1 || {
        tail -n 3 "$run.log" >&2
        return 1
    }
    cat "$run/checkpoints/last/adapter/unolora_model.safetensors" "$run/checkpoints/last/optimizer.safetensors" |
        sha256sum | cut -c 1-16
}

# same NAME RANKS SETTINGS...: whether `program` ends with the same bits as the default build in one process.
same() {
    local expected found
    expected=$(train "$default" "default-$1" 0 "${@:3}") && found=$(train "$program" "$1" "$2" "${@:3}") || return 1
    say "$1: $found, the default build $expected"
    [ "$found" = "$expected" ]
}

# itself NAME SETTINGS...: whether two ranks end with the bits of one process, and whether the loss equals that of the default
# build in the first digits. Without AVX2 some sums are rounded differently, so the bits differ.
itself() {
    local alone two
    train "$default" "default-$1" 0 "${@:2}" >/dev/null && alone=$(train "$program" "$1-alone" 0 "${@:2}") &&
        two=$(train "$program" "$1" 2 "${@:2}") || return 1
    say "$1: $two, alone $alone; loss $(last_loss "$work/$1"), the default build $(last_loss "$work/default-$1")"
    [ "$two" = "$alone" ] && awk -v a="$(last_loss "$work/$1")" -v b="$(last_loss "$work/default-$1")" \
        'BEGIN { d = a - b; exit !(a > 0 && b > 0 && d < 0.001 && d > -0.001) }'
}

last_loss() {
    grep '"kind":"train"' "$1/metrics.jsonl" | tail -n 1 | grep -oE '"loss":[0-9.e+-]+' | head -n 1 | cut -d : -f 2
}

# doctor TEXT...: whether the output of `doctor` with two ranks contains these texts.
doctor() {
    "${UNOLORA_MPIRUN:-mpirun}" -n 2 "$program" doctor </dev/null >"$work/doctor.log" 2>&1 || return 1
    local text
    for text in "$@" '; 2 rank(s)'; do
        grep -qF "$text" "$work/doctor.log" || {
            cat "$work/doctor.log"
            return 1
        }
    done
}

# refuses TEXT SETTING: whether the setting is refused with this text.
refuses() {
    ! train "$program" refused 0 --set "$2" >/dev/null 2>&1 && grep -qF "$1" "$work/refused.log"
}

# A key of a run's STATUS.json.
status() {
    sed -nE "s/^ *\"$2\" *: *\"?([^\"]*[^\",])?\"?,?\$/\\1/p" "$1/STATUS.json" 2>/dev/null
}

last_step() {
    grep -oE '^\{.*"kind":"train".*"step":[0-9]+.*\}$' "$1/metrics.jsonl" 2>/dev/null | tail -n 1 | grep -oE '"step":[0-9]+' | cut -d : -f 2
}

# killed_rank: whether the other rank names one that was killed, saves the last step and ends the job with 75, although the
# launcher kills all ranks as soon as it hears of one. This takes only some seconds.
killed_rank() {
    local run=$work/killed step="" pid rank="" code=0 end=$((SECONDS + limit)) seconds
    "${UNOLORA_MPIRUN:-mpirun}" -n 2 "$program" train --out "$run" --set train.steps=1000000 --set log.every=1 \
        --set eval.every=null --set checkpoint.every=null --set parallel.threads=1 </dev/null >"$run.log" 2>&1 &
    local launcher=$!
    until step=$(last_step "$run") && [ "${step:-0}" -ge 3 ]; do
        kill -0 "$launcher" 2>/dev/null && [ "$SECONDS" -lt "$end" ] || {
            tail -n 3 "$run.log"
            kill "$launcher" 2>/dev/null
            return 1
        }
        sleep 0.1
    done
    for pid in $(pgrep -f -- "--out $run "); do
        if [ "$(cat "/proc/$pid/comm")" = unolora-dist ] && grep -qzx PMI_RANK=1 "/proc/$pid/environ"; then rank=$pid; fi
    done
    step=$(last_step "$run") seconds=$SECONDS
    kill -KILL "${rank:-}" || {
        kill "$launcher"
        wait "$launcher" || true
        return 1
    }
    timeout --foreground 60 tail --pid="$launcher" -f /dev/null || kill -KILL "$launcher"
    wait "$launcher" || code=$?
    say "mpich: ended with $code $((SECONDS - seconds)) s after the kill, step $(status "$run" lastDurableStep) saved of $step"
    [ "$code" -eq 75 ] && [ "$(status "$run" exitCode)" = 75 ] && [ "$(status "$run" lastDurableStep)" -ge "$step" ] &&
        grep -q '^unolora-dist: rank 0 on .*: rank 1 on .* died; start again to continue$' "$run.log"
}

no_onednn() {
    build no-onednn --disable-default-traits --traits AVX2 || return 1
    ! $only_build || return 0
    check "no-onednn: doctor" doctor "no oneDNN in this build" "parallel.gemm auto is openblas"
    check "no-onednn: bits" same no-onednn 2 --set parallel.gemm=openblas
    check "no-onednn: bits in 8 bits" same no-onednn-int8 2 --set model.products=int8 --set parallel.gemm=openblas
    check "no-onednn: refuses parallel.gemm: onednn" refuses "this program was built without oneDNN" parallel.gemm=onednn
}

no_avx2() {
    build no-avx2 --disable-default-traits || return 1
    ! $only_build || return 0
    check "no-avx2: doctor" doctor "no oneDNN in this build" "parallel.gemm auto is openblas"
    check "no-avx2: bits" itself no-avx2 --set parallel.gemm=openblas
}

mpich() {
    if ! launch_setup; then
        not_run mpich "MPICH is not there and cannot be installed, see above"
        return 0
    fi
    (
        # Values that these variables have for another MPI must not stay.
        unset UNOLORA_MPIRUN
        export UNOLORA_MPI_LIBRARY=mpich
        . "$project/launch/mpi-environment.sh"
        build mpich || exit 1
        if $only_build; then
            UNOLORA_TESTS=DistributedTests product=unolora-distPackageTests build mpich
            exit
        fi
        check "mpich: doctor" doctor "MPI          MPICH "
        check "mpich: bits" same mpich 2
        check "mpich: bits of OpenBLAS" same mpich-openblas 3 --set parallel.gemm=openblas
        check "mpich: a rank that is killed" killed_rank
        say "DistributedTests against MPICH"
        "$project/launch/test.sh" --mpich </dev/null 2>&1 | tee "$work/mpich.tests" | grep '^test: .*passed' || true
        if [[ $(tail -n 1 "$work/mpich.tests") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
            passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
            [ "${BASH_REMATCH[2]}" -eq 0 ] || keep=yes
        else
            tail -n 20 "$work/mpich.tests"
            failed=$((failed + 1)) keep=yes
        fi
        echo "$passed $failed ${keep:-no}" >"$work/mpich.count"
    ) || return 1
    ! $only_build || return 0
    read -r passed failed keep <"$work/mpich.count"
    [ "$keep" != no ] || keep=
}

launch_setup() {
    UNOLORA_MPI_LIBRARY=mpich "$project/launch/setup.sh"
}

# The same as in launch/test.sh, which also builds in one of these places.
export SWIFT_DETERMINISTIC_HASHING=1
work=$(mktemp -d)
trap '[ -n "$keep" ] || rm -rf "$work"' EXIT
# shellcheck source=launch/mpi-environment.sh
. "$project/launch/mpi-environment.sh"
if [ ! -x "$default" ]; then
    swift build --package-path "$project" -c release --product unolora-dist </dev/null
fi

only_build=false
if [ "${1-}" = --only-build ]; then
    only_build=true
    shift
fi
[ $# -gt 0 ] || set -- no-onednn no-avx2 mpich
for name in "$@"; do
    case $name in
    no-onednn | no-avx2 | mpich) ;;
    *)
        echo "builds: unknown build $name; see the head of this script." >&2
        exit 64
        ;;
    esac
    "${name//-/_}" || {
        say "$name: FAILED"
        failed=$((failed + 1))
    }
done
counted
