#!/usr/bin/env bash
# Makes this machine ready to build and run unolora-dist: Swift, system libraries, free disk space. It says what is missing and
# why it is needed, then installs that with apt-get; it does nothing when nothing is missing. quickstart.sh and test.sh call it;
# it can also be run alone, from any directory, as often as you like.
#   launch/setup.sh [--slurm]      also installs what cluster/slurm-local/test.sh needs
# With UNOLORA_MPI_LIBRARY=mpich it requires MPICH instead of Open MPI (docs/running-on-slurm.md).
set -euo pipefail

project=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
needed_swift=6.2
needed_megabytes=1500

# package, check whether it is installed, purpose
packages=(
    "pkg-config|command pkg-config|finds the other libraries for the Swift package manager"
    "libopenblas-dev|library openblas|matrix products"
    "libdnnl-dev|header oneapi/dnnl/dnnl.h|oneDNN: products with frozen weights"
    "libsentencepiece-dev|library sentencepiece|T5's tokeniser"
    "libxxhash-dev|library libxxhash|digests of checkpoints and caches"
    "zlib1g-dev|library zlib|task files packed with gzip"
)

packages_of_open_mpi=(
    "libopenmpi-dev|library ompi-c|MPI: gradients travel between processes with it"
    "openmpi-bin|mpirun Open|starts the processes"
)

packages_of_mpich=(
    "libmpich-dev|library mpich|MPI: gradients travel between processes with it"
    "mpich|mpirun HYDRA|starts the processes"
)

packages_for_slurm=(
    "slurm-wlm|command slurmctld|SLURM, for the test of the job scripts"
    "munge|command munged|SLURM's daemons know each other by it"
    "iproute2|command ip|makes the nodes' network"
)

fail() {
    printf 'setup: %s\n' "$1" >&2
    exit 1
}

check_swift() {
    command -v swift >/dev/null ||
        fail "there is no swift in PATH; install Swift $needed_swift or later (https://www.swift.org/install/linux) and start this again."
    local answer version
    answer=$(swift --version 2>&1) || fail "swift is in PATH but does not run: $(head -n 1 <<<"$answer")"
    version=$(grep -oE 'Swift version [0-9]+\.[0-9]+' <<<"$answer" | head -n 1 | grep -oE '[0-9.]+$' || true)
    [ -n "$version" ] || fail "swift --version names no version: $(head -n 1 <<<"$answer")"
    if [ "$(printf '%s\n' "$needed_swift" "$version" | sort -V | head -n 1)" != "$needed_swift" ]; then
        fail "Swift $version at $(command -v swift) is too old; install Swift $needed_swift or later (https://www.swift.org/install/linux)."
    fi
}

check_place() {
    [ -w "$project" ] || fail "$project is not writable for $(id -un); build from a copy of your own."
    if [ -e "$project/.build" ] && [ ! -w "$project/.build" ]; then
        fail "$project/.build belongs to $(stat -c %U "$project/.build"), who built here before; give it to $(id -un) with chown -R or remove it."
    fi
    [ -d "$project/.build/release" ] || check_space "$project" "to build"
}

# check_space DIRECTORY PURPOSE
check_space() {
    local free
    free=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
    [ "$free" -ge "$needed_megabytes" ] ||
        fail "$1 has $free MB free, but $needed_megabytes MB are needed $2; free some space and start this again."
}

# is_there COMMAND... : one of the checks named in the list above
is_there() {
    case "$1" in
    # Daemons are in directories that are not in an ordinary user's PATH.
    command) PATH=$PATH:/usr/sbin:/sbin command -v "$2" >/dev/null ;;
    library) pkg-config --exists "$2" 2>/dev/null ;;
    # It has no pkg-config file; the compiler searches these directories and those in CPATH.
    header) header_is_there "$2" ;;
    # Another MPI's mpirun would start processes that do not find each other. On Debian each mpirun also has its own name.
    mpirun) [[ $(mpirun --version 2>/dev/null) == *"$2"* ]] || { [ "$2" = HYDRA ] && command -v mpirun.mpich >/dev/null; } ;;
    esac
}

