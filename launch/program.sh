# Sets `program` to the executable of the project in `project`: the one that UNOLORA_PROGRAM names, that of an archive
# (launch/dist.sh), or the one that was built here. local.sh and the job scripts source it.
# shellcheck shell=bash disable=SC2154,SC2034 # the script that sources it sets `project` and uses `program`

program=${UNOLORA_PROGRAM:-}
if [ -z "$program" ]; then
    program=$project/bin/unolora-dist
    [ -x "$program" ] || program=$project/.build/release/unolora-dist
fi
