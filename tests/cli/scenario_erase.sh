#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal (K3): erase, contest, the list and compact as a person types them: the whole id and --yes are needed; what is
# erased is shown nowhere; a contest brings it back; after compact it is gone for good, and the list says on how many
# devices, and never that it is complete.
set -u
. tests/support/check.sh
. tests/support/people.sh

opened home
id=$(json .id home contact add --text 'een gesprek over huur' --resident Fatima)
other=$(json .id home contact add --text 'een gesprek dat blijft')
check_status 2 'a start of an id is not enough' as home erase "${id%%-*}" --yes
check_status 2 'and --yes must be typed' as home erase "$id"
is 'it is erased' "$id" .erased home erase "$id" --yes
check_status 4 'it is shown no more' as home contact show "$id"
is 'nor found' 0 length home search huur
is 'the list has it' due '.erased[0].state' home erase list
check_status 8 'the last change is not undone but contested' as home undo
check 'it is contested' as home erase contest "$id"
is 'then it is there again' 'een gesprek over huur' .text home contact show "$id"
check_status 8 'twice is refused' as home erase contest "$id"
is 'it is erased once more' 1 .records home erase "$id" --yes
is 'it counts as open' 1 '.spaces[0].erases_open' home status
is 'compact cuts the log' true '.[0].cut' home compact
is 'it is final' final '.erased[-1].state' home erase list
is 'this device says that it is done' 1 '.progress[0].done' home erase list
check_status 8 'nothing brings it back' as home erase contest "$id"
check 'the list is text for people' as home erase list
check_says 'Backups and exports' 'which never says that it is complete'
is 'what stays is there' 'een gesprek dat blijft' .text home contact show "$other"
is 'and goes on' "$other" .id home contact edit "$other" --text 'en meer'
is 'nothing more to do' false '.[0].cut' home compact
check 'verify finds all whole' as home verify
check 'history begins at the cut' as home history "$other"
finish
