#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: people who share a circle, from the command line: found, invite, join, log apart, send and fetch, two versions,
# pick one, and be equal again; and what goes wrong on that road is told with the right exit status and loses nothing:
# a remote that is gone (S2), an invitation that is damaged or used, a full disk (V6). Each command's JSON has its shape.
# Seen to catch: a status that counts sealed edits as sent, an invitation that works twice, relative paths that are
# taken from the owner's folder.
set -u
. tests/support/check.sh
slb="$BUILD/sleutelbos"
work="$TMPDIR/work"
mkdir "$work"
echo 'een lang wachtzinnetje van woorden' >"$TMPDIR/pw"
echo 'een ander wachtzinnetje' >"$TMPDIR/wrong"
unset SLEUTELBOS_HOME XDG_DATA_HOME
trap 'for h in a b c; do "$slb" --home "$TMPDIR/$h" --quiet lock >/dev/null 2>&1; done' EXIT

lang=en pw=$TMPDIR/pw

# as HOME COMMAND...: in $lang, from the folder $work, with the passphrase in $pw at hand.
as()
{
	as_home=$1
	shift
	(cd "$work" && exec "$slb" --home "$TMPDIR/$as_home" --lang "$lang" --passphrase-file "$pw" "$@" </dev/null)
}

# json FILTER HOME COMMAND...: the one document of a command through jq. The exit status is that of the command.
json()
{
	json_filter=$1
	json_home=$2
	shift 2
	as "$json_home" --json "$@" >"$TMPDIR/json" 2>"$TMPDIR/json.err"
	json_status=$?
	jq -s -r "if length == 1 then .[0] else error(\"not one document\") end | $json_filter" "$TMPDIR/json"
	return "$json_status"
}

# is STATUS NAME WANT FILTER HOME COMMAND...
is()
{
	is_status=$1 is_name=$2 is_want=$3
	shift 3
	is_got=$(json "$@" 2>&1)
	is_ended=$?
	if [ "$is_got" = "$is_want" ] && [ "$is_ended" -eq "$is_status" ]; then
		echo "ok $is_name"
	else
		printf 'got:  %s (exit %s)\nwant: %s (exit %s)\n' "$is_got" "$is_ended" "$is_want" "$is_status" >"$TMPDIR/.is"
		cat "$TMPDIR/json.err" >>"$TMPDIR/.is"
		not_ok "$is_name" "$TMPDIR/.is"
	fi
}

# shape NAME 'KEY KEY...' FILTER HOME COMMAND...: the object that FILTER gives has these keys.
shape()
{
	shape_name=$1 shape_keys=$2 shape_filter=$3
	shift 3
	is 0 "$shape_name has its fields" '' "$shape_filter | . as \$o | \"$shape_keys\" | split(\" \") - (\$o | keys) | join(\" \")" "$@"
}

# refused STATUS NAME WORDS HOME COMMAND...: nothing on standard output but one document with the same sentence.
refused()
{
	refused_status=$1 refused_name=$2 refused_words=$3
	shift 3
	refused_home=$1
	shift
	as "$refused_home" --json "$@" >"$TMPDIR/json" 2>"$TMPDIR/.check"
	refused_got=$?
	if [ "$refused_got" -eq "$refused_status" ] && grep -qF -e "$refused_words" "$TMPDIR/.check" &&
		[ "$(jq -s -r 'if length == 1 then .[0].error.exit else null end' "$TMPDIR/json")" = "$refused_status" ]; then
		echo "ok $refused_name"
	else
		echo "status $refused_got, want $refused_status; words: $refused_words" >>"$TMPDIR/.check"
		not_ok "$refused_name" "$TMPDIR/.check"
	fi
}

# --- homes ---
refused 4 'no home yet' "$TMPDIR/a" a status
is 0 'init' Noor .name a init --name Noor
refused 8 'a second init is refused' 'already' a init --name Noor
refused 2 'an unknown command' 'tovre' a tovre
refused 2 'an unknown option' '--snel' a sync --snel
refused 6 'a sync without anybody to share with' 'invitation' a sync

