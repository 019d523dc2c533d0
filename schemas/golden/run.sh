#!/bin/sh
# shellcheck disable=SC2035,SC2086
# run.sh COMPILER [--update]: holds the schema compiler to what is written down here.
#
#   good/*.schema   compiled together, must give exactly the other files of good/
#   bad/X.schema    alone, must fail with exactly the message in bad/X.message; a folder bad/X/ is compiled as a whole
#
# --update writes what the compiler says now into good/ and bad/; read the difference before you commit it.
set -eu
compiler=$(realpath "$1")
update=${2-}
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() {
        echo "golden: $1" >&2
        failed=1
}

mkdir "$work/good"
(cd good && "$compiler" "$work/good" *.schema) || fail "good/ does not compile"
if [ "$update" = --update ]; then
        rm -f good/*.h good/*.c
        cp "$work"/good/* good/
fi
cp good/*.schema "$work/good/"
diff -ru good "$work/good" >&2 || fail "good/ compiles to something else; if that is meant: run.sh COMPILER --update"

n=0
for case in bad/*.schema bad/*/; do
        name=$(basename "$case" .schema)
        case $case in
        */) where=$case files='*.schema' ;;
        *) where=bad files=$name.schema ;;
        esac
        mkdir "$work/$name"
        if (cd "$where" && "$compiler" "$work/$name" $files) 2>"$work/$name.message"; then
                fail "$case compiles, but must not"
        fi
        [ -z "$(ls "$work/$name")" ] || fail "$case left files behind"
        [ "$update" != --update ] || cp "$work/$name.message" "bad/$name.message"
        diff -u "bad/$name.message" "$work/$name.message" >&2 || fail "$case fails with another message"
        n=$((n + 1))
done
for message in bad/*.message; do
        name=${message%.message}
        [ -e "$name.schema" ] || [ -d "$name" ] || fail "$message belongs to no schema"
done
[ "$n" -ge 100 ] || fail "only $n bad schemas were found"
[ "$failed" -eq 0 ] && echo "golden: good/ and $n bad schemas are as written"
exit "$failed"
