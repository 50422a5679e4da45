#!/bin/sh
# One line of a list of skips (src/skipped.rs): "skipped: N tests: <tests>: <why>; …", or "nothing was skipped".
# Tests with the same reason stand together, in the order in which the reasons came; a test that said several is counted once.
[ -s "$1" ] || { echo "nothing was skipped"; exit 0; }
awk '
{
	line = $0
	sub(/^skipped: /, "", line)
	cut = index(line, ": ")
	what = cut ? substr(line, 1, cut - 1) : line
	why = cut ? substr(line, cut + 2) : "no reason said"
	# What of a test is missing stands in its own line, not in this one.
	sub(/ \(.*\)$/, "", what)
	if (!(what in tests)) { tests[what]; count++ }
	if (!(why in whats)) order[++reasons] = why
	if (!((why, what) in said)) { said[why, what]; whats[why] = whats[why] (whats[why] == "" ? "" : ", ") what }
}
END {
	text = "skipped: " count (count == 1 ? " test: " : " tests: ")
	for (i = 1; i <= reasons; i++) text = text (i == 1 ? "" : "; ") whats[order[i]] ": " order[i]
	print text
}' "$1"
