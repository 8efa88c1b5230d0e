#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal (K3): how long a circle keeps what it wrote, as a person types it: the rule is shown and set, a look comes before
# anything is erased, what is open stays, and what goes can be taken back for 14 days.
set -u
. tests/support/check.sh
. tests/support/people.sh

opened home
old=$(json .id home contact add --date 2020-01-01 --text 'lang geleden' --resident Fatima --domain geld)
sent=$(json .id home contact add --date 2020-02-01 --text 'wacht nog' --resident Ali --domain geld)
json .id home referral add --contact "$sent" --service-name Schuldhulp --group schulden --kind info --date 2020-02-01 >/dev/null
call=$(json .id home contact add --date 2020-03-01 --text 'nog te bellen' --follow-up 2020-03-08)
young=$(json .id home contact add --text 'van vandaag' --resident Bart)

is 'a rule holds from the start' '[null,12,24,false,2,2]' \
	'.[0] | [.circle,.remind_months,.erase_months,.set,.reminded,.due] | tojson' home retention show
is 'today says that something is old' 2 '.retention[0].due' home today
check 'and so in words' as home today
check_says '2 conversations are older than they are to be kept' 'with how many'
check_status 5 'a day is too short' as home retention set --erase 1
check_says 'The least is 6 months' 'and it says what is not'
check_status 8 'people are reminded first' as home retention set --remind 3y --erase 2y
check_status 2 'something must be said' as home retention set
is 'the rule is set' '[6,36,true]' '[.remind_months,.erase_months,.set] | tojson' home retention set --remind 6m --erase 3y
is 'and shown, with who set it' Noor '.[0].set_by' home retention show

is 'the look shows what goes' "[\"contact $old\",\"resident\"]" \
	"[.goes[] | if .kind == \"resident\" then .kind else .kind + \" \" + .id end] | tojson" home retention run
is 'and what is open' 2 '.stays | length' home retention run
is 'nothing was erased' 'lang geleden' .text home contact show "$old"
check 'it is text for people' as home retention run
check_says 'somebody is still to be called back' 'that says what is open'
check_says 'To erase these 2 records: retention run --yes' 'and what to type'
is 'with --yes it is erased' '[true,2]' '[.erased,.count] | tojson' home retention run --yes
check_status 4 'it is shown no more' as home contact show "$old"
check 'what is open stays' as home contact show "$sent"
check 'what is to be called too' as home contact show "$call"
check 'what is young too' as home contact show "$young"
is 'nothing more goes' '[false,0]' '[.erased,.count] | tojson' home retention run --yes
is 'it waits, although one is alone' '["waits","waits"]' '[.erased[].state] | tojson' home erase list
is 'so compacting takes nothing yet' false '.[0].cut' home compact
check 'it can be taken back' as home erase contest "$old"
is 'then it is there' 'lang geleden' .text home contact show "$old"
is 'never is never' '[null,0]' '[.erase_months,0] | tojson' home retention set --erase never
is 'then nothing goes' 0 '.goes | length' home retention run

# much at once is asked for by its number
i=0
while [ $i -lt 30 ]; do
	echo "contact add --date 2021-01-01 --text nr$i"
	i=$((i + 1))
done >"$TMPDIR/many"
as home --quiet run "$TMPDIR/many"
as home --quiet retention set --erase 2y
check_status 2 'more than half of all is not erased by --yes alone' as home retention run --yes
n=$(json .count home retention run)
check_says "--count $n" 'but with the number that the look showed'
is 'then it is' true .erased home retention run --yes --count "$n"
lang=nl
as home retention show >"$TMPDIR/nl" 2>&1
check 'in Dutch' grep -q 'Na 24 maanden mag het weg' "$TMPDIR/nl"
finish
