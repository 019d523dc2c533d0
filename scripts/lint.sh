#!/bin/bash
# cppcheck and clang-tidy over the project's own sources; .clang-tidy says which checks.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
[ -f "$build/compile_commands.json" ] || cmake -G Ninja -B "$build" >/dev/null

# the benchmark ends by fail(), which cppcheck does not know never to return; POSIX has NULL as a pointer, also behind ... (varFuncNullUB)
mapfile -t sources < <(git ls-files '*.c' | grep -v -e '^schemas/golden/' -e '^tests/fuzz/')
cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,portability -j "$(nproc)" \
        --suppress=missingIncludeSystem --suppress='memleak:*_test.*' --suppress='memleakOnRealloc:*_test.c' --suppress='memleak:*_room.h' --suppress=varFuncNullUB --suppress='nullPointerRedundantCheck:tests/bench/*' --suppress='nullPointerArithmeticRedundantCheck:tests/bench/*' --suppress='uninitvar:tests/bench/*' \
        --suppress=unknownMacro -I . -I libcommon -I clients/lib -I clients/web -I "$build/generated" "${sources[@]}"
echo "cppcheck: clean"
printf '%s\n' "${sources[@]}" | grep -v '_test\.c$' | xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p "$build" 2>/dev/null
echo "clang-tidy: clean"
