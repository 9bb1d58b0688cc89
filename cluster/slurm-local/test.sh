#!/usr/bin/env bash
# Runs the job scripts of launch/ on a real SLURM (see slurm-local), interrupts them in every way that SLURM knows, and compares
# state, STATUS.json and the bits of the last checkpoint with those of a plain run. All scenarios run in parallel.
#   cluster/slurm-local/test.sh [--all]
# --all adds scenarios that wait for SLURM's own timers (a time limit, a lost node, a preemption with a grace time) and some
# more: scancel, two seeds. It needs root. If SLURM cannot start, the script says so, and nothing is counted.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
suite=slurm
# shellcheck source=cluster/scenarios.sh
. "$here/../scenarios.sh"

limit=240 # seconds for any one thing to happen

# A client of SLURM waits for ever if no daemon answers.
slurm() {
    timeout -k 5 30 "$here/slurm-local" on "$work/s" n1 "$@"
}

take_down() {
    "$here/slurm-local" down "$work/s"
}

# submit NAME SCRIPT [OPTIONS OF SBATCH...] -- [ARGUMENTS OF THE PROGRAM...]: sets `job`, and `run` to its directory.
submit() {
    local name=$1 script=$2 options=()
    shift 2
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    run=$work/run-$name hastened=""
    job=$(UNOLORA_RUN=$run slurm sbatch --parsable --job-name="$name" --output="$work/$name.job" --ntasks-per-node=1 \
        --cpus-per-task=1 --time=10 "${options[@]}" "$project/launch/$script" "$config" "${settings[@]}" --set train.steps=200 "$@")
    echo "job $job: $name"
}

field() {
    slurm scontrol -o show job "$job" | grep -oE " $1=[^ ]*" | head -n 1 | cut -d = -f 2
}

# Whether the job has ended. A job that was queued again would wait for two minutes, so its start is moved forward; but a node
# refuses a job in the second in which that job has ended there.
has_ended() {
    local restarts
    case $(field JobState) in
    COMPLETED | FAILED | CANCELLED | TIMEOUT | NODE_FAIL | PREEMPTED | BOOT_FAIL | OUT_OF_MEMORY | DEADLINE) return 0 ;;
    PENDING)
        restarts=$(field Restarts)
        if [ "$(field Reason)" = BeginTime ] && [ "$restarts" != "$hastened" ]; then
            hastened=$restarts
            slurm scontrol update jobid="$job" starttime=now+2seconds
        fi
        ;;
    esac
    return 1
}

# ends_as STATE EXITCODE RESTARTS
ends_as() {
    wait_until "$limit" "job $job had ended" has_ended
    expect "the state of job $job" "$1 $2" "$(field JobState) $(field ExitCode)"
    expect "the number of restarts of job $job" "$3" "$(field Restarts)"
}

# Waits until the run has something to lose but has not ended.
wait_for_steps() {
    wait_until "$limit" "$run had come to step 5" has_stepped "$run" 5
}

job_says() {
    grep -q -- "$1" "$work/$2.job" || fail "the log of $2 does not have: $1"
}

train() {
    submit train train.sbatch --nodes=2 --nodelist=n1,n2 --
    ends_as COMPLETED 0:0 0
    same_result "$run"
}

# A rank is killed, as by a lack of memory. Others may be killed at the same moment, so one step may be lost.
killed-rank() {
    submit killed-rank requeue.sbatch --nodes=2 --nodelist=n1,n2 --
    wait_for_steps
    kill -KILL "$(process_of 1)"
    local told
    told=$(grep -oE '"step":[0-9]+' "$run/metrics.jsonl" | tail -n 1 | cut -d : -f 2)
    ends_as COMPLETED 0:0 1
    job_says 'queueing the job again' killed-rank
    note "$(grep -oE 'resuming from .* at step [0-9]+' "$work/killed-rank.job" | grep -oE 'step [0-9]+$') after step $told or later"
    [ "$(grep -oE 'resuming from .* at step [0-9]+' "$work/killed-rank.job" | grep -oE '[0-9]+$')" -ge $((told - 1)) ] ||
        fail "more than one step after $told was lost"
    same_result "$run"
}

# All ranks are killed, as by a lack of memory on their nodes, before there is a checkpoint.
killed-all() {
    submit killed-all requeue.sbatch --nodes=2 --nodelist=n1,n2 --
    wait_for_steps
    local pids
    pids=$(process_of 0 && process_of 1)
    # shellcheck disable=SC2086 # two words
    kill -KILL $pids
    ends_as COMPLETED 0:0 1
    job_says 'recovered step .* from the snapshot' killed-all
    same_result "$run"
}

