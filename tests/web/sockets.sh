#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal (W1): the web interface has no socket but its own on 127.0.0.1, and asks no other machine anything; a second `open`
# finds the first; what it leaves behind when it ends is nothing; the start token stands in no argument and no file that
# others can read; a command of the command line is handed over, and `lock` ends the process that held the keys.
# Seen to fail: listening on every address; a keeper that leaves its word in owner/web.
set -u
. tests/support/check.sh

home=$TMPDIR/h
echo 'een lange zin voor de test' >"$TMPDIR/p"
slb()
{
	"$BUILD/sleutelbos" --home "$home" "$@"
}
# api NAME JSON: one question, as the page asks it.
api()
{
	curl -s -m 30 -o "$TMPDIR/answer" -w '%{http_code}' -X POST -H "Origin: http://127.0.0.1:$port" \
		-H 'Content-Type: application/json' -H "X-Sleutelbos: $token" -d "$2" "http://127.0.0.1:$port/api/$1"
}
# enter FILE: what a browser does with a start file.
enter()
{
	start=$(sed -n 's/.*name="token" value="\([0-9a-f]*\)".*/\1/p' "$1")
	curl -s -m 30 -X POST -H 'Origin: null' -d "token=$start" "http://127.0.0.1:$port/start" >"$TMPDIR/page"
	token=$(sed -n 's/.*sleutelbos-token" content="\([0-9a-f]*\)".*/\1/p' "$TMPDIR/page")
}
running()
{
	pgrep -f "^$BUILD/sleutelbos --home $home open" >/dev/null
}
# until COMMAND...: waits for it to succeed.
until_so()
{
	tries=0
	while ! "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 1000 ] || return 1
		sleep 0.02
	done
}
not()
{
	! "$@"
}

if ! command -v curl >/dev/null; then
	echo 'ok the sockets of the web interface # SKIP there is no curl'
	finish
fi
slb --passphrase-file "$TMPDIR/p" init --name Noor >/dev/null
# LeakSanitizer cannot work under strace
ASAN_OPTIONS=detect_leaks=0 strace -f -qq -e trace=socket,bind,connect,execve -o "$TMPDIR/calls" \
	"$BUILD/sleutelbos" --home "$home" open --no-browser --json >"$TMPDIR/opened" 2>&1 &
strace=$!
until_so test -s "$TMPDIR/opened"
port=$(jq -r .port "$TMPDIR/opened")
file=$(jq -r .file "$TMPDIR/opened")
check 'it says where it listens' test "$port" -gt 0
check 'the start file is for its owner alone' test "$(stat -c %a "$file")" = 600
check 'so is the word of the door' test "$(stat -c %a "$home/owner/web")" = 600
enter "$file"
check 'the start file lets a browser in' test ${#token} -eq 32
check 'and is gone then' test ! -e "$file"
check 'without a passphrase nothing is shown' test "$(api today '{}')" = 423
check 'the passphrase opens it' test "$(api unlock '{"passphrase":"een lange zin voor de test"}')" = 200
check 'then it is there' test "$(api contact/save '{"text":"Brief over de huur"}')" = 200
check 'a command is handed over, and no passphrase is asked' slb contact list
check_says 'Brief over de huur' 'and runs on the same vault'
check 'a sync without a neighbourhood is told, not hung' test "$(api sync '{}')" = 200
slb open --no-browser --json >"$TMPDIR/second"
check 'a second open finds the first' test "$(jq -c '[.port, .was_running]' "$TMPDIR/second")" = "[$port,true]"

# the second use of one token
second=$(jq -r .file "$TMPDIR/second")
cp "$second" "$TMPDIR/copy.html"
before=$token
enter "$second"
check 'a token for each start, of one session' test "$token" = "$before"
enter "$TMPDIR/copy.html"
check 'used a second time it lets nobody in, and says so' grep -q 'is al eens gebruikt' "$TMPDIR/page"
token=$before
until_so test "$(api state '{}')" = 401
check 'and the session is over' test "$(api state '{}')" = 401
slb open --no-browser --json >"$TMPDIR/third"
enter "$(jq -r .file "$TMPDIR/third")"
api state '{}' >/dev/null
check 'locked' test "$(jq .locked "$TMPDIR/answer")" = true

api unlock '{"passphrase":"een lange zin voor de test"}' >/dev/null
slb open --no-browser >/dev/null
check 'lock ends the process that held the keys (V6)' slb lock
until_so test "$(api state '{}')" = 200
check 'the page finds the next one, locked' test "$(jq .locked "$TMPDIR/answer")" = true
check 'it can be closed' test "$(api quit '{}')" = 200
check 'then no process is left' until_so not running
check 'and no file but its empty place' test "$(cd "$home/owner" && find . -type f -size +0 | wc -l)" -eq 0
wait "$strace"

grep -E 'AF_INET|AF_INET6|AF_PACKET|AF_NETLINK' "$TMPDIR/calls" | grep -E 'bind|connect' |
	grep -v 'sin_addr=inet_addr("127.0.0.1")' >"$TMPDIR/elsewhere"
check 'no socket leads to another machine' test ! -s "$TMPDIR/elsewhere"
cat "$TMPDIR/elsewhere"
check 'it does listen on loopback' grep -q 'bind(.*127.0.0.1' "$TMPDIR/calls"
check 'no token stands in an argument' not grep -E "execve.*($start|$token)" "$TMPDIR/calls"

finish
