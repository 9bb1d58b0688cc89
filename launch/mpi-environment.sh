# Exports the variables that Open MPI 4 and 5 need to run this program on one machine. Source it from any POSIX shell:
#   . launch/mpi-environment.sh && mpirun -n 8 .build/release/unolora-dist
# A variable that is already set keeps its value. Under SLURM srun does this work, see train.sbatch. Open MPI 5 has the mpirun
# of PRRTE, whose variables begin with PRTE_; each version ignores the names of the other. MPICH and Intel MPI need none of
# this: their mpirun (Hydra) runs as root, starts more ranks than cores, gives each rank several cores, and passes SIGTERM on
# without a time limit.
# shellcheck shell=sh

# For root, the usual user in containers: Open MPI needs both variables.
if [ "$(id -u)" -eq 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT="${OMPI_ALLOW_RUN_AS_ROOT:-1}"
    export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="${OMPI_ALLOW_RUN_AS_ROOT_CONFIRM:-1}"
    export PRTE_ALLOW_RUN_AS_ROOT="${PRTE_ALLOW_RUN_AS_ROOT:-1}"
    export PRTE_ALLOW_RUN_AS_ROOT_CONFIRM="${PRTE_ALLOW_RUN_AS_ROOT_CONFIRM:-1}"
fi

# More ranks than cores are allowed. If there are enough cores this changes nothing: Open MPI checks the numbers itself.
export OMPI_MCA_rmaps_base_oversubscribe="${OMPI_MCA_rmaps_base_oversubscribe:-1}"
export PRTE_MCA_rmaps_default_mapping_policy="${PRTE_MCA_rmaps_default_mapping_policy:-:oversubscribe}"

# No binding: with one or two ranks, Open MPI would bind each rank, with all its threads, to a single core.
export OMPI_MCA_hwloc_base_binding_policy="${OMPI_MCA_hwloc_base_binding_policy:-none}"
export PRTE_MCA_hwloc_default_binding_policy="${PRTE_MCA_hwloc_default_binding_policy:-none}"

# Ranks read each other's memory directly, which the system call filter of many containers forbids; with these settings they
# copy through shared memory instead.
if grep -qs '^Seccomp:[[:space:]]*2' /proc/self/status; then
    export OMPI_MCA_btl_vader_single_copy_mechanism="${OMPI_MCA_btl_vader_single_copy_mechanism:-none}"
    export OMPI_MCA_smsc="${OMPI_MCA_smsc:-^cma}"
fi

# Seconds between SIGTERM and SIGKILL to the ranks when mpirun itself is told to stop. In this time a run saves its last step;
# Open MPI's own default of one second is enough if the disk is quick. It is no longer because Open MPI also sleeps this long,
# twice, after every rank that fails. SIGUSR1 to mpirun has no such limit.
export OMPI_MCA_odls_base_sigkill_timeout="${OMPI_MCA_odls_base_sigkill_timeout:-3}"
export PRTE_MCA_odls_base_sigkill_timeout="${PRTE_MCA_odls_base_sigkill_timeout:-3}"

# A host that is cut off or has lost its power says nothing; without these settings mpirun waits for it for some 8 minutes. With
# them it asks a silent host after `time` seconds, then every `intvl` seconds, and after `probes` questions without an answer,
# that is after time + intvl * probes = 26 seconds, it ends the job. A network that may be silent for longer without being lost
# (a switch that restarts) needs a larger sum. Open MPI 5 has the same three settings under PRTE's names.
export OMPI_MCA_oob_tcp_keepalive_time="${OMPI_MCA_oob_tcp_keepalive_time:-10}"
export OMPI_MCA_oob_tcp_keepalive_intvl="${OMPI_MCA_oob_tcp_keepalive_intvl:-4}"
export OMPI_MCA_oob_tcp_keepalive_probes="${OMPI_MCA_oob_tcp_keepalive_probes:-4}"
export PRTE_MCA_oob_tcp_keepalive_time="${PRTE_MCA_oob_tcp_keepalive_time:-10}"
export PRTE_MCA_oob_tcp_keepalive_intvl="${PRTE_MCA_oob_tcp_keepalive_intvl:-4}"
export PRTE_MCA_oob_tcp_keepalive_probes="${PRTE_MCA_oob_tcp_keepalive_probes:-4}"

# When several MPIs are installed, as on Debian, each has an mpirun with its own name.
if [ "${UNOLORA_MPI_LIBRARY:-}" = mpich ] && command -v mpirun.mpich >/dev/null; then
    export UNOLORA_MPIRUN="${UNOLORA_MPIRUN:-mpirun.mpich}"
fi

# The trainer has its own threads; OpenBLAS need not start a pool that nobody uses.
export OPENBLAS_NUM_THREADS="${OPENBLAS_NUM_THREADS:-1}"
