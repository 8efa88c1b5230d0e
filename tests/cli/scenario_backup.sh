#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: backup, restore and wipe as people type them: with and without an owner the same; nothing is called done that is
# not, nothing is written over, nothing that is only here goes without a word (V4, V6, S7); a backup of the first format
# opens for ever.
# Seen to fail: with a backup that replaces a file; with a wrong passphrase that leaves a folder; with a wipe that does
# not count what was never sent; with a restored home that joins.
set -u
. tests/support/check.sh
slb="$BUILD/sleutelbos"
work="$TMPDIR/work"
mkdir "$work" "$work/owner" "$work/direct"
echo 'een lang wachtzinnetje van woorden' >"$TMPDIR/pw"
echo 'een ander wachtzinnetje' >"$TMPDIR/wrong"
unset SLEUTELBOS_HOME XDG_DATA_HOME
trap 'for h in a b; do "$slb" --home "$TMPDIR/$h" --quiet lock >/dev/null 2>&1; done' EXIT
pw=$TMPDIR/pw from=$work

# as HOME COMMAND...: from the folder $from, with the passphrase in $pw at hand.
as()
{
	as_home=$1
	shift
	(cd "$from" && exec "$slb" --home "$TMPDIR/$as_home" --lang en --passphrase-file "$pw" "$@" </dev/null)
}

# is NAME WANT FILTER HOME COMMAND...: what the command's one document says.
is()
{
	is_name=$1 is_want=$2 is_filter=$3
	shift 3
	as_home_json=$1
	shift
	as "$as_home_json" --json "$@" >"$TMPDIR/json" 2>"$TMPDIR/.check"
	is_status=$?
	is_got=$(jq -s -r "if length == 1 then .[0] else error(\"not one document\") end | $is_filter" "$TMPDIR/json" 2>&1)
	if [ "$is_status" -eq 0 ] && [ "$is_got" = "$is_want" ]; then
		echo "ok $is_name"
	else
		echo "got $is_got, want $is_want, status $is_status" >>"$TMPDIR/.check"
		not_ok "$is_name" "$TMPDIR/.check"
	fi
}

state() { (cd "$1" && find . -type f ! -path './owner/*' -exec sha256sum {} + | sort); }
says() { as "$1" contact list | grep -q "$2"; }

# --- backup, without an owner and with one ---
as a init --name Noor >/dev/null
as a contact add --text 'het eerste gesprek' >/dev/null
as a contact add --text 'het tweede gesprek' >/dev/null
is 'a backup says what is in it' '2 true true' \
	'"\(.contacts) \(.edits >= 4) \(.at | test("^20[0-9-]+T[0-9:]+Z$"))"' a backup one
is 'and how large it is' "$(stat -c %s "$work/one")" .bytes a backup size
check 'nobody else may read it' test "$(stat -c %a "$work/one")" = 600
check_status 8 'a file that is there is not written over' as a backup one
check_says 'exists already' 'and that is said'
check_status 2 'a backup cannot go to a pipe' as a backup -
from=$work/direct
as a backup same >"$TMPDIR/out.direct" 2>"$TMPDIR/err.direct"
as a backup same >/dev/null 2>"$TMPDIR/err.direct"
status_direct=$?
from=$work/owner
as a unlock --minutes 10 >/dev/null
as a backup same >"$TMPDIR/out.owner" 2>"$TMPDIR/err.owner"
check 'an owner makes one too, in the folder of the caller' test -s "$work/owner/same"
as a backup same >/dev/null 2>"$TMPDIR/err.owner"
status_owner=$?
check 'and says the same' cmp "$TMPDIR/out.direct" "$TMPDIR/out.owner"
check 'also when it refuses' cmp "$TMPDIR/err.direct" "$TMPDIR/err.owner"
check 'with the same status' test "$status_direct $status_owner" = '8 8'
check 'its file is as private' test "$(stat -c %a "$work/owner/same")" = 600
from=$work
pw=$TMPDIR/wrong
check_status 3 'an open home asks again before it makes one' as a backup never
check 'and makes none without the passphrase' test ! -e "$work/never"
pw=$TMPDIR/pw
check 'nothing of it stays in the home' sh -c "! ls '$TMPDIR/a' | grep -q part"
as a lock >/dev/null
printf 'contact add --text "het derde gesprek"\nbackup three\n' >"$work/lines"
check 'it is a line of run' as a run lines
as a unlock --minutes 10 >/dev/null
printf 'restore three\n' >"$work/lines"
check_status 2 'restore is not' as a run lines
printf 'wipe --yes --unsent-too\n' >"$work/lines"
check_status 2 'nor is wipe' as a run lines
check 'the home goes on' as a contact add --text 'na de reservekopie'

