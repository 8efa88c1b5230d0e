#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: a recovery sheet is a new file that only its owner can read, its QR code gives the words back, and with the
# words somebody who forgot the passphrase gets in again (V4); a slip is told before anything is tried; an earlier sheet
# opens nothing and says which one does. After `rekey` the old key file opens nothing, in a direct run and in the owner
# of the open vault; a damaged vault keeps its key.
# Seen to fail: with the file left behind where the key file could not be replaced; with the old passphrase still valid
# after `recover`; with the check of the vault before a rekey left out; with a rekey that does not ask which sheet was the
# newest; with a sheet that is not noted when it is made, or not by the owner as it closes; with its number taken from the
# key file alone.
set -u
. tests/support/check.sh
home=$TMPDIR/h
slb="$BUILD/sleutelbos --home $home --lang en"
printf 'the first passphrase of this test\n' >"$TMPDIR/one"
printf 'the second passphrase of this test\n' >"$TMPDIR/two"
one="--passphrase-file $TMPDIR/one"
two="--passphrase-file $TMPDIR/two"

# A path of <path d="Mx yhnv1h-nz..."> as a picture, eight dots a module.
picture() { # FILE SIDE
	tr 'M' '\n' <"$1" | awk -v side="$2" '
		/^[0-9]+ [0-9]+h[0-9]+v1h-[0-9]+z/ {
			split($0, p, /[ hv]/)
			for (i = 0; i < p[3]; i++)
				dark[p[1] + i, p[2]] = 1
		}
		END {
			print "P1"; print side * 8, side * 8
			for (y = 0; y < side * 8; y++) {
				line = ""
				for (x = 0; x < side * 8; x++)
					line = line (((int(x / 8), int(y / 8)) in dark) ? "1 " : "0 ")
				print line
			}
		}'
}

echo here >"$TMPDIR/taken.html"
check_status 8 'a home is not begun where the sheet cannot go' \
	$slb init --name Noor $one --recovery-sheet "$TMPDIR/taken.html"
check 'and there is none' test ! -e "$home/keys"
check 'a home is made with a sheet' $slb init --name Noor $one --recovery-sheet "$TMPDIR/1.txt"
check_says 'sheet number 1' 'and that is said'
check 'the sheet is for its owner alone' test "$(stat -c %a "$TMPDIR/1.txt")" = 600
check 'something is logged' $slb contact add --text 'before all this' $one

# ---- making sheets ----
cp "$home/keys" "$TMPDIR/keys.before"
check_status 8 'a file that exists is left alone' $slb recovery sheet "$TMPDIR/taken.html" $one
check 'with what is in it' grep -qx here "$TMPDIR/taken.html"
check_status 5 'no sheet as .pdf' $slb recovery sheet "$TMPDIR/x.pdf" $one
check_status 3 'no sheet without the passphrase' $slb recovery sheet "$TMPDIR/x.html" $two
check 'and no file' test ! -e "$TMPDIR/x.html"
mkdir "$home/keys.new"
check_status 9 'no sheet where the key file cannot be replaced' $slb recovery sheet "$TMPDIR/x.html" $one
rmdir "$home/keys.new"
check 'and its file is taken back' test ! -e "$TMPDIR/x.html"
check 'nothing changed so far' cmp "$home/keys" "$TMPDIR/keys.before"

$slb --json recovery sheet "$TMPDIR/2.png" $one >"$TMPDIR/json"
check 'the document' test "$(jq -c . "$TMPDIR/json")" = "{\"number\":2,\"file\":\"$TMPDIR/2.png\"}"
zbarimg -q --raw "$TMPDIR/2.png" >"$TMPDIR/2.scan" 2>/dev/null
check 'the picture can be scanned' grep -Eqx 'SLBSHEET1 2( [A-Z]{4}){16}' "$TMPDIR/2.scan"

