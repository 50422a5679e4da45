#!/usr/bin/env bash
# Runs a command once for each of the words behind it, all of them whatever fails, and ends with a line that says how long each took.
#   each.sh COMMAND WORD...        fails when one of them failed
set -u
took=
status=0
for word in "${@:2}"; do
  begun=$SECONDS
  if bash -c "$1 $word"; then said=; else said=" (FAILED)"; status=1; fi
  took="$took, $word $((SECONDS - begun)) s$said"
done
echo "${took#, }"
exit $status
