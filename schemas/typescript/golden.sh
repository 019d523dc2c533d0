#!/bin/sh
# golden.sh PROGRAM [--update]: holds what it writes of golden/good to golden.ts; --update writes golden.ts.
set -eu
program=$(realpath "$1")
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$program" "$work/golden.ts"
[ "${2-}" != --update ] || cp "$work/golden.ts" golden.ts
diff -u golden.ts "$work/golden.ts" >&2 || {
        echo "typescript: golden/good gives something else; if that is meant: golden.sh PROGRAM --update" >&2
        exit 1
}
