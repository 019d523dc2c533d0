#!/bin/bash
# run.sh [SECONDS] [NAME...]: builds the fuzzers with clang and runs each for so long (20), as many at once as there are cores, from the
# seeds in corpus/NAME. What it finds on the way stays in build-fuzz/found/NAME, what it said in build-fuzz/NAME.log, and a crash in
# build-fuzz/crash-NAME-...
set -euo pipefail
export seconds=${1-20}
[ $# -eq 0 ] || shift
cd "$(dirname "$0")/../.."
jobs=$(nproc)
CC=clang cmake -S . -B build-fuzz -G Ninja -DASSIST_FUZZ=ON -DASSIST_SANITIZE=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
ninja -C build-fuzz -j "$jobs" fuzz | tail -n 1

fuzz() {
        mkdir -p "build-fuzz/found/$1"
        if build-fuzz/fuzz/"$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=0 \
                -artifact_prefix="build-fuzz/crash-$1-" "build-fuzz/found/$1" "tests/fuzz/corpus/$1" >"build-fuzz/$1.log" 2>&1; then
                echo "fuzz: $1: $(sed -n 's/^stat::number_of_executed_units: *//p' "build-fuzz/$1.log") inputs in $seconds s"
        else
                tail -n 100 "build-fuzz/$1.log" >&2
                echo "fuzz: $1 failed" >&2
                return 1
        fi
}
export -f fuzz
# shellcheck disable=SC2046
[ $# -gt 0 ] || set -- $(ls build-fuzz/fuzz)
printf '%s\n' "$@" | xargs -P "$jobs" -I{} bash -c 'fuzz {}'
