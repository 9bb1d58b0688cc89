# Counting checks, for test-builds.sh and test-dist.sh, which source this with `checks` naming them in each line.
# shellcheck shell=bash disable=SC2034,SC2154
passed=0
failed=0
keep= # set once something failed, so that logs can be kept

say() {
    printf '%s: %s\n' "$checks" "$1"
}

# check WHAT COMMAND...: runs the command and counts its result.
check() {
    if "${@:2}"; then
        passed=$((passed + 1))
        say "$1: passed"
    else
        failed=$((failed + 1))
        keep=yes
        say "$1: FAILED${work:+; see $work}"
    fi
}

# not_run WHAT WHY: with CI=true this counts as a failure.
not_run() {
    say "NOT RUN: $1: $2"
    [ "${CI:-}" != true ] || failed=$((failed + 1))
}

# Prints the closing line; its status is whether nothing failed.
counted() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}
