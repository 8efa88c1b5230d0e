#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: where it is asked for, syncing waits for a named or an unmetered network, as nmcli tells it (a false one here,
# found by PATH); without an answer it says so and does nothing; nothing asked: nmcli is not even started.
set -u
. tests/support/check.sh
. tests/support/people.sh

mkdir "$TMPDIR/bin"
cat >"$TMPDIR/bin/nmcli" <<'END'
#!/bin/sh
echo "$LC_ALL $*" >>"${0%/*}/asked"
[ -e "${0%/*}/fails" ] && exit 8
cat "${0%/*}/answer"
END
chmod +x "$TMPDIR/bin/nmcli"
PATH=$TMPDIR/bin:$PATH
export PATH

# on NAME METERED [NAME METERED]: what nmcli says
on()
{
	{
		while [ $# -gt 0 ]; do
			printf 'GENERAL.STATE:100 (connected)\nGENERAL.METERED:%s\nGENERAL.CONNECTION:%s\nIP4.GATEWAY:10.0.0.1\n\n' "$2" "$1"
			shift 2
		done
		printf 'GENERAL.STATE:100 (connected (externally))\nGENERAL.METERED:unknown\nGENERAL.CONNECTION:lo\nIP4.GATEWAY:\nIP6.GATEWAY:--\n'
	} >"$TMPDIR/bin/answer"
}

as home init --name Noor >/dev/null 2>&1
as home neighbourhood found West --remote "$TMPDIR/repo" >/dev/null 2>&1
check 'nothing asked: it syncs' as home sync
check_status 1 'and nmcli was not started' test -e "$TMPDIR/bin/asked"

on 'Thuis\: beneden' 'no (guessed)'
check 'unmetered' as home sync --unmetered
check 'it was asked in English' grep -q '^C -t -f ' "$TMPDIR/bin/asked"
check 'by its name' as home sync --network 'Buurthuis,Thuis: beneden'
check_status 6 'another name' as home sync --network 'Thuis'
check_says 'Thuis: beneden' 'which is told'
on Telefoon 'yes (guessed)'
check_status 6 'metered' as home sync --unmetered
check_says 'costs money' 'is told'
on Vreemd unknown
check_status 6 'not known to be unmetered' as home sync --unmetered
on Thuis no Telefoon yes
check_status 6 'one of two is metered' as home sync --unmetered
on
check_status 6 'no network at all' as home sync --unmetered
check_says 'on no network' 'is told'
touch "$TMPDIR/bin/fails"
check_status 6 'nmcli does not answer' as home sync --unmetered
check_says 'NetworkManager does not answer' 'is told'
rm "$TMPDIR/bin/nmcli"
PATH=$(printf %s "$PATH" | tr : '\n' | while read -r d; do [ -x "$d/nmcli" ] || printf '%s:' "$d"; done)
check_status 6 'no nmcli at all' as home sync --network Thuis
check_says 'leave out --network' 'what to do'
check 'and without the wish it syncs' as home sync
finish