check 'a sheet as a page' $slb recovery sheet "$TMPDIR/3.html" $one
check_says 'Sheet number 2 no longer opens' 'the earlier one is told to be over'
picture "$TMPDIR/3.html" 49 >"$TMPDIR/3.pbm"
zbarimg -q --raw "$TMPDIR/3.pbm" >"$TMPDIR/3.scan" 2>/dev/null
check 'its square can be scanned' grep -Eqx 'SLBSHEET1 3( [A-Z]{4}){16}' "$TMPDIR/3.scan"
sed -n 's/^<li><span>[0-9]*<\/span>\([a-z]*\)<\/li>$/\1/p' "$TMPDIR/3.html" >"$TMPDIR/3.words"
check 'with the words that stand beside it' test "$(tr a-z A-Z <"$TMPDIR/3.words" | tr '\n' ' ')" = \
	"$(cut -d ' ' -f 3- "$TMPDIR/3.scan") "
check 'both languages are on it' sh -c "grep -q 'Herstelblad nummer 3' '$TMPDIR/3.html' && grep -q 'Recovery sheet number 3' '$TMPDIR/3.html'"
check 'it asks nothing of the network' sh -c "! grep -Eiq '(src|href)=|url\\(|@import' '$TMPDIR/3.html'"

# ---- using them ----
check_status 5 'a word that is none is named by its place' sh -c \
	"sed '5s/.*/zzzz/' '$TMPDIR/3.words' | $slb recover --words-file - --new-passphrase-file '$TMPDIR/two'"
check_says 'Word 5' 'by its place'
check_status 5 'two words that changed places are noticed' sh -c \
	"sed '1{h;d};2G' '$TMPDIR/3.words' | $slb recover --words-file - --new-passphrase-file '$TMPDIR/two'"
check_says 'One of the words' 'and said so'
check_status 5 'a word too few' sh -c \
	"head -n 15 '$TMPDIR/3.words' | $slb recover --words-file - --new-passphrase-file '$TMPDIR/two'"
check_status 3 'an earlier sheet opens nothing' \
	$slb recover --words-file "$TMPDIR/2.scan" --new-passphrase-file "$TMPDIR/two"
check_says "replaced by number 3 of $(date +%F)" 'and says which one does'
check_status 3 'the text of the first neither' \
	$slb recover --words-file "$TMPDIR/1.txt" --new-passphrase-file "$TMPDIR/two"
check_says 'sheet number 1.' 'by its number'
check_status 4 'no home, nothing to open' $BUILD/sleutelbos --home "$TMPDIR/none" --lang en \
	recover --words-file "$TMPDIR/3.scan" --new-passphrase-file "$TMPDIR/two"
check_status 3 'the passphrase is still the first' $slb status $two

$slb --json recover --words-file "$TMPDIR/3.words" --new-passphrase-file "$TMPDIR/two" >"$TMPDIR/json"
check 'the words give a new passphrase' test "$(cat "$TMPDIR/json")" = '{"changed":true}'
check_status 3 'the forgotten one opens nothing now' $slb contact list $one
check 'the new one opens' $slb contact list $two
check_says 'before all this' 'and everything is there'
$slb --json status $two >"$TMPDIR/json"
check 'status knows the sheet' test "$(jq -c .sheet "$TMPDIR/json")" = "{\"number\":3,\"date\":\"$(date +%F)\"}"

# ---- another key ----
cp "$home/keys" "$TMPDIR/keys.old"
check_status 3 'no rekey without the passphrase' $slb rekey $one
check 'then nothing changed' cmp "$home/keys" "$TMPDIR/keys.old"
$slb --json rekey $two >"$TMPDIR/json"
check 'a rekey' test "$(jq -c '[.done, .edits, .sheet]' "$TMPDIR/json")" = '[true,3,3]'
check 'the same passphrase opens' $slb contact list $two
check_says 'before all this' 'and everything is there'
check 'nothing of the work is left' sh -c "test ! -e '$home/next' && test ! -e '$home/next.part' && test ! -e '$home/keys.new'"
cp "$home/keys" "$TMPDIR/keys.now"
cp "$TMPDIR/keys.old" "$home/keys"
check_status 7 'the old key file opens nothing' $slb contact list $two
check 'not a word' sh -c "! grep -q 'before all' '$TMPDIR/.check'"
cp "$TMPDIR/keys.now" "$home/keys"
check 'the sheet reaches the new key' \
	$slb recover --words-file "$TMPDIR/3.scan" --new-passphrase-file "$TMPDIR/one"

