#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: what a program cannot reach, it cannot leak. Only the courier links libgit2, and it links nothing that can
# decrypt; below app/ nothing prints, reads a clock, the environment or a random source of its own.
set -u
. tests/support/check.sh

needs()
{
	readelf -d "$BUILD/$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

needs sleutelbos >"$TMPDIR/main"
needs sleutelbos-courier >"$TMPDIR/courier"
check 'the main program links SQLite' grep -q '^libsqlite3\.' "$TMPDIR/main"
check 'the main program does not link libgit2' sh -c "! grep -q '^libgit2\.' '$TMPDIR/main'"
check 'the courier links libgit2' grep -q '^libgit2\.' "$TMPDIR/courier"
check 'the courier links no cipher, database or CBOR' sh -c "! grep -E '^lib(sodium|sqlite3|cbor)' '$TMPDIR/courier'"
for program in sleutelbos sleutelbos-courier; do
	readelf -lW "$BUILD/$program" >"$TMPDIR/elf"
	check "$program has no executable stack" sh -c "grep GNU_STACK '$TMPDIR/elf' | grep -qv 'RWE'"
	check "$program has read-only relocations" grep -q GNU_RELRO "$TMPDIR/elf"
done

forbidden='stdout|stderr|printf|vprintf|puts|putchar|perror|syslog|time|gettimeofday|clock_gettime|localtime|getenv'
forbidden="$forbidden|secure_getenv|exit|abort|rand|random|getrandom|getentropy|setlocale"
for module in base confine crypto model batch disclose store sync tally render; do
	nm -A -u "$BUILD/obj/$module/"*.o 2>/dev/null |
		awk -v forbidden="^(__)?($forbidden)(_chk|_r)?$" '$NF ~ forbidden { print $1, $NF }' >"$TMPDIR/symbols"
	check "$module/ prints nothing and reads no clock, environment or chance" test ! -s "$TMPDIR/symbols"
	sed 's/^/# /' "$TMPDIR/symbols"
done

finish
