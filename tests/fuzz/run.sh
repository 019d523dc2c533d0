#!/bin/sh
# run.sh [SECONDS] [NAME...]: builds the fuzzers with clang and runs each for so long (20), from the seeds in corpus/NAME.
# What it finds on the way stays in build-fuzz/found/NAME, and a crash in build-fuzz/crash-NAME-...
set -eu
seconds=${1-20}
[ $# -eq 0 ] || shift
cd "$(dirname "$0")/../.."
CC=clang cmake -S . -B build-fuzz -G Ninja -DASSIST_FUZZ=ON -DASSIST_SANITIZE=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
ninja -C build-fuzz -j2 fuzz
# shellcheck disable=SC2046
[ $# -gt 0 ] || set -- $(ls build-fuzz/fuzz)
failed=
for name; do
        mkdir -p "build-fuzz/found/$name"
        echo "fuzz: $name for $seconds s"
        build-fuzz/fuzz/"$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=0 \
                -artifact_prefix="build-fuzz/crash-$name-" "build-fuzz/found/$name" "tests/fuzz/corpus/$name" || failed="$failed $name"
done
[ -z "$failed" ] || { echo "fuzz: failed:$failed" >&2; exit 1; }