# --- found; no owner yet: paths are those of the caller ---
refused 6 'a remote in a folder that is not there' 'nergens' a neighbourhood found Bos --remote nergens/host.git
is 0 'found, with a path that is relative' Bos .neighbourhood a neighbourhood found Bos --remote host.git
check 'the repository stands where it was said' test -f "$work/host.git/HEAD"
is 0 'unlock' true .unlocked a unlock --minutes 10
is 0 'and is known by its full path' "$work/host.git" .remote a remote show
is 0 'a circle' Tafel .circle a circle found Tafel
refused 8 'a circle twice' 'Tafel' a circle found Tafel
refused 8 'a teller is not let into a circle' 'circle' a invite --space Tafel --role teller
is 0 'an invitation into a file that is relative, handed over' 'letter Tafel' '"\(.file) \(.space)"' a invite --out letter
check 'it stands in the folder of the caller' test -s "$work/letter"
is 0 'invite list' 'Tafel member open' '.[] | "\(.space) \(.role) \(.state)"' a invite list
pw=$TMPDIR/wrong
refused 3 'an open home asks again before it invites: a wrong passphrase' 'passphrase' a invite --out never
check 'and nothing is made' test ! -e "$work/never"
pw=$TMPDIR/pw
is 0 'nothing is sent yet, and that is said' 'true null' '"\(.unsent > 0) \(.last_success)"' a status
is 0 'sync' 'done true' '"\(.result) \(.sent > 0)"' a sync
is 0 'all is sent, and when' '0 true' '"\(.unsent) \(.last_success | test("^20[0-9-]+T[0-9:]+Z$"))"' a status

# --- invitations that are not whole ---
as b init --name Fatma >/dev/null 2>&1
as b unlock --minutes 10 >/dev/null 2>&1
sed 's/\(.\{60\}\)./\1x/' "$work/letter" >"$work/changed"
cmp -s "$work/letter" "$work/changed" && sed 's/\(.\{60\}\)./\1y/' "$work/letter" >"$work/changed"
refused 7 'an invitation with a wrong character' 'invitation' b join --from changed
head -c 100 "$work/letter" >"$work/short"
refused 7 'an invitation that is cut off' 'invitation' b join --from short
refused 7 'a word that is no invitation' 'invitation' b join hallo
: >"$work/empty"
refused 7 'an empty invitation' 'invitation' b join --from empty
refused 4 'an invitation that is not there' 'nowhere' b join --from nowhere

# --- join ---
is 0 'join, from a file that is relative, handed over' Tafel .asked b join --from letter
is 0 'asked, and waiting' 'asked' '.[] | .state' b circle list
is 0 'and nothing lies waiting' '0 0 0' '"\(.waiting) \(.waiting_for.joining) \(.waiting_for.key)"' b status
json . b sync >/dev/null
is 0 'the one who invited lets in' 1 .admitted a sync
is 0 'and then one is in' 'true done' '"\(.joined > 0) \(.result)"' b sync
is 0 'as a member of both spaces' 'Bos Tafel' '[.[] | select(.name == "Fatma") | .space] | sort | join(" ")' b member list
is 0 'the invitation is used' used '.[].state' a invite list
refused 8 'who is in does not join again' 'Tafel' b join --from letter
as c init --name Derde >/dev/null 2>&1
as c unlock --minutes 10 >/dev/null 2>&1
is 0 'somebody else with the same invitation' Tafel .asked c join --from letter
is 0 'who asked can say where the repository is' "$work/host.git" .remote c remote set host.git
json . c sync >/dev/null
is 1 'is not let in: a person should look' '0 1' '"\(.admitted) \(.set_aside)"' a sync
is 0 'why stands in the status' 'true true' '.set_aside[0] | "\(.what | length > 0) \(.why | test("used"))"' a status
is 0 'it is told once' '0' .set_aside a sync
json . c sync >/dev/null
is 0 'and stays out' 'asked' '.[] | .state' c circle list
refused 4 'and can log nothing in the circle' 'Tafel' c contact add --circle Tafel --text 'niet binnen'

