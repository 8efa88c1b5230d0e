#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal (V1, K3): whoever keeps something new in the vault decides whether a backup may hold it: each name under which
# src/ keeps anything stands in the table of src/app/backup_kept.c. (What does not stand there is in no backup.)
# Seen to fail: with a line of the table taken out; with a new name in src/sync/.
set -u
. tests/support/check.sh

# kinds SRC: the names, one a line.
kinds()
{
	{
		grep -rhE '#define KEPT_[A-Z_]+ "' "$1" | sed 's/[^"]*"\([^"]*\)".*/\1/'
		grep -rhE 'store_kept_put\([^;]*"' "$1" | sed 's/.*store_kept_put([^"]*"\([^"]*\)".*/\1/'
		grep -rhE '(tally_kept|kept_put|kept_has)\([^;]*"[a-z]+"' "$1/app" | grep -oE '"[a-z]+"' |
			sed 's,"\(.*\)",tally/\1/,'
	} | sort -u
}

missing()
{
	kinds "$1" | while read -r kind; do
		grep -qF "{ \"$kind\", BACKUP_" "$1/app/backup_kept.c" || echo "$kind"
	done
}

missing src >"$TMPDIR/missing"
kinds src >"$TMPDIR/kinds"
if [ -s "$TMPDIR/missing" ]; then
	not_ok 'everything that is kept has its place in the table' "$TMPDIR/missing"
else
	echo 'ok everything that is kept has its place in the table'
fi
check 'all of them were found' test "$(wc -l <"$TMPDIR/kinds")" -ge 16

cp -r src "$TMPDIR/src"
sed -i '/"invite:", BACKUP_/d' "$TMPDIR/src/app/backup_kept.c"
check 'a line taken out is noticed' test "$(missing "$TMPDIR/src")" = invite:
echo '#define KEPT_TOKEN "token:"' >>"$TMPDIR/src/sync/keys.c"
check 'so is a new kind' test "$(missing "$TMPDIR/src" | tr '\n' ' ')" = 'invite: token: '
finish
