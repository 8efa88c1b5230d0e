#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: a neighbourhood with its repository at a real host, as people type it. The person who looks after it types an
# address and a login once; whoever joins types neither, over ssh as over https. No secret shows on a screen, in an
# argument or in the environment. Wrong logins, strange hosts and bad certificates are told in a sentence, and nothing is
# lost. A coordinator moves the repository, and every home follows; a lost home comes back from its sheet over ssh.
set -u
. tests/support/check.sh
. tests/support/people.sh
hosts=$PWD/tests/support/hosts
ssh=$TMPDIR/ssh web=$TMPDIR/web
trap 'for h in a b c d; do "$slb" --home "$TMPDIR/$h" --quiet lock >/dev/null 2>&1; done
	"$hosts" stop "$ssh" "$web"' EXIT

as a init --name Amina >/dev/null
as a unlock --minutes 20 >/dev/null
as b init --name Bea >/dev/null
as b unlock --minutes 20 >/dev/null

# --- ssh: a key of its own, the host shown once ---
"$hosts" ssh "$ssh"
git init -q --bare "$ssh/west.git"
url=ssh://$(cat "$ssh/user")@localhost:$(cat "$ssh/port")$ssh/west.git
finger=$(ssh-keygen -lf "$ssh/host_ecdsa.pub" | cut -d' ' -f2)
check_status 8 'a host that nobody knows: not believed without a person' as a neighbourhood found West --remote "$url"
check_says "$finger" 'its fingerprint is shown as OpenSSH prints it'
check_says 'remote trust' 'and what to type'
check_status 5 'a fingerprint with a letter missing' as a remote trust "${finger%?}" --remote "$url"
check 'trusted' as a remote trust "$finger" --remote "$url"
check_status 6 'no login yet: told' as a neighbourhood found West --remote "$url"
check_says 'remote login' 'and what to type'
check_status 8 'an RSA key is not taken' as a remote login --remote "$url" --key-file "$ssh/user_rsa"
check_says 'make-key' 'and another one is offered'
check_status 5 'a public key is not a key' as a remote login --remote "$url" --key-file "$ssh/user_ecdsa.pub"
key=$(json .key a remote login --remote "$url" --make-key)
check 'a key was made for the host' test "${key%% *}" = ssh-ed25519
check_status 6 'that the host does not know yet' as a neighbourhood found West --remote "$url"
check_says 'does not take the login' 'which is told'
echo "$key" >>"$ssh/keys"
check 'founded' as a neighbourhood found West --remote "$url"
as a circle found Bos >/dev/null
is 'sent over ssh' done .result a sync
is 'how one comes in is shown' "key $finger" '"\(.login) \(.hosts[0])"' a remote show
as a remote show >"$TMPDIR/shown"
check 'and no secret' sh -c "grep -q ssh-ed25519 '$TMPDIR/shown' && ! grep -q PRIVATE '$TMPDIR/shown'"

# --- who joins types no address, no key and no fingerprint ---
as a invite --space Bos --out "$work/invitation" >/dev/null
check 'joined by the text alone' as b join --from "$work/invitation"
is 'asked' done .result b sync
is 'let in' 1 .admitted a sync
is 'in' 1 '.joined | if . > 0 then 1 else 0 end' b sync
as a contact add --circle Bos --text 'over ssh' >/dev/null
as a sync >/dev/null
is 'what one wrote the other has' 1 .new b sync
check 'an invitation with a login fits into a QR code' as a invite --space Bos --qr --out "$work/invitation.png"

# --- the host is another one: nothing is told to it ---
"$hosts" stop "$ssh"
mv "$ssh/host_ecdsa" "$ssh/was" && mv "$ssh/host_ecdsa.pub" "$ssh/was.pub"
"$hosts" ssh "$ssh"
as b contact add --circle Bos --text 'wacht' >/dev/null
is 'another host key: a person must look' person .result b sync
check_status 6 'for people' as b sync
check_says 'another key than before' 'it is told'
is 'what waits is still there' 1 .unsent b status
"$hosts" stop "$ssh"
mv "$ssh/was" "$ssh/host_ecdsa" && mv "$ssh/was.pub" "$ssh/host_ecdsa.pub"
is 'a host that is off: later' later .result b sync
"$hosts" ssh "$ssh"
is 'and all is sent when it is back' '1 done' '"\(.sent) \(.result)"' b sync

# --- the host lost everything: whoever sends puts it back ---
git -C "$ssh/west.git" for-each-ref --format='%(refname) %(objectname)' refs/heads >"$TMPDIR/refs.before"
rm -rf "$ssh/west.git"
is 'no repository there: a person must look' person .result a sync
git init -q --bare "$ssh/west.git"
is 'an empty one in its place' done .result a sync
is 'and both go on' done .result b sync
git -C "$ssh/west.git" for-each-ref --format='%(refname) %(objectname)' refs/heads >"$TMPDIR/refs.after"
check 'all that was there is there again' cmp "$TMPDIR/refs.before" "$TMPDIR/refs.after"

