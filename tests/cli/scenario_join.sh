#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: letting in and being let in as people do it, from the command line, in Dutch and English: an invitation as text,
# as a file, in a mail, as a square on a screen or in a picture; one that may be sent, with six words; another device of
# one's own; asking without one. Each step says what comes next, on both sides. What the host holds back is told, and
# nothing is written meanwhile.
# Seen to catch: a file that is written over, an invitation that stands in the list although its file was not made, a
# square that does not open, words that differ on the two screens, joining that is called done while a branch misses.
set -u
. tests/support/check.sh
. tests/support/people.sh
homes='noor laptop fatma omar els'
trap 'for h in $homes; do "$slb" --home "$TMPDIR/$h" --quiet lock >/dev/null 2>&1; done' EXIT
for h in $homes; do
	as "$h" init --name "$h" >/dev/null 2>&1
	as "$h" --quiet unlock --minutes 10
done

# --- before there is a neighbourhood ---
check_status 8 'no device without a place to meet' as noor invite --device
check_says 'neighbourhood found NAME --remote URL' 'it says what to do first'
lang=nl
check_status 8 'in Dutch too' as noor invite --device
check_says 'Begin er een' 'with what to do'
lang=en
as noor neighbourhood found Bos --remote host.git >/dev/null
as noor circle found Tafel >/dev/null
as noor sync >/dev/null

# --- the invitation as a file ---
check_status 0 'a file' as noor invite --space Tafel --out brief.txt
check_says 'face to face' 'it says what to do with it'
check_says '--compare' 'and what to do when it is to be sent'
check 'only its owner reads it' test "$(stat -c %a "$work/brief.txt")" = 600
check_status 8 'it is not written over' as noor invite --space Tafel --out brief.txt
is 'and no invitation was made for that' 1 length noor invite list
check_status 4 'a file that cannot be made' as noor invite --out niets/brief.txt
is 'makes no invitation either' 1 length noor invite list
check_status 5 'a picture only with --qr' as noor invite --out brief.png
check_status 5 'and a square only as a picture' as noor invite --qr --out brief.txt2
check_status 2 'no square in a JSON document' as noor --json invite --qr
is 'nothing of that made one' 1 length noor invite list

# --- as a square ---
check_status 0 'a picture' as noor invite --space Tafel --qr --out vierkant.png
check_status 0 'and a drawing' as noor invite --space Tafel --qr --out vierkant.svg
check_status 0 'on the screen' as noor invite --space Tafel --qr
cp "$TMPDIR/.check" "$TMPDIR/blocks"
check_says 'Make the window larger' 'it says what to do when it does not fit'
zbarimg -q --raw "$work/vierkant.png" >"$TMPDIR/scan" 2>/dev/null
check 'the picture holds it in capitals' grep -q '^SLEUTELBOS-[A-Z2-7]*$' "$TMPDIR/scan"
# Draws the blocks as a picture that zbar reads: four dots for each half of a character.
sed -n '/[▀▄█]/{ s/▀/u/g; s/▄/d/g; s/█/b/g; s/ /w/g; p; }' "$TMPDIR/blocks" | awk '
/^[udbw]+$/ { row[n++] = $0; side = length($0) > side ? length($0) : side }
END {
	print "P1", 4 * side + 32, 8 * n + 32
	for (i = 0; i < 16; i++) line(blank())
	for (i = 0; i < n; i++) {
		half(row[i], "[ub]")
		half(row[i], "[db]")
	}
	for (i = 0; i < 16; i++) line(blank())
}
function blank(   s, k) { for (k = 0; k < 4 * side + 32; k++) s = s "0"; return s }
function line(s) { print s }
function half(r, dark,   s, k, c) {
	s = "0000000000000000"
	for (k = 1; k <= side; k++) {
		c = substr(r, k, 1) ~ dark ? "1111" : "0000"
		s = s c
	}
	s = s "0000000000000000"
	for (k = 0; k < 4; k++) line(s)
}' >"$TMPDIR/blocks.pbm"
zbarimg -q --raw "$TMPDIR/blocks.pbm" >"$TMPDIR/blocks.scan" 2>/dev/null
check 'the blocks on the screen hold one' grep -q '^SLEUTELBOS-[A-Z2-7]*$' "$TMPDIR/blocks.scan"
check 'another one' test "$(cat "$TMPDIR/scan")" != "$(cat "$TMPDIR/blocks.scan")"
check 'the drawing is one, whole' grep -q '</svg>' "$work/vierkant.svg"
check_status 5 'a picture is not read' as fatma join --from vierkant.png
check_says 'telephone' 'it says how to get the text out'
check_status 5 'nor a drawing' as fatma join --from vierkant.svg

