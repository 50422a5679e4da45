#!/usr/bin/env bash
# Runs `cargo test` with these arguments, in which $CARGO names another cargo. Up to $ONCE_MORE (3) failed tests run once more, alone:
# on a machine that others share, a test that waits for a clock can miss it. What fails twice fails, and what passes then is named.
# The names of both go into the file $UNSTEADY_TESTS, too: ten thousand lines of other tests can stand behind them.
#   once_more.sh CARGO_ARGUMENTS -- TEST_ARGUMENTS
set -u -o pipefail
log=$(mktemp)
trap 'rm -f "$log"' EXIT
named=${UNSTEADY_TESTS:-/dev/null}

read -ra program <<<"${CARGO:-cargo}"
cargo=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do cargo+=("$1"); shift; done
[ $# -gt 0 ] && shift

# The last "failures:" before a program's result lists names alone.
failed() {
  awk '
/^failures:$/ { listed = ""; next }
/^test result: FAILED/ { printf "%s", listed; listed = "" }
/^    [^ ]/ { listed = listed substr($0, 5) "\n" }' "$log" | sort -u
}

# A program that was aborted, or was never built, lists no names.
ended_badly() {
  { failed; grep '^error' "$log" | head -n 20; } | sed 's/^/FAILED: /' | tee -a "$named"
  exit 101
}

"${program[@]}" test "${cargo[@]}" --no-fail-fast -- "$@" 2>&1 | tee "$log" && exit 0

names=$(failed)
count=$(printf '%s' "$names" | grep -c '' || true)
# Only failures that are all named are worth a second run.
programs=$(grep -c '^error: test failed, to rerun pass' "$log")
results=$(grep -c '^test result: FAILED' "$log")
if [ "$count" -eq 0 ] || [ "$count" -gt "${ONCE_MORE:-3}" ] || [ "$programs" -ne "$results" ] || [ "$results" -eq 0 ]; then
  ended_badly
fi
echo "once more, alone: $(echo "$names" | paste -sd ' ')"
mapfile -t again <<<"$names"
"${program[@]}" test "${cargo[@]}" --no-fail-fast -- --exact --test-threads=1 "${again[@]}" 2>&1 | tee "$log" || ended_badly
echo "$names" | sed 's/^/passed only when run once more, alone: /' | tee -a "$named"
