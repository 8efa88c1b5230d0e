#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal (V3, V6): killed at any call that changes a disk, `backup` leaves no file or a whole one and the home as it was,
# `restore` no home or a whole one, `wipe` a home that opens or one without a key; and the same once more ends it. A disk
# that is full or fails, at any such call, is told with status 9 and leaves nothing behind.
# Every 3rd call in the ordinary run; SLB_SOAK=1: every one.
# Seen to fail: with the backup written under its name from the start; with what a failed restore made left where it was;
# with the key file removed last.
set -u
. tests/support/check.sh
driver=$BUILD/tests/app/driver
step=3
[ -n "${SLB_SOAK-}" ] && step=1
export ASAN_OPTIONS=detect_leaks=0
if ! strace -o /dev/null true 2>/dev/null; then
	echo 'ok backups killed at every call # SKIP strace cannot trace here'
	exit 0
fi
# In memory where possible: what is asked here is what was done and in which order.
base=$TMPDIR
[ -w /dev/shm ] && base=$(mktemp -d /dev/shm/slb-backup-kill-XXXXXX)
trap '[ "$base" = "$TMPDIR" ] || rm -rf "$base"' EXIT
cd "$base" || exit 1
KILLS='write pwrite64 fsync fdatasync ftruncate rename link linkat unlink unlinkat rmdir mkdir openat'
FAILS='write pwrite64 fsync fdatasync ftruncate mkdir'

"$driver" 7 make clean 30 || exit 1
"$driver" 7 backup clean good || exit 1

# Puts everything back before a blow.
put_back() { rm -rf home home.part out other other.part && cp -a clean home; }

# calls NAME COMMAND...: how often the command makes this call.
calls()
{
	calls_name=$1
	shift
	strace -f -qq -e trace="$calls_name" -o trace "$@" >/dev/null 2>&1
	grep -c "$calls_name(" trace
}

# after_WHAT STATUS: is everything as it must be? Says what is not.
after_backup()
{
	[ "$("$driver" 7 check home 2>&1)" = 30 ] || echo 'the home is not as it was'
	[ "$(ls out)" = "$(ls out | grep -x file)" ] || echo "beside the file: $(ls -A out)"
	[ -n "$(ls -A out | grep -vx file)" ] && echo "beside the file: $(ls -A out)"
	if [ -e out/file ]; then
		"$driver" 7 restore other out/file 2>&1 || echo 'the file is there and not whole'
		rm -rf other out/file
	elif [ "$1" -eq 0 ]; then
		echo 'said to be done, and no file'
	fi
	[ "$1" -eq 0 ] || [ "$1" -gt 100 ] || [ ! -e home/backup.part ] || echo 'a part is left in the home'
	"$driver" 7 backup home out/file 2>&1 || echo 'a second time does not work'
	[ -e home/backup.part ] && echo 'a part is left in the home'
	cmp -s home/keys clean/keys || echo 'the key file changed'
}

after_restore()
{
	if [ -e other ]; then
		[ "$("$driver" 7 check other 2>&1)" = '30 restored' ] || echo "there is half a home: $(ls other)"
		cmp -s other/keys clean/keys || echo 'its key file is not that of the backup'
	else
		[ "$1" -eq 0 ] && echo 'said to be done, and no home'
		[ "$1" -gt 100 ] || [ ! -e other.part ] || echo 'a part is left'
		"$driver" 7 restore other good 2>&1 || echo 'a second time does not work'
		[ "$("$driver" 7 check other 2>&1)" = '30 restored' ] || echo 'nor is it whole'
	fi
	[ -e other.part ] && echo 'a part is left after the second time'
}

after_wipe()
{
	if [ -e home/keys ] && cmp -s home/keys clean/keys; then
		[ "$("$driver" 7 check home 2>&1)" = 30 ] || echo 'the key is there and the home is not'
	fi
	[ -e home ] || return 0
	"$driver" 7 wipe home 2>&1 || echo 'a second time does not work'
	[ -e home ] && echo "left: $(ls -A home)"
	return 0
}

# blows WHAT INJECTION CALLS COMMAND...: one run for each call, with the INJECTION at that call.
blows()
{
	what=$1 injection=$2 names=$3
	shift 3
	count=0
	: >wrong
	for name in $names; do
		put_back
		mkdir out
		n=$(calls "$name" "$@")
		at=1
		while [ "$at" -le "$n" ]; do
			put_back
			mkdir out
			strace -f -qq -e trace="$name" -e inject="$name:$injection:when=$at" -o trace "$@" >said 2>&1
			status=$?
			case $injection:$status in
			signal*:137 | error*:9 | *:0) ;;
			*) echo "$name $at: status $status: $(cat said)" >>wrong ;;
			esac
			"after_$what" "$status" | sed "s/^/$name $at: /" >>wrong
			count=$((count + 1))
			at=$((at + step))
		done
	done
	if [ -s wrong ] || [ "$count" -lt 10 ]; then
		not_ok "$what with $injection at $count calls" wrong
	else
		echo "ok $what with $injection at $count calls"
	fi
}

blows backup signal=KILL "$KILLS" "$driver" 7 backup home out/file
blows restore signal=KILL "$KILLS" "$driver" 7 restore other good
blows wipe signal=KILL "$KILLS" "$driver" 7 wipe home
blows backup error=ENOSPC "$FAILS" "$driver" 7 backup home out/file
blows restore error=ENOSPC "$FAILS" "$driver" 7 restore other good
blows restore error=EIO "$FAILS" "$driver" 7 restore other good
finish