# --- join with what was scanned, in a mail ---
scan=$(cat "$TMPDIR/scan")
{
	printf 'From: Noor\nSubject: kring\n\nHoi Fatma,\n\n> '
	echo "$scan" | fold -w 70 | sed '2,$s/^/> /'
	printf '\nGroetjes van noor\n'
} >"$work/mail.eml"
check_status 0 'a mail' as fatma join --from mail.eml
check_says 'Tafel' 'it says what for'
as fatma sync >"$TMPDIR/said" 2>&1
check 'the request is out, and what comes next is said' grep -q 'Sync again after' "$TMPDIR/said"
is 'the one who invited lets in' 1 .admitted noor sync
as fatma sync >"$TMPDIR/said" 2>&1
check 'and one is in' grep -q 'You have joined' "$TMPDIR/said"
is 'as one member' 'Bos Tafel' '[.[] | select(.name == "fatma") | .space] | sort | join(" ")' noor member list
cat "$work/brief.txt" "$work/mail.eml" >"$work/twee.txt"
check_status 5 'two invitations in one text' as omar join --from twee.txt
check_says 'more than one' 'are not guessed between'
is 'withdrawn' true '.withdrawn | length > 0' noor invite withdraw "$(json '[.[] | select(.state == "open")][0].id' noor invite list)"

# --- one that may be sent ---
lang=nl
check_status 0 'for sending, in Dutch' as noor invite --space Tafel --compare --out post.txt
check_says 'zes woorden' 'it says that words are compared'
check_says 'member approve ID' 'and what to type then'
check_status 0 'used' as omar join --from post.txt
check_says 'zes woorden' 'the words are there'
words=$(grep -Eo '([a-z]{4} ){5}[a-z]{4}' "$TMPDIR/.check" | tail -1)
lang=en
as omar sync >"$TMPDIR/said" 2>&1
check 'and again after a sync' grep -q "$words" "$TMPDIR/said"
check_status 0 'the other syncs' as noor sync
check_says '1 asks to be let in' 'and is told that somebody asks'
is 'nobody is let in by that' 'requested' '.[] | select(.name == "omar") | .status' noor member list
is 'the same words on both screens' "$words" '.[] | select(.name == "omar") | .fingerprint' noor member list
is 'the status says so as well' 1 .asking noor status
check_status 0 'approved' as noor member approve "$(json '.[] | select(.name == "omar") | .id' noor member list)"
check_says 'Sync now' 'it says what comes next'
as noor --quiet sync
is 'the joiner comes in' true '.joined > 0' omar sync
is 'nobody asks any more' 0 .asking noor status

