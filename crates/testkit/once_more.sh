#!/usr/bin/env bash
# Runs `cargo test` with these arguments, in which $CARGO names another cargo. Up to $ONCE_MORE (3) failed tests run once more, alone:
# on a machine that others share, a test that waits for a clock can miss it. What fails twice fails, and what passes then is named.
#   once_more.sh CARGO_ARGUMENTS -- TEST_ARGUMENTS
set -u -o pipefail
log=$(mktemp)
trap 'rm -f "$log"' EXIT

read -ra program <<<"${CARGO:-cargo}"
cargo=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do cargo+=("$1"); shift; done
[ $# -gt 0 ] && shift

"${program[@]}" test "${cargo[@]}" --no-fail-fast -- "$@" 2>&1 | tee "$log" && exit 0

# The last "failures:" before a program's result lists names alone.
names=$(awk '
/^failures:$/ { listed = ""; next }
/^test result: FAILED/ { printf "%s", listed; listed = "" }
/^    [^ ]/ { listed = listed substr($0, 5) "\n" }' "$log" | sort -u)
count=$(printf '%s' "$names" | grep -c '' || true)
# A program that was aborted, or was never built, lists nothing: only failures that are all named are worth a second run.
programs=$(grep -c '^error: test failed, to rerun pass' "$log")
results=$(grep -c '^test result: FAILED' "$log")
if [ "$count" -eq 0 ] || [ "$count" -gt "${ONCE_MORE:-3}" ] || [ "$programs" -ne "$results" ] || [ "$results" -eq 0 ]; then
  exit 101
fi
echo "once more, alone: $(echo "$names" | paste -sd ' ')"
mapfile -t again <<<"$names"
"${program[@]}" test "${cargo[@]}" -- --exact --test-threads=1 "${again[@]}" || exit 101
echo "$names" | sed 's/^/passed only when run once more, alone: /' | tee -a "${UNSTEADY_TESTS:-/dev/null}"
