#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: with the words of a recovery sheet and the shared repository alone a lost home comes back whole: own notes, circle
# and neighbourhood, byte for byte as they were; it goes on writing and the others read that; the same sheet does it
# twice. A sheet that was replaced brings back nothing that was written after, and says so. Words that are wrong, a
# repository that is not the one, and a home that has everything change nothing.
# Seen to catch: an earlier sheet that is not removed when a new one is made.
set -u
. tests/support/check.sh
. tests/support/people.sh
trap '"$slb" --home "$TMPDIR/third" --quiet lock >/dev/null 2>&1' EXIT
dumps() # HOME FILE: all that it holds, the own space too
{
	as "$1" dump --canonical >"$2" && as "$1" dump --canonical --space own >>"$2"
}
# What is there of people's work. Of members it is left out which devices they have, for coming back adds one.
work_of() # HOME
{
	as "$1" --json contact list | jq -S -c '[.[] | {date, text, circle}] | sort'
	# her own space is listed once another computer of hers is in it
	as "$1" --json member list | jq -S -c '[.[] | select(.space != "noor") | {name, space, role, status}] | sort'
}

# ---- two people, a circle, notes ----
for h in noor omar; do
	check "a home for $h" as $h init --name $h
done
as noor contact add --text 'voor mij alleen' >/dev/null
as noor neighbourhood found Bos --remote host.git >/dev/null
as noor circle found Tafel >/dev/null
as noor sync >/dev/null
as noor invite --space Tafel --out tafel.txt >/dev/null
as omar join --from tafel.txt >/dev/null
as omar sync >/dev/null
as noor sync >/dev/null
as omar sync >/dev/null
check 'Omar writes' as omar contact add --circle Tafel --text 'van omar, voor het blad'

is 'without a sheet nothing is on one' 'false' '[.spaces[].on_sheet] | any' noor status
check 'a sheet' as noor recovery sheet 1.txt
check_says 'Sync now' 'it says what to do next'
is 'before the sync it brings nothing back' 'false' '[.spaces[].on_sheet] | any' noor status
as noor status >"$TMPDIR/.check" 2>&1
check_says 'does not bring Tafel back' 'and status says so'
check 'a sync' as noor sync
is 'and then everything' 'true' '[.spaces[].on_sheet] | all' noor status
check 'Noor writes on' as noor contact add --circle Tafel --text 'van noor, na het blad'
as noor sync >/dev/null
as omar sync >/dev/null
check 'Omar too' as omar contact add --circle Tafel --text 'van omar, na het blad'
as omar sync >/dev/null
as noor sync >/dev/null
check 'a circle that is founded later' as noor circle found Keuken
as noor contact add --circle Keuken --text 'in de keuken' >/dev/null
as noor sync >/dev/null
as noor sync >/dev/null
is 'is on the sheet by itself' 'true' '[.spaces[].on_sheet] | all' noor status

dumps noor "$TMPDIR/before"
work_of noor >"$TMPDIR/work.before"
cp -a "$TMPDIR/noor" "$TMPDIR/found" # somebody else's hands, later
rm -r "$TMPDIR/noor"

# ---- what goes wrong changes nothing ----
tr ai ia <"$work/1.txt" >"$work/slip.txt"
check_status 5 'a slip is noticed' as back recover --remote host.git --words-file slip.txt
check_status 4 'there must be a home without a repository' as back recover --words-file 1.txt
check_says 'recover --remote URL' 'and the other way is told'
"$slb" --home "$TMPDIR/els" --passphrase-file "$TMPDIR/pw" --quiet init --name Els >/dev/null
as els recovery sheet els.txt >/dev/null
check_status 4 "somebody else's sheet finds nothing" as back recover --remote host.git --words-file els.txt
check_says 'Nothing in' 'it says so'
check_status 6 'no repository there' as back recover --remote nowhere.git --words-file 1.txt
check 'there is no home yet' test ! -e "$TMPDIR/back"

