#!/bin/bash
# Installs what is needed, builds, and runs every test. Options:
#   --quick      the tests of one ordinary build, without sanitizers, linters and fuzzers
#   --fuzz N     seconds for each fuzzer (20)
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/packages.sh

quick= fuzz=20
while [ $# -gt 0 ]; do
        case $1 in
        --quick) quick=yes ;;
        --fuzz) fuzz=$2; shift ;;
        *) echo "usage: scripts/test.sh [--quick] [--fuzz SECONDS]" >&2; exit 2 ;;
        esac
        shift
done

step() { printf '\n== %s\n' "$*"; }

# the randomized hostile client and the soak take a minute in the full run, 10 and 15 s else
[ -n "$quick" ] || export ASSIST_HOSTILE_S=${ASSIST_HOSTILE_S-60} ASSIST_SOAK_S=${ASSIST_SOAK_S-60}

step packages
install_packages $build_packages $test_packages
install_node
jobs=$(nproc)
slots=$((2 * jobs)) # of tests: most wait half of their time

step build
cmake -G Ninja -B build >/dev/null
ninja -C build -j "$jobs" | tail -n 1

step "tests"
ctest --test-dir build -j "$slots" --output-on-failure --no-tests=error

if [ -z "$quick" ]; then
        step "the same under AddressSanitizer, UndefinedBehaviorSanitizer and LeakSanitizer"
        cmake -G Ninja -B build-asan -DASSIST_SANITIZE=ON >/dev/null
        ninja -C build-asan -j "$jobs" | tail -n 1
        ctest --test-dir build-asan -j "$slots" --output-on-failure --no-tests=error

        step "linters"
        scripts/lint.sh

        step "fuzzers, $fuzz s each"
        tests/fuzz/run.sh "$fuzz"
fi

step "all passed"
