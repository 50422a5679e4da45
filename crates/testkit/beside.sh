#!/usr/bin/env bash
# Runs one command in front and others behind it, one after another, with what the one in front leaves of the machine. What those
# behind print comes when each has ended. Ends with a line for each of what it took, and fails when one of them failed.
#   beside.sh FRONT BEHIND...      each is a command for the shell; $BEHIND_NICE (19) is how much those behind give way
set -u
begun=$SECONDS
folder=$(mktemp -d)
behind=
stopped() {
  trap - INT TERM
  # The whole group: what was started by those behind, too.
  [ -z "$behind" ] || kill -- "-$behind" 2>/dev/null
  rm -rf "$folder"
  exit 130
}
trap stopped INT TERM

took() { # STATUS SECONDS COMMAND
  local word=passed
  [ "$1" -eq 0 ] || word="FAILED ($1)"
  echo "$word after $2 s: $3" >> "$folder/took"
}

all_behind() {
  local command from status
  for command in "$@"; do
    from=$SECONDS
    nice -n "${BEHIND_NICE:-19}" bash -c "$command" > "$folder/printed" 2>&1
    status=$?
    cat "$folder/printed"
    took "$status" $((SECONDS - from)) "$command"
  done
}

front=$1
shift
set -m
all_behind "$@" &
behind=$!
set +m
bash -c "$front"
took $? $((SECONDS - begun)) "$front"
wait "$behind"
cat "$folder/took"
! grep -q '^FAILED' "$folder/took"
status=$?
rm -rf "$folder"
exit $status
