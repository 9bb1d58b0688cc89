#!/usr/bin/env bash
# A file system that hangs, as a network file system may: the job must end by itself with a message, although nothing can be
# written any more, and continue when the disk is back. One process and two ranks are tested in parallel.
#   cluster/storm/hung-disk.sh     ends with `N passed, N failed`
# The disk is a directory mounted with bindfs (a package with that name), which is then stopped. Needs root or FUSE for users.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
suite=hung-disk
# shellcheck source=cluster/scenarios.sh
. "$here/../scenarios.sh"
# shellcheck source=launch/mpi-environment.sh
. "$project/launch/mpi-environment.sh"

limit=120       # seconds for any one thing to happen
stall_timeout=5 # parallel.stallTimeout in seconds
patience=45     # seconds from the stop to the end: that, 20 for the last save, 5 for STATUS.json, and mpirun's

take_down() {
    local disk
    for disk in "$work"/disk-*; do
        # A stopped bindfs would block the unmount.
        pkill -CONT -f "bindfs .* $disk -f" || true
        umount -l "$disk" 2>/dev/null || true
    done
}

# hung RANKS: 0 for one process without mpirun.
hung() {
    local disk=$work/disk-$1 command code=0 since took told
    mkdir "$work/real-$1" "$disk"
    bindfs "$work/real-$1" "$disk" -f &
    local server=$!
    wait_until 10 "$disk was mounted" mountpoint -q "$disk"
    run=$disk/run
    command=("$UNOLORA_PROGRAM" train --config "$config" "${settings[@]}" --set train.steps=1000000 --set log.every=1
        --set checkpoint.every=20 --set "parallel.stallTimeout=${stall_timeout}s" --out "$run")
    [ "$1" -eq 0 ] || command=(mpirun -n "$1" "${command[@]}")
    timeout -k 5 "$limit" "${command[@]}" &
    local job=$!
    wait_until "$limit" "$run had come to step 30" has_stepped "$work/real-$1/run" 30
    kill -STOP "$server"
    since=$SECONDS
    wait "$job" || code=$?
    took=$((SECONDS - since))
    kill -CONT "$server"
    note "ended $took s after the disk, code $code"
    expect "the exit code" 75 "$code"
    [ "$took" -le "$patience" ] || fail "the job ended $took seconds after the disk stopped"
    grep -q "rank 0 on .* has made no progress for" "$work/$scenario.log" || fail "no message names rank 0"
    # The run continues, with the bits of a plain run.
    told=$(status "$run" lastDurableStep)
    [ "${told:-0}" -ge 20 ] || fail "the checkpoint of step 20 is not there"
    "$UNOLORA_PROGRAM" train --config "$config" "${settings[@]}" --set train.steps=1000000 --set log.every=1 \
        --set checkpoint.every=20 --out "$run" --stop-after $((told + 10)) || expect "the exit code" 85 $?
    plain "$1" --set train.steps=1000000 --stop-after $((told + 10)) || expect "the exit code of the plain run" 85 $?
    expect "the digest of $run" "$(digest "$work/plain-$1")" "$(digest "$run")"
    umount "$disk"
}

alone() { hung 0; }
two-ranks() { hung 2; }

scenarios=(alone two-ranks)
command -v bindfs >/dev/null || not_run "${#scenarios[@]}" "bindfs is not installed"
prepare
for name in "${scenarios[@]}"; do scenario "$name" "$name"; done
collect
finish
