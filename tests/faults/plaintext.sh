#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal (V1): what people type never reaches a disk, another program's command line or its environment as it is. Marker
# words go in through every field of the real command line; strace watches each write, each path and each program that
# is started, in every process, the courier included, and afterwards all files are searched. A word counts as seen when
# its last letters are there as typed, in lower or in upper case, in UTF-8 or in UTF-16: an index keeps beginnings apart.
# Allowed are only what a command says to the person who called it, the socket between a command and the owner of the
# open vault, and the passphrase in the pipe to the owner that a command starts.
#
# Every run shows first that a marker that is written on purpose is found. Seen to fail when: the cipher leaves its input
# as it is; adding a conversation puts its text into a temporary file.
set -u
. tests/support/check.sh

program=$BUILD/sleutelbos
strace -o /dev/null true 2>/dev/null || { echo 'ok plaintext # SKIP strace cannot trace here'; exit 0; }
# The courier gets an environment of its own, so its leak check cannot be switched off from here.
grep -q __asan_init "$program" && { echo 'ok plaintext # SKIP a leak check cannot run under strace'; exit 0; }
export XDG_RUNTIME_DIR="$TMPDIR/run"
T=$TMPDIR/world
mkdir -m 700 "$XDG_RUNTIME_DIR" "$T" "$T/letters" "$TMPDIR/trace"
say=$TMPDIR/said
words=$TMPDIR/words

# marker VAR WORD: the variable holds the word; its last eight letters are what is looked for.
marker() { eval "$1=\$2"; echo "$2" | sed 's/.*\(........\)$/\1/' >>"$words"; }
marker nick Sterkezanglijster
marker other_nick Anderehoutsnip
marker hood Wijkstormvogel
marker circle Kringblauwborst
marker resident Buurvrouwstrandloper
marker number 0612987345
marker text Dwangbevelboomvalk
marker edited Verbeterdbokje-wintertaling
marker follow Vervolgnachtegaal
marker referral Doorverwijzingzilvermeeuw
marker service Dienstwaterspreeuw
marker consent Toestemmingkoolmees
marker spoken Gespeldgoudhaantje
marker note Briefjeputter-roodmus-kruisbek
marker searched Gezochtpimpelmees
marker passphrase Wachtzinslechtvalk

# hex WORD: the word as strace -xx and a regular expression write it.
hex() { printf '%s' "$1" | od -An -v -tx1 | tr -d '\n' | sed 's/ /\\x/g'; }
quoted() { echo "$1" | sed 's/\\/\\\\/g'; }
pipe="^[0-9]* *write([0-9]*<$(quoted "$(hex 'pipe:[')")"
socket='^[0-9]* *\(send[a-z]*\|write\)([0-9]*<UNIX'
while read -r word; do
	for form in "$word" "$(echo "$word" | tr A-Z a-z)" "$(echo "$word" | tr a-z A-Z)"; do
		hex "$form"
		echo
		hex "$form" | sed 's/\(\\x..\)/\1\\x00/g; s/\\x00$//'
		echo
	done
done <"$words" | sort -u >"$TMPDIR/forms"

calls=write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,sendmmsg,sendfile,copy_file_range,splice,vmsplice,tee
calls=$calls,execve,execveat,openat,?open,?creat,?rename,renameat,?renameat2,?link,linkat,?symlink,symlinkat
calls=$calls,?mkdir,mkdirat,memfd_create,setxattr,fsetxattr,mmap,add_key,msgsnd
n=0
traced() # COMMAND...: runs it to its end, and that of all it started
{
	n=$((n + 1))
	strace -f -qq -yy -xx -v -s 1000000 -e signal=none -e trace="$calls" -o "$TMPDIR/trace/$n" "$@"
}

