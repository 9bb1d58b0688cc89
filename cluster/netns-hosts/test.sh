#!/usr/bin/env bash
# Trains over a network of four hosts (see netns-hosts) with 1 Gb/s and 0.2 ms between them. The result must have the bits of a
# plain run, and a host that is cut off must end the job with a message. It also trains on one host with launch/local.sh.
#   cluster/netns-hosts/test.sh [--all]
# Another host must name a rank that is stopped. --all adds scenarios that take long: rank 0 is stopped, a host is cut off for a
# while, and a host is lost. Where there are no namespaces, the script says so, and nothing is counted.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
suite=hosts
# shellcheck source=cluster/scenarios.sh
. "$here/../scenarios.sh"
# shellcheck source=launch/mpi-environment.sh
. "$project/launch/mpi-environment.sh"

limit=240          # seconds for any one thing to happen
stall_timeout=60   # seconds, the default of parallel.stallTimeout
outage=12          # seconds
stopped_timeout=15 # parallel.stallTimeout of a job with a stopped rank, in seconds

# on_hosts DIRECTORY ARGUMENTS...: starts the program with one rank on each of four hosts, which use that directory, in the
# background. Sets `hosts` to its process.
on_hosts() {
    local directory=$1
    shift
    timeout -k 5 "$limit" "$here/netns-hosts" 4 --rate 1gbit --delay 0.2ms --directory "$directory" -- \
        mpirun -n 4 "$UNOLORA_PROGRAM" train --config "$config" "${settings[@]}" --set batch.global=8 --out "$run" "$@" &
    hosts=$!
}

# launch/local.sh on this machine itself: stopped as by a user, and started again.
one-host() {
    run=$work/run-one
    local command=("$project/launch/local.sh" --ranks 2 train --config "$config" "${settings[@]}" --set batch.global=8
        --set train.steps=600 --out "$run")
    # So many steps that the signal comes before the last one, also on a fast machine that is busy.
    plain long --set train.steps=600 --set batch.global=8 || fail "the plain run has failed: $(tail -n 1 "$work/plain-long.log")"
    "${command[@]}" &
    wait_until "$limit" "$run had come to step 5" has_stepped "$run" 5
    kill -TERM $!
    # mpirun always reports 1.
    wait $! || true
    expect "the state of the run" "preempted 143" "$(status "$run" state) $(status "$run" exitCode)"
    "${command[@]}"
    same_result "$run" long
}

four-hosts() {
    run=$work/run-four
    on_hosts "$work/net" --set train.steps=80
    wait "$hosts"
    expect "the number of hosts" 4 "$(grep -oE '"h[1-4]"' "$run/environment.json" | sort -u | grep -c .)"
    same_result "$run"
}

# An outage that is shorter than launch/mpi-environment.sh tolerates has no effect except for the time.
healed-host() {
    run=$work/run-healed
    local net=$work/net-healed
    on_hosts "$net" --set train.steps=80
    wait_until "$limit" "$run had come to step 5" has_stepped "$run" 5
    nsenter --target "$(cat "$net/init.pid")" --mount --pid "$net/cut" h3
    sleep "$outage"
    nsenter --target "$(cat "$net/init.pid")" --mount --pid "$net/heal" h3
    wait "$hosts"
    note "of these $outage s cut off"
    same_result "$run"
}

# stopped RANK: sends SIGSTOP to only that rank, so that only the program itself can notice, on another host.
stopped() {
    run=$work/run-stopped-$1
    on_hosts "$work/net-stopped-$1" --set train.steps=1000000 --set "parallel.stallTimeout=${stopped_timeout}s"
    wait_until "$limit" "$run had come to step 5" has_stepped "$run" 5
    kill -STOP "$(process_of "$1")"
    local cut=$SECONDS code=0 said
    # The time that the program needs: the last sign of life may be a second old, and the step is saved.
    wait_until $((stopped_timeout + 5)) "STATUS.json named the lost rank" has_failed "$run"
    said=$((SECONDS - cut))
    wait "$hosts" || code=$?
    local took=$((SECONDS - cut))
    note "said $said s and ended $took s after SIGSTOP, code $code"
    expect "the exit code" 75 "$code"
    # mpirun ends the ranks of its own host and then the others, each with twice its 3 seconds between signals.
    [ "$took" -le $((said + 20)) ] || fail "the job ended $took seconds after rank $1 was stopped"
    expect "the state of the run" "failed 75" "$(status "$run" state) $(status "$run" exitCode)"
    status "$run" reason | grep -q "rank $1 on h$(($1 + 1)) is stopped, hangs or is cut off" ||
        fail "STATUS.json does not name rank $1 but says '$(status "$run" reason)'"
    # The steps that the other ranks had completed are saved: at most one less than rank 0 may have reported.
    local told
    told=$(grep -oE '"step":[0-9]+' "$run/metrics.jsonl" | tail -n 1 | cut -d : -f 2)
    [ "$(status "$run" lastDurableStep)" -ge $((told - 1)) ] ||
        fail "step $(status "$run" lastDurableStep) is on the disk, but step $told was completed"
}

has_failed() { [ "$(status "$1" state)" = failed ]; }

stopped-rank() { stopped 2; }
stopped-first() { stopped 0; }

# h3 vanishes without any message, as if its cable were pulled.
lost-host() {
    run=$work/run-lost
    local net=$work/net-lost
    on_hosts "$net" --set train.steps=1000000
    wait_until "$limit" "$run had a checkpoint" test -e "$run/checkpoints/last/state.json"
    nsenter --target "$(cat "$net/init.pid")" --mount --pid "$net/cut" h3
    local cut=$SECONDS code=0
    wait "$hosts" || code=$?
    local took=$((SECONDS - cut))
    note "ended $took s after the cut, code $code"
    [ "$code" -ne 0 ] || fail "the job ended with code 0"
    [ "$took" -le "$stall_timeout" ] || fail "the job ended $took seconds after the cut, which is more than $stall_timeout"
    grep -qw h3 "$work/lost-host.log" || fail "no message names the lost host h3"
    # The same command on the remaining hosts continues the run.
    before=$(status "$run" lastDurableStep)
    mpirun -n 2 "$UNOLORA_PROGRAM" train --config "$config" "${settings[@]}" --set batch.global=8 --out "$run" \
        --set train.steps=1000000 --resume auto --stop-after "$((before + 10))" || expect "the exit code" 85 $?
    plain lost --set batch.global=8 --set train.steps=1000000 --stop-after "$(status "$run" lastDurableStep)" ||
        expect "the exit code of the plain run" 85 $?
    expect "the digest of $run" "$(digest "$work/plain-lost")" "$(digest "$run")"
}

scenarios=(one-host four-hosts stopped-rank)
case ${1:-} in
'') ;;
--all) scenarios+=(stopped-first healed-host lost-host) ;;
*) fail "unknown argument $1; there is only --all." ;;
esac

prepare
"$here/netns-hosts" 1 --delay 1us -- true 2>"$work/up.log" || not_run "${#scenarios[@]}" "$(tail -n 1 "$work/up.log")"
plain 1 --set train.steps=80 --set batch.global=8 || fail "the plain run has failed: $(tail -n 1 "$work/plain-1.log")"
for name in "${scenarios[@]}"; do scenario "$name" "$name"; done
collect
finish
