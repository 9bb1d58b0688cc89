#!/usr/bin/env bash
# Sets this machine up, builds the tests and runs all of them. DistributedTests run alone and under mpirun with 1, 2 and 4
# processes; the others run in one process, and the numeric ones of these also on OpenBLAS's kernels for other processors. Then
# come the job scripts, on a SLURM that the test starts, and the training over a network of several hosts, if root and the
# packages of `setup.sh --slurm` are available. Ends with one line, `N passed, N failed`, and exits with 0 only when nothing
# failed and every run executed tests. It may run repeatedly and from any directory; it needs no terminal.
#   launch/test.sh [--only-mpi | --mpich | --builds | --dist]
#   --only-mpi   only DistributedTests
#   --mpich      only DistributedTests, built separately with MPICH (.build-mpich)
#   --builds     also the other builds that README.md names, by launch/test-builds.sh; they are made while the tests run
#   --dist       only the archive for nodes without Swift, by launch/test-dist.sh, some 10 minutes
set -euo pipefail

project=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
scratch=$project/.build
rank_counts=(1 2 4)
# timeout runs in the foreground everywhere below; otherwise Ctrl-C would not reach the tests.
limit=1800            # seconds for the tests in one process
distributed_limit=300 # seconds for each run under mpirun
scenarios_limit=360   # seconds for all scenarios of a script
builds_limit=1500     # seconds for the other builds, some of which are made anew
dist_limit=2400       # seconds for making an archive and a bare Debian, and for both together

# Sums over all runs.
passed=0
failed=0

fail() {
    printf 'test: %s\n' "$1" >&2
    exit 1
}

# Prints "passed failed" for one run from the result files (JUnit XML) of its ranks; rank 0's comes first. A test has passed if
# it passed on every rank.
count_results() {
    awk '
        FNR == 1 { file++ }
        /^ *<testcase / {
            match($0, /classname="[^"]*" name="[^"]*"/)
            test = substr($0, RSTART, RLENGTH)
            if (file == 1) seen[test]
        }
        /^ *<failure/ { bad[test] }
        /^ *<skipped/ { left[test] }
        END {
            for (test in seen) {
                if (!(test in bad) && !(test in left)) passed++
            }
            for (test in bad) failed++
            print passed + 0, failed + 0
        }' "$@"
}

