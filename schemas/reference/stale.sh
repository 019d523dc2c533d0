#!/bin/sh
# stale.sh ASSIST_REFERENCE DIR: fails where DIR is not what the schemas say now.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" "$work"
diff -ru "$2" "$work" >&2 || {
        echo "$2 is stale: run \`ninja reference\` and commit it" >&2
        exit 1
}
