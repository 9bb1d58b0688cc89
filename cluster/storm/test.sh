#!/usr/bin/env bash
# A storm: one run that is hit at random moments in random ways, and started again each time with a random number of processes
# and threads, until it is done. It must end with the bits and the metrics of an undisturbed run. It must lose no completed step
# to a signal, a full disk or a stopped rank, and at most one when ranks are killed.
#   cluster/storm/test.sh [--hits N] [--seed S]     default: 10 hits; ends with `N passed, N failed`
# UNOLORA_PROGRAM and UNOLORA_MPIRUN name another build and its mpirun. It ends only its own processes. mpirun leaves one second
# between SIGTERM and SIGKILL, its own default.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
suite=storm
# shellcheck source=cluster/scenarios.sh
. "$here/../scenarios.sh"
export OMPI_MCA_odls_base_sigkill_timeout=1
# shellcheck source=launch/mpi-environment.sh
. "$project/launch/mpi-environment.sh"

hits=10
seed=$$
while [ $# -gt 0 ]; do
    case $1 in
    --hits) hits=$2 ;;
    --seed) seed=$2 ;;
    *) fail "unknown argument $1; see the head of this script." ;;
    esac
    shift 2
done
RANDOM=$seed
limit=60 # seconds for any one thing to happen

kinds=(kill-one kill-some kill-all kill-in-checkpoint term-mpirun term-rank int-rank usr1 full-disk stopped-rank)

# random N: sets `drawn` to a number below N.
random() {
    drawn=$(((RANDOM * 32768 + RANDOM) % $1))
}

milliseconds() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

last_step() {
    # An unfinished line does not count.
    grep -oE '^\{.*"kind":"train".*"step":[0-9]+.*\}$' "$run/metrics.jsonl" 2>/dev/null | tail -n 1 | grep -oE '"step":[0-9]+' | cut -d : -f 2 || true
}

# Sets `pids` to the processes of the ranks.
find_ranks() {
    pids=()
    local pid level=$launcher all=("$launcher")
    # MPICH's mpirun has a process for the node between itself and the ranks, and each rank has a guard.
    while level=$(pgrep -d , -P "$level"); do all+=(${level//,/ }); done
    for pid in "${all[@]}"; do
        # A process that mpirun has just started for a rank still has mpirun's name.
        [ "$(readlink -f "/proc/$pid/exe")" = "$(readlink -f "$UNOLORA_PROGRAM")" ] &&
            [ "$(cat "/proc/$pid/comm")" != unolora-guard ] && pids+=("$pid")
    done
    return 0
}

runs() { kill -0 "$launcher" 2>/dev/null; }

# start: starts the run with random numbers of processes and threads, in the background.
start() {
    random 5
    ranks=$drawn
    random 2
    local command=("$UNOLORA_PROGRAM" train --config "$config" "${storm[@]}" --set "parallel.threads=$((drawn + 1))" --out "$run")
    [ "$ranks" -eq 0 ] || command=("${UNOLORA_MPIRUN:-mpirun}" -n "$ranks" "${command[@]}")
    # This is done here instead of in the background process, so that the last start's output is not taken for this one's.
    rm -f "$work/start.log"
    : >"$work/start.log"
    "${command[@]}" >>"$work/start.log" 2>&1 </dev/null &
    launcher=$!
}

# pause: waits until some random number of steps is done, or for a random time during the start, but for no more steps than the
# storm can spare: how many pass in a second depends on the machine. Fails if the run ends by itself.
pause() {
    # Steps must be left for all hits.
    local span=$(((steps - before) / (hits - number + 2)))
    [ "$span" -lt 12 ] || span=12
    [ "$span" -ge 1 ] || span=1
    local target=$((before + span)) end=$((SECONDS + limit)) moment=
    random 8
    if [ "$drawn" -eq 0 ]; then
        random 900
        moment=$(($(milliseconds) + drawn))
    else
        random "$span"
        target=$((before + drawn + 1))
    fi
    local step
    while runs; do
        step=$(last_step)
        [ "${step:-0}" -lt "$target" ] || return 0
        [ -z "$moment" ] || [ "$(milliseconds)" -lt "$moment" ] || return 0
        [ "$SECONDS" -lt "$end" ] || fail "the run stands still: $(tail -n 3 "$work/start.log")"
        sleep 0.01
    done
    return 1
}

send() {
    local signal=$1
    shift
    # The run may have ended by itself at this very moment.
    kill "-$signal" "$@" 2>/dev/null || true
}

hit() {
    find_ranks
    [ ${#pids[@]} -gt 0 ] || return 0
    random ${#pids[@]}
    local one=${pids[drawn]}
    case $kind in
    kill-one) send KILL "$one" ;;
    kill-some) send KILL "${pids[@]:0:$(((${#pids[@]} + 1) / 2))}" ;;
    kill-all) send KILL "${pids[@]}" ;;
    kill-in-checkpoint)
        # A checkpoint that is shorter than a look at the folder is missed. Three may be; then the run is killed between two.
        local looks=0 end=$((SECONDS + 10)) last=$(($(last_step) + 15)) step
        until compgen -G "$run/checkpoints/.step-*.tmp" >/dev/null || ! runs || [ "$SECONDS" -ge "$end" ]; do
            looks=$((looks + 1))
            [ $((looks % 200)) -eq 0 ] || continue
            step=$(last_step)
            [ "${step:-0}" -lt "$last" ] || break
        done
        send KILL "${pids[@]}"
        ;;
    term-mpirun) send TERM "$launcher" ;;
    term-rank) send TERM "$one" ;;
    int-rank) send INT "$one" ;;
    usr1) send USR1 "$launcher" ;;
    # The system allows a writer the rest of its limit and then refuses.
    full-disk) cat /dev/zero >"$run/full" 2>/dev/null || true ;;
    stopped-rank) send STOP "$one" ;;
    esac
}

