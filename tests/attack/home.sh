#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal (V1, V2, V4, V5, V6): a home that somebody else has tampered with, made badly or left half made never costs what
# was saved without a word, and a home gives away nothing through modes, children or the memory of its owner.
# Seen to fail: when init clears a vault whose key file is gone; when nothing tells that vault.mark was lost; when a
# folder that stood open is left so; when a passphrase is searched for that is in the memory (the second scan).
set -u
. tests/support/check.sh
umask 000
printf 'a passphrase for this test only\n' >"$TMPDIR/pass"
slb() { "$BUILD/sleutelbos" --home "$TMPDIR/$home" --lang en --passphrase-file "$TMPDIR/pass" "$@"; }
copy() { rm -rf "$TMPDIR/$2" && cp -a "$TMPDIR/$1" "$TMPDIR/$2"; }

# The owner's process: the one that has vault.mark of this home open.
owner_pid()
{
	for p in /proc/[0-9]*; do
		ls -l "$p/fd" 2>/dev/null | grep -qF " $TMPDIR/$home/vault.mark" && echo "${p#/proc/}" && return
	done
}

# Ends the owner as a power cut would: the log stays.
owner_kill()
{
	p=$(owner_pid)
	[ -n "$p" ] && kill -9 "$p" && while [ -e "/proc/$p/fd/0" ]; do :; done
}

says_first() { slb contact list | grep -q 'the first'; }
is_private() { [ "$(stat -c %a "$TMPDIR/$home")" = 700 ]; }
no_loose_modes() { is_private && ! find "$TMPDIR/$home" -perm /077 ! -type l | grep .; }

# ---- Init ----

home=a
mkdir "$TMPDIR/a"
check 'a home is made in a folder that stood open' slb init --name Noor
check 'something is logged' slb contact add --text 'the first'
check 'no file of a home is open to others, whatever the umask' no_loose_modes

copy a lost
home=lost
mv "$TMPDIR/lost/keys" "$TMPDIR/keys.kept"
check_status 8 'a home whose key file is gone is not made anew' slb init --name Noor
mv -f "$TMPDIR/keys.kept" "$TMPDIR/lost/keys"
check 'and opens again when the key file is back' says_first

home=full
mkdir "$TMPDIR/full"
for blocks in 0 1 5 17 40 90; do
	rm -rf "$TMPDIR/full" && mkdir "$TMPDIR/full"
	(trap '' XFSZ; ulimit -f "$blocks"; slb init --name Noor) >"$TMPDIR/.full" 2>&1
	status=$?
	[ "$status" -eq 0 ] && break
	if [ "$status" -ne 9 ]; then
		not_ok "a full disk at $blocks blocks says so" "$TMPDIR/.full"
		break
	fi
done
check 'there is a home of which init was cut off' sh -c "[ $status -ne 0 ]"
check 'init begins again after a full disk' slb init --name Noor
check 'and the home works' slb contact add --text 'the first'

# Two at once: one home, and it opens.
home=twice
slb init --name Noor >"$TMPDIR/.one" 2>&1 &
one=$!
slb init --name Fenna >"$TMPDIR/.two" 2>&1
wait "$one"
check 'of two that make one home at once, what is left opens' slb contact list

# ---- Lost records of what must be there ----

home=a
check 'the vault is unlocked' slb unlock --minutes 5
check 'more is logged' slb contact add --text 'the second'
p=$(owner_pid)
if [ "$(id -u)" -eq 0 ] && command -v python3 >/dev/null && ! grep -q __asan_init "$BUILD/sleutelbos"; then
	cat >"$TMPDIR/scan.py" <<'PY'
import re, sys
pid, word, found, read = sys.argv[1], sys.argv[2].encode(), 0, 0
with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
    for line in maps:
        m = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
        if not m or "[v" in line:
            continue
        start, end = int(m[1], 16), int(m[2], 16)
        try:
            mem.seek(start)
            data = mem.read(end - start)
        except OSError:
            continue
        read += len(data)
        found += data.count(word)
print(found, "found in", read, "bytes")
sys.exit(1 if found or read < 1000000 else 0)
PY
	check 'the passphrase is nowhere in the memory of the owner' \
		python3 "$TMPDIR/scan.py" "$p" 'a passphrase for this test only'
	check 'where the scan finds what is there' sh -c "! python3 '$TMPDIR/scan.py' $p sleutelbos"
else
	echo 'ok the memory of the owner # SKIP needs root, python3 and a build without sanitizers'
fi
check 'the owner leaves no memory image' grep -q '^Max core file size *0 *0' "/proc/$p/limits"
owner_kill
copy a old
copy a gone
home=gone
rm "$TMPDIR/gone/vault.mark" "$TMPDIR/gone/vault.db-wal"
slb contact list >"$TMPDIR/.list" 2>"$TMPDIR/.said"
check 'edits that went with log and mark are not lost without a word' \
	sh -c "grep -q 'the second' '$TMPDIR/.list' || [ -s '$TMPDIR/.said' ]"

home=a
check 'what was logged before the power cut is there' slb contact list
check_says 'the second' 'with its text'
check 'the log is in the database' slb contact add --text 'the third'
cp "$TMPDIR/old/vault.db-wal" "$TMPDIR/a/vault.db-wal"
rm "$TMPDIR/a/vault.mark"
slb contact list >"$TMPDIR/.list" 2>"$TMPDIR/.said"
check 'an older log is not played back without a word where the mark is gone' \
	sh -c "grep -q 'the third' '$TMPDIR/.list' || [ -s '$TMPDIR/.said' ]"

# ---- What the courier leaves ----

home=real
mkdir "$TMPDIR/place"
slb init --name Noor >/dev/null 2>&1
check 'a neighbourhood is founded' slb neighbourhood found Oost --remote "$TMPDIR/place/r.git"
check 'nobody else gets into a home that syncs' is_private

# ---- What a child gets ----

mkdir "$TMPDIR/bin"
cp "$BUILD/sleutelbos" "$TMPDIR/bin/"
cat >"$TMPDIR/bin/sleutelbos-courier" <<EOS
#!/bin/sh
ls -l /proc/self/fd >"$TMPDIR/child.fd"
tr '\0' '\n' </proc/self/environ >"$TMPDIR/child.env"
exit 1
EOS
chmod 755 "$TMPDIR/bin/sleutelbos-courier"
BUILD=$TMPDIR/bin
home=child
mkdir "$TMPDIR/remote"
exec 7<"$TMPDIR/pass"
SECRET_OF_THE_USER=yes
export SECRET_OF_THE_USER
slb init --name Noor >/dev/null 2>&1
slb neighbourhood found Oost --remote "$TMPDIR/remote/r.git" >/dev/null 2>&1
check 'the courier was started' test -s "$TMPDIR/child.fd"
check 'it has no descriptor of the home, nor of the caller' \
	sh -c "! grep -E 'vault|keys|/pass|/owner' '$TMPDIR/child.fd'"
check 'it has nothing of the environment' sh -c "! grep -q SECRET_OF_THE_USER '$TMPDIR/child.env'"
rm -f "$TMPDIR/child.fd" "$TMPDIR/child.env"
slb unlock --minutes 5 >/dev/null 2>&1
slb sync >/dev/null 2>&1
slb neighbourhood found West --remote "$TMPDIR/remote/w.git" >/dev/null 2>&1
check 'the owner starts it too' test -s "$TMPDIR/child.fd"
check 'without what the owner has open' sh -c "! grep -E 'vault|keys|/pass|/owner|socket' '$TMPDIR/child.fd'"
slb lock >/dev/null 2>&1
finish