# The lines that plan prints are taken, and start as many ranks as are planned: the second node has one fewer than the first.
planned() {
    {
        echo '#!/bin/sh'
        "$UNOLORA_PROGRAM" plan --config "$config" "${settings[@]}" --set batch.global=8 --ranks 3 --ranks-per-node 2 |
            grep '^#SBATCH'
        echo 'srun sh -c "echo a rank"'
    } >"$work/planned.sh"
    slurm sbatch --test-only "$work/planned.sh" 2>"$work/planned.log" ||
        fail "sbatch refuses the lines of plan: $(tail -n 1 "$work/planned.log")"
    job=$(slurm sbatch --parsable --output="$work/planned.job" "$work/planned.sh") hastened=""
    ends_as COMPLETED 0:0 0
    expect "the number of ranks of a plan for 3" 3 "$(grep -c '^a rank$' "$work/planned.job")"
}

# With a site file in which the container is only some words before the program.
array() {
    echo 'export UNOLORA_CONTAINER="env UNOLORA_INSIDE=yes"' >"$work/site.env"
    UNOLORA_SITE=$work/site.env submit array array.sbatch --array=1 --nodes=1 --nodelist=n2 --
    ends_as COMPLETED 0:0 0
    same_result "$run/seed-1"
}

requeue() {
    submit requeue requeue.sbatch --nodes=2 --nodelist=n1,n2 --
    wait_for_steps
    slurm scancel --signal=USR1 "$job"
    ends_as COMPLETED 0:0 1
    job_says 'queueing the job again' requeue
    same_result "$run"
}

# Two jobs that wait for each other continue one directory, that of --out, and UNOLORA_RUN counts less.
chain() {
    local first second
    submit chain train.sbatch --nodes=2 --nodelist=n1,n2 -- --out "$work/chained"
    first=$job
    submit chain train.sbatch --nodes=1 --nodelist=n3 "--dependency=afterany:$first" -- --out "$work/chained"
    second=$job run=$work/chained
    wait_for_steps
    slurm scancel --signal=USR1 "$first"
    job=$first
    ends_as FAILED 85:0 0
    job=$second
    ends_as COMPLETED 0:0 0
    job_says 'saved at step .* of 200; UNOLORA_RUN=.*/chained sbatch' chain
    job_says 'resuming from .*/chained/checkpoints/' chain
    [ ! -e "$work/run-chain" ] || fail "the first directory was written too"
    same_result "$run"
}

preemption() {
    submit preemption requeue.sbatch --nodes=1 --nodelist=n4 --exclusive --partition=low --
    wait_for_steps
    slurm sbatch --output=/dev/null --partition=high --nodelist=n4 --exclusive --wrap 'sleep 1'
    ends_as COMPLETED 0:0 1
    job_says 'DUE TO PREEMPTION' preemption
    same_result "$run"
}

# The first start leaves after ten steps, each later one at once.
no-progress() {
    cat >"$work/leaves-at-once" <<EOF
#!/bin/sh
[ ! -e "$work/run-no-progress/STATUS.json" ] || exit 85
exec "$UNOLORA_PROGRAM" "\$@" --stop-after 10
EOF
    chmod +x "$work/leaves-at-once"
    UNOLORA_PROGRAM=$work/leaves-at-once submit no-progress requeue.sbatch --nodes=1 --nodelist=n3 --
    ends_as FAILED 75:0 1
    job_says 'no progress: .* began at step 10 and has left at step 10' no-progress
}

two-seeds() {
    submit two-seeds array.sbatch --array=1-2 --nodes=1 --nodelist=n2 --
    local array=$job
    for task in 1 2; do
        job=${array}_$task
        ends_as COMPLETED 0:0 0
        same_result "$run/seed-$task" "$task"
    done
}

