#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: the processes that people start are confined. Loaded into a command, an owner and a courier (cli/preload), tries
# of somebody who took them over are refused, and the command does its work all the same; the starter opens nothing
# that has to do with keys; status says what is active, also where the system knows less, for root and for anybody.
set -u
. tests/support/check.sh
. tests/support/people.sh

driver=$BUILD/tests/cli/driver
trap 'as noor lock >/dev/null 2>&1; as noor2 lock >/dev/null 2>&1' EXIT
mkdir "$TMPDIR/outside"
echo x >"$TMPDIR/outside/file"

as noor init --name Noor >/dev/null
as noor neighbourhood found Wijk --remote "$TMPDIR/wijk.git" >/dev/null
as noor sync >/dev/null

# ---- What they would do who took a process over ----

landlock=$(json '.confinement[0].landlock // 0' noor status)
calls=$(json '.confinement[0].calls' noor status)

# tried NAME FILE: the tries that a confined process left in FILE.
tried()
{
	check "$1: it was tried" test -s "$2"
	grep '^done' "$2" | cut -f 2 >"$TMPDIR/worked"
	# Without a port of which the number is known there is nobody to connect to.
	check "$1: nothing worked" test ! -s "$TMPDIR/worked"
	sed 's/^/# done: /' "$TMPDIR/worked"
}

if grep -q __asan_init "$slb"; then
	echo 'ok tries in the running programs # SKIP nothing can be loaded before a sanitizer'
elif [ "$calls" != true ] || [ "$landlock" -lt 6 ]; then
	echo 'ok tries in the running programs # SKIP this system does not know all of it'
else
	check 'a command does its work' env LD_PRELOAD="$BUILD/tests/cli/tries.so" SLB_TRIES_DIR="$TMPDIR/outside" \
		SLB_TRIES_OUT="$TMPDIR/noor/tries" "$slb" --home "$TMPDIR/noor" --passphrase-file "$TMPDIR/pw" \
		contact add --text gesprek
	tried 'a command' "$TMPDIR/noor/tries"
	rm "$TMPDIR/noor/tries"

	check 'an owner starts' env LD_PRELOAD="$BUILD/tests/cli/tries.so" SLB_TRIES_DIR="$TMPDIR/outside" \
		SLB_TRIES_OUT="$TMPDIR/noor/tries" "$slb" --home "$TMPDIR/noor" --passphrase-file "$TMPDIR/pw" \
		unlock --minutes 5
	tried 'an owner' "$TMPDIR/noor/tries"
	rm "$TMPDIR/noor/tries"
	check 'and syncs' as noor sync
	check 'and writes where it is told to' as noor backup "$TMPDIR/owner.backup"
	check 'and ends' as noor lock

	mkdir -p "$TMPDIR/c/in"
	printf 'sleutelbos-job 1\nrepo\t%s\nremote\t%s\nin\t%s\nwant\trefs/heads/join/\nend\n' "$TMPDIR/c/repo" \
		"$TMPDIR/wijk.git" "$TMPDIR/c/in" |
		env LD_PRELOAD="$BUILD/tests/cli/tries.so" SLB_TRIES_DIR="$TMPDIR/outside" SLB_TRIES_OUT="$TMPDIR/c/in/tries" \
			"$BUILD/sleutelbos-courier" >"$TMPDIR/report"
	check 'a courier does its work' grep -qx done "$TMPDIR/report"
	tried 'a courier' "$TMPDIR/c/in/tries"
fi

# ---- The starter ----

if ! strace -o /dev/null true 2>/dev/null || grep -q __asan_init "$slb"; then
	echo 'ok the starter # SKIP strace cannot trace here'
else
	mkdir "$TMPDIR/trace"
	(cd "$work" && strace -ff -y -o "$TMPDIR/trace/t" -e trace='openat,open,read,pread64,write,execve,connect,recvmsg' \
		"$slb" --home "$TMPDIR/noor" --passphrase-file "$TMPDIR/pw" sync >/dev/null)
	# Who started the courier is the starter; who read the key file holds the keys.
	for t in "$TMPDIR"/trace/t.*; do
		grep -q 'execve(.*sleutelbos-courier' "$t" && echo "$t" >>"$TMPDIR/couriers"
		grep -q '/noor/keys"' "$t" && echo "$t" >>"$TMPDIR/keyed"
		grep -q 'recvmsg(3<socket' "$t" && ! grep -q '/noor/keys"' "$t" && echo "$t" >>"$TMPDIR/starters"
	done
	check 'one process read the key file' test "$(wc -l <"$TMPDIR/keyed")" -eq 1
	check 'one started the courier' test "$(wc -l <"$TMPDIR/starters")" -eq 1
	starter=$(cat "$TMPDIR/starters")
	for what in /keys vault. /spool /pw wijk.git; do
		check "the starter opens nothing of $what" sh -c "! grep -q 'open.*$what' '$starter'"
	done
	check 'the starter reads no file and writes none' sh -c "! grep -E '^(read|pread64|write)\(' '$starter'"
	key=$(cat "$TMPDIR/keyed")
	check 'who holds keys starts nothing' sh -c "! sed 1d '$key' | grep -q execve"
	check 'who holds keys opened the vault after it was confined' grep -q 'vault.db' "$key"