# With one process, the stopped process is the whole run, which nothing else can end.
await_end() {
    local end=$((SECONDS + limit))
    if [ "$kind" = stopped-rank ] && [ "${#pids[@]}" -eq 1 ]; then send KILL "${pids[@]}"; fi
    while runs; do
        [ "$SECONDS" -lt "$end" ] || fail "after $kind the job had not ended in $limit s: $(tail -n 5 "$work/start.log")"
        sleep 0.02
    done
    wait "$launcher" 2>/dev/null || true
    for pid in "${pids[@]}"; do
        while kill -0 "$pid" 2>/dev/null; do
            [ "$SECONDS" -lt "$end" ] || fail "after $kind process $pid lives on"
            sleep 0.02
        done
    done
    rm -f "$run/full"
}

# The step from which the next start continues: that of the newest checkpoint or of a snapshot in a file.
kept_step() {
    sed -nE 's/^resuming from .* at step ([0-9]+)$/\1/p' "$1" | tail -n 1
}

prepare
run=$work/disk/run
mkdir "$work/disk"
take_down() {
    ! runs 2>/dev/null || kill "$launcher"
    umount "$work/disk" 2>/dev/null || true
}
launcher=
if [ "$(id -u)" -ne 0 ] || ! mount -t tmpfs -o size=16m tmpfs "$work/disk" 2>/dev/null; then
    say "NOT RUN: full-disk, which needs root and the right to mount"
    kinds=("${kinds[@]/full-disk/term-rank}")
fi
# Evaluations and checkpoints on the way.
# Some 15 steps pass from one hit to the next.
steps=$((hits * 20 + 160))
storm=("${settings[@]}" --set "train.steps=$steps" --set lr.warmup=10 --set log.every=1 --set checkpoint.every=5 --set
    eval.every=40 --set eval.maxExamples=2 --set checkpoint.snapshot=file --set parallel.stallTimeout=3s --set
    batch.global=8)
plain 1 "${storm[@]}" || fail "the run that nobody hits fails: $(tail -n 3 "$work/plain-1.log")"

