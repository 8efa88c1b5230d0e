#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: what a key figure does with conversations and referrals works from the command line: shapes of the JSON
# documents, exit statuses, `run` and `unlock`. One home, so that keys are derived only a few times.
# Words that a person types here hold a marker (zqmark...); none may be found in a file of the home afterwards (V1).
set -u
. tests/support/check.sh
trap '"$slb" --quiet lock >/dev/null 2>&1' EXIT

export SLEUTELBOS_HOME="$TMPDIR/home"
unset XDG_DATA_HOME
slb="$BUILD/sleutelbos"
echo 'een lang wachtzinnetje van woorden' >"$TMPDIR/pw"
echo 'een ander wachtzinnetje' >"$TMPDIR/wrong"

# json FILTER COMMAND...: the command's one document through jq; fails where it is not exactly one.
json()
{
	json_filter=$1
	shift
	"$slb" --json "$@" >"$TMPDIR/json" 2>"$TMPDIR/json.err" </dev/null
	jq -s -r "if length == 1 then .[0] else error(\"not one document\") end | $json_filter" "$TMPDIR/json"
}

# is NAME WANT FILTER COMMAND...
is()
{
	is_name=$1 is_want=$2
	shift 2
	is_got=$(json "$@" 2>&1)
	if [ "$is_got" = "$is_want" ]; then
		echo "ok $is_name"
	else
		printf 'got:  %s\nwant: %s\n' "$is_got" "$is_want" >"$TMPDIR/.is"
		cat "$TMPDIR/json.err" >>"$TMPDIR/.is"
		not_ok "$is_name" "$TMPDIR/.is"
	fi
}

# refused N NAME WORDS COMMAND...: exit status, one document with an error, a sentence with these words on stderr.
refused()
{
	refused_want=$1 refused_name=$2 refused_words=$3
	shift 3
	"$slb" --json "$@" >"$TMPDIR/json" 2>"$TMPDIR/json.err" </dev/null
	refused_status=$?
	refused_message=$(jq -s -r 'if length == 1 then .[0].error.message else null end' "$TMPDIR/json" 2>&1)
	if [ "$refused_status" -eq "$refused_want" ] && grep -qF -e "$refused_words" "$TMPDIR/json.err" &&
		[ "$refused_message" != null ]; then
		echo "ok $refused_name"
	else
		{
			echo "status $refused_status, want $refused_want; words: $refused_words"
			cat "$TMPDIR/json.err"
		} >"$TMPDIR/.refused"
		not_ok "$refused_name" "$TMPDIR/.refused"
	fi
}

# --- before there is a home ---
check 'help needs no home' "$slb" help
check 'help of a command' "$slb" contact add --help
check_status 4 'help of a command that is none' "$slb" help toveren
is '--version is a document' sleutelbos .name --version
refused 2 'an unknown command' tovre tovre
refused 4 'no home yet' "$SLEUTELBOS_HOME" today
refused 2 'a language that is not here' xx --lang xx today
check 'init' "$slb" --passphrase-file "$TMPDIR/pw" init --name Fatma
refused 3 'a wrong passphrase' . --passphrase-file "$TMPDIR/wrong" today

# --- unlock: from here on no passphrase ---
is 'unlock' true .unlocked --passphrase-file "$TMPDIR/pw" unlock --minutes 5
refused 2 'minutes that are no number' soon --passphrase-file "$TMPDIR/pw" unlock --minutes soon
check 'a neighbourhood' "$slb" neighbourhood found Bos --remote "$TMPDIR/remote.git" --passphrase-file "$TMPDIR/pw"
check 'a circle' "$slb" circle found Tafel
is 'nothing to do yet' '0 0 0 0' '"\(.follow_ups | length) \(.silent | length) \(.two_versions) \(.set_aside)"' today

# --- conversations ---
first=$(json .id contact add --date -1w --channel spreekuur --who buur --domain geld --did luisteren,bellen \
	--resident zqmarkomar --text 'zqmarktekst over de huur' --follow-up -1d)
check 'contact add gives an id' test -n "$first"
is 'contact show' "$first spreekuur buur geld luisteren,bellen zqmarkomar Tafel 0 0" \
	'"\(.id) \(.channel) \(.who) \(.domains | join(",")) \(.did | join(",")) \(.resident) \(.circle) \(.versions) \(.field_versions | length)"' \
	contact show "$first"
is 'an id may be shortened' "$first" .id contact show "${first%???}"
is 'today: whom do I have to call' "$first" '.follow_ups[0].id' today
second=$(json .id contact add --resident zqmarkomar --follows "$first" --domain geld,wonen --channel telefoon)
is 'a conversation closes the follow-up that it follows' '0 true' \
	'"\([.[] | select(.follow_up != null and (.follow_up_done | not))] | length) \(map(select(.follow_up_done)) | length == 1)"' \
	contact list