# --- log apart, two versions ---
id=$(json .id a contact add --channel spreekuur --domain geld --resident Omar --text 'Een brief over de huur.' --follow-up +3d)
sync_both() { for sync_one in a b a b; do json . "$sync_one" sync >/dev/null; done; }
sync_both
is 0 'what one wrote the other reads' 'Omar Een brief over de huur.' '"\(.resident) \(.text)"' b contact show "$id"
json . a contact edit "$id" --channel huis --text 'Noor schreef dit.' --follow-up +1w --domain geld,wonen >/dev/null
json . b contact edit "$id" --channel telefoon --text 'Fatma schreef dit.' --follow-up +2w --domain geld,werk >/dev/null
json . a contact add --text 'Alleen hier, van Noor.' >/dev/null
json . b contact add --text 'Alleen hier, van Fatma.' >/dev/null
is 0 'apart, nothing is seen of it' '1 huis' '"\(.[] | select(.id == "'"$id"'") | .versions + 1) \(.[] | select(.id == "'"$id"'") | .channel)"' a contact list
is 0 'the first who syncs sends' '2 0' '"\(.sent) \(.two_versions)"' a sync
is 1 'the second sees two versions, and should look' '2 3' '"\(.sent) \(.two_versions)"' b sync
is 0 'but once' '0' .two_versions b sync
json . a sync >/dev/null
is 0 'both have all conversations' '3 3' '"\(length) \([.[].text] | unique | length)"' a contact list
is 0 'sets of both are joined' 'geld,werk,wonen' '.domains | sort | join(",")' b contact show "$id"
is 0 'two versions stand side by side' 'channel Fatma Noor|follow_up Fatma Noor|text Fatma Noor' \
	'map("\(.field) \(.values | map(.author) | sort | join(" "))") | sort | join("|")' a versions list
json '.[] | select(.field == "text") | .values[].value' a versions list | sort >"$TMPDIR/texts"
check 'with both texts' test "$(tr '\n' '|' <"$TMPDIR/texts")" = 'Fatma schreef dit.|Noor schreef dit.|'
lang=nl
check_status 0 'for people, by their labels' as a versions list
lang=en
check_says 'Huisbezoek' 'the value by its label'
check_says 'Waar (channel)' 'the field by its label, and by the name to type'
home_visit=$(json '.[] | select(.field == "channel") | .values[] | select(.value == "huis") | .n' a versions list)
is 0 'pick one' "$id" .id a versions pick "$id" channel --keep "$home_visit"
is 0 'pick a date' "$id" .id a versions pick "$id" follow_up --keep 1
is 0 'keep both' "$id" .id a versions pick "$id" text --keep both
sync_both
is 0 'the other sees what was picked, and no two versions any more' 'huis 0' '"\(.channel) \(.versions)"' b contact show "$id"
is 0 'and both texts' 'Fatma schreef dit.|Noor schreef dit.' \
	'[.kept[] | select(.field == "text") | .values[]] | sort | join("|")' b contact show "$id"
is 0 'nothing is left to choose' 0 length b versions list
as a dump --canonical >"$TMPDIR/a.dump"
as b dump --canonical >"$TMPDIR/b.dump"
check 'the two are equal, byte for byte' cmp "$TMPDIR/a.dump" "$TMPDIR/b.dump"
check 'and not empty' grep -q 'Fatma schreef dit' "$TMPDIR/a.dump"
is 0 'verify' whole .result a verify

# --- a remote that is gone ---
mv "$work/host.git" "$work/elsewhere.git"
lost=$(json .id a contact add --text 'Niet kwijtraken.')
is 6 'a remote that is gone: later' later .result a sync
check_status 6 'and for people' as a sync
check_says 'host.git' 'it says which'
check_says 'Nothing is lost' 'and that nothing is lost'
lang=nl
check_status 6 'the same in Dutch' as a sync
lang=en
check_says 'is niet gevonden' 'with what the courier said'
is 0 'unsent stays unsent' 1 .unsent a status
is 0 'and what was written stays' 'Niet kwijtraken.' .text a contact show "$lost"
mv "$work/elsewhere.git" "$work/moved.git"
is 0 'the repository has moved: a path that is relative, handed over' "$work/moved.git" .remote a remote set moved.git
is 0 'and all is sent' '1 done' '"\(.sent) \(.result)"' a sync
is 0 'now' 0 .unsent a status
json . b remote set moved.git >/dev/null
is 0 'the other has it' 1 .new b sync