# --- restore ---
is 'a backup comes back' '2 true' '"\(.contacts) \(.restored)"' b restore one
as b unlock --minutes 10 >/dev/null
check 'everything can be read' says b 'het tweede gesprek'
check 'one goes on writing at once' as b contact add --text 'hier verder'
is 'and finds what was there' 'true' '[.[].snippet] | join(" ") | test("tweede")' b search tweede
is 'it says of itself that it was restored' 'true true' '"\(.restored) \(.unsent > 0)"' b status
check_status 6 'it does not sync' as b sync
check_says 'restored from a backup' 'and says why and what to do'
check_status 6 'nor invite' as b invite
check_status 6 'nor join' as b join --request --remote "$work/host.git"
check_status 6 'nor found' as b circle found Plein
check 'it is whole' as b verify
as b lock >/dev/null
is 'one that an owner made comes back' 2 .contacts owned restore owner/same
before=$(state "$TMPDIR/b")
check_status 8 'a home is not written over' as b restore three
check 'and stays as it was' test "$before" = "$(state "$TMPDIR/b")"
check_status 4 'a file that is not there' as c restore nowhere
pw=$TMPDIR/wrong
check_status 3 'a wrong passphrase' as c restore one
check_says 'of the day' 'is told that it is the one of that day'
pw=$TMPDIR/pw
head -c 100000 "$work/one" >"$work/short"
check_status 7 'a backup that is cut off' as c restore short
cp "$work/one" "$work/changed"
printf 'X' | dd of="$work/changed" bs=1 seek=90000 conv=notrunc 2>/dev/null
check_status 7 'a backup that was changed' as c restore changed
check_status 7 'something else' as c restore lines
check_status 5 'a folder' as c restore owner
check 'none of them leaves anything' sh -c "! ls -d '$TMPDIR'/c*"
check 'out of a pipe, too' sh -c "cat '$work/one' | '$slb' --home '$TMPDIR/piped' --passphrase-file '$pw' restore -"
check 'it is all there' says piped 'het eerste gesprek'

# --- a changed passphrase ---
echo 'een heel nieuwe wachtzin' >"$TMPDIR/new"
as a lock >/dev/null
as a passphrase change --new-passphrase-file "$TMPDIR/new" >/dev/null
check 'an older backup opens with the passphrase of its day' as old restore one
pw=$TMPDIR/new
check_status 3 'and not with a later one' as old2 restore one
is 'a new backup opens with the new one' 4 .contacts a backup four
check 'so it does' as newer restore four
check 'and so does the home that comes of it' says newer 'na de reservekopie'

# --- a full disk ---
(trap '' XFSZ; ulimit -f 100; as a backup five) >"$TMPDIR/.check" 2>&1
check 'a full disk is told' test $? -eq 9
check 'and no file is left' sh -c "! ls '$work/five' '$TMPDIR/a/backup.part' 2>/dev/null"
(trap '' XFSZ; ulimit -f 100; as full restore four) >"$TMPDIR/.check" 2>&1
check 'so it is by restore' test $? -eq 9
check 'and no home is left' sh -c "! ls -d '$TMPDIR'/full*"
check 'the home is as it was' as a verify

# --- wipe ---
check_status 2 'wipe wants it in full' as a wipe
check_status 2 'not in part' as a wipe --ye
check_status 8 'what was never sent is not wiped by the way' as a wipe --yes
check_says 'only here' 'and how much that is'
pw=$TMPDIR/wrong
check_status 3 'nor by who does not have the passphrase' as a wipe --yes --unsent-too
pw=$TMPDIR/new
check 'the home is still there' says a 'na de reservekopie'
as a unlock --minutes 10 >/dev/null
echo 'of somebody' >"$TMPDIR/a/letter"
ln -s "$work" "$TMPDIR/a/spool"
is 'wiped, with an owner running' 'true 1' '"\(.wiped) \(.files_left)"' a wipe --yes --unsent-too
check 'what is not of this program stays, and nothing else' test "$(ls -A "$TMPDIR/a")" = letter
check 'what a link led to stays' test -s "$work/four"
check_status 4 'there is no home any more' as a status
check_status 4 'nor anything to wipe' as a wipe --yes
pw=$TMPDIR/pw
check 'a home of this program alone goes with its folder' as b wipe --yes --unsent-too
check 'it is gone' test ! -e "$TMPDIR/b"
pw=$TMPDIR/new
check 'and comes back out of the backup' as a2 restore four

# --- a backup of the first format ---
echo 'de wachtzin van deze oude reservekopie' >"$TMPDIR/golden"
pw=$TMPDIR/golden from=$PWD
is 'a backup of format 1 opens for ever' '2 4 2026-11-30T16:54:29Z' '"\(.contacts) \(.edits) \(.at)"' \
	first restore tests/data/golden/backup-1.bin
is 'with what was in it' 'Het tweede gesprek van de oude reservekopie|Het eerste gesprek van de oude reservekopie' \
	'[.[].text] | join("|")' first contact list
finish