header_is_there() {
    local places directory
    IFS=: read -ra places <<<"${CPATH:-}:/usr/local/include:/usr/include"
    for directory in "${places[@]}"; do
        [ -n "$directory" ] && [ -e "$directory/$1" ] && return 0
    done
    return 1
}

# Sets `missing` to the packages that are not installed.
find_missing() {
    missing=()
    local entry name check
    for entry in "${packages[@]}"; do
        IFS='|' read -r name check _ <<<"$entry"
        # shellcheck disable=SC2086 # the check is words
        is_there $check || missing+=("$name")
    done
}

say_missing() {
    local entry name purpose
    echo "setup: needed, but not on this machine:"
    for entry in "${packages[@]}"; do
        IFS='|' read -r name _ purpose <<<"$entry"
        [[ " ${missing[*]} " == *" $name "* ]] && printf '  %-22s %s\n' "$name" "$purpose"
    done
    return 0
}

# Sets `as_root` to the words before a command that runs it as root.
find_root() {
    as_root=()
    [ "$(id -u)" -eq 0 ] && return
    command -v sudo >/dev/null ||
        fail "installing needs root, and there is no sudo: have 'apt-get install ${missing[*]}' run as root, then start this again."
    as_root=(sudo)
    if ! sudo -n true 2>/dev/null; then
        [ -t 0 ] ||
            fail "installing needs root, and sudo wants a password that cannot be asked for here: run 'sudo apt-get install ${missing[*]}', then start this again."
        echo "setup: sudo asks for your password to install them."
        sudo -v ||
            fail "sudo was refused to $(id -un): have 'apt-get install ${missing[*]}' run as root, then start this again."
    fi
}

apt_get() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 -o Acquire::Retries=2 "$@"
}

install_missing() {
    local log attempt
    log=$(mktemp)
    echo "setup: installing with ${as_root[*]:+${as_root[*]} }apt-get install ${missing[*]} (a minute or two)"
    for attempt in 1 2; do
        if { apt_get update && apt_get install -y --no-install-recommends "${missing[@]}"; } </dev/null >"$log" 2>&1; then
            rm -f "$log"
            return
        fi
        if [ "$attempt" -eq 1 ]; then
            echo "setup: apt-get failed ($(apt_complaint "$log")); trying once more in 5 seconds"
            sleep 5
        fi
    done
    fail "apt-get could not install ${missing[*]}: $(apt_complaint "$log") (all it said: $log)"
}

# The first line of an apt-get log that names the problem.
apt_complaint() {
    local line
    line=$(grep -m 1 -E '^(E|Err|W):' "$1" || tail -n 1 "$1")
    printf '%s' "${line:-it said nothing}"
}

case "${UNOLORA_MPI_LIBRARY:-ompi-c}" in
ompi-c) packages+=("${packages_of_open_mpi[@]}") ;;
mpich) packages+=("${packages_of_mpich[@]}") ;;
*)
    is_there library "$UNOLORA_MPI_LIBRARY" ||
        fail "pkg-config finds no $UNOLORA_MPI_LIBRARY, which UNOLORA_MPI_LIBRARY names: load that MPI's module, or set PKG_CONFIG_PATH to the directory of its .pc file."
    ;;
esac
case "${1-}" in
"") ;;
--slurm) packages+=("${packages_for_slurm[@]}") ;;
*) fail "unknown argument $1; there is only --slurm, which adds what the test of the job scripts needs." ;;
esac
check_swift
check_place
find_missing
[ "${#missing[@]}" -gt 0 ] || exit 0
say_missing
command -v apt-get >/dev/null ||
    fail "there is no apt-get here to install ${missing[*]}: install what your system calls them, or on a cluster load its modules (module load openmpi openblas ...) with PKG_CONFIG_PATH naming the directories of their .pc files."
find_root
check_space /var "to install packages"
install_missing
wanted=("${missing[@]}")
find_missing
[ "${#missing[@]}" -eq 0 ] ||
    fail "${wanted[*]} are installed, but ${missing[*]} cannot be used: look for another MPI's mpirun or pkg-config earlier in PATH, or a PKG_CONFIG_LIBDIR that hides them."
echo "setup: installed ${wanted[*]}"