# Names the tests that no run has executed, each with its reason.
list_skipped() {
    awk '
        /^ *<testcase / {
            match($0, /classname="[^"]*" name="[^"]*"/)
            test = substr($0, RSTART, RLENGTH)
            met[test]
            if ($0 ~ /\/>$/) executed[test]
        }
        /^ *<failure/ { executed[test] }
        /^ *<skipped/ { why[test] = $0 }
        END {
            for (test in met) {
                if (test in executed) continue
                split(test, part, "\"")
                gsub(/ *<[^>]*> */, "", why[test])
                printf "test: not run: %s %s: %s\n", part[2], part[4], why[test]
            }
        }' "$logs"/*.xml | sed 's/`//g; s/&lt;/</g; s/&gt;/>/g; s/&quot;/"/g; s/&amp;/\&/g' | sort
}

# The failures in a rank's log, without the tests that passed: issues, the frames around a crash, or the last lines of a log
# that is incomplete.
show_trouble() {
    [ -e "$1" ] || return 0
    grep -E '^✘|Fatal error' "$1" | head -n 40 || true
    grep -A 5 -E ' crashed:$' "$1" | cut -c 1-200 || true
    grep -qE ' Test run with | crashed:$' "$1" || tail -n 5 "$1"
}

# finish_run NAME STATUS RANKS: evaluates a run whose rank r left NAME.r.xml and NAME.r.log in the log directory.
finish_run() {
    local name=$1 status=$2 ranks=$3
    local results=() unfinished="" rank run_passed run_failed trouble=""
    for ((rank = 0; rank < ranks; rank++)); do
        if tail -n 1 "$logs/$name.$rank.xml" 2>/dev/null | grep -q '</testsuites>'; then
            results+=("$logs/$name.$rank.xml")
        else
            unfinished+=" $rank"
        fi
        show_trouble "$logs/$name.$rank.log" | sed "s/^/  [$name, rank $rank] /"
    done
    read -r run_passed run_failed <<<"$(count_results "${results[@]}" </dev/null)"
    case $status in
    124 | 137) trouble="stopped by the time limit" ;;
    esac
    # After a failure on one rank, mpirun ends the others; without a failure, an incomplete rank has crashed.
    if [ -z "$trouble" ] && [ -n "$unfinished" ] && [ "$run_failed" -eq 0 ]; then
        trouble="did not finish on rank$unfinished"
    fi
    if [ -z "$trouble" ] && [ $((run_passed + run_failed)) -eq 0 ]; then
        trouble="no test was executed"
    fi
    if [ -z "$trouble" ] && [ "$status" -ne 0 ] && [ "$run_failed" -eq 0 ]; then
        trouble="ended with exit code $status"
    fi
    if [ -n "$trouble" ]; then
        echo "test: $name: $trouble (logs: $logs/$name.*)"
        run_failed=$((run_failed + 1))
    fi
    echo "test: $name: $run_passed passed, $run_failed failed"
    passed=$((passed + run_passed))
    failed=$((failed + run_failed))
}

# run_in_one_process NAME ARGUMENTS...
run_in_one_process() {
    local name=$1 status=0
    timeout --foreground -k 10 "$limit" "$tests" --testing-library swift-testing "${@:2}" --xunit-output "$logs/$name.0.xml" \
        </dev/null >"$logs/$name.0.log" 2>&1 || status=$?
    finish_run "$name" "$status" 1
}

run_distributed() {
    local ranks=$1 status=0 name=mpirun-$1
    echo "test: DistributedTests under mpirun -n $ranks"
    # Each rank writes its own files, so that their lines do not mix.
    # shellcheck disable=SC2016 # the inner shell knows the rank
    timeout --foreground -k 10 "$distributed_limit" "${UNOLORA_MPIRUN:-mpirun}" -n "$ranks" bash -c '
        rank=${OMPI_COMM_WORLD_RANK:-$PMI_RANK}
        exec "$1" --testing-library swift-testing --no-parallel --filter "^DistributedTests" \
            --xunit-output "$2.$rank.xml" >"$2.$rank.log" 2>&1' \
        rank "$tests" "$logs/$name" </dev/null >"$logs/$name.mpirun" 2>&1 || status=$?
    finish_run "$name" "$status" "$ranks"
}

# run_scenarios NAME SCRIPT [LIMIT]: runs a script that tests scripts; its last line is like that of this script.
run_scenarios() {
    local name=$1 status=0 run_passed=0 run_failed=0 scenarios_limit=${3:-$scenarios_limit}
    echo "test: $2"
    timeout --foreground -k 10 "$scenarios_limit" "$project/$2" </dev/null 2>&1 | tee "$logs/$name.log" | sed '/ passed, /d' ||
        status=$?
    if [[ $(tail -n 1 "$logs/$name.log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        run_passed=${BASH_REMATCH[1]} run_failed=${BASH_REMATCH[2]}
    fi
    if [ "$status" -ne 0 ] && [ "$run_failed" -eq 0 ]; then
        echo "test: $name: ended with exit code $status (log: $logs/$name.log)"
        run_failed=1
    fi
    echo "test: $name: $run_passed passed, $run_failed failed"
    passed=$((passed + run_passed))
    failed=$((failed + run_failed))
}

# Ends the script with the sums.
finish() {
    ! compgen -G "$logs/*.xml" >/dev/null || list_skipped
    echo "test: logs are in $logs"
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ] || exit 1
    exit 0
}

only_mpi=false
builds=false
dist=false
builder=
wanted=(--build-tests)
case "${1-}" in
"") ;;
--only-mpi) only_mpi=true ;;
--mpich)
    only_mpi=true
    scratch=$project/.build-mpich
    # Only these test targets and their dependencies.
    export UNOLORA_MPI_LIBRARY=mpich UNOLORA_TESTS=DistributedTests
    wanted=(--scratch-path "$scratch" --product unolora-distPackageTests)
    ;;
--builds) builds=true ;;
--dist)
    dist=true
    wanted=(--product unolora-dist)
    ;;
*) fail "unknown argument $1; see the head of this script." ;;
esac
tests=$scratch/release/unolora-distPackageTests.xctest
logs=$scratch/test-logs

"$project/launch/setup.sh"
. "$project/launch/mpi-environment.sh"

# The package manager passes the traits to the compiler in hash order: with another seed everything would be compiled again.
export SWIFT_DETERMINISTIC_HASHING=1
echo "test: building (3 to 6 minutes the first time)"
swift build --package-path "$project" -c release "${wanted[@]}" -Xswiftc -enable-testing \
    --explicit-target-dependency-import-check error </dev/null ||
    fail "the build failed, see above; the first one needs the network to fetch Swift packages from github.com."

rm -rf "$logs"
mkdir -p "$logs"
if $dist; then
    run_scenarios dist launch/test-dist.sh "$dist_limit"
    finish
fi
if $builds; then
    # Packages are not to change while the tests run. Without MPICH its part says that it is not run.
    UNOLORA_MPI_LIBRARY=mpich "$project/launch/setup.sh" || true
    # Many tests wait for processes, so a part of the processors is free, and the builds take only that. `nice` is not enough:
    # swift build gives its compilers the ordinary priority again.
    set -m
    chrt --idle 0 "$project/launch/test-builds.sh" --only-build </dev/null >"$logs/only-build.log" 2>&1 &
    builder=$!
    set +m
    # swift build ends its compilers when it is interrupted.
    trap 'kill "$builder" 2>/dev/null; kill -INT -- "-$builder" 2>/dev/null || true' EXIT
fi
if ! $only_mpi; then
    echo "test: everything but DistributedTests (some minutes; $logs/one-process.0.log grows)"
    run_in_one_process one-process --skip '^DistributedTests'
fi
if ! $only_mpi && [ "$(uname -m)" = x86_64 ]; then
    # Results that depend only on their example must do so on kernels of every kind, not only on those of this processor.
    for kernels in Prescott $(grep -qsw avx2 /proc/cpuinfo && echo Haswell); do
        echo "test: KernelsTests and T5Tests on OpenBLAS's kernels for $kernels"
        OPENBLAS_CORETYPE=$kernels run_in_one_process "kernels-$kernels" --filter '^(KernelsTests|T5Tests)\.'
    done
fi
echo "test: DistributedTests without mpirun"
run_in_one_process alone --no-parallel --filter '^DistributedTests'
for ranks in "${rank_counts[@]}"; do
    run_distributed "$ranks"
done
if ! $only_mpi; then
    export UNOLORA_PROGRAM=$project/.build/release/unolora-dist
    run_scenarios slurm cluster/slurm-local/test.sh
    run_scenarios hosts cluster/netns-hosts/test.sh
    run_scenarios storm cluster/storm/test.sh
    if $builds; then
        # Two builds in one place would wait for each other. A build that has failed is made again below, and its error shown.
        wait "$builder" || true
        trap - EXIT
        run_scenarios builds launch/test-builds.sh "$builds_limit"
    fi
fi
finish
