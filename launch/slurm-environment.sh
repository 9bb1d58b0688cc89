# Common parts of train.sbatch, array.sbatch, study.sbatch and requeue.sbatch. They source this file from the project's directory, because
# SLURM runs copies of them elsewhere; `script` is the name of the job script.
# shellcheck shell=bash disable=SC2154,SC2034 # `script`, `project` and `code` are set or read by the job script

# fail CODE MESSAGE
fail() {
    printf '%s: %s\n' "$script" "$2" >&2
    exit "$1"
}

[ -n "${SLURM_JOB_ID:-}" ] || fail 64 "this is a job script; start it with sbatch launch/$script run.yaml."
# `project` is the directory in which the job script found this file.
scripts=$project/launch
site=${UNOLORA_SITE:-$project/cluster/site.env}
if [ -e "$site" ]; then
    # Commands such as `module` use variables that are not set and commands that may fail.
    set +eu
    # shellcheck source=/dev/null
    . "$site"
    set -eu
    # The site file may name another project directory.
    project=${UNOLORA_PROJECT:-$project}
elif [ -n "${UNOLORA_SITE:-}" ]; then
    fail 66 "UNOLORA_SITE names $site, which is not there."
fi

# The arguments are those of the job script, which sources this file without any.
if [ $# -gt 0 ] && [[ $1 != -* ]] && [ ! -r "$1" ]; then
    fail 66 "cannot read the configuration $1 in $PWD; name it as in sbatch launch/$script run.yaml."
fi

# The words before the program: a container's command, or nothing.
read -ra inside <<<"${UNOLORA_CONTAINER:-}"
if [ ${#inside[@]} -gt 0 ]; then
    program=${UNOLORA_PROGRAM:-unolora-dist}
    command -v "${inside[0]}" >/dev/null ||
        fail 66 "UNOLORA_CONTAINER begins with ${inside[0]}, which is not on $(hostname); load its module in $site."
else
    # shellcheck source=launch/program.sh
    . "$scripts/program.sh"
    command -v "$program" >/dev/null ||
        fail 66 "$program is not there; build it (swift build -c release) and call sbatch in the project's directory, or set UNOLORA_PROGRAM."
fi

# --out among the arguments is the same as UNOLORA_RUN. Later arguments count more, as in the program.
arguments=()
while [ $# -gt 0 ]; do
    case $1 in
    --out)
        [ -n "${2:-}" ] || fail 64 "--out needs a directory."
        UNOLORA_RUN=$2
        shift
        ;;
    --out=*)
        UNOLORA_RUN=${1#--out=}
        [ -n "$UNOLORA_RUN" ] || fail 64 "--out needs a directory."
        ;;
    *) arguments+=("$1") ;;
    esac
    shift
done
set -- "${arguments[@]}"

# The run directory keeps its name when the job is queued again. Each task of an array has its own.
run=${UNOLORA_RUN:-runs/$SLURM_JOB_NAME-${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}}
[ -z "${SLURM_ARRAY_TASK_ID:-}" ] || run=$run/seed-$SLURM_ARRAY_TASK_ID

# The trainer has its own threads; OpenBLAS need not start a pool that nobody uses.
export OPENBLAS_NUM_THREADS=1

# from_status KEY: a value of the run's STATUS.json; nothing if there is no such file.
from_status() {
    sed -nE "s/^ *\"$1\" *: *\"?([^\"]*[^\",])?\"?,?\$/\\1/p" "$run/STATUS.json" 2>/dev/null || true
}

# SIGTERM to this shell: SLURM takes the nodes away (preemption, scancel, time limit) and will kill the remaining processes
# after KillWait. Usually SLURM signals the ranks itself. If it does not, they must be told, but not by a possibly second
# SIGTERM, which would end them without saving; SIGUSR1 may come any number of times. Without the trap the shell would end at
# once, and the job with it.
told=0
on_term() {
    told=$((told + 1))
    timeout --foreground -k 1 5 scancel --signal=USR1 "$SLURM_JOB_ID" 2>/dev/null || true
}

# start COMMAND [ARGUMENTS]: runs a command of unolora-dist on all nodes of the job and sets `code` to its exit code.
start() {
    local before
    trap on_term TERM
    # srun does not take --cpus-per-task from sbatch, so it is repeated. If the only rank of a node is gone, the ranks of other
    # nodes wait for it, and srun kills them 10 seconds later; so the last step is kept in a file. Ranks that end normally
    # should meet after the last write and end together.
    srun --mpi="${UNOLORA_MPI:-pmix}" --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" --wait=10 \
        "${inside[@]}" "$program" "$@" &
    # A signal interrupts wait but does not end srun.
    while :; do
        before=$told code=0
        wait $! || code=$?
        [ "$told" -ne "$before" ] || break
    done
}

# train [RUN.YAML] [ARGUMENTS of unolora-dist train]: trains and sets `code` to the exit code. Without a configuration it runs
# the embedded example, a first test of a cluster.
train() {
    local arguments=()
    if [ $# -gt 0 ] && [[ $1 != -* ]]; then
        arguments=(--config "$1")
        shift
    fi
    start train "${arguments[@]}" --out "$run" --resume auto --set "checkpoint.snapshot=${UNOLORA_SNAPSHOT:-file}" "$@"
}
