#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: the count at the end of `make test` cannot hide a failure: one that crashes, hangs, tests nothing, stops
# half-way or was not built is counted as failed, and the exit status says so.
set -u
. tests/support/check.sh

top=$TMPDIR/top
script()
{
	printf '#!/bin/sh\n%s\n' "$2" >"$top/tests/a/$1.sh"
	chmod "${3:-755}" "$top/tests/a/$1.sh"
}
fresh()
{
	rm -rf "$top"
	mkdir -p "$top/scripts" "$top/tests/a" "$top/build"
	cp scripts/run-tests "$top/scripts"
	script good 'echo "ok one"; echo "ok two"; echo "not ok three # SKIP no network"; test -d "$TMPDIR" && test -n "$BUILD"'
}
# counted STATUS 'LAST LINE' NAME
counted()
{
	check_status "$1" "$3: exit status $1" env BUILD="$top/build" SLB_TEST_TIMEOUT=1 "$top/scripts/run-tests"
	check "$3: $2" test "$(tail -n 1 "$TMPDIR/.check" | sed 's/^status.*//')" = "$2"
}

fresh
counted 0 '2 passed, 0 failed, 1 skipped' 'passed and skipped are told apart'
script bad 'echo "ok one"; echo "not ok two"; exit 1'
counted 1 '3 passed, 1 failed, 1 skipped' 'a failure is counted'

fresh; script crash 'echo "ok one"; kill -SEGV $$'
counted 1 '3 passed, 1 failed, 1 skipped' 'a crash'
fresh; script status 'echo "not ok one"'
counted 1 '2 passed, 2 failed, 1 skipped' 'a failure with exit status 0'
fresh; script silent 'exit 0'
counted 1 '2 passed, 1 failed, 1 skipped' 'a script that tests nothing'
fresh; script short 'echo 1..3; echo "ok 1 - one"'
counted 1 '3 passed, 1 failed, 1 skipped' 'a program that stops half-way'
fresh; script slow 'echo "ok one"; sleep 30'
counted 1 '3 passed, 1 failed, 1 skipped' 'one that hangs'
fresh; script mode 'echo "ok one"' 644
counted 1 '2 passed, 1 failed, 1 skipped' 'a script without its executable bit'
fresh; : >"$top/tests/a/test_unbuilt.c"
counted 1 '2 passed, 1 failed, 1 skipped' 'a program that was not built'
fresh; echo 'echo "ok sourced"' >"$top/tests/a/library.sh"
counted 0 '2 passed, 0 failed, 1 skipped' 'a sourced file is not a test'

fresh; rm "$top/tests/a/good.sh"
counted 1 '0 passed, 0 failed' 'no test at all'

fresh; script keeps 'echo x >"$TMPDIR/trace"; echo "not ok one"; exit 1'
env BUILD="$top/build" "$top/scripts/run-tests" >"$TMPDIR/output" 2>&1
kept=$(sed -n 's/ *its files: //p' "$TMPDIR/output")
check 'the folder of a failed test is kept' test -s "$kept/trace"
rm -rf "${kept:?}"

finish