# Two rows and two seeds in an array of two tasks have the figures of the same study in one process.
study() {
    cat >"$work/study.yaml" <<EOF
run: $config
set: {train.steps: 20, lr.warmup: 2, batch.global: 4, batch.micro: 2, eval.every: null, data.cache: "$work/example/cache"}
rows:
  - {name: shared, tasks: [sentiment, similarity]}
  - {name: single, tasks: [sentiment]}
seeds: [1, 2]
reference: shared
EOF
    "$UNOLORA_PROGRAM" study --config "$work/study.yaml" --out "$work/plain-study" >"$work/plain-study.log" 2>&1 </dev/null ||
        fail "the plain study has failed: $(tail -n 1 "$work/plain-study.log")"
    run=$work/run-study hastened=""
    local array task
    array=$(UNOLORA_RUN=$run slurm sbatch --parsable --job-name=study --output="$work/study-%a.job" --array=0-1 --nodes=1 \
        --ntasks-per-node=1 --cpus-per-task=1 --time=10 "$project/launch/study.sbatch" "$work/study.yaml")
    for task in 0 1; do
        job=${array}_$task
        ends_as COMPLETED 0:0 0
    done
    expect "the figures of $run" "$(figures "$work/plain-study")" "$(figures "$run")"
}

# The table of a study without what depends on the machine.
figures() {
    grep -vE ',(examplesPerSecond|peakMemory),' "$1/table.csv"
}

cancelled() {
    submit cancelled train.sbatch --nodes=2 --nodelist=n1,n2 --
    wait_for_steps
    slurm scancel "$job"
    wait_until "$limit" "job $job had ended" has_ended
    expect "the state of job $job" CANCELLED "$(field JobState)"
    expect "the state of the run" "preempted 143" "$(status "$run" state) $(status "$run" exitCode)"
    # The same command, on other nodes.
    submit cancelled train.sbatch --nodes=1 --nodelist=n3 --
    ends_as COMPLETED 0:0 0
    same_result "$run"
}

# The shortest possible limit, and a run that would take far longer. SLURM extends the notice of 45 seconds to up to 60.
time-limit() {
    submit time-limit requeue.sbatch --nodes=1 --nodelist=n3 --time=1 --signal=USR1@45 -- --set train.steps=1000000
    wait_until "$limit" "job $job was queued again" is_queued_again
    slurm scancel "$job"
    expect "the state of the run" "preempted 85" "$(status "$run" state) $(status "$run" exitCode)"
    # The result is compared with a plain run up to the same step; the rest would be the same as after any interruption.
    plain limit --set train.steps=1000000 --stop-after "$(status "$run" lastDurableStep)" ||
        expect "the exit code of the plain run" 85 $?
    expect "the digest of $run" "$(digest "$work/plain-limit")" "$(digest "$run")"
}

is_queued_again() {
    [ "$(field JobState) $(field Restarts)" = 'PENDING 1' ]
}

# The node of rank 0 is cut off: SLURM starts the job on other nodes, which wait until the old rank has ended too.
lost-node() {
    submit lost-node requeue.sbatch --nodes=2 --exclude='n[1-5]' --
    wait_until "$limit" "$run had a checkpoint" test -e "$run/checkpoints/last/state.json"
    slurm "$work/s/hosts.d/cut" n6
    wait_until "$limit" "job $job ran again" runs_again
    slurm kill -KILL "$(grep -oE '[0-9]+' "$run/.lock" | head -n 1)"
    ends_as COMPLETED 0:0 1
    same_result "$run"
}

runs_again() {
    ! has_ended || fail "job $job has ended"
    [ "$(field JobState) $(field Restarts)" = 'RUNNING 1' ]
}

# The first notice goes to the ranks only, and the job ends before SLURM preempts it.
grace() {
    submit grace requeue.sbatch --nodes=1 --nodelist=n5 --exclusive --partition=grace --
    wait_for_steps
    slurm sbatch --output=/dev/null --partition=high --nodelist=n5 --exclusive --wrap 'sleep 1'
    ends_as COMPLETED 0:0 1
    same_result "$run"
}

scenarios=(planned train array study requeue chain preemption no-progress killed-rank)
nodes=4
case ${1:-} in
'') ;;
--all)
    scenarios+=(killed-all two-seeds cancelled time-limit lost-node grace)
    nodes=8
    ;;
*) fail "unknown argument $1; there is only --all." ;;
esac

prepare
"$here/slurm-local" up "$work/s" "$nodes" $$ 2>"$work/up.log" || not_run "${#scenarios[@]}" "$(tail -n 1 "$work/up.log")"
plain 1 --set train.steps=200 || fail "the plain run has failed: $(tail -n 1 "$work/plain-1.log")"
[ "$nodes" -eq 4 ] || plain 2 --set train.steps=200 --set train.seed=2
for name in "${scenarios[@]}"; do scenario "$name" "$name"; done
collect
finish