fi

# ---- What the person names, and nothing else ----

check 'a passphrase through a pipe, a file beside the command' sh -c "echo een lang wachtzinnetje van woorden |
	'$slb' --home '$TMPDIR/noor' --passphrase-file /dev/stdin contact add --text-file '$TMPDIR/outside/file'"
echo "contact add --text-file $TMPDIR/outside/file" >"$TMPDIR/lines"
check 'files in the lines of run' as noor run "$TMPDIR/lines"
check_status 1 'a folder of files' as noor service import "$(pwd)/tests/data/sanmateo_ohana"
check 'a folder that is made' as noor export "$TMPDIR/made"
check 'the folder is whole' test -s "$TMPDIR/made/log.csv"
as noor unlock --minutes 5 >/dev/null
check_status 1 'in the owner: a folder of files' as noor service import "$(pwd)/tests/data/sanmateo_ohana"
check 'in the owner: a file by a name with =' as noor contact add --text-file="$TMPDIR/outside/file"
as noor lock >/dev/null

# ---- Systems that know less, and ordinary users ----

# says HOW LANDLOCK CALLS COMMAND...: what status says of who has keys and of the courier, and that all still works.
printf 'status\ncontact add --text zo\nsync\n' >"$TMPDIR/three"
says()
{
	says_how=$1 says_landlock=$2 says_calls=$3
	shift 3
	check "$says_how: writing and sync work" sh -c '"$@" --json run - <"$0" >"$0.out"' "$TMPDIR/three" "$@"
	got=$(jq -rs '.[0].confinement[] | select(.process != "starter") | "\(.files) \(.calls)"' "$TMPDIR/three.out" | sort -u)
	check "$says_how: status says so" test "$got" = "$says_landlock $says_calls"
}

whole=$([ "$landlock" -gt 0 ] && echo true || echo false)
says 'this system' "$whole" "$calls" "$slb" --home "$TMPDIR/noor" --lang en --passphrase-file "$TMPDIR/pw"
if "$driver" no-landlock true 2>/dev/null || [ $? -ne 77 ]; then
	says 'without Landlock' false "$calls" "$driver" no-landlock "$slb" --home "$TMPDIR/noor" --lang en \
		--passphrase-file "$TMPDIR/pw"
	check_status 0 'without Landlock: in words' "$driver" no-landlock "$slb" --home "$TMPDIR/noor" --lang en \
		--passphrase-file "$TMPDIR/pw" status
	check_says 'lacks Landlock' 'and which part'
	says 'without seccomp' "$whole" false "$driver" no-seccomp "$slb" --home "$TMPDIR/noor" --lang en \
		--passphrase-file "$TMPDIR/pw"
else
	echo 'ok systems that know less # SKIP none can be made here'
fi

if [ "$(id -u)" -ne 0 ]; then
	echo 'ok another user # SKIP this is an ordinary user already'
elif ! setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$slb"; then
	echo 'ok another user # SKIP nobody cannot reach the program'
else
	low=$(mktemp -d /tmp/slb-low.XXXXXX)
	cp "$TMPDIR/pw" "$low/pw"
	chown -R 65534:65534 "$low"
	set -- setpriv --reuid=65534 --regid=65534 --clear-groups env -u XDG_RUNTIME_DIR HOME="$low" "$slb" --home "$low/h" --lang en \
		--passphrase-file "$low/pw"
	check 'an ordinary user makes a home' "$@" init --name Bram
	check 'founds a neighbourhood' "$@" neighbourhood found Wijk --remote "$low/wijk.git"
	says 'an ordinary user' "$whole" "$calls" "$@"
	check 'opens it' "$@" unlock --minutes 5
	says 'an ordinary user, in the owner' "$whole" "$calls" "$@"
	check 'exports' "$@" backup "$low/backup"
	check 'locks it' "$@" lock
	rm -rf "$low"
fi

finish
