#!/usr/bin/env bash
# Sets this machine up, builds unolora-dist and runs the embedded example with two processes.
#   launch/quickstart.sh [arguments of unolora-dist, e.g. --out DIR]
# It may run repeatedly and from any directory; a relative --out is relative to the current directory.
set -euo pipefail

project=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
ranks=2
limit=1200 # seconds, for a run that takes a few minutes on two cores

fail() {
    printf 'quickstart: %s\n' "$1" >&2
    exit "${2:-1}"
}

"$project/launch/setup.sh"
. "$project/launch/mpi-environment.sh"

echo "quickstart: building (2 to 5 minutes the first time)"
swift build --package-path "$project" -c release --product unolora-dist </dev/null ||
    fail "the build failed, see above; the first one needs the network to fetch Swift packages from github.com."

program=$project/.build/release/unolora-dist
mpirun=${UNOLORA_MPIRUN:-mpirun}
echo "quickstart: $mpirun -n $ranks $program $*"
status=0
# The limit is mpirun's own. The command timeout would keep Ctrl-C from mpirun; in the foreground it would pass Ctrl-C on a
# second time, which ends the run before it can save.
MPIEXEC_TIMEOUT=$limit "$mpirun" -n "$ranks" "$program" "$@" </dev/null || status=$?
case $status in
0) ;;
# Exit codes after the time limit: Open MPI's, that of a timeout command around this script, and, after so long, MPICH's
255) [ "$SECONDS" -lt "$limit" ] || fail "the run was stopped after $limit seconds; the same command continues it." "$status" ;;&
110 | 124) fail "the run was stopped after $limit seconds; the same command continues it." "$status" ;;
*) fail "the run ended with exit code $status (messages are above, STATUS.json in the run directory says more); the same command continues it." "$status" ;;
esac
