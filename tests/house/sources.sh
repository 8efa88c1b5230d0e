#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: every source looks as .clang-format says, carries its licence, and every header can be included alone.
set -u
. tests/support/check.sh

sources=$(find src tests -name '*.[ch]' | LC_ALL=C sort)
scripts=$(find scripts tests .ci -type f -exec awk 'FNR == 1 && /^#!/ { print FILENAME }' {} +)

# shellcheck disable=SC2086 # lists of file names without spaces
check 'every source has the shape that .clang-format gives' clang-format --dry-run --Werror $sources

for file in $sources $scripts Makefile; do
	head -n 3 "$file" | grep -q 'SPDX-License-Identifier: EUPL-1.2' || echo "$file: no licence tag"
done >"$TMPDIR/licence"
check 'every source and script carries the licence tag' test ! -s "$TMPDIR/licence"
cat "$TMPDIR/licence"

headers=$(find src -name '*.h' | LC_ALL=C sort)
flags="-std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -Isrc -I. -I$BUILD $(pkg-config --cflags sqlite3 libsodium libgit2 libcbor clp libmicrohttpd)"
for header in $headers; do
	printf '#include "%s"\n' "${header#src/}" >"$TMPDIR/alone.c"
	# shellcheck disable=SC2086 # flags are words
	"${CC:-gcc}" $flags -fsyntax-only "$TMPDIR/alone.c" || echo "$header" >>"$TMPDIR/alone"
done 2>"$TMPDIR/errors"
check 'every header can be included alone' test ! -e "$TMPDIR/alone"
sed 's/^/# /' "$TMPDIR/errors"

# A file of which the first line is #! is meant to be run.
for script in $scripts; do
	[ -x "$script" ] || echo "$script"
done >"$TMPDIR/modes"
check 'every script can be executed' test ! -s "$TMPDIR/modes"
cat "$TMPDIR/modes"

finish