log=$work/storm.tsv
before=0
start
for ((number = 1; number <= hits; number++)); do
    random ${#kinds[@]}
    kind=${kinds[drawn]}
    if ! pause; then
        wait "$launcher" || true
        [ "$(status "$run" state)" = finished ] || fail "the run ended by itself: $(tail -n 5 "$work/start.log")"
        # In that case the storm had fewer hits than requested.
        say "the run was done after $((number - 1)) hits of $hits"
        failed=$((failed + 1))
        break
    fi
    sent=$(date +%s.%N)
    hit
    await_end
    ended=$(date +%s.%N)
    with=${#pids[@]}
    state=$(status "$run" state)
    wrong=
    done_steps=$(last_step)
    done_steps=${done_steps:-0}
    start
    # Only the next start shows what was kept.
    wait_until "$limit" "the next start had begun" eval 'grep -q "^resuming\|rank(s) x" "$work/start.log" || ! runs'
    if ! runs && [ "$(status "$run" state)" != finished ]; then
        fail "after $kind the run does not go on: $(tail -n 5 "$work/start.log")"
    fi
    kept=$(kept_step "$work/start.log")
    kept=${kept:-0}
    case $kind in
    kill-*) allowed=1 ;;
    *) allowed=0 ;;
    esac
    # A run that stops early must have said so; on a full disk, or when all processes were killed, none could.
    case $kind:$state in
    *:finished | *:preempted | *:failed | kill-all:running | kill-in-checkpoint:running | full-disk:running) ;;
    kill-*:running | stopped-rank:running) [ "$with" -eq 1 ] || [ "$done_steps" -eq "$before" ] || wrong="STATUS.json says running" ;;
    *) wrong="STATUS.json says ${state:-nothing}" ;;
    esac
    # A process that is killed between the two writes may have kept a step without its line; more must not be missing.
    lost=$((done_steps - kept))
    [ "$lost" -gt 0 ] || lost=0
    word=passed
    [ "$lost" -le "$allowed" ] && [ -z "$wrong" ] || word=FAILED
    [ "$word" = passed ] && passed=$((passed + 1)) || failed=$((failed + 1))
    awk -v kind="$kind" -v word="$word" -v ranks="$with" -v steps="$done_steps" -v lost="$lost" -v s="$(awk "BEGIN { print $ended - $sent }")" \
        'BEGIN { printf "%s\t%s\t%d\t%d\t%d\t%.1f\n", kind, word, ranks, steps, lost, s }' >>"$log"
    [ "$word" = passed ] || say "$kind, $with rank(s): step $done_steps was done, but the run goes on at step $kept${wrong:+; $wrong}"
    before=$kept
done

# The rest of the run is undisturbed.
wait_until 600 "the run was done" eval '! runs'
wait "$launcher" || true
fields() { sed -E 's/"timing":\{[^}]*\},?//' "$1/metrics.jsonl" | sha256sum; }
if [ "$(status "$run" state)" = finished ] && [ "$(digest "$run")" = "$(digest "$work/plain-1")" ] &&
    [ "$(fields "$run")" = "$(fields "$work/plain-1")" ] &&
    [ "$(readlink "$run/checkpoints/best")" = "$(readlink "$work/plain-1/checkpoints/best")" ]; then
    passed=$((passed + 1))
    say "the run is done, with the bits, metrics and best step of the one that nobody hit"
else
    failed=$((failed + 1))
    say "the run has ended with other bits, metrics or best step: $(status "$run" state), $(tail -n 3 "$work/start.log")"
    diff <(sed -E 's/"timing":\{[^}]*\},?//' "$run/metrics.jsonl") <(sed -E 's/"timing":\{[^}]*\},?//' "$work/plain-1/metrics.jsonl") | head -n 4 || true
    cp -r "$run" "$work/run"
fi
say "seed $seed, $steps steps; of each kind: hits, steps lost in all, longest time to the end of the job"
[ ! -e "$log" ] || sort "$log" | awk -F '\t' '{ n[$1]++; lost[$1] += $5; if ($6 > most[$1]) most[$1] = $6 }
    END { for (kind in n) printf "storm:   %-20s %4d %4d %6.1f s\n", kind, n[kind], lost[kind], most[kind] }' | sort
finish
