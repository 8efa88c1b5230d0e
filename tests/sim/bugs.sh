#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: the simulator finds what it is for. Each file of tests/sim/bugs/ is one mistake in one source file, such as
# people make; a program with it (the Makefile builds one for each) must fail at one of the first 1,000 seeds.
set -u
. tests/support/check.sh

# finds NAME: the seed is printed, and why
finds()
{
	if [ ! -x "$BUILD/sim-bugs/$1" ]; then
		echo "$1.patch no longer fits, or does not compile: make it again from the source as it is now"
		cat "$BUILD/sim-bugs/$1.log"
		return 1
	fi
	"$BUILD/sim-bugs/$1" >"$TMPDIR/out" 2>&1 && return 1
	grep -m 1 '^# seed [0-9]*: ' "$TMPDIR/out"
}

for patch in tests/sim/bugs/*.patch; do
	name=$(basename "$patch" .patch)
	check "$name: $(head -n 1 "$patch")" finds "$name"
done
finish
