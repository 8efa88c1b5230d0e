# SPDX-License-Identifier: EUPL-1.2
# Sourced by scenarios in which people at several homes type commands: `. tests/support/people.sh`, after check.sh.
# Homes are $TMPDIR/NAME, all with one passphrase; commands run in the folder $work, in the language $lang. A script that
# leaves homes unlocked sets a trap that locks them.
slb="$BUILD/sleutelbos"
work="$TMPDIR/work"
mkdir "$work"
echo 'een lang wachtzinnetje van woorden' >"$TMPDIR/pw"
unset SLEUTELBOS_HOME XDG_DATA_HOME
lang=en

# as HOME COMMAND...
as()
{
	as_home=$1
	shift
	(cd "$work" && exec "$slb" --home "$TMPDIR/$as_home" --lang "$lang" --passphrase-file "$TMPDIR/pw" "$@" </dev/null)
}

# opened HOME: a new home of somebody called Noor, unlocked; it is locked when the script ends.
opened()
{
	# shellcheck disable=SC2064 # the home of now
	trap "as $1 --quiet lock >/dev/null 2>&1" EXIT
	as "$1" init --name Noor >/dev/null 2>&1
	as "$1" --quiet unlock --minutes 5 >/dev/null 2>&1
}

# json FILTER HOME COMMAND...: the one document of a command through jq.
json()
{
	json_filter=$1 json_home=$2
	shift 2
	as "$json_home" --json "$@" 2>"$TMPDIR/json.err" | jq -r "$json_filter"
}

# is NAME WANT FILTER HOME COMMAND...
is()
{
	is_name=$1 is_want=$2
	shift 2
	is_got=$(json "$@")
	if [ "$is_got" = "$is_want" ]; then
		echo "ok $is_name"
	else
		printf 'got:  %s\nwant: %s\n' "$is_got" "$is_want" >"$TMPDIR/.is"
		cat "$TMPDIR/json.err" >>"$TMPDIR/.is"
		not_ok "$is_name" "$TMPDIR/.is"
	fi
}