# ---- it comes back ----
check 'back from words and repository alone' as back recover --remote host.git --words-file 1.txt
check_says 'Tafel is back' 'the circle'
check_says 'never sent' 'what was never sent is not there'
work_of back >"$TMPDIR/work.back"
check 'everything that Noor had' cmp "$TMPDIR/work.before" "$TMPDIR/work.back"
is 'with her own note' 'voor mij alleen' '[.[] | select(.text == "voor mij alleen")][0].text' back contact list
is 'nothing waits and nothing is set aside' '0 0' '"\(.waiting) \(.set_aside | length)"' back status
is 'nothing is still coming in' 'member' '[.spaces[].state] | unique | join(" ")' back status
check 'it goes on writing' as back contact add --circle Tafel --text 'van noor, terug'
as back sync >/dev/null
as omar sync >/dev/null
is 'and Omar reads it' '1' '[.[] | select(.text == "van noor, terug")] | length' omar contact list
as omar contact add --circle Tafel --text 'van omar, terug' >/dev/null
as omar sync >/dev/null
as back sync >/dev/null
is 'and the other way' '1' '[.[] | select(.text == "van omar, terug")] | length' back contact list
as omar sync >/dev/null
as omar dump --canonical --space Tafel >"$TMPDIR/omar.tafel"
as back dump --canonical --space Tafel >"$TMPDIR/back.tafel"
check 'both hold the same' cmp "$TMPDIR/omar.tafel" "$TMPDIR/back.tafel"
is 'the sheet is still good' 'true' '[.spaces[].on_sheet] | all' back status
check_status 8 'a home that has everything' as back recover --remote host.git --words-file 1.txt
check_says 'has everything already' 'says so'

# ---- and once more ----
rm -r "$TMPDIR/back"
check 'the same sheet again' as again recover --remote host.git --words-file 1.txt
as again dump --canonical --space Tafel >"$TMPDIR/again.tafel"
is 'all is there' '5' '[.[] | select(.circle == "Tafel")] | length' again contact list
check 'and it writes' as again contact add --circle Tafel --text 'nog eens terug'
as again sync >/dev/null
as omar sync >/dev/null
is 'which Omar reads' '1' '[.[] | select(.text == "nog eens terug")] | length' omar contact list

# ---- an earlier sheet ----
check 'a new sheet' as again recovery sheet 2.txt
check_says 'Sheet number 1 no longer opens' 'it follows on the first'
as again sync >/dev/null
as again sync >/dev/null
as omar sync >/dev/null
check 'Omar writes what the old sheet must not read' as omar contact add --circle Tafel --text 'niet voor het oude blad'
as omar sync >/dev/null
as again sync >/dev/null
check 'the old sheet still comes to what was' as thief recover --remote host.git --words-file 1.txt --name thief
check_says 'when this sheet was replaced' 'and it is told what it is'
is 'but to nothing after' '0' '[.[] | select(.text == "niet voor het oude blad")] | length' thief contact list
as thief contact add --circle Tafel --text 'van de dief' >/dev/null 2>&1
as thief sync >/dev/null 2>&1
as omar sync >/dev/null
is 'and it reaches nobody' '0' '[.[] | select(.text == "van de dief")] | length' omar contact list
check 'the new one brings all back' as third recover --remote host.git --words-file 2.txt
is 'what was written after it too' '1' '[.[] | select(.text == "niet voor het oude blad")] | length' third contact list

# ---- a sheet that is made beside an open vault ----
as third --quiet unlock --minutes 5
check 'beside the owner' as third recovery sheet 3.txt
check_says 'sleutelbos lock' 'it says what to do'
check 'what the vault must know waits' test -e "$TMPDIR/third/sheet.note"
as third lock >/dev/null 2>&1
as third sync >/dev/null
as third sync >/dev/null
is 'then it is a device too' 'true' '[.spaces[].on_sheet] | all' third status
check 'nothing of it lies about' test ! -e "$TMPDIR/third/sheet.note"
check 'and brings everything back' as fourth recover --remote host.git --words-file 3.txt
is 'as it was' '1' '[.[] | select(.text == "niet voor het oude blad")] | length' fourth contact list
finish
