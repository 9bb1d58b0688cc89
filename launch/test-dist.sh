#!/usr/bin/env bash
# Tests the archive of launch/dist.sh: its digests; that every library is found and none is Swift's; a page of the manual for every
# command, without warnings; the completions; and that it runs where there is nothing but a bare Debian and the MPI package, with
# the bits of the default build. It ends with one line, `N passed, N failed`. Parts for which something is missing are not run. The
# script says so, and with CI=true this counts as a failure.
#   launch/test-dist.sh [ARCHIVE]      without an archive it makes one (launch/dist.sh), some 5 minutes the first time
# The bare Debian needs root, debootstrap and a mirror (UNOLORA_DEBIAN_MIRROR, default http://deb.debian.org/debian). It is of the
# release of this machine, since the archive needs a C library as new as that with which it was built.
set -euo pipefail

project=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
default=$project/.build/release/unolora-dist
mirror=${UNOLORA_DEBIAN_MIRROR:-http://deb.debian.org/debian}
limit=120      # seconds for a command of the archive
root_limit=600 # seconds for making the bare Debian
training=(--set train.steps=4 --set lr.warmup=0 --set eval.every=null --set checkpoint.every=null --set parallel.threads=1)
checks=dist
# shellcheck source=launch/checks.sh
. "$project/launch/checks.sh"

digests() {
    (cd "$(dirname "$archive")" && grep -F "  $(basename "$archive")" SHA256SUMS | sha256sum --quiet -c) &&
        (cd "$place" && sha256sum --quiet --strict -c SHA256SUMS) &&
        # No file may be without one.
        [ "$(find "$place" -type f ! -name SHA256SUMS | wc -l)" -eq "$(wc -l <"$place/SHA256SUMS")" ]
}

# The cluster's own MPI is the only library that may be missing on a node.
libraries() {
    local file found
    for file in "$place/bin/unolora-dist" "$place"/lib/*.so*; do
        found=$(env -u LD_LIBRARY_PATH ldd "$file")
        ! grep -E 'not found' <<<"$found" | grep -vE '^\s*libmpi[a-z_]*\.so' || return 1
        ! grep -i 'libswift\|libFoundation\|libdispatch\|libBlocksRuntime' <<<"$found" || return 1
    done
    # What is in lib/ is also taken from there.
    for file in "$place"/lib/*.so*; do
        file=$(basename "$file")
        env -u LD_LIBRARY_PATH ldd "$place/bin/unolora-dist" | grep -qF "$file => $place/bin/../lib/$file" || {
            say "$file is not taken from the archive"
            return 1
        }
    done
}

# Prints each command with those above it, as `--help` names them.
commands() {
    local name
    echo "$*"
    for name in $("$place/bin/unolora-dist" "$@" --help | awk '
        /^SUBCOMMANDS:/ { inside = 1; next }
        /^[^ ]/ || /See .* for detailed help/ { inside = 0 }
        inside && /^  [a-z]/ { print $1 }'); do
        commands "$@" "$name"
    done
}

# Each command has a page, and the page has every option of the command's help.
pages() {
    local words page option count=0 missing=0
    while read -r -a words; do
        page=$place/share/man/man1/$(IFS=.; echo "unolora-dist${words[*]:+.${words[*]}}").1
        count=$((count + 1))
        if [ ! -s "$page" ]; then
            say "there is no ${page#"$place/"}"
            missing=1
            continue
        fi
        # The manual writes - as \-.
        while read -r option; do
            tr -d '\\' <"$page" | grep -qwF -- "${option#--}" || {
                say "${page#"$place/"} does not have $option"
                missing=1
            }
        done < <("$place/bin/unolora-dist" "${words[@]}" --help | grep -oE '^  (-[a-z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+')
    done < <(commands)
    say "$count commands"
    [ "$count" -gt 10 ] && [ "$missing" -eq 0 ]
}

# What man says of a page; a line or word that is too long for it is no mistake.
page_warnings() {
    local page warnings all=
    for page in "$place"/share/man/man1/*.1; do
        warnings=$(LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null |
            grep -vE 'cannot adjust line|can.t break line' || true)
        all+=$warnings
    done
    [ -z "$all" ] || {
        say "$all"
        return 1
    }
}

# inside COMMAND...: runs a command in the bare Debian, in the archive's directory, with a /proc and devices of its own.
inside() {
    # shellcheck disable=SC2016 # the inner shell has the arguments
    timeout --foreground -k 10 "$limit" unshare --mount --pid --fork --kill-child bash -ec '
        mount -t proc proc "$1/proc"
        mount --rbind /dev "$1/dev"
        mount -t tmpfs tmpfs "$1/dev/shm"
        exec chroot "$1" /usr/bin/env -i PATH=/usr/bin:/bin HOME=/root OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
            OMPI_MCA_rmaps_base_oversubscribe=1 sh -c "cd \"/opt/\$0\" && exec \"\$@\"" "${@:2}"' \
        inside "$bare" "$name" "$@" </dev/null
}

bare_version() {
    [ "$(inside bin/unolora-dist --version)" = "$("$place/bin/unolora-dist" --version)" ]
}

bare_doctor() {
    inside mpirun -n 2 bin/unolora-dist doctor >"$work/doctor.log" 2>&1 && grep -q 'Open MPI' "$work/doctor.log" &&
        grep -q '; 2 rank(s)$' "$work/doctor.log" || {
        cat "$work/doctor.log"
        return 1
    }
}

bare_tasks() {
    inside bin/unolora-dist tasks | grep -q '^cola '
}

# The last step has the bits that the default build has on this machine.
bare_training() {
    local found expected
    inside mpirun -n 2 bin/unolora-dist train --out /tmp/run "${training[@]}" >"$work/train.log" 2>&1 || {
        tail -n 5 "$work/train.log"
        return 1
    }
    grep '^step 4/4 ' "$work/train.log"
    [ -x "$default" ] || {
        say "there is no $default to compare with"
        return 1
    }
    "$default" train --out "$work/run" "${training[@]}" >"$work/default.log" 2>&1 </dev/null || {
        tail -n 5 "$work/default.log"
        return 1
    }
    found=$(digest "$bare/tmp/run") expected=$(digest "$work/run")
    say "bare Debian: $found, the default build $expected"
    [ "$found" = "$expected" ]
}

digest() {
    cat "$1/checkpoints/last/adapter/unolora_model.safetensors" "$1/checkpoints/last/optimizer.safetensors" | sha256sum | cut -c 1-16
}

# Makes the bare Debian with the MPI package and the unpacked archive; says what is missing otherwise.
bare_debian() {
    local release=
    # shellcheck source=/dev/null
    [ ! -r /etc/os-release ] || release=$(. /etc/os-release && [ "${ID:-}" = debian ] && echo "${VERSION_CODENAME:-}") || true
    if [ -z "$release" ]; then
        not_run "in a bare Debian" "this machine is no Debian release, so the archive may need a newer C library than there is there"
    elif [ "$(id -u)" -ne 0 ]; then
        not_run "in a bare Debian" "it needs root"
    elif ! command -v debootstrap >/dev/null; then
        not_run "in a bare Debian" "debootstrap is not installed (apt-get install debootstrap)"
    elif ! timeout --foreground -k 10 "$root_limit" debootstrap --variant=minbase --include=openmpi-bin "$release" "$bare" "$mirror" \
        >"$work/debootstrap.log" 2>&1 </dev/null; then
        tail -n 3 "$work/debootstrap.log"
        not_run "in a bare Debian" "debootstrap could not make it from $mirror"
    else
        mkdir -p "$bare/opt"
        tar -C "$bare/opt" -xzf "$archive"
        check "in a bare Debian: --version" bare_version
        check "in a bare Debian: doctor with two ranks" bare_doctor
        check "in a bare Debian: tasks" bare_tasks
        check "in a bare Debian: training with two ranks" bare_training
    fi
}

# completions SHELL: whether the shell can read its file.
completions() {
    "$1" -n "$place/share/completions/unolora-dist.$1"
}

work=$(mktemp -d)
trap '[ -n "$keep" ] || rm -rf --one-file-system "$work"' EXIT
bare=$work/bare
# shellcheck source=launch/mpi-environment.sh
. "$project/launch/mpi-environment.sh"
archive=${1-}
if [ -z "$archive" ]; then
    "$project/launch/dist.sh" "$work/dist"
    archive=$(echo "$work"/dist/*.tar.gz)
fi
if [ ! -r "$archive" ]; then
    echo "dist: $archive cannot be read; give an archive that launch/dist.sh made, or nothing." >&2
    exit 66
fi
archive=$(readlink -f "$archive")
name=$(basename "$archive" .tar.gz)
place=$work/$name
tar -C "$work" -xzf "$archive"

check "digests" digests
check "libraries" libraries
check "pages of the manual" pages
if command -v man >/dev/null && man --version >/dev/null 2>&1 && command -v troff >/dev/null; then
    check "warnings of the pages" page_warnings
else
    not_run "warnings of the pages" "man or troff is not installed (apt-get install man-db groff-base)"
fi
for shell in bash zsh fish; do
    if command -v "$shell" >/dev/null; then
        check "completions for $shell" completions "$shell"
    else
        not_run "completions for $shell" "it is not installed"
    fi
done
bare_debian
counted
