#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: the hook for people who host the repository themselves lets through whatever the program sends, and nothing that
# would make work for members: branches that go back, strange names, other commits, large files, deletions before their
# time. The clock is a stand-in.
set -u
. tests/support/check.sh
hosts=$PWD/tests/support/hosts
trap '"$hosts" stop "$TMPDIR/ssh"' EXIT
"$hosts" ssh "$TMPDIR/ssh"
repo=$TMPDIR/ssh/west.git
git init -q --bare "$repo"
cp scripts/pre-receive "$repo/hooks/pre-receive"
mkdir "$TMPDIR/in" "$TMPDIR/out" "$TMPDIR/bin"
printf '#!/bin/sh\ncat "%s/clock"\n' "$TMPDIR" >"$TMPDIR/bin/date"
chmod +x "$TMPDIR/bin/date"
day() { echo $((1800000000 + 86400 * $1)) >"$TMPDIR/clock"; }
day 0
export PATH="$TMPDIR/bin:$PATH"

# --- the program itself, over ssh, by the system's own clock ---
hex() { od -An -v -tx1 | tr -d ' \n'; }
pin=$(cut -d' ' -f2 "$TMPDIR/ssh/host_ecdsa.pub" | base64 -d | sha256sum | cut -d' ' -f1)
# sends REF NAME...: a job with these files on that branch
sends()
{
	sends_ref=$1
	shift
	{
		printf 'sleutelbos-job 1\nrepo\t%s\nremote\tssh://%s@localhost:%s%s\nin\t%s\nlogin\tkey\t%s\nsecret\t%s\ntrust\t%s\n' \
			"$TMPDIR/cache" "$(cat "$TMPDIR/ssh/user")" "$(cat "$TMPDIR/ssh/port")" "$repo" "$TMPDIR/in" \
			"$(cat "$TMPDIR/ssh/user")" "$(hex <"$TMPDIR/ssh/user_ed25519")" "$pin"
		for name; do
			head -c 2000 /dev/urandom >"$TMPDIR/out/$name"
			printf 'put\trefs/heads/%s\t%s\t%s\n' "$sends_ref" "$name" "$TMPDIR/out/$name"
		done
		printf 'end\n'
	} | "$BUILD/sleutelbos-courier"
}
check 'what the program sends is taken' sends space/aaaa/dev b-1 b-2 b-3
check 'more of it too' sends space/aaaa/dev b-4
check 'and a letter' sends join/letter b-1
check 'all of it is there' test "$(git -C "$repo" rev-list --count space/aaaa/dev)" = 4
rm "$repo/sleutelbos-seen"

# --- somebody else, with git itself ---
git init -q "$TMPDIR/mine"
cd "$TMPDIR/mine" || exit 1
git remote add host "$repo"
git fetch -q host '+refs/heads/*:refs/heads/*'
export GIT_AUTHOR_NAME=sleutelbos GIT_AUTHOR_EMAIL='' GIT_AUTHOR_DATE='@0 +0000'
export GIT_COMMITTER_NAME=sleutelbos GIT_COMMITTER_EMAIL='' GIT_COMMITTER_DATE='@0 +0000'

# tree MODE NAME [FILE]: the id of a tree with one entry
tree()
{
	tree_blob=$(git hash-object -w "${3:-/dev/null}")
	printf '%s blob %s\t%s\n' "$1" "$tree_blob" "$2" | git mktree
}
# commit TREE [PARENT...]: by the raw bytes that the program writes
commit()
{
	{
		echo "tree $1"
		shift
		for parent; do
			echo "parent $parent"
		done
		printf 'author sleutelbos <> 0 +0000\ncommitter sleutelbos <> 0 +0000\n\n'
	} | git hash-object -t commit -w --stdin
}
# pushes ID REF
pushes() { git push -q host "$1:refs/heads/$2"; }
# refused NAME WORDS COMMAND...
refused()
{
	refused_name=$1 refused_words=$2
	shift 2
	check_status 1 "$refused_name" "$@"
	check_says "$refused_words" 'and why'
}

tip=$(git rev-parse space/aaaa/dev)
good=$(commit "$(tree 100644 b-9)" "$tip")
refused 'a branch that goes back' 'may only grow' git push -q --force host "$tip~1:refs/heads/space/aaaa/dev"
refused 'another line' 'may only grow' git push -q --force host "$(commit "$(tree 100644 b-9)"):refs/heads/space/aaaa/dev"
for name in main Space/aaaa/dev space/a1/dev space/aaaa/dev/more/and/more space; do
	refused "the name $name" 'not a name' pushes "$good" "$name"
done
refused 'a tag' 'not a name' git push -q host "$good:refs/tags/space/aaaa"
refused 'a program' 'plain file' pushes "$(commit "$(tree 100755 b-9)" "$tip")" space/aaaa/dev
refused 'a link' 'plain file' pushes "$(commit "$(tree 120000 b-9)" "$tip")" space/aaaa/dev
refused 'a strange file name' 'another name' pushes "$(commit "$(tree 100644 'b 9')" "$tip")" space/aaaa/dev
folder=$(printf '040000 tree %s\tsub\n' "$(tree 100644 b-9)" | git mktree)
refused 'a folder' 'another name' pushes "$(commit "$folder" "$tip")" space/aaaa/dev
refused 'two commits before it' 'more than one' pushes "$(commit "$(tree 100644 b-9)" "$tip" "$(git rev-parse "$tip~1")")" space/aaaa/dev
refused 'somebody with a name' 'a name, a time' pushes \
	"$(GIT_AUTHOR_NAME=Noor git commit-tree -p "$tip" "$(tree 100644 b-9)" </dev/null)" space/aaaa/dev
refused 'a text' 'a name, a time' pushes "$(echo hello | git commit-tree -p "$tip" "$(tree 100644 b-9)")" space/aaaa/dev
head -c 17000000 /dev/zero >"$TMPDIR/large"
refused 'a large file' '16 MiB' pushes "$(commit "$(tree 100644 b-9 "$TMPDIR/large")" "$tip")" space/aaaa/dev
refused 'what is hidden below a good one' 'plain file' pushes \
	"$(commit "$(tree 100644 b-10)" "$(commit "$(tree 100755 b-9)" "$tip")")" space/aaaa/dev
check 'nothing of it is there' test "$(git -C "$repo" rev-parse space/aaaa/dev)" = "$tip"
check 'a good one is taken' pushes "$good" space/aaaa/dev

# --- deletions ---
gone() { git push -q host --delete "$@"; }
day 1
refused 'the only epoch stays' 'may not go yet' gone space/aaaa/dev
check 'a second epoch' pushes "$good" space/bbbb/dev
day 30
refused 'it is too new' 'may not go yet' gone space/aaaa/dev
day 31
refused 'a space without a newer epoch keeps its own' 'may not go yet' gone space/bbbb/dev
refused 'neither goes when one may not' 'may not go yet' gone space/aaaa/dev space/bbbb/dev
check 'the old one may go' gone space/aaaa/dev
refused 'the new one still may not' 'may not go yet' gone space/bbbb/dev
check 'a letter of 30 days may go' gone join/letter
check 'another letter' pushes "$good" join/other
refused 'not before' 'may not go yet' gone join/other
check 'times are kept by the first look' test "$(grep -c ' space bbbb$' "$repo/sleutelbos-seen")" = 1
finish
