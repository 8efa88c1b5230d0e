#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: a changed passphrase opens the same home and the old one no longer does (V4); a refused change changes nothing.
# Seen to fail: with the key file left as it was after "changed", and with both passphrases still valid.
set -u
. tests/support/check.sh
slb="$BUILD/sleutelbos --home $TMPDIR/h --lang en"
printf 'the first passphrase of this test\n' >"$TMPDIR/one"
printf 'the second passphrase of this test\n' >"$TMPDIR/two"

check 'a home is made' $slb init --name Noor --passphrase-file "$TMPDIR/one"
check 'something is logged' $slb contact add --text "before the change" --passphrase-file "$TMPDIR/one"
check_status 3 'a wrong passphrase changes nothing' \
	$slb passphrase change --passphrase-file "$TMPDIR/two" --new-passphrase-file "$TMPDIR/one"
check_status 8 'the same passphrase is no change' \
	$slb passphrase change --passphrase-file "$TMPDIR/one" --new-passphrase-file "$TMPDIR/one"
check 'the passphrase is changed' \
	$slb passphrase change --passphrase-file "$TMPDIR/one" --new-passphrase-file "$TMPDIR/two"
check_status 3 'the old one opens nothing' $slb contact list --passphrase-file "$TMPDIR/one"
check 'the new one opens' $slb contact list --passphrase-file "$TMPDIR/two"
check_says 'before the change' 'and everything is there'
finish