# --- another device of one's own ---
note=$(json .id laptop contact add --text 'Alleen van mij.')
json .id noor contact add --circle Tafel --text 'In de kring.' >/dev/null
check_status 0 'for another device' as noor invite --device --out apparaat.txt
check_says 'Keep it to yourself' 'it says whom it is for'
check_says 'member approve ID' 'and what to do on both'
check_status 8 'not without a word where something was written' as laptop join --from apparaat.txt
check_says '--bring-notes' 'it says what to add'
check_status 0 'with it' as laptop join --from apparaat.txt --bring-notes
check_says 'a device of noor' 'it says whose device it becomes'
words=$(grep -Eo '([a-z]{4} ){5}[a-z]{4}' "$TMPDIR/.check" | tail -1)
as laptop --quiet sync
as noor --quiet sync
is 'it asks as a device, with the same words' "true $words" '.[] | select(.status == "requested") | "\(.as_device) \(.fingerprint)"' noor member list
lang=nl
as noor member list >"$TMPDIR/said"
check 'which the list says in Dutch' grep -q 'wil een ander apparaat van jou zijn' "$TMPDIR/said"
lang=en
as noor --quiet member approve "$(json '.[] | select(.status == "requested") | .id' noor member list)"
as noor --quiet sync
is 'three spaces, and what was written goes along' '3 1' '"\(.joined) \(.carried)"' laptop sync
as noor --quiet sync
is 'one member with two devices' '2 2 2' '[.[] | select(.name == "noor") | .devices | length] | join(" ")' laptop member list
is 'seen by others, too' '2 2 2' '[.[] | select(.name == "noor") | .devices | length] | join(" ")' noor member list
is 'what was written on the one is on the other' 'Alleen van mij.' '.[] | select(.circle == null) | .text' noor contact list
is 'and what was in the circle on both' 'In de kring.' '.[] | select(.circle == "Tafel") | .text' laptop contact list
check_status 4 'under its old number it is no more' as laptop contact show "$note"
is 'one own space' 'own' '[.spaces[] | select(.kind == "own") | .kind] | join(" ")' laptop status
as noor dump --canonical --space own >"$TMPDIR/own.1"
as laptop dump --canonical --space own >"$TMPDIR/own.2"
check 'the same on both, byte for byte' cmp "$TMPDIR/own.1" "$TMPDIR/own.2"
is 'and whole' whole .result laptop verify

# --- six words, in person ---
id=$(json '.[] | select(.name == "fatma") | .id' noor member list --space Tafel)
check_status 0 'met' as noor member met "$id"
check_says 'fatma' 'it says whom'
as noor --quiet sync
as laptop --quiet sync
is 'the other device knows' true '.[] | select(.name == "fatma") | .met' laptop member list --space Tafel
as fatma --quiet sync
is 'nobody else does' 'false' '[.[] | .met] | any' fatma member list
check_status 0 'after a backup' as noor backup kopie
"$slb" --home "$TMPDIR/terug" --passphrase-file "$TMPDIR/pw" --quiet restore "$work/kopie" </dev/null
is 'it is still known' true '.[] | select(.name == "fatma") | .met' terug member list --space Tafel

# --- a host that holds something back ---
json .id fatma contact add --circle Tafel --text 'Van Fatma.' >/dev/null
as fatma --quiet sync
as noor --quiet sync
as noor --quiet invite --space Tafel --out els.txt
as els --quiet join --from els.txt
as els --quiet sync
as noor --quiet sync
git -C "$work/host.git" for-each-ref --format='%(refname) %(objectname)' refs/heads/ | grep -v /join/ >"$TMPDIR/refs"
while read -r ref _; do
	git -C "$work/host.git" update-ref -d "$ref"
done <"$TMPDIR/refs"
as els sync >"$TMPDIR/said" 2>&1
check 'joining is not called done' grep -q 'still coming in' "$TMPDIR/said"
check 'nor everything fetched' test "$(grep -c 'Everything that was there' "$TMPDIR/said")" = 0
is 'the status says it' 'coming_in coming_in' '[.spaces[] | select(.kind != "own") | .state] | join(" ")' els status
check_status 6 'nothing is written there meanwhile' as els contact add --circle Tafel --text 'te vroeg'
check_says 'still coming in' 'and why'
lang=nl
check_status 6 'in Dutch' as els contact add --circle Tafel --text 'te vroeg'
check_says 'komt nog binnen' 'and why'
lang=en
for h in noor fatma omar laptop; do as "$h" --quiet sync; done
as els sync >"$TMPDIR/said" 2>&1
check 'who has it pushes it back, and then it is there' test "$(grep -c 'still coming in' "$TMPDIR/said")" = 0
check_status 0 'and one can write' as els contact add --circle Tafel --text 'Nu wel.'
is 'with what the others wrote' 'Van Fatma.' '.[] | select(.text == "Van Fatma.") | .text' els contact list

finish
