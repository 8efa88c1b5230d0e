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
check 'the released file shows the rest as it is' grep -qx '"geld","geholpen",30'"$(printf '\r')" out/released.csv
check 'the public one in fives' test "$(tail -n +2 out/public.csv | tr -d '\r"' | cut -d, -f3 | grep -cv '^\([0-9]*[05]\)\?$')" = 0
check 'and what is hidden in one is hidden in the other' test -z "$(paste -d, out/released.csv out/public.csv |
	tr -d '\r"' | awk -F, 'NR > 1 && $3 == "" && $6 != ""')"
check 'the audit is written down' grep -q '"A":"passed"' out/audit.json

cat >bad_pattern.csv <<'END'
domain,outcome,freq,status,lo,hi
geld,niet,3,primary,,
geld,stil,12,secondary,,
END
check_status 8 'a pattern that gives itself away is refused' "$sb" --lang en protect table.csv --threshold 5 \
	--audit-only bad_pattern.csv --out refused
check_says 'of "geld, stil"' 'and the cell that falls is named'
check 'in the audit too' test "$(jq -r '.failed[0].cell | .domain + " " + .outcome' refused/audit.json)" = 'geld stil'
check 'nothing public is written then' test ! -e refused/public.csv -a ! -e refused/released.csv
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

# whoever is the one of (geld, stil) knows the 3 of (wonen, niet)
cat >block.csv <<'END'
domain,outcome,freq
geld,stil,1
geld,niet,9
wonen,stil,12
wonen,niet,3
werk,stil,30
werk,niet,30
END
cat >block_pattern.csv <<'END'
domain,outcome,freq,status,lo,hi
geld,stil,1,primary,,
geld,niet,9,secondary,,
wonen,stil,12,secondary,,
wonen,niet,3,primary,,
END
check_status 8 'an insider is an attacker too' "$sb" --lang en protect block.csv --threshold 5 \
	--audit-only block_pattern.csv --out insider
check_says 'who knows the count of "geld, stil"' 'and is named'
check 'at level C alone and so at D' test "$(jq -r '.audit | .A + .B + .C + .D' insider/audit.json)" = passedpassedfailedfailed

# a hidden 9 does not become a 10 for the public
printf 'd,o,freq\na,x,1\na,y,9\nb,x,5\nb,y,7\nc,x,40\nc,y,50\n' >nine.csv
check_status 0 'a block of 1, 9, 5 and 7' "$sb" --lang en protect nine.csv --threshold 5 --out nine
check 'nowhere says 10' test "$(grep -c ',10' nine/public.csv)" = 0

awk 'BEGIN { print "a,b,c,freq"; for (k = 1; k <= 30; k++) printf "a%d,b%d,c%d,7\n", k, k, k }' >large.csv
check_status 8 'a table beyond the limits is refused' "$sb" --lang en protect large.csv --threshold 5 --out none
check_says 'too many cells' 'with a sentence'

printf 'domain,freq\na,12\nb,x\n' >bad.csv
check_status 5 'a count that is none is refused' "$sb" --lang en protect bad.csv --threshold 5 --out none
check_says 'bad.csv, row 3, column "freq"' 'with its place'
check 'and nothing is written' test ! -e none
printf 'domain,freq\na,12\na,13\n' >twice.csv
check_status 5 'a cell given twice is refused' "$sb" protect twice.csv --threshold 5 --out none
check_status 5 'so is a threshold of 1' "$sb" protect table.csv --threshold 1 --out none
check_status 4 'a file that is not there is not found' "$sb" protect missing.csv --threshold 5 --out none
finish