# in_traces: the lines of the traces that hold a marker where none is allowed. The first program of a trace is what the
# person typed.
in_traces()
{
	for trace in "$TMPDIR"/trace/*; do
		sed 1d "$trace" | grep -F -f "$TMPDIR/forms" |
			grep -v -e "^[0-9]* *[a-z0-9]*([0-9]*<$(quoted "$(hex "$say")")>" \
				-e "$socket" -e "$pipe.*$(quoted "$(hex "$passphrase")")"
	done
}
# in_files FOLDER...: the files that hold a marker.
in_files() { LC_ALL=C grep -rlaP -e "$(paste -sd '|' "$TMPDIR/forms")" "$@"; }

# ---- A marker on purpose ----

: >"$say"
printf '%s' "$text" >"$TMPDIR/control.txt"
traced sh -c 'tr a-z A-Z <"$1/control.txt" >"$1/control"' sh "$TMPDIR" >>"$say" 2>&1
check 'a marker that is written is found in the trace' test -n "$(in_traces)"
check 'and in the file' test "$(in_files "$TMPDIR/control")" = "$TMPDIR/control"
rm "$TMPDIR"/trace/*
traced sh -c 'read -r w <"$1/control.txt"; env "X=$w" true' sh "$TMPDIR" >>"$say" 2>&1
check 'so is one that a program is started with' test -n "$(in_traces)"
rm "$TMPDIR"/trace/*
traced sh -c 'iconv -t UTF-16LE "$1/control.txt" >"$1/control"' sh "$TMPDIR" >>"$say" 2>&1
check 'and one in UTF-16' test -n "$(in_traces)"
rm "$TMPDIR"/trace/* "$TMPDIR/control.txt" "$TMPDIR/control"
traced cat "$words" >>"$say"
check 'what a command says to its caller is not counted' test -z "$(in_traces)"
rm "$TMPDIR"/trace/*

# ---- The main job, typed ----

printf '%s met drie woorden\n' "$passphrase" >"$TMPDIR/passphrase"
slb() # STATUS HOME COMMAND...
{
	want=$1 home=$2
	shift 2
	echo "# $*" >>"$say"
	traced "$program" --home "$T/$home" --lang en --passphrase-file "$TMPDIR/passphrase" "$@" >>"$say" 2>&1
	got=$?
	[ "$got" -eq "$want" ] || not_ok "$1 ${2-} ends with status $want, not $got" "$say"
}

last_id() { sed -n 's/.*"id":"\([^"]*\)".*/\1/p' "$say" | tail -n 1; }

slb 0 een init --name "$nick"
# The owner of the open vault lives on; its trace ends with it.
mkfifo "$TMPDIR/opened"
# shellcheck disable=SC2016 # the inner shell expands
traced sh -c '"$@"; echo $? >"$0"' "$TMPDIR/opened" "$program" --home "$T/een" --lang en \
	--passphrase-file "$TMPDIR/passphrase" unlock --minutes 10 >>"$say" 2>&1 &
owner=$!
n=$((n + 1)) # of the trace in the background
read -r opened <"$TMPDIR/opened"
check 'the vault is kept open' test "$opened" -eq 0

slb 0 een neighbourhood found "$hood" --remote "$T/host.git"
slb 0 een circle found "$circle"
slb 0 een contact add --resident "$resident" --domain geld --text "$text en nog een woord"
slb 0 een contact add --domain wonen --text-file /dev/stdin --follow-up +1w <<-END
	$spoken
END
slb 0 een --json resident list
slb 0 een resident edit "$(last_id)" --reach telefoon --number "$number" --note "$note"
slb 0 een --json contact list
contact=$(last_id)
slb 0 een contact edit "$contact" --text "$edited"
slb 0 een referral add --contact "$contact" --service-name "$service" --group schulden --kind aangemeld \
	--domain geld --consent mondeling --consent-what "$consent" --text "$referral"
slb 0 een search "$edited"
slb 0 een search "$searched"
slb 0 een versions list
slb 0 een sync
slb 0 een invite --space "$circle" --out "$T/letters/invitation"
slb 0 een dump --canonical
slb 0 twee init --name "$other_nick"
slb 0 twee join --from "$T/letters/invitation"
slb 0 twee sync
slb 0 een sync
slb 0 twee run - <<-END
	sync
	contact add --text "$follow"
	search $text
	sync
END
slb 0 een sync
slb 0 een today
slb 0 een verify
slb 0 een lock
wait "$owner"
slb 0 een search "$follow"

# ---- What was seen ----

grep -v '^#' "$say" >"$TMPDIR/shown"
for word in "$edited" "$follow" "$text" "$hood"; do
	check "$word was kept and shown" grep -qF "$word" "$TMPDIR/shown"
done
check 'the courier was at work' grep -qF "$(hex sleutelbos-courier)" "$TMPDIR"/trace/*
in_traces >"$TMPDIR/found"
check 'no marker in any write, path, command line or environment' test ! -s "$TMPDIR/found"
cut -c 1-300 "$TMPDIR/found" | head -n 5 | sed 's/^/# /'
in_files "$T" "$XDG_RUNTIME_DIR" >"$TMPDIR/found"
check 'no marker in any file of homes, repository, invitation and runtime folder' test ! -s "$TMPDIR/found"
sed 's/^/# /' "$TMPDIR/found"

# All that is written is written where the search above looks.
# Paths are compared as strace writes them.
for allowed in "$T/" "$XDG_RUNTIME_DIR/" /dev/null /dev/tty "$say" "$TMPDIR/opened"; do
	hex "$allowed"
	echo
done >"$TMPDIR/allowed"
grep -h 'O_WRONLY\|O_RDWR\|O_CREAT' "$TMPDIR"/trace/* | grep -v ' = -1 ' | grep -v -F -f "$TMPDIR/allowed" |
	cut -c 1-600 >"$TMPDIR/found"
check 'nothing is written anywhere else' test ! -s "$TMPDIR/found"
while read -r line; do env printf '# %b\n' "$line"; done <"$TMPDIR/found"
# A file that is mapped for writing would be written without a call. Only the courier does so, with sealed objects.
grep -h 'mmap(.*PROT_WRITE.*MAP_SHARED, [0-9]' "$TMPDIR"/trace/* | grep -v -F -e "$(hex host.git)" -e "$(hex /repo)" \
	>"$TMPDIR/found"
check 'no file is mapped for writing but by the courier' test ! -s "$TMPDIR/found"
cut -c 1-300 "$TMPDIR/found" | sed 's/^/# /'
echo "# $(cat "$TMPDIR"/trace/* | wc -l) calls of $(cut -d' ' -f1 "$TMPDIR"/trace/* | sort -u | wc -l) processes," \
	"$(wc -l <"$words") markers in $(wc -l <"$TMPDIR/forms") forms"

finish
