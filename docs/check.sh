#!/usr/bin/env bash
# Checks the documents against the tree: every relative link leads to a file, every line `Code:` of docs/numerics names
# things that the linked file declares, and every target of Package.swift stands in docs/architecture.md.
# shellcheck disable=SC2016 # backquotes of Markdown are no expansions
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

problems=0
complain() {
    printf 'docs: %s\n' "$1" >&2
    problems=$((problems + 1))
}

documents=(README.md CHANGELOG.md docs/*.md docs/*/*.md)

for document in "${documents[@]}"; do
    while IFS=: read -r line link; do
        target=${link#*](}
        target=${target%)}
        target=${target%%#*}
        case $target in
        '' | http://* | https://* | mailto:*) continue ;;
        esac
        [ -e "$(dirname "$document")/$target" ] || complain "$document:$line: the link to $target leads nowhere"
    done < <(grep -noE '\]\([^) ]+\)' "$document" || true)
done

for document in docs/numerics/*.md; do
    [ "$(basename "$document")" = README.md ] && continue
    grep -q '^Code: ' "$document" || complain "$document: has no line that begins with Code:"
    while IFS=: read -r line text; do
        file=$(dirname "$document")/$(grep -oE '\]\([^)]+\)' <<<"$text" | tail -n 1 | tr -d '()' | sed 's/^\]//')
        [ -f "$file" ] || continue
        while read -r name; do
            grep -qE "(func|struct|class|enum|protocol|let|var|case) $name\b" "$file" ||
                complain "$document:$line: $file declares no $name"
        done < <(grep -oE '`[A-Za-z]+`' <<<"${text%%](*}" | tr -d '`')
    done < <(grep -n '^Code: ' "$document")
done

for target in Sources/*/; do
    target=$(basename "$target")
    grep -qw -- "$target" docs/architecture.md || complain "docs/architecture.md: does not name the target $target"
done

[ "$problems" -eq 0 ] || exit 1
echo "docs: ${#documents[@]} documents agree with the tree"
