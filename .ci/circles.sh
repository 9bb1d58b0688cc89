#!/usr/bin/env bash
# Refuses circles between the folders of a target: it must be possible to read, and to separate, one folder after another.
#   .ci/circles.sh [--references] [DIRECTORY OF TARGETS]
# For each target with a circle it prints one circle, with an example of each of its references, and then exits with 1.
# --references prints all references between folders, with an example of each. The default directory is Sources.
#
# A folder refers to another when one of its files names something that is declared there. The script sees:
#   - types (struct, class, enum, protocol, actor, typealias) outside of others, and functions and constants outside of types;
#   - types inside an extension, after the name of the extended type, as in Table.Row;
#   - members of an extension of another folder's or target's type, if a dot is before them and nothing else in this target or
#     in the file's imports has their name;
#   - all of these in the interpolations of a string.
# It does not see members that share a name or are used without a dot, nor which overload is meant. A type inside another
# belongs to the folder of the outer one. Comments and strings do not count, nor do a file's own private types, nor names that a
# file gives to its own types or generic parameters.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

# References that are allowed although they close a circle: target, folder, folder that it refers to. This is for a circle that
# is being removed; an entry that closes no circle any more is refused.
exceptions='
'
export CIRCLES_REFERENCES=
if [ "${1-}" = --references ]; then
    CIRCLES_REFERENCES=all
    shift
fi
sources=${1:-Sources}
[ -d "$sources" ] || {
    echo "circles: there is no directory $sources" >&2
    exit 1
}

