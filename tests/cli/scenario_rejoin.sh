#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: a laptop is gone, and its owner comes back out of a backup, as people type it: restore, rejoin, six words, member
# approve, sync; what was sent after the backup, what was typed since, and what nobody had sent yet is there once, at
# everybody, and dumps are equal byte for byte (S3, S7, M1). The laptop that is found again is told that it is out. A
# home with nobody else in it comes back by itself.
set -u
. tests/support/check.sh
. tests/support/people.sh
trap 'for h in a b c d e f; do "$slb" --home "$TMPDIR/$h" --quiet lock >/dev/null 2>&1; done' EXIT

how_often() { as "$1" contact list | grep -c "$2"; }
dump() { as "$1" dump --canonical --space "$2"; }

# --- two of them, and a backup ---
as a init --name Noor >/dev/null
as a unlock --minutes 20 >/dev/null
as b init --name Bram >/dev/null
as b unlock --minutes 20 >/dev/null
as a neighbourhood found West --remote "$work/host.git" >/dev/null
as a circle found Plein >/dev/null
as a sync >/dev/null
as a invite --space Plein --out "$work/invitation" >/dev/null
as b join --from "$work/invitation" >/dev/null
as b sync >/dev/null
as a sync >/dev/null
as b sync >/dev/null
as a contact add --circle Plein --text 'voor de reservekopie' >/dev/null
as a sync >/dev/null
as a contact add --circle Plein --text 'nog niet verstuurd' >/dev/null
check 'a backup' as a backup one
as a contact add --circle Plein --text 'na de reservekopie' >/dev/null
as a sync >/dev/null
as b sync >/dev/null
as b contact add --circle Plein --text 'van Bram' >/dev/null
as b sync >/dev/null

# --- the laptop is gone ---
check 'it is restored' as c restore one
as c unlock --minutes 20 >/dev/null
as c contact add --circle Plein --text 'hier verder' >/dev/null
check_status 6 'it does not sync by itself' as c sync
check_says 'sleutelbos rejoin' 'and says what to do'
check_status 8 'a home that is in does not ask' as b rejoin
words=$(json 'map(select(.space == "Plein")) | .[0].fingerprint' c rejoin)
check 'it asks, and there are six words' test "$(echo "$words" | wc -w)" -eq 6
check 'asked again it says the same' test "$words" = "$(json 'map(select(.space == "Plein")) | .[0].fingerprint' c rejoin)"
check 'the letters go out' as c sync
check 'it is not back yet' test "$(json .restored c status)" = true
check 'nor has anything of it gone' test "$(json .unsent c status)" -gt 0
as b sync >/dev/null
check 'a member sees who asks, and from when' test \
	"$(json 'map(select(.status == "requested" and .space == "Plein")) | .[0] | "\(.name) \(.backup | length)"' b member list)" = 'Noor 10'
check 'with the same six words' test \
	"$words" = "$(json 'map(select(.status == "requested" and .space == "Plein")) | .[0].fingerprint' b member list)"
for space in Plein West; do
	id=$(json "map(select(.status == \"requested\" and .space == \"$space\")) | .[0].id" b member list)
	check "it is let in to $space" as b member approve "$id"
done
check_status 4 'once' as b member approve "$id"
as b sync >/dev/null
check 'it syncs' as c sync
check 'and is back' test "$(json .restored c status)" = false
check 'with everything sent' test "$(json .unsent c status)" = 0
as b sync >/dev/null
for home in b c; do
	for text in 'voor de reservekopie' 'nog niet verstuurd' 'na de reservekopie' 'van Bram' 'hier verder'; do
		check "$home has it once: $text" test "$(how_often $home "$text")" = 1
	done
done
for space in Plein West; do
	dump b $space >"$work/b.dump"
	dump c $space >"$work/c.dump"
	check "$space is the same at both" cmp "$work/b.dump" "$work/c.dump"
done
check 'and whole' as c verify
check 'it goes on' as c contact add --circle Plein --text 'weer gewoon'
as c sync >/dev/null
as b sync >/dev/null
check 'for the others too' test "$(how_often b 'weer gewoon')" = 1

# --- the laptop is found again ---
as a contact add --circle Plein --text 'op de oude laptop' >/dev/null 2>&1
as a sync >/dev/null 2>&1
as b sync >/dev/null
check 'what is written there reaches nobody' test "$(how_often b 'op de oude laptop')" = 0
check 'and nothing new reaches it' test "$(how_often a 'weer gewoon')" = 0
check_status 8 'it says that it is out' as a contact add --circle Plein --text 'nog eens'

# --- nobody else ---
as d init --name Sanne >/dev/null
as d unlock --minutes 20 >/dev/null
as d neighbourhood found Oost --remote "$work/oost.git" >/dev/null
as d contact add --text 'alleen van mij' >/dev/null
as d sync >/dev/null
as d backup alone >/dev/null
as e restore alone >/dev/null
as e unlock --minutes 20 >/dev/null
as e contact add --text 'verder' >/dev/null
check 'a home with nobody else in it' as e rejoin
check 'is back at once' test "$(json .restored e status)" = false
check 'and syncs' as e sync
check 'all of it' test "$(json .unsent e status)" = 0
check 'both are there' test "$(how_often e 'alleen van mij') $(how_often e verder)" = '1 1'
as f init --name Tom >/dev/null
as f unlock --minutes 20 >/dev/null
as e invite --space Oost --out "$work/second" >/dev/null
as f join --from "$work/second" >/dev/null
as f sync >/dev/null
as e sync >/dev/null
check 'somebody new can come in' as f sync
dump e Oost >"$work/e.dump"
dump f Oost >"$work/f.dump"
check 'and has all of it' cmp "$work/e.dump" "$work/f.dump"
finish
