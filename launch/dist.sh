#!/usr/bin/env bash
# Makes an archive that runs on nodes without Swift: the program with Swift's runtime in it, the libraries that it needs but MPI and
# the C and C++ libraries of the system, the job scripts, the documents, a man page and completions for shells.
#   launch/dist.sh [DIRECTORY FOR THE ARCHIVE]
# The archive is DIRECTORY/unolora-dist-VERSION-linux-PROCESSOR-MPI.tar.gz, without DIRECTORY in dist/ of the project; SHA256SUMS
# beside it has its digest. It needs the MPI library for which it was built (UNOLORA_MPI_LIBRARY) and a glibc as new as this
# machine's: build it on the oldest system on which it is to run. docs/running-on-slurm.md says how to install it without root.
set -euo pipefail

project=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
mpi=${UNOLORA_MPI_LIBRARY:-openmpi}
[ "$mpi" != ompi-c ] || mpi=openmpi
# Swift's runtime is linked in another way than in .build, so everything is compiled for itself.
scratch=$project/.build-dist
[ "$mpi" = openmpi ] || scratch=$scratch-$mpi
target=${1:-$project/dist}

fail() {
    printf 'dist: %s\n' "$1" >&2
    exit 1
}

"$project/launch/setup.sh"
export SWIFT_DETERMINISTIC_HASHING=1
echo "dist: building (4 to 8 minutes the first time)"
# With RPATH and not RUNPATH the libraries in lib/ also find each other there.
# shellcheck disable=SC2016 # the loader replaces $ORIGIN
swift build --package-path "$project" --scratch-path "$scratch" -c release --product unolora-dist --static-swift-stdlib \
    -Xlinker --disable-new-dtags -Xlinker -rpath -Xlinker '$ORIGIN/../lib' </dev/null || fail "the build failed, see above."
program=$scratch/release/unolora-dist
version=$("$program" --version)
name=unolora-dist-$version-linux-$(uname -m)-$mpi

echo "dist: the man page, by the tool of the argument parser's package"
parser=$scratch/checkouts/swift-argument-parser
swift build --package-path "$parser" --scratch-path "$scratch/manual" -c release --product generate-manual </dev/null >"$scratch/manual.log" 2>&1 ||
    fail "generate-manual of the package swift-argument-parser was not built: $scratch/manual.log says why."

work=$(mktemp -d "$scratch/archive.XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/$name
mkdir -p "$root"/{bin,lib/licenses,share/man/man1,share/completions}
strip --strip-debug -o "$root/bin/unolora-dist" "$program"

# The libraries that the program names and those behind them. MPI's are the cluster's own, and those of the C and C++ compilers are
# on every system.
needed() { objdump -p "$1" | awk '$1 == "NEEDED" { print $2 }'; }
libraries=()
pending=("$program")
while [ ${#pending[@]} -gt 0 ]; do
    file=${pending[0]}
    pending=("${pending[@]:1}")
    for soname in $(needed "$file"); do
        case $soname in
        libmpi*.so.* | ld-linux* | libc.so.* | libm.so.* | libpthread.so.* | libdl.so.* | librt.so.* | libutil.so.* | libgcc_s.so.* | libstdc++.so.*) continue ;;
        esac
        path=$(ldd "$program" | awk -v name="$soname" '$1 == name { print $3 }')
        [ -n "$path" ] || fail "$soname, which $file needs, is not found; load the modules with which the program was built."
        [[ " ${libraries[*]} " != *" $path "* ]] || continue
        libraries+=("$path")
        pending+=("$path")
    done
done
for library in "${libraries[@]}"; do
    cp -L "$library" "$root/lib/$(basename "$library")"
    # Debian says under which licence a library is in the documentation of its package.
    package=$(dpkg-query -S "*/$(basename "$(readlink -f "$library")")" 2>/dev/null | head -n 1 | cut -d: -f1 || true)
    if [ -n "$package" ] && [ -r "/usr/share/doc/$package/copyright" ]; then
        cp -L "/usr/share/doc/$package/copyright" "$root/lib/licenses/$package"
    else
        echo "dist: no licence found for $library; add it to lib/licenses before you give the archive to others" >&2
    fi
done

cp "$project"/{README.md,CHANGELOG.md,LICENSE} "$root"
# doctor and the records of runs name it. It is unknown without git, and where something is not committed.
if [ "$(git -C "$project" rev-parse --show-toplevel 2>/dev/null)" = "$project" ] && git -C "$project" diff --quiet HEAD; then
    git -C "$project" rev-parse HEAD >"$root/commit.txt"
fi
cp -r "$project"/{launch,cluster,docs} "$root"
"$scratch/manual/release/generate-manual" "$root/bin/unolora-dist" --multi-page --output-directory "$root/share/man/man1" >/dev/null
# An empty line is no paragraph in this language, and man complains of it.
sed -i 's/^$/.Pp/' "$root"/share/man/man1/*.1
for shell in bash zsh fish; do
    "$root/bin/unolora-dist" --generate-completion-script "$shell" >"$root/share/completions/unolora-dist.$shell"
done
(cd "$root" && find . -type f ! -name SHA256SUMS -print0 | sort -z | xargs -0 sha256sum >SHA256SUMS)

mkdir -p "$target"
date=$(git -C "$project" log -1 --format=%ct 2>/dev/null || date +%s)
tar --sort=name --mtime="@$date" --owner=0 --group=0 --numeric-owner -C "$work" -cf - "$name" | gzip -n >"$target/$name.tar.gz.part"
mv "$target/$name.tar.gz.part" "$target/$name.tar.gz"
(cd "$target" && sha256sum "$name.tar.gz" >SHA256SUMS)
echo "dist: $target/$name.tar.gz ($(du -h "$target/$name.tar.gz" | cut -f1))"
