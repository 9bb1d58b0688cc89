#!/usr/bin/env bash
# Fuzzes the parsers of foreign bytes with libFuzzer and the address sanitizer (docs/fuzzing.md).
#   fuzz/run.sh [PARSER...] [--runs N]    default: all parsers, a million runs each
# Ends at the first finding with exit code 1 and the path of the input that causes it.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

scratch=.build-fuzz
runs=1000000
parsers=()
while [ $# -gt 0 ]; do
    case $1 in
    --runs)
        runs=${2:?"--runs needs a number"}
        shift
        ;;
    -*) sed -n '2,4s/^# //p' fuzz/run.sh >&2 && exit 64 ;;
    *) parsers+=("$1") ;;
    esac
    shift
done

# Uses libFuzzer without its main, and only for compiling modules: with the compiler's own option its main would be linked too.
resources=$(swiftc -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
library=$resources/clang/lib/linux/libclang_rt.fuzzer_no_main-$(uname -m).a
[ -f "$library" ] || { echo "fuzz: this Swift has no libFuzzer ($library); install one that has" >&2 && exit 66; }
UNOLORA_FUZZING=1 swift build -c release --scratch-path "$scratch" --product unolora-fuzz --sanitize address \
    -Xswiftc -enable-testing -Xswiftc -Xfrontend -Xswiftc -sanitize=fuzzer -Xlinker "$library" -Xlinker -lstdc++

program=$scratch/release/unolora-fuzz
[ ${#parsers[@]} -gt 0 ] || mapfile -t parsers < <("$program")
# Swift's runtime keeps its one-time allocations for ever, so leaks are not searched for; unbounded memory is (below).
export ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=16

row='%-24s %12s %10s %8s %8s %9s\n'
# shellcheck disable=SC2059 # the format is above
table=$(printf "$row" parser executions exec/s coverage inputs 'peak MB')
for parser in "${parsers[@]}"; do
    [ -d "fuzz/corpus/$parser" ] || { echo "fuzz: there is no parser $parser; they are: $("$program" | paste -sd' ')" >&2 && exit 64; }
    found=$scratch/corpus/$parser
    log=$scratch/$parser.log
    mkdir -p "$found" "$scratch/findings"
    dictionary=()
    [ -f "fuzz/dictionaries/$parser.dict" ] && dictionary=("-dict=fuzz/dictionaries/$parser.dict")
    echo "fuzz: $parser, $runs runs, log in $log"
    # One run of at most 4096 bytes may take 5 seconds, 1 GB of memory in total and 64 MB at once.
    if ! "$program" "$parser" -runs="$runs" -max_len=4096 -timeout=5 -rss_limit_mb=1024 -malloc_limit_mb=64 \
        -print_final_stats=1 -artifact_prefix="$scratch/findings/$parser-" "${dictionary[@]}" \
        "$found" "fuzz/corpus/$parser" >"$log" 2>&1; then
        grep -aE 'ERROR|Fatal error|a parser does not hold|Test unit written' "$log" >&2 || tail -n 20 "$log" >&2
        echo "fuzz: $parser: a finding; the input is named above, the whole report is in $log" >&2
        exit 1
    fi
    stat() { sed -n "s/^stat::$1: *//p" "$log"; }
    done=$(grep -aE '^#[0-9]+\s+DONE' "$log" | tail -n 1)
    # shellcheck disable=SC2059
    table+=$'\n'$(printf "$row" "$parser" "$(stat number_of_executed_units)" "$(stat average_exec_per_sec)" \
        "$(sed 's/.*cov: \([0-9]*\).*/\1/' <<<"$done")" "$(sed 's/.*corp: \([0-9]*\).*/\1/' <<<"$done")" \
        "$(stat peak_rss_mb)")
done
printf '%s\n' "$table"
