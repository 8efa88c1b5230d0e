#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: two people at one table, with two laptops, one stick and no repository: invited, joined, written, equal, from the
# command line; nothing of it is called sent (S2). What is damaged, cut or something else is told with its exit status,
# and the good part is taken. A repository that goes back is named by sync and status, with whose branch and since when,
# and is quiet once it is put right (S5).
set -u
. tests/support/check.sh
. tests/support/people.sh
trap 'for h in noor omar; do "$slb" --home "$TMPDIR/$h" --quiet lock >/dev/null 2>&1; done' EXIT

# ends STATUS NAME COMMAND...
ends()
{
	ends_want=$1 ends_name=$2
	shift 2
	"$@" >"$TMPDIR/.check" 2>&1
	ends_got=$?
	if [ "$ends_got" -eq "$ends_want" ]; then
		echo "ok $ends_name"
	else
		echo "status $ends_got, want $ends_want" >>"$TMPDIR/.check"
		not_ok "$ends_name" "$TMPDIR/.check"
	fi
}

for h in noor omar; do
	check "a home for $h" as $h init --name $h
	as $h unlock --minutes 10 >/dev/null
done
ends 6 'nothing is shared yet: no bundle' as noor bundle export leeg
check 'and no file' test ! -e "$work/leeg"
as noor neighbourhood found Bos --remote host.git >/dev/null
as noor circle found Tafel >/dev/null
as noor contact add --circle Tafel --text 'van noor' >/dev/null
mv "$work/host.git" "$work/weg.git" # nobody can reach it
as noor invite --space Tafel --out kaart >/dev/null
as omar join --from kaart >/dev/null

# --- with a stick alone ---
is 'a request goes onto the stick' 1 .parts omar bundle export vraag
is 'and lets in' 1 .admitted noor bundle import vraag
is 'the answer comes back' true '.unsent > 0' noor bundle export antwoord
is 'and he is in' 2 .joined omar bundle import antwoord
is 'what was written is there' 'van noor' '.[0].text' omar contact list --circle Tafel
as omar contact add --circle Tafel --text 'van omar' >/dev/null
is 'his way' 1 .new noor bundle import "$(as omar --quiet bundle export heen; echo heen)"
is 'again is nothing new' '0 0 0' '"\(.received) \(.new) \(.changed)"' noor bundle import heen
is 'nothing counts as sent' true '.unsent > 0' noor status
is 'for the one as for the other' true '.unsent > 0' omar status
as noor bundle export tafel --space tafel >"$TMPDIR/.check"
check_says 'does not count as sent' 'which the command says'
ends 4 'a space that is not there' as noor bundle export niets --space Keuken
check 'makes no file' test ! -e "$work/niets"
ends 2 'a bundle on standard output' as noor bundle export -

leak() { grep -aqi 'van noor\|van omar\|tafel' "$work/vraag" "$work/antwoord" "$work/heen" "$work/tafel"; }
fails() { ! "$@"; }
check 'and nothing that was typed stands in one' fails leak

# --- what is not whole ---
head -c 3000 "$work/heen" >"$work/kort"
ends 7 'a bundle that was cut off' as noor bundle import kort
check_says 'ends before its end' 'says so'
cp "$work/heen" "$work/kapot"
printf '\377\377\377' | dd of="$work/kapot" bs=1 seek=400 conv=notrunc 2>/dev/null
ends 7 'a damaged one' as noor bundle import kapot
check_says 'The others were taken in' 'says what was done'
echo 'een boodschappenlijst' >"$work/lijst"
ends 7 'something else' as noor bundle import lijst
ends 4 'nothing' as noor bundle import niets

# --- who must look: both changed the same ---
mv "$work/weg.git" "$work/host.git"
for h in noor omar noor omar; do as $h sync >/dev/null; done
id=$(json '.[0].id' noor contact list --circle Tafel)
as noor contact edit "$id" --channel telefoon >/dev/null
as omar contact edit "$id" --channel straat >/dev/null
as omar bundle export twist >/dev/null
ends 1 'two versions: somebody must look' as noor bundle import twist

# --- a repository that goes back ---
for h in noor omar noor omar; do as $h sync >/dev/null; done
cp -r "$work/host.git" "$work/ouder.git"
as noor contact add --circle Tafel --text 'later' >/dev/null
for h in noor omar noor; do as $h sync >/dev/null; done
rm -r "$work/host.git" && mv "$work/ouder.git" "$work/host.git"
is 'sync says whose branch went back, and that it is put right' 'went_back true true true' \
	'.noticed[] | select(.own) | "\(.what) \(.healed) \(.since | test("^20")) \(.had != .shown)"' noor sync
as omar sync >"$TMPDIR/.check" 2>&1
is 'status is quiet once it is' 0 '[.noticed[] | select(.healed | not)] | length' noor status
is 'and keeps that it was so' true '[.noticed[] | .healed] | any' noor status
rm -rf "$work/host.git" && git init -q --bare "$work/host.git"
as noor --json sync >/dev/null
as omar sync >"$TMPDIR/.check" 2>&1
for h in noor omar noor omar; do as $h sync >/dev/null; done
is 'an emptied one is filled again' 0 '[.noticed[] | select(.healed | not)] | length' omar status
is 'by both' 0 '[.noticed[] | select(.healed | not)] | length' noor status
is 'each member has a day of last news' true '[.[] | .news[] | has("days")] | all' noor member list
finish