is 'contact list --open' 0 length contact list --open
is 'contact list --since' 1 length contact list --since yesterday
is 'the same resident' 1 length resident list
printf 'zqmarkbestand\nmet twee regels\n' >"$TMPDIR/note"
is 'text from a file' "$second" .id contact edit "$second" --text-file "$TMPDIR/note"
is 'without the last line end' 'zqmarkbestand|met twee regels' '.text | gsub("\n"; "|")' contact show "$second"
printf 'abc\0def\n' >"$TMPDIR/nul"
refused 5 'a NUL byte' NUL contact add --text-file "$TMPDIR/nul"
printf 'abc\377def\n' >"$TMPDIR/latin"
refused 5 'text that is not UTF-8' UTF-8 contact add --text-file "$TMPDIR/latin"
head -c 70000 /dev/zero | tr '\0' a >"$TMPDIR/long"
refused 5 'a text that is too long' 65 contact add --text-file "$TMPDIR/long"
refused 5 'an unknown list id names the field and what there is' 'spreekuur, huis' contact add --channel fax
refused 5 'a wrong date' 2026-02-31 contact add --date 2026-02-31
refused 5 'a number that can be a BSN' BSN contact add --text 'nummer 1234 56 782'
refused 4 'a conversation that is not here' 99999 contact show 99999
refused 2 'a circle cannot change' . contact edit "$second" --circle Tafel
is 'nothing was written by all that' 2 length contact list
is 'a number in a field for telephone numbers' zqmarklina '.nick' resident show \
	"$(json .id resident add zqmarklina --number 123456782 --reach telefoon)"
refused 8 'a resident twice' zqmarklina resident add zqmarklina
is 'resident edit' niet .reach resident show "$(json .id resident edit "$(json '.[] | select(.nick == "zqmarklina") | .id' resident list)" --reach niet)"
refused 8 'no reminder for who asked not to be reached' . contact add --resident zqmarklina --follow-up 1w

# --- the directory ---
check_status 1 'service import: rows that cannot be used' "$slb" service import tests/data/sanmateo_ohana
check_says 'services.csv' 'it names file, row and column'
is 'again: nothing new' '0 0 true' '"\(.added) \(.changed) \(.same > 0)"' service import tests/data/sanmateo_ohana
is 'service search' true 'length > 0' service search salvation
service=$(json '.[0].id' service search salvation)
is 'service list' true "map(select(.id == \"$service\")) | length == 1 and (.[0] | has(\"stale\") and has(\"checked_on\"))" service list
is 'service check' false .stale service show "$(json .id service check "$service" --ok)"
is 'service check --wrong' dicht .wrong service show "$(json .id service check "$service" --wrong dicht)"
own=$(json .id service add --name zqmarkinitiatief --kind initiative --group initiatief --domain meedoen)
is 'service edit' 'maandag zqmarkinitiatief' '"\(.hours) \(.name)"' service show "$(json .id service edit "$own" --hours maandag)"
refused 5 'a group that is none' 'welzijn' service edit "$own" --group bakkers
refused 4 'an import that is not there' nergens service import "$TMPDIR/nergens"

# --- referrals ---
json '"\(.id) \(.code)"' referral add --contact "$first" --service "$service" --kind mee >"$TMPDIR/made"
read -r referral code <"$TMPDIR/made"
check 'referral add gives an id and a code' test "${#code}" -eq 7
is 'referral show' "$code geld mee verstuurd stil false 1" \
	'"\(.code) \(.domain) \(.kind) \(.status) \(.outcome) \(.silent) \(.events | length)"' referral show "$code"
refused 2 'two domains: which one' --domain referral add --contact "$second" --service "$service" --kind mee
refused 8 'a letter needs consent in writing' . referral add --contact "$first" --service "$service" --kind brief --consent mondeling
refused 8 'introducing needs consent' . referral add --contact "$first" --service "$service" --kind aangemeld
is 'with consent' schriftelijk .consent referral show "$(json .id referral add --contact "$first" --service-name zqmarkdienst \
	--group schulden --kind brief --consent schriftelijk --consent-what zqmarkbrief --consent-until +1m)"
