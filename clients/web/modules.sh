#!/bin/sh
# modules.sh NODE NPM: what package-lock.json names, in node_modules here: once for all build folders, and again when it changes.
set -eu
cd "$(dirname "$0")"
PATH="$(dirname "$1"):$PATH"
exec 9>.lock
flock 9
if ! cmp -s package-lock.json node_modules/.installed; then
        "$2" ci --no-progress --loglevel=error >&2
        cp package-lock.json node_modules/.installed
fi