# --- https: another neighbourhood, with an authority of its own ---
"$hosts" https "$web"
git init -q --bare "$web/git/oost.git"
secure=https://localhost:$(cat "$web/port")/oost.git
as c init --name Cem >/dev/null
as c unlock --minutes 20 >/dev/null
as d init --name Dewi >/dev/null
as d unlock --minutes 20 >/dev/null
check_status 5 'a password in the address is not taken' as c remote login --remote "https://buurt:geheim@localhost/x.git"
check_status 5 'nor an address that everybody can read along' as c neighbourhood found Oost --remote http://localhost/x.git
check 'a login' as c remote login buurt --remote "$secure" --password-file "$web/password"
check_status 6 'an authority that nobody knows' as c neighbourhood found Oost --remote "$secure"
check_says 'certificate' 'is told'
check_status 5 'a key is no certificate' as c remote trust --remote "$secure" --ca "$ssh/user_ecdsa"
check 'the authority is believed' as c remote trust --remote "$secure" --ca "$web/ca.pem"
check 'founded' as c neighbourhood found Oost --remote "$secure"
is 'sent over https' done .result c sync
as c invite --out "$work/oost" >/dev/null
as d join --from "$work/oost" >/dev/null
is 'asked over https' done .result d sync
is 'let in' 1 .admitted c sync
is 'in' done .result d sync
check 'an invitation with a login and a certificate fits into a QR code' as c invite --qr --out "$work/oost.png"
as c remote show >"$TMPDIR/shown"
check 'the password is not shown' sh -c "! grep -q '$(cat "$web/password")' '$TMPDIR/shown'"

# --- the password is changed at the host, and here by the coordinator, for everybody ---
mv "$web/password" "$web/before" && echo 'een-ander-wachtwoord' >"$web/password"
"$hosts" stop "$web" && printf 'buurt:%s\nbuurt2:%s\n' "$(cat "$web/before")" "$(cat "$web/password")" >"$web/both"
"$hosts" https "$web"
is 'a password that is no longer good' person .result d sync
check_status 6 'for people' as d sync
check_says 'does not take the login' 'it is told'
check 'the coordinator has the new one' as c remote login buurt --password-file "$web/password"
check_says 'others learn it' 'and the others are to have it'
is 'sent' done .result c sync
check 'one who cannot come in any more gets it by an invitation' as c invite --out "$work/again"
as d join --from "$work/again" >"$TMPDIR/rejoin" 2>&1
as d remote login buurt --password-file "$web/password" >/dev/null
is 'and goes on' done .result d sync

# --- the repository moves from https to ssh ---
git init -q --bare "$ssh/oost.git"
moved=ssh://$(cat "$ssh/user")@localhost:$(cat "$ssh/port")$ssh/oost.git
as c remote trust "$finger" --remote "$moved" >/dev/null
json .key c remote login --remote "$moved" --make-key >>"$ssh/keys"
is 'a member can move only the own home' here .reach d remote set "$secure"
is 'a coordinator moves all' moving .reach c remote set "$moved"
is 'it is told at the old address first' "$secure" .remote c remote show
is 'sent' done .result c sync
is 'and this home has moved' "$moved" .remote c remote show
is 'the other hears of it' done .result d sync
is 'and has moved' "$moved" .remote d remote show
"$hosts" stop "$web"
as c service add --name Inloop --kind initiative --group initiatief >/dev/null
is 'without the old host: sent' done .result c sync
is 'and fetched' 1 .new d sync
is 'both hold the same' "$(as c dump --canonical | sha256sum)" "\"$(as d dump --canonical | sha256sum)\"" d status

# --- a lost home comes back over ssh ---
as b --quiet lock
as b recovery sheet sheet.txt >/dev/null
is 'the sheet is told to the repository' done .result b sync
back() { as back recover --remote "$url" --words-file sheet.txt --new-passphrase-file "$TMPDIR/pw" "$@"; }
check_status 6 'the host is not believed unseen' back --key-file "$ssh/user_ed25519"
check_says "$finger" 'its fingerprint is shown'
check_status 6 'nor is one let in without a key' back --trust "$finger"
check 'with both it comes back' back --trust "$finger" --key-file "$ssh/user_ed25519"
is 'and goes on over ssh' done .result back sync
is 'with what was there' 2 length back contact list

# --- nothing of a login in arguments or the environment; the rest is in the vault ---
"$hosts" https "$web"
as c remote login buurt --remote "$secure" --password-file "$web/password" --mine >/dev/null
as c lock >/dev/null
as c remote set "$secure" --only-here >/dev/null
strace -f -e trace=execve -s 100000 -v -o "$TMPDIR/execs" "$slb" --home "$TMPDIR/c" --passphrase-file "$TMPDIR/pw" sync \
	>"$TMPDIR/synced" 2>&1 </dev/null
check 'the courier was started' grep -q sleutelbos-courier "$TMPDIR/execs"
check 'the password is in no argument and no environment' sh -c "! grep -q '$(cat "$web/password")' '$TMPDIR/execs'"
check 'and came to the host' grep -q 'Basic ' "$web/log"
check 'nor in any file of the home' sh -c "! grep -rqaF '$(cat "$web/password")' '$TMPDIR/c'"
check 'nor is a key' sh -c "! grep -rqa 'PRIVATE KEY' '$TMPDIR/a' '$TMPDIR/b' '$TMPDIR/d'"
finish