# ---- while the vault is open ----
check 'the vault is opened' $slb unlock --minutes 5 $one
check_status 3 'the owner asks again: no passphrase, no rekey' setsid $slb rekey
check_status 3 'nor with a wrong one' $slb rekey $two
cp "$home/keys" "$TMPDIR/keys.old"
check 'a rekey in the owner' $slb rekey $one
check 'the key file is another' sh -c "! cmp -s '$home/keys' '$TMPDIR/keys.old'"
check 'the owner goes on' $slb contact add --text 'after the rekey'
check 'and has everything' $slb contact list
check_says 'before all this' 'what was there'
check 'a line of a handed-over run can make a sheet' sh -c \
	"printf 'recovery sheet $TMPDIR/4.svg $one\n' | $slb run -"
picture "$TMPDIR/4.svg" 49 >"$TMPDIR/4.pbm"
zbarimg -q --raw "$TMPDIR/4.pbm" >"$TMPDIR/4.scan" 2>/dev/null
check 'and it can be scanned' grep -Eqx 'SLBSHEET1 4( [A-Z]{4}){16}' "$TMPDIR/4.scan"
check 'locked again' $slb lock
check 'what was logged after the rekey is there' $slb contact list $one
check_says 'after the rekey' 'under the new key'
check 'the vault is whole' $slb verify $one

# ---- damage is not taken along ----
cp "$home/keys" "$TMPDIR/keys.old"
cp "$home/vault.db" "$TMPDIR/vault.old"
printf 'X' | dd of="$home/vault.db" bs=1 seek=$((20 * 4096 + 77)) conv=notrunc 2>/dev/null
check_status 7 'a damaged vault keeps its key' $slb rekey $one
check_says 'verify --repair' 'and it is said what to do'
check 'its key file is as it was' cmp "$home/keys" "$TMPDIR/keys.old"
check 'and no copy is left' sh -c "test ! -e '$home/next' && test ! -e '$home/next.part'"

# ---- an older key file that is put back, with a sheet that somebody has seen ----
cp "$TMPDIR/vault.old" "$home/vault.db"
cp "$home/keys" "$TMPDIR/keys.before"
check 'another sheet' $slb recovery sheet "$TMPDIR/5.txt" $one
check 'the home is used with it' $slb contact list $one
cp "$TMPDIR/keys.before" "$home/keys"
check_status 8 'a rekey does not seal to the sheet that was replaced' $slb rekey $one
check_says 'recovery sheet' 'and it is said what to do'
check 'a new sheet ends that' $slb recovery sheet "$TMPDIR/6.txt" $one
check 'and the key can be changed' $slb rekey $one

# the same where the home was not used since
cp "$home/keys" "$TMPDIR/keys.before"
check 'a sheet, and nothing else' $slb recovery sheet "$TMPDIR/7.txt" $one
check 'and one more in its place' $slb recovery sheet "$TMPDIR/8.txt" $one
cp "$TMPDIR/keys.before" "$home/keys"
check_status 8 'the vault knows of it all the same' $slb rekey $one
check_says 'knows recovery sheet 6, and sheet 8' 'of the last one'
check 'one new sheet ends that too' $slb recovery sheet "$TMPDIR/9.txt" $one
check_says 'sheet number 9' 'under a number that no paper has'
check 'the key can be changed' $slb rekey $one

# and where an owner had the vault meanwhile
check 'unlocked' $slb unlock --minutes 5 $one
cp "$home/keys" "$TMPDIR/keys.before"
check 'a sheet beside the owner' $slb recovery sheet "$TMPDIR/10.txt" $one
check 'locked' $slb lock
cp "$TMPDIR/keys.before" "$home/keys"
check_status 8 'the vault knows of that one' $slb rekey $one
check_says 'knows recovery sheet 9, and sheet 10' 'by its number'
finish
