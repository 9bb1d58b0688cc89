#!/usr/bin/env bash
# Checks the documents against the tree. Every relative link must lead to a file. Every line `Code:` of docs/numerics must name
# things that the linked file declares. docs/architecture.md must name every target of Package.swift. Paths of the tree in
# documents and comments must exist, and so must the Swift files, types and keys of the configuration that documents name.
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

# Paths in documents, scripts and comments. Placeholders are written in capitals.
mapfile -t sources < <(find Sources Tests fuzz launch cluster Makefile -type f \
    \( -name '*.swift' -o -name '*.[ch]' -o -name '*.sh' -o -name '*.sbatch' -o -name '*.env' -o -name '*.def' -o -name Makefile \))
while IFS=: read -r file line path; do
    path=${path%"${path##*[!.\/]}"}
    [[ $path =~ [A-Z]{4} ]] && [ "$(basename "$path")" != README.md ] && continue
    compgen -G "$path" >/dev/null || complain "$file:$line: there is no $path"
done < <(grep -noE '(^|[ `("])(Sources|Tests|launch|cluster|docs|fuzz)/[A-Za-z0-9_./*+-]+' "${documents[@]}" "${sources[@]}" |
    sed -E 's/^([^:]+:[0-9]+:)[ `("]?/\1/')

# Names in backquotes in documents.
code=$(cat "${sources[@]}" Package.swift)
while IFS=: read -r file line name; do
    name=${name//\`/}
    case $name in
    *.swift) [ -e "$name" ] || [ -n "$(find Sources Tests fuzz -path "*/$name" -print -quit)" ] ;;
    *) grep -qw -- "$name" <<<"$code" ;;
    esac || complain "$file:$line: there is no $name"
done < <(grep -noE '`([A-Za-z0-9+/]+\.swift|[A-Z]+[a-z]+[A-Z][A-Za-z]+)`' "${documents[@]}")
while IFS=: read -r file line key; do
    key=${key//\`/}
    grep -qF "\"$key\"" Sources/Configuration/KeyTable.swift || complain "$file:$line: there is no key $key"
done < <(grep -noE '`(model|lora|hyper|hyperformer|data|eval|log|train|lr|optim|loss|checkpoint|parallel|sampler|batch)\.[a-z][A-Za-z]+`' \
    "${documents[@]}" | grep -vE '`(train|batch|log|data)\.(sbatch|yaml|jsonl|tsv|json)`|`model\.(safetensors|precision)`')

[ "$problems" -eq 0 ] || exit 1
echo "docs: ${#documents[@]} documents agree with the tree"