refused 2 'a reason is due' --reason referral status "$code" niet_gelukt
refused 2 'a reason is not due' niet_gelukt referral status "$code" geholpen --reason vol
refused 5 'a mistyped code' 2222223 referral status 2222223 geholpen
is 'status by code' 'afspraak aangenomen' '"\(.status) \(.outcome)"' referral status "$(echo "$code" | tr A-Z a-z)" afspraak
is 'taken back' 'verstuurd' .status referral status "$referral" fout
is 'sent on makes the next referral' 7 '.next.code | length' referral status "$referral" doorgestuurd --service-name Ander --group zorg
is 'referral list --open' 2 length referral list --open
is 'the next one says where it came from' "$referral" '.[] | select(.follows != null) | .follows' referral list
is 'referral edit' wonen .domain referral show "$(json .id referral edit "$referral" --domain wonen)"
is 'a planned one' plan .status referral show "$(json .id referral add --contact "$first" --service "$service" --kind info --date +1w)"
silent=$(json .id referral add --contact "$first" --service "$service" --kind info --date -15d)
is 'silence is a state' "$silent 1" '"\(.silent[0].id) \(.silent | length)"' today
is 'referral list --silent' "$silent" '.[].id' referral list --silent

# --- search ---
is 'search finds a note by its beginning' "contact $second" '.[] | "\(.kind) \(.id)"' search zqmarkbes
is 'and a resident' resident '.[] | select(.kind == "resident") | .kind' search zqmarklina
is 'and nothing where there is nothing' 0 length search nergens

# --- two versions: none here (two devices are in another scenario) ---
is 'versions list' 0 length versions list
refused 2 'a field with one version' channel versions pick "$first" channel --keep 1
refused 4 'a field that is none' kleur versions pick "$first" kleur --keep 1

# --- history and undo ---
is 'something to undo' "$second" .id contact edit "$second" --channel huis
is 'history tells who changed what' 'channel telefoon huis Fatma' \
	'.[-1] | "\(.changes[0].field) \(.changes[0].before) \(.changes[0].after) \(.author)"' history "$second"
is 'the first edit made it' 'true false' '"\(.[0].made) \(.[1].made)"' history "$second"
is 'undo puts it back' "$second channel 0" '"\(.id) \(.back | join(",")) \(.stays | length)"' undo
is 'and so it is' telefoon .channel contact show "$second"
is 'history knows' 'true true' '"\(.[-1].undoes) \(.[-2].undone)"' history "$second"
is 'undo by id goes one further back' 'text' '.back | join(",")' undo "$second"
is 'the note is gone' null .text contact show "$second"
refused 8 'making is not undone' "$second" undo "$second"
refused 4 'history of what is not here' 99999 history 99999
is 'a name that sounds alike' zqmarklina '.similar[0].nick' resident add zqmarkliena
is 'search finds both' 2 'map(select(.kind == "resident")) | length' search zqmarkliena

# --- run ---
cat >"$TMPDIR/lines" <<'END'
# a comment, and an empty line

contact add --text "zqmarkregel één" --domain geld
contact add --channel fax
resident list
init --name Nog
today --lang en
END
"$slb" --json run "$TMPDIR/lines" >"$TMPDIR/out" 2>"$TMPDIR/err"
check 'run stops at the first failure' test "$? $(jq -s length "$TMPDIR/out")" = '5 2'
check 'and says in which line' grep -q '4.*lines' "$TMPDIR/err"
"$slb" --json run --keep-going "$TMPDIR/lines" >"$TMPDIR/out" 2>"$TMPDIR/err"
check 'run --keep-going: the worst status, one document a line' test "$? $(wc -l <"$TMPDIR/out")" = '5 5'
check 'each line of it is one document' test "$(jq -s 'map(type) | join(" ")' -r "$TMPDIR/out")" = 'object object array object object'
printf 'contact add --text zqmarkpijp\n' | "$slb" --json run - >"$TMPDIR/out" 2>&1
check 'run from standard input' test "$? $(jq -r 'has("id")' "$TMPDIR/out")" = '0 true'
refused 4 'run: a file that is not there' nergens run "$TMPDIR/nergens"

# --- lock ---
is 'lock' false .unlocked lock
refused 3 'locked: a passphrase is needed' . today
is 'lock twice' false .unlocked lock
is 'a command on its own' true '.follow_ups | type == "array"' --passphrase-file "$TMPDIR/pw" today

# --- people, in their language ---
"$slb" --passphrase-file "$TMPDIR/pw" run - >"$TMPDIR/text" 2>&1 <<END
today
contact show $first
referral show $code
referral list --lang en
service search salvation
END
check 'text in Dutch' grep -q 'Wie moet ik nog bellen' "$TMPDIR/text"
check 'labels in place of ids' grep -q 'Geldzaken' "$TMPDIR/text"
check 'text in English' grep -q 'No answer yet' "$TMPDIR/text"

# --- V1: nothing that was typed is on the disk in clear ---
grep -rla zqmark "$SLEUTELBOS_HOME" "$TMPDIR/remote.git" >"$TMPDIR/leak" 2>/dev/null
check 'no marker in any file of the home or the remote' test ! -s "$TMPDIR/leak"

finish
