#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal (V2, V5, V6): a damaged home says so with status 7 and how to mend it; `verify --repair` mends it, also in the
# owner of an open vault and where the vault does not open any more; the damaged files are kept. An open vault is looked
# at while it has nothing else to do.
set -u
. tests/support/check.sh
home=$TMPDIR/h
slb="$BUILD/sleutelbos --home $home --lang en --passphrase-file $TMPDIR/p"
printf 'a passphrase for the one who repairs\n' >"$TMPDIR/p"
printf 'another passphrase\n' >"$TMPDIR/wrong"

# flip PAGE...: one byte in the middle of each page (from 1)
flip()
{
	for page; do
		printf '\377' | dd of="$home/vault.db" bs=1 seek=$((page * 4096 - 2000)) conv=notrunc 2>/dev/null
	done
}

# The output of the last check holds this, as JSON.
says()
{
	check_says "$1" "$2"
}

check 'a home is made' $slb init --name Noor
check 'a neighbourhood is founded' $slb neighbourhood found West --remote "$TMPDIR/repo.git"
for n in 1 2 3 4 5; do
	$slb contact add --text "conversation $n" --domain geld >/dev/null || not_ok "conversation $n"
done
check 'everything is sent' $slb sync
check 'a sound home is whole' $slb verify
says 'Everything is whole' 'and says so'
check 'nothing is to be repaired' $slb verify --repair --json
says '"result":"whole"' 'and says so'
$slb dump --canonical --space own >"$TMPDIR/before"

flip 30
check_status 7 'damage is found' $slb verify
says 'verify --repair' 'and says what to do'
check_status 7 'it is found as JSON' $slb verify --json
says '"result":"damaged"' 'and says so'
check 'it is repaired' $slb verify --repair
says 'is whole again' 'and says so'
check 'the damaged files are kept' test -f "$home"/damaged-*/vault.db
$slb dump --canonical --space own >"$TMPDIR/after"
check 'all is as it was' cmp "$TMPDIR/before" "$TMPDIR/after"
check 'and stays so' $slb verify

# Page 1: nothing opens any more.
flip 1
check_status 7 'a vault that does not open says so' $slb contact list
says 'verify --repair' 'and says what to do'
check 'it is repaired as well' $slb verify --repair --json
says '"repaired":true' 'and says so'
$slb dump --canonical --space own >"$TMPDIR/after"
check 'all is as it was, again' cmp "$TMPDIR/before" "$TMPDIR/after"
check_status 3 'not without the passphrase' "$BUILD/sleutelbos" --home "$home" --lang en verify --repair \
	--passphrase-file "$TMPDIR/wrong"

# In the owner.
check 'the vault is opened' $slb unlock --minutes 5
tries=0
until $slb status --json | grep -qF '"check":{"state":"whole"' || [ $tries -ge 500 ]; do
	tries=$((tries + 1))
done
check 'it is looked at in the background' test $tries -lt 500
check 'the owner repairs, with nothing to do' $slb verify --repair
flip 31 32 33
check 'and with something' $slb verify --repair --json
says '"repaired":true' 'and says so'
check 'it is open as before' $slb contact list
says 'conversation 3' 'and shows what it holds'
check 'it syncs' $slb sync
check 'it is locked' $slb lock
check 'it verifies' $slb verify
finish
