#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: install-missing does nothing at all where nothing is missing, says what it installs, and tells a person
# without root exactly what to type. The package tools are stand-ins that write down how they were called.
set -u
. tests/support/check.sh

bin=$TMPDIR/bin
mkdir "$bin"
for tool in sed sh env; do
	ln -s "$(command -v $tool)" "$bin/$tool"
done
stand_in()
{
	printf '#!/bin/sh\n%s\n' "$2" >"$bin/$1"
	chmod +x "$bin/$1"
}
printf 'have-one # why\n# a remark\nhave-two\n' >"$TMPDIR/present"
printf 'have-one\nlack-one\nlack-two\n' >"$TMPDIR/absent"
stand_in dpkg-query 'for p; do :; done; case $p in have-*) printf "install ok installed";; *) exit 1;; esac'
stand_in apt-get "echo \"apt-get \$*\" >>'$TMPDIR/calls'"
stand_in sudo "echo \"sudo \$*\" >>'$TMPDIR/calls'; exit 1"
stand_in id 'echo 1000'

install()
{
	rm -f "$TMPDIR/calls"
	PATH=$bin scripts/install-missing "$@"
}

# A command is enough, wherever it came from.
printf 'sed:have-no-such-package\n' >>"$TMPDIR/present"
printf 'no-such-command:lack-three\n' >"$TMPDIR/command"
check_status 0 'nothing missing: done' install "$TMPDIR/present"
check 'nothing missing: no word' test ! -s "$TMPDIR/.check"
check 'nothing missing: no package tool and no sudo is called' test ! -e "$TMPDIR/calls"

check_status 1 'no root and no sudo: stops' install "$TMPDIR/present" "$TMPDIR/absent"
check_says 'Missing packages: lack-one lack-two' 'no root and no sudo: says what is missing'
check_says 'apt-get update && apt-get install -y --no-install-recommends lack-one lack-two' \
	'no root and no sudo: prints the line to type'
check 'no root and no sudo: apt-get is not called' sh -c "! grep -q ^apt-get '$TMPDIR/calls'"

check_status 1 'a command that is missing' install "$TMPDIR/present" "$TMPDIR/command"
check_says 'Missing packages: lack-three' 'a command that is missing: its package is named'

stand_in id 'echo 0'
check_status 0 'root: installs' install "$TMPDIR/absent"
check_says 'Missing packages: lack-one lack-two' 'root: says what is missing'
printf 'apt-get update -q\napt-get install -y --no-install-recommends lack-one lack-two\n' >"$TMPDIR/wanted"
check 'root: updates and installs just that' cmp "$TMPDIR/calls" "$TMPDIR/wanted"

stand_in apt-get 'exit 100'
check_status 1 'a failing apt-get: stops' install "$TMPDIR/absent"
check_says 'could not be installed' 'a failing apt-get: says so'

for list in scripts/packages-build scripts/packages-test scripts/packages-bench; do
	check "$list is a plain list" sh -c "! sed 's/#.*//' $list | grep -Evx '([a-z]+:)?[a-z0-9.+-]+|'"
done

finish