# Prints the code of every file, one line "file<TAB>line number<TAB>text" each, without comments and without strings except for
# their interpolations.
strip() {
    awk '
        # State: the depth of comments, and a stack of strings; for each string its quotes, its number of # and the number of
        # open parentheses in its interpolation (-1 outside of one).
        FNR == 1 { comment = 0; top = 0 }
        {
            line = $0
            out = ""
            n = length(line)
            for (i = 1; i <= n;) {
                c = substr(line, i, 1)
                two = substr(line, i, 2)
                if (comment > 0) {
                    if (two == "/*") { comment++; i += 2 }
                    else if (two == "*/") { comment--; i += 2 }
                    else i++
                    continue
                }
                if (top > 0 && open[top] < 0) {
                    if (c == "\\" && substr(line, i + 1, hashes[top]) == marks(hashes[top])) {
                        i += 1 + hashes[top]
                        if (substr(line, i, 1) == "(") { open[top] = 0; out = out " ( " }
                        i++
                    } else if (substr(line, i, length(quote[top])) == quote[top] &&
                               substr(line, i + length(quote[top]), hashes[top]) == marks(hashes[top])) {
                        i += length(quote[top]) + hashes[top]
                        top--
                        out = out " \"\" "
                    } else i++
                    continue
                }
                if (two == "//") break
                if (two == "/*") { comment = 1; i += 2; continue }
                if (c == "\"" || (c == "#" && match(substr(line, i), /^#+"/))) {
                    top++
                    hashes[top] = c == "#" ? RLENGTH - 1 : 0
                    i += hashes[top]
                    quote[top] = substr(line, i, 3) == "\"\"\"" ? "\"\"\"" : "\""
                    # Two quotes are an empty string.
                    i += length(quote[top])
                    open[top] = -1
                    continue
                }
                if (top > 0) {
                    if (c == "(") open[top]++
                    if (c == ")" && open[top]-- == 0) { out = out " ) "; i++; continue }
                }
                out = out c
                i++
            }
            if (top > 0 && quote[top] == "\"" && open[top] < 0) top--
            print FILENAME "\t" FNR "\t" out
        }
        function marks(count,   text) {
            text = ""
            while (count-- > 0) text = text "#"
            return text
        }' "$@"
}

# Reads the output of `strip` twice: first to find what is declared where, then who names it. Prints the circles of all targets.
judge() {
    awk -F '\t' -v root="$1" -v exceptions="$exceptions" '
        FNR == 1 { pass++; file = "" }
        {
            if ($1 != file) begin($1)
            if (isolated) next
            count = split_code($3)
            for (w = 1; w <= count; w++) {
                word = words[w]
                following = w < count ? words[w + 1] : ""
                if (pass == 1) note(); else find()
                follow()
                before = last
                last = word
            }
        }

        function begin(name,   path) {
            file = name
            path = substr(file, length(root) + 2)
            target = path
            sub(/\/.*/, "", target)
            folder = path
            isolated = !sub(/\/[^\/]*$/, "", folder)
            sub(/^[^\/]*\/?/, "", folder)
            if (folder == "") folder = "."
            targets[target]
            depth = 0
            pending = body[0] = last = before = ""
            hidden = 0
        }
        # Splits code into words and single signs.
        function split_code(text,   count, word) {
            count = 0
            while (text != "") {
                if (match(text, /^[A-Za-z_][A-Za-z0-9_]*/) || match(text, /^[0-9][A-Za-z0-9_.]*/)) {
                    word = substr(text, 1, RLENGTH)
                } else {
                    word = substr(text, 1, 1)
                }
                text = substr(text, length(word) + 1)
                if (word !~ /^[ \t`]$/) words[++count] = word
            }
            return count
        }
        # Keeps track of what the braces enclose: a type, an extension with the name of its type, or code.
        function follow() {
            if (is_kind(last) && is_name(word) && !is_class_member()) pending = "type"
            else if (last == "extension" && is_name(word)) pending = "of " word
            if (word == "{") {
                body[++depth] = pending == "" ? "code" : pending
                pending = ""
            } else if (word == "}" && depth > 0) depth--
            if (word == "private" || word == "fileprivate") hidden = 1
            else if (word ~ /^[{}=:]$/ || word == "(" && last != "private") hidden = 0
        }
        function is_kind(word) { return word ~ /^(struct|class|enum|protocol|actor|typealias)$/ }
        function is_name(word) { return word ~ /^[A-Za-z_]/ }
        function is_class_member() { return last == "class" && word ~ /^(func|var|let|subscript|override)$/ }
        function extended() { return body[depth] ~ /^of / ? substr(body[depth], 4) : "" }

        # Records that this folder declares a name; a name that two folders declare is not used.
        function declare(what) {
            if (!(what in home)) home[what] = folder
            else if (home[what] != folder) home[what] = ""
        }
        function note() {
            if (last == "import") imports[file, word]
            if (is_kind(last) && is_name(word) && !is_class_member()) {
                own[file, word]
                if (hidden) return
                if (depth == 0) declare(target " type " word)
                else if (extended() != "") declare(target " inner " extended() "." word)
            } else if (last == "associatedtype" || ((last == "<" || last == ",") && word ~ /^[A-Z]/ && following ~ /^[:>,]$/ &&
                $3 ~ /(func|init|struct|class|enum|typealias|subscript)[^A-Za-z].*</)) {
                # The name hides the types with that name.
                own[file, word]
            } else if (last ~ /^(func|var|let|case)$/ && is_name(word)) {
                if (depth == 0 && !hidden && last != "case") declare(target " free " word)
                if (depth > 0 && body[depth] != "code") {
                    place = target " " folder " " (hidden ? "" : extended())
                    if (!((word, place) in placed)) member[word] = member[word] "\t" place
                    placed[word, place]
                }
            }
        }
        function refer(to, name) {
            if (to == "" || to == folder || (target, folder, to) in example) return
            example[target, folder, to] = file ":" $2 " names " name
            edges[target, folder] = edges[target, folder] "\t" to
            folders[target] = folders[target] "\t" folder "\t" to
        }
        # The only place visible to this file that declares a member with that name, if it is in this target.
        function place_of_member(   places, count, k, part, found) {
            count = split(substr(member[word], 2), places, "\t")
            for (k = 1; k <= count; k++) {
                split(places[k], part, " ")
                if (part[1] != target && !((file, part[1]) in imports)) continue
                if (found != "" || part[1] != target) return ""
                found = places[k]
            }
            return found
        }
        function find(   inner, part) {
            if (!is_name(word) || is_kind(last) && !is_class_member() || last ~ /^(func|var|let|case|associatedtype)$/) return
            if (last == ".") {
                inner = target " inner " before "." word
                if (inner in home) refer(home[inner], before "." word)
                else if (before == target) refer(home[target " type " word], word)
                else if (word in member && split(place_of_member(), part, " ") == 3 && home[target " type " part[3]] != part[2])
                    refer(part[2], "." word)
            } else if (!((file, word) in own)) {
                if ((target " type " word) in home) refer(home[target " type " word], word)
                else if (following ~ /^[({]$/ && (target " free " word) in home && !(word in member))
                    refer(home[target " free " word], word)
            }
        }

        # Follows the references from a folder; prints the first circle that it closes and returns 1.
        function visit(at,   list, count, k, to, p, next_one) {
            state[at] = 1
            path[++steps] = at
            count = split(substr(edges[target, at], 2), list, "\t")
            for (k = 1; k <= count; k++) {
                to = list[k]
                if ((target, at, to) in allowed) continue
                if (state[to] == 1) {
                    for (p = steps; path[p] != to; p--) {}
                    print "circles: " target
                    for (; p <= steps; p++) {
                        next_one = p < steps ? path[p + 1] : to
                        print "    " path[p] " -> " next_one "    " example[target, path[p], next_one]
                    }
                    return 1
                }
                if (state[to] == 0 && visit(to)) return 1
            }
            state[at] = 2
            steps--
            return 0
        }
        # Whether references lead from a folder to another.
        function leads(from, to,   list, count, k) {
            if (from == to) return 1
            if (from in reached) return 0
            reached[from]
            count = split(substr(edges[target, from], 2), list, "\t")
            for (k = 1; k <= count; k++) if (leads(list[k], to)) return 1
            return 0
        }
        END {
            failed = 0
            total = split(exceptions, list, "\n")
            for (e = 1; e <= total; e++) {
                if (split(list[e], part, " ") != 3) continue
                target = part[1]
                allowed[target, part[2], part[3]]
                split("", reached)
                if ((target, part[2], part[3]) in example && leads(part[3], part[2])) continue
                print "circles: " target ": " part[2] " -> " part[3] " closes no circle; remove the exception"
                failed = 1
            }
            count = 0
            for (target in targets) {
                count++
                split("", state)
                steps = 0
                total = split(substr(folders[target], 2), list, "\t")
                for (k = 1; k <= total; k++) if (state[list[k]] == 0 && visit(list[k])) { failed = 1; break }
            }
            if (ENVIRON["CIRCLES_REFERENCES"] != "") for (e in example) {
                split(e, part, SUBSEP)
                print "circles: " part[1] ": " part[2] " -> " part[3] "    " example[e]
            }
            if (!failed) print "circles: none between the folders of " count " targets"
            exit failed
        }' "$2" "$2"
}

sources=${sources%/}
mapfile -t files < <(find "$sources" -name '*.swift' | sort)
if [ "${#files[@]}" -eq 0 ]; then
    echo "circles: $sources has no Swift files" >&2
    exit 1
fi
code=$(mktemp)
trap 'rm -f "$code"' EXIT
strip "${files[@]}" >"$code"
judge "$sources" "$code"