# --- a remote that does not come back by itself ---
json . c remote set gopher://hof.example/bos >/dev/null
is 6 'an address that this version cannot reach: a person is needed' person .result c sync
check_status 6 'for people' as c sync
check_says 'does not pass by itself' 'nobody is told to wait'
json . c remote set moved.git >/dev/null

# --- shapes ---
service=$(json .id a service add --name 'Balie 111222333' --kind formal --group schulden --domain geld)
check 'nine digits in the directory are fine' test -n "$service"
referral=$(json .id a referral add --contact "$id" --service "$service" --kind mee --domain geld --date -20d)
shape 'contact list' 'id date channel who domains did resident text follow_up circle versions' '.[0]' a contact list
shape 'contact show' 'id date channel who domains did resident text follow_up circle versions field_versions' . a contact show "$id"
shape 'referral list' \
	'id code contact service service_name group kind domain consent status outcome since reason silent versions events' \
	'.[0]' a referral list
shape 'an event' 'n status date reason' .events[0] a referral show "$referral"
shape 'member list' 'id name space role status fingerprint met devices' '.[0]' a member list
shape 'status' 'unsent last_success set_aside spaces' . a status
shape 'a space' 'name kind epoch devices unsent' '.spaces[0]' a status
shape 'sync' 'sent received new changed two_versions set_aside result' . b sync
shape 'today' 'follow_ups silent two_versions set_aside' . a today
shape 'search' 'id kind date snippet' '.[0]' a search Omar
shape 'service list' 'id name organisation kind group checked_on stale' '.[0]' a service list
for one in 'help' '--version' 'circle list' 'invite list' 'resident list' 'versions list' 'remote show' 'verify' \
	'service search balie' 'dump --canonical'; do
	# shellcheck disable=SC2086 # words of a command
	is 0 "$one prints one document" true 'type == "object" or type == "array"' a $one
done
refused 4 'no plan for a tally yet' 'plan' a tally status
refused 6 'no three tellers yet' 'teller' a tally plan --period 2026Q3
refused 5 'a quarter that is none' '2026Q9' a tally plan --period 2026Q9
refused 4 'no summary yet' 'plan' a summary

# --- input that cannot be used ---
refused 5 'an unknown domain' 'geld, wonen' a contact add --domain gald
refused 5 'an unknown kind' 'samen_gebeld' a referral add --contact "$id" --service "$service" --kind vlug --domain geld
refused 5 'an unknown status' 'geholpen' a referral status "$referral" klaar
refused 5 'an unknown reach' 'telefoon' a resident add Nieuw --reach fax
refused 8 'a letter without consent, afterwards' 'consent' a referral edit "$referral" --kind brief
resident=$(json '.[] | select(.nick == "Omar") | .id' a resident list)
bsn() { # NAME COMMAND...
	bsn_name=$1
	shift
	refused 5 "a BSN in $bsn_name" 'can be a BSN' a "$@"
}
bsn 'the name of a resident' resident add 'Omar 111222333'
bsn 'a name that changes' resident edit "$resident" --nick 111222333
bsn 'the note on a resident' resident edit "$resident" --note 'nummer 111.222.333'
bsn 'a conversation' contact add --text 'nummer 1112-22-333.'
bsn 'a conversation that changes' contact edit "$id" --text 'nummer 111 222 333.'
bsn 'the resident of a conversation' contact add --resident 111222333
bsn 'a referral' referral add --contact "$id" --service "$service" --kind info --domain geld --text 'bsn:111222333'
bsn 'the name of a service in a referral' referral add --contact "$id" --service-name 'Balie 111222333' --group zorg --kind info --domain geld
bsn 'what consent is for' referral edit "$referral" --consent schriftelijk --consent-what 111222333
bsn 'a referral that changes' referral edit "$referral" --text '111 222 333'
bsn 'the status of a referral' referral status "$referral" afspraak --text 'met 111222333'
is 0 'nothing of that was kept' 4 length a contact list
is 0 'a telephone number is no BSN' 111222333 .number a resident show "$(json .id a resident add Lina --reach telefoon --number 111222333)"

