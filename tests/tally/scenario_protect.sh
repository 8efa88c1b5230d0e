#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: `protect` works on a stranger's table without a home: it hides what must be hidden, writes what is safe, refuses
# a pattern that does not hold, and names the place of what it cannot read.
set -u
. tests/support/check.sh
case $BUILD in
/*) sb=$BUILD/sleutelbos ;;
*) sb=$PWD/$BUILD/sleutelbos ;;
esac
cd "$TMPDIR" || exit 1

cat >table.csv <<'END'
domain,outcome,freq
geld,stil,12
geld,geholpen,30
geld,niet,3
wonen,stil,22
wonen,geholpen,18
wonen,niet,9
werk,stil,7
werk,geholpen,25
werk,niet,40
END

check_status 0 'a table is protected' "$sb" --lang en protect table.csv --threshold 5 --out out
check_says 'The audit passed' 'and the person is told'
check 'the small count is a primary' grep -q '^"geld","niet",3,"primary",' out/pattern.csv
check 'a margin of the pattern is Total' grep -q '^"Total","Total",166,"open",166,166' out/pattern.csv
check 'the public file hides it' grep -qx '"geld","niet",""'"$(printf '\r')" out/public.csv
check 'and hides others with it, or one could subtract' test "$(grep -c ',""' out/public.csv)" -ge 4
check 'the audit is written down' grep -q '"A":"passed"' out/audit.json

cat >bad_pattern.csv <<'END'
domain,outcome,freq,status,lo,hi
geld,niet,3,primary,,
geld,stil,12,secondary,,
END
check_status 8 'a pattern that gives itself away is refused' "$sb" --lang en protect table.csv --threshold 5 \
	--audit-only bad_pattern.csv --out refused
check 'nothing public is written then' test ! -e refused/public.csv
check 'but the audit is' grep -q '"A":"failed"' refused/audit.json
check_status 0 'the pattern that was written passes again' "$sb" protect table.csv --threshold 5 \
	--audit-only out/pattern.csv --out again
check 'and comes back the same' cmp out/pattern.csv again/pattern.csv

cat >tree.csv <<'END'
dimension,child,parent
domain,geld,bestaan
domain,wonen,bestaan
domain,werk,bestaan
END
check_status 0 'a hierarchy adds its groups' "$sb" protect table.csv --threshold 5 --hierarchy tree.csv --out tree
check 'as cells of the pattern' grep -q '^"bestaan","Total",166,' tree/pattern.csv

printf 'domain,freq\na,12\nb,x\n' >bad.csv
check_status 5 'a count that is none is refused' "$sb" --lang en protect bad.csv --threshold 5 --out none
check_says 'bad.csv, row 3, column "freq"' 'with its place'
check 'and nothing is written' test ! -e none
printf 'domain,freq\na,12\na,13\n' >twice.csv
check_status 5 'a cell given twice is refused' "$sb" protect twice.csv --threshold 5 --out none
check_status 5 'so is a threshold of 1' "$sb" protect table.csv --threshold 1 --out none
check_status 4 'a file that is not there is not found' "$sb" protect missing.csv --threshold 5 --out none
finish
