#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: somebody with two computers loses one, and takes it out everywhere, as people type it: member list says which is
# which, the whole id is needed and --yes, the other computer goes on, and what is written from then on does not reach
# the lost one (K1). Who was removed from a circle is said to be in the neighbourhood still, and how that ends. A request
# can be turned down, and stays so.
set -u
. tests/support/check.sh
. tests/support/people.sh
trap 'for h in noor laptop bram cees dirk; do "$slb" --home "$TMPDIR/$h" --quiet lock >/dev/null 2>&1; done' EXIT

how_often() { as "$1" contact list | grep -c "$2"; }
sync_all() { for h in "$@"; do as "$h" --quiet sync; done; }
# device HOME SPACE FILTER: the ids of Noor's devices there
device() { json "[.[] | select(.name == \"noor\" and .space == \"$2\") | .device_list[] | select($3) | .id] | join(\" \")" "$1" member list; }
person() { json "[.[] | select(.name == \"$2\" and .space == \"$3\") | .id] | join(\" \")" "$1" member list; }

for h in noor laptop bram cees dirk; do
	as $h init --name $h >/dev/null
	as $h unlock --minutes 20 >/dev/null
done
as noor neighbourhood found West --remote "$work/host.git" >/dev/null
as noor circle found Plein >/dev/null
as noor --quiet sync
for h in bram cees; do
	as noor --quiet invite --space Plein --out $h.txt
	as $h --quiet join --from $h.txt
	as $h --quiet sync
	as noor --quiet sync
	as $h --quiet sync
done
as noor --quiet invite --device --out device.txt
as laptop --quiet join --from device.txt
as laptop --quiet sync
as noor --quiet sync
as noor --quiet member approve "$(json '.[] | select(.status == "requested") | .id' noor member list)"
sync_all noor laptop
as laptop contact add --circle Plein --text 'op de laptop' >/dev/null
sync_all laptop noor bram cees noor laptop

# --- which is which ---
as noor member list >"$TMPDIR/said"
check 'the list tells this device from the other' grep -q 'this device' "$TMPDIR/said"
check 'and when the other one was heard of' grep -Eq 'last heard of 20[0-9-]+' "$TMPDIR/said"
check 'also in what is mine alone' grep -q 'Mine alone' "$TMPDIR/said"
lost=$(device noor Plein '.me | not')
mine=$(device noor Plein .me)
noor=$(person noor noor Plein)
check 'one of each' test "$(echo "$lost $mine" | wc -w)" -eq 2
is 'with the day on which it came' 10 "[.[] | select(.name == \"noor\") | .device_list[] | .since | length] | unique | join(\" \")" noor member list

# --- taking it out ---
check_status 2 'not without --yes' as noor member remove "$noor" --device "$lost"
check_says '--device' 'it says what to type'
check_status 4 'only by the whole id' as noor member remove "$noor" --device "$(echo "$lost" | cut -c1-6)" --yes
check_status 8 'not the one that is typed on' as noor member remove "$noor" --device "$mine" --yes
check_status 8 'nor the only one of somebody' as noor member remove "$(person noor bram Plein)" \
	--device "$(json '.[] | select(.name == "bram" and .space == "Plein") | .devices[0]' noor member list)" --yes
check_status 0 'the lost one' as noor member remove "$noor" --device "$lost" --yes
check_says 'remove it there too' 'it says that there is more'
check_status 8 'once' as noor member remove "$noor" --device "$lost" --yes
check_status 8 'not all of what is mine alone' as noor member remove "$(person noor noor noor)" --yes
for space in West noor; do
	check_status 0 "and in $space" as noor member remove "$(person noor noor $space)" \
		--device "$(device noor $space '.me | not')" --yes
done
sync_all noor bram noor bram
as bram contact add --circle Plein --text 'na het verlies' >/dev/null
as noor contact add --circle Plein --text 'de ander gaat verder' >/dev/null
sync_all bram noor bram
as laptop --quiet sync >/dev/null 2>&1
check 'nothing new reaches it' test "$(how_often laptop 'na het verlies')$(how_often laptop 'de ander gaat verder')" = 00
check 'the other one has all' test "$(how_often noor 'na het verlies')$(how_often bram 'de ander gaat verder')" = 11
check 'what it wrote stays' test "$(how_often bram 'op de laptop')" = 1
check_status 8 'it says that it is out' as laptop contact add --circle Plein --text 'nog eens'
is 'the person is a member still' member '.[] | select(.name == "noor" and .space == "Plein") | .status' bram member list
is 'with one device that was removed' 'member removed' '[.[] | select(.name == "noor" and .space == "Plein") | .device_list[].status] | sort | join(" ")' bram member list

# --- out of a circle, in the neighbourhood ---
as dirk --quiet join --request --remote "$work/host.git"
sync_all dirk noor
as noor --quiet invite --space Plein --out dirk.txt
is 'somebody asks without an invitation' 1 .asking noor status
ask=$(json '.[] | select(.status == "requested") | .id' noor member list)
check_status 0 'turned down' as noor member decline "$ask"
check_says 'not told' 'it says what that means'
is 'nobody asks any more' 0 .asking noor status
check_status 4 'once' as noor member decline "$ask"
rm -rf "$TMPDIR/noor/courier/repo-"*
sync_all noor
is 'nor when the letter is shown again' 0 .asking noor status
check_status 0 'out of the circle' as noor member remove "$(person noor bram Plein)" --yes
check_says 'still in the neighbourhood West' 'which is not the neighbourhood'
check_says "member remove $(person noor bram West) --yes" 'it says how that goes'
sync_all noor cees noor cees noor cees

finish
