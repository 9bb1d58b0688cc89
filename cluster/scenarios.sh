# Common parts of the tests in cluster/: a tiny configuration, its plain run for comparison, scenarios that run in parallel, and
# their count. Sourced; `suite` is the test's name in its messages.
# shellcheck shell=bash disable=SC2034,SC2154 # `suite` and `limit` are the test's; `settings` and `digest` are for it

project=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
export UNOLORA_PROJECT=$project
export UNOLORA_PROGRAM=${UNOLORA_PROGRAM:-$project/.build/release/unolora-dist}
# Scenarios must not depend on the caller's own job or settings.
unset UNOLORA_RUN UNOLORA_SITE UNOLORA_CONTAINER UNOLORA_MPI "${!SLURM_@}" "${!SBATCH_@}"

passed=0
failed=0
names=()
jobs=()

say() {
    printf '%s: %s\n' "$suite" "$1"
}

# Ends a scenario, or the whole test if there are no scenarios yet.
fail() {
    say "$1" >&2
    exit 1
}

# not_run COUNT REASON: ends the test with a clear message, without a failure.
not_run() {
    say "NOT RUN: $1 scenarios: $2"
    echo "0 passed, 0 failed"
    exit 0
}

# Makes `work`, with the embedded example's model and data in it.
prepare() {
    [ -x "$UNOLORA_PROGRAM" ] || fail "$UNOLORA_PROGRAM is not there; build it with make build, or set UNOLORA_PROGRAM."
    # Names of sockets must be short, so no directory may be deeper than this.
    work=$(mktemp -d "/tmp/$suite.XXXXXX")
    trap leave EXIT
    trap 'exit 143' TERM HUP
    trap 'exit 130' INT
    # Two micro-batches of two examples: work for two ranks, and some 10 to 30 ms per step.
    settings=(--set "data.cache=$work/example/cache" --set batch.global=4 --set batch.micro=2 --set eval.every=null
        --set eval.atEnd=false --set checkpoint.every=50 --set log.every=5 --set parallel.threads=1)
    "$UNOLORA_PROGRAM" train "${settings[@]}" --set train.steps=1 --set lr.warmup=0 --out "$work/example" >"$work/example.log" 2>&1 </dev/null ||
        fail "the embedded example does not run: $(tail -n 1 "$work/example.log")"
    config=$work/example/example/run.yaml
}

# plain NAME ARGUMENTS...: a run in one process, with nothing between it and the program.
plain() {
    "$UNOLORA_PROGRAM" train --config "$config" "${settings[@]}" "${@:2}" --out "$work/plain-$1" \
        >"$work/plain-$1.log" 2>&1 </dev/null
}

# wait_until SECONDS WHAT COMMAND...: repeats the command until it succeeds.
wait_until() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        kill -0 $$ 2>/dev/null || exit 1 # the test itself was killed
        [ "$SECONDS" -lt "$end" ] || fail "waited in vain until $what"
        sleep 0.05
    done
}

# A key of a run's STATUS.json.
status() {
    sed -nE "s/^ *\"$2\" *: *\"?([^\"]*[^\",])?\"?,?\$/\\1/p" "$1/STATUS.json" 2>/dev/null
}

# has_stepped RUN STEP: whether the run's metrics have reached this step.
has_stepped() {
    local step
    step=$(tail -n 1 "$1/metrics.jsonl" 2>/dev/null | grep -oE '"step":[0-9]+' | cut -d : -f 2)
    [ "${step:-0}" -ge "$2" ]
}

# process_of RANK: the process of that rank of the job that writes to `run`, under mpirun or srun.
process_of() {
    local pid
    for pid in $(pgrep -f -- "--out $run( |\$)"); do
        # Launchers and shells have the same words in their command lines.
        if [ "$(readlink -f "/proc/$pid/exe")" = "$(readlink -f "$UNOLORA_PROGRAM")" ] &&
            [ "$(cat "/proc/$pid/comm")" != unolora-guard ] &&
            grep -qzxE "(OMPI_COMM_WORLD_RANK|PMI_RANK|SLURM_PROCID)=$1" "/proc/$pid/environ"; then
            echo "$pid"
            return
        fi
    done
    fail "rank $1 of $run has no process"
}

# expect WHAT EXPECTED FOUND
expect() {
    [ "$2" = "$3" ] || fail "$1 is '$3' instead of '$2'"
}

digest() {
    cat "$1/checkpoints/last/adapter/unolora_model.safetensors" "$1/checkpoints/last/optimizer.safetensors" | sha256sum | cut -c 1-64
}

# same_result RUN [NAME]: whether RUN is finished and has ended with the bits of the plain run with that name.
same_result() {
    expect "the state of $1" finished "$(status "$1" state)"
    expect "the digest of $1" "$(digest "$work/plain-${2:-1}")" "$(digest "$1")"
}

# scenario NAME FUNCTION: starts the function in parallel with the others. Its output goes to its log.
scenario() {
    local scenario=$1 start
    names+=("$1")
    (
        # Otherwise it would run the traps of the whole test.
        trap - EXIT TERM HUP INT
        set -e
        start=$(date +%s.%N)
        trap 'date +%s.%N | awk -v start="$start" "{ print \$1 - start }" >"$work/$scenario.seconds"' EXIT
        "$2"
    ) >"$work/$1.log" 2>&1 </dev/null &
    jobs+=($!)
}

# note TEXT: a measurement of a scenario, for its line.
note() {
    printf '  %s' "$1" >"$work/$scenario.note"
}

# Waits for all scenarios that were started, and prints a line for each. NAME.job contains the output of its job, if any.
collect() {
    local i word
    for i in "${!names[@]}"; do
        if wait "${jobs[i]}"; then
            word=passed
            passed=$((passed + 1))
        else
            word=FAILED
            failed=$((failed + 1))
        fi
        printf '%s: %-14s %s %6.1f s%s\n' "$suite" "${names[i]}" "$word" "$(cat "$work/${names[i]}.seconds" 2>/dev/null || echo 0)" \
            "$(cat "$work/${names[i]}.note" 2>/dev/null)"
        [ "$word" = passed ] || { tail -n 25 "$work/${names[i]}.log" "$work/${names[i]}.job" 2>/dev/null || true; } | sed 's/^/    /'
    done
    names=()
    jobs=()
}

# Ends the test with the count of its scenarios.
finish() {
    [ "$failed" -eq 0 ] || keep=yes
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}

# Ends all processes that still run and removes the files, except after a failure.
leave() {
    local child
    for child in $(builtin jobs -p); do kill "$child" 2>/dev/null || true; done
    ! declare -F take_down >/dev/null || take_down
    if [ -n "${keep:-}" ]; then
        say "files of this test are in $work" >&2
    else
        rm -rf "$work"
    fi
}
