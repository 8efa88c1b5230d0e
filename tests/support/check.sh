# SPDX-License-Identifier: EUPL-1.2
# Sourced by scenario scripts: `. tests/support/check.sh`. They run in the top folder, may use $BUILD and a fresh
# $TMPDIR, and print one line "ok NAME", "not ok NAME" or "ok NAME # SKIP why" for each promise.

failures=0

# check NAME COMMAND...: the command succeeds.
check()
{
	check_name=$1
	shift
	if "$@" >"$TMPDIR/.check" 2>&1; then
		echo "ok $check_name"
	else
		not_ok "$check_name" "$TMPDIR/.check"
	fi
}

# check_status N NAME COMMAND...: the command ends with exit status N. Its output is left in $TMPDIR/.check.
check_status()
{
	check_want=$1 check_name=$2
	shift 2
	"$@" >"$TMPDIR/.check" 2>&1
	check_got=$?
	if [ "$check_got" -eq "$check_want" ]; then
		echo "ok $check_name"
	else
		echo "status $check_got where $check_want was due" >>"$TMPDIR/.check"
		not_ok "$check_name" "$TMPDIR/.check"
	fi
}

# check_says WORDS NAME: the output of the last check holds these words.
check_says()
{
	if grep -qF -e "$1" "$TMPDIR/.check"; then
		echo "ok $2"
	else
		echo "not said: $1" >>"$TMPDIR/.check"
		not_ok "$2" "$TMPDIR/.check"
	fi
}

# not_ok NAME [FILE]: a promise was broken; FILE tells more.
not_ok()
{
	echo "not ok $1"
	[ -n "${2-}" ] && sed 's/^/# /' "$2"
	failures=$((failures + 1))
}

# The last line of every script.
finish()
{
	[ "$failures" -eq 0 ]
	exit
}
