#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: the simulator finds what it is for. Each file of tests/sim/bugs/ is one mistake in one source file, such as
# people make; a program with it (the Makefile builds one for each) must fail at one of the first 1,000 seeds. The seed
# that found it before (tests/sim/bugs/seeds) is played first; where it finds nothing any more, and with SLB_SOAK, all are, from 1 on.
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
	seed=$(sed -n "s/^$1 //p" tests/sim/bugs/seeds)
	[ -n "${SLB_SOAK-}" ] && seed=
	if [ -z "$seed" ] || SLB_SIM_SEED=$seed "$BUILD/sim-bugs/$1" >"$TMPDIR/out" 2>&1; then
		"$BUILD/sim-bugs/$1" >"$TMPDIR/out" 2>&1 && return 1
	fi
	grep '^# seed [0-9]*: ' "$TMPDIR/out" | tail -n 1
}

for patch in tests/sim/bugs/*.patch; do
	name=$(basename "$patch" .patch)
	check "$name: $(head -n 1 "$patch")" finds "$name"
done
finish
