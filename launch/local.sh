#!/usr/bin/env bash
# Trains on this machine with all its cores, or runs another command of unolora-dist.
#   launch/local.sh [--ranks N] [arguments of unolora-dist, e.g. train --config run.yaml --out runs/first]
# Without --ranks it starts one process for each NUMA domain; with a single domain and at least two cores it starts two. A
# process uses as many threads as its share of the cores. The result does not depend on the number, see
# docs/running-on-slurm.md. UNOLORA_MPIRUN names another mpirun than the one in PATH, such as mpirun.mpich when MPICH is
# installed beside Open MPI. Ctrl-C, SIGTERM and SIGUSR1 go to mpirun, which passes them on: the run saves itself, and the same
# command continues it.
set -euo pipefail

project=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
# shellcheck source=launch/program.sh
. "$project/launch/program.sh"

fail() {
    printf 'local: %s\n' "$2" >&2
    exit "$1"
}

# Without lscpu one domain is assumed.
domains() {
    lscpu --parse=NODE 2>/dev/null | grep -v '^#' | sort -u | grep -c . || true
}

if [ "${1:-}" = --ranks ]; then
    [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || fail 64 "--ranks needs a number of processes from 1."
    ranks=$2
    shift 2
else
    ranks=$(domains)
    [ "$ranks" -ge 2 ] || ranks=2
    # nproc counts the cores that this shell may use.
    [ "$ranks" -le "$(nproc)" ] || ranks=$(nproc)
fi
command -v "$program" >/dev/null || fail 66 "$program is not there; build it with make build, or set UNOLORA_PROGRAM."

# shellcheck source=launch/mpi-environment.sh
. "$project/launch/mpi-environment.sh"
mpirun=${UNOLORA_MPIRUN:-mpirun}
command -v "$mpirun" >/dev/null ||
    fail 69 "there is no $mpirun in PATH; run launch/setup.sh, or load your system's module of MPI."
# exec leaves no shell between the caller's signals and mpirun.
exec "$mpirun" -n "$ranks" "$program" "$@"
