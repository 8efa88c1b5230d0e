#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: the demonstration runs to its end with the real programs, with few conversations: two versions are shown and
# picked, a summary with hidden cells comes out of a tally of six circles, and it was audited; the host has seen no
# word of it; no process that holds keys stays behind (V6).
# Seen to catch: a demo that leaves its owners running, a release without an audit.
set -u
. tests/support/check.sh
out="$TMPDIR/demo"
slb() { "$BUILD/sleutelbos" --home "$out/$1" --passphrase-file "$out/$1.passphrase" --json "$2" >"$TMPDIR/json" 2>"$TMPDIR/.check"; }

SLB_DEMO_CONVERSATIONS=20 scripts/demo "$out" >"$TMPDIR/said" 2>"$TMPDIR/.check"
status=$?
check 'the demonstration ends well' test "$status" -eq 0
says() { # WORDS NAME
	if grep -qF -e "$1" "$TMPDIR/said"; then
		echo "ok $2"
	else
		not_ok "$2" "$TMPDIR/said"
	fi
}
says '120 conversations' 'it logs as many conversations as it was asked to'
says 'Choose with: versions pick' 'the two versions of a referral are shown'
says 'equal again' 'and the devices are equal after a pick'
says '6 circles are in' 'six circles take part in the tally'
says 'counted over 5-9 circles' 'the summary is printed'
says ' ·' 'with hidden cells'
says 'branches with random names' "the host's view is printed"
says 'Go on by hand' 'it says how to go on'

# Owners are told by the folder of the home on their command line, or by the socket in it.
left=0
for process in /proc/[0-9]*; do
	if { tr "\\0" " " <"$process/cmdline"; } 2>/dev/null | grep -qF "$out/"; then
		left=$((left + 1))
	fi
done
check 'no process of it stays behind' test "$left" -eq 0

slb coordinator summary
check 'the summary as a document' test "$?" -eq 0
check 'audit A passed' test "$(jq -r .audit.A "$TMPDIR/json")" = passed
check 'no audit failed' test "$(jq -r '[.audit[] | select(. == "failed")] | length' "$TMPDIR/json")" = 0
check 'some cells are hidden, and have no count' \
	test "$(jq '[.tables[].cells[] | select(.hidden)] | (length > 0) and all(.count == null)' "$TMPDIR/json")" = true
check 'others are shown' test "$(jq '[.tables[].cells[] | select(.hidden | not)] | (length > 0) and all(.count != null)' "$TMPDIR/json")" = true

grep -rqaF -e Demoland -e 'Circle 1' -e 'about geld' -e 'figure-1' -e 'Service for' "$out/host.git"
check 'no word of it stands at the host' test "$?" -eq 1
check 'what stands there is a repository' test "$(git -C "$out/host.git" for-each-ref | wc -l)" -gt 10

finish