# --- run ---
printf 'contact add --text een\ncontact show 99999\ncontact add --text twee\n' >"$work/lines"
as a --json run lines >"$TMPDIR/json" 2>/dev/null
check 'run from a file that is relative stops at the first failure' test "$? $(jq -s length "$TMPDIR/json")" = '4 2'
as a --json run --keep-going lines >"$TMPDIR/json" 2>/dev/null
check 'or goes on' test "$? $(jq -s length "$TMPDIR/json")" = '4 3'
pw=$TMPDIR/wrong
is 0 'a wrong passphrase does not matter while the home is open' 7 length a contact list
is 0 'lock' false .unlocked a lock
refused 3 'then it does' 'passphrase' a contact list
pw=$TMPDIR/pw

# --- a full disk ---
# In a mount namespace of its own where that is allowed: a disk as large as the home and a little more.
cat >"$TMPDIR/full.sh" <<'INNER'
disk=$1 from=$2 program=$3 pw=$4
mount -t tmpfs -o size=8m none "$disk" 2>/dev/null || exit 77
cp -a "$from" "$disk/home"
slb() { "$program" --home "$disk/home" --lang en --passphrase-file "$pw" "$@" </dev/null; }
head -c 40000 /dev/zero | tr '\0' x >"$disk/text"
slb --quiet unlock --minutes 5 || exit 1
before=$(slb --json contact list | jq length)
dd if=/dev/zero of="$disk/filler" bs=4096 2>/dev/null
dd if=/dev/null of="$disk/filler" bs=1 seek=$(($(stat -c %s "$disk/filler") - 300000)) 2>/dev/null
saved=0
while [ $saved -lt 100 ]; do
	slb --json contact add --text-file "$disk/text" >"$disk/../answer" 2>"$disk/../said"
	status=$?
	[ $status -eq 0 ] || break
	saved=$((saved + 1))
done
echo "status $status"
echo "said $(cat "$disk/../said")"
echo "kept $(($(slb --json contact list | jq length) - before - saved))"
rm -f "$disk/filler"
slb --json contact add --text 'weer ruimte' >/dev/null
echo "after $?"
echo "whole $(slb --json verify | jq -r .result)"
slb --quiet lock
slb --json contact list >"$disk/../list"
echo "opens $(($(jq length "$disk/../list") - before - saved - 1))"
INNER
mkdir "$TMPDIR/disk"
if unshare -m true 2>/dev/null; then apart='unshare -m'; else apart='unshare -rm'; fi
$apart sh "$TMPDIR/full.sh" "$TMPDIR/disk" "$TMPDIR/a" "$slb" "$TMPDIR/pw" >"$TMPDIR/.check" 2>&1
if [ $? -eq 77 ] || ! grep -q status "$TMPDIR/.check"; then
	echo 'ok a full disk # SKIP no mount namespace here'
else
	check_says 'status 9' 'a full disk: exit status 9'
	check_says 'full' 'and a sentence that says so'
	check_says 'kept 0' 'what was said to be saved is there, and nothing else'
	check_says 'after 0' 'with room it works again'
	check_says 'whole whole' 'all is whole'
	check_says 'opens 0' 'and stays so after a fresh start'
fi

# --- nothing in clear at the host ---
grep -rla -e Tafel -e Omar -e 'schreef dit' "$work/moved.git" "$TMPDIR/a" "$TMPDIR/b" >"$TMPDIR/leak" 2>/dev/null
check 'no word of all this stands in the repository or a home' test ! -s "$TMPDIR/leak"

finish
