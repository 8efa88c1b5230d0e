#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal (K3): a resident's page tells everything that is here about one resident, with who wrote it and what an
# organisation was told; what people typed cannot become part of the page; after an erase it says what happened; and what
# named an erased record says so wherever it is shown.
# Seen to catch: text that is not escaped; erased records that are taken for ones that are not here.
set -u
. tests/support/check.sh
. tests/support/people.sh

opened home
nasty='<script>alert(1)</script>"&'
talk=$(json .id home contact add --text "huur $nasty" --resident 'Fatima <b>' --domain wonen)
talk2=$(json .id home contact add --text 'tweede gesprek' --resident 'Fatima <b>' --domain geld)
who=$(json .resident_id home contact show "$talk")
ref=$(json .id home referral add --contact "$talk" --service-name 'Woonhulp & co' --group wonen --kind aangemeld \
	--consent mondeling --consent-what 'naam en huurschuld')
as home resident edit "$who" --note 'komt op dinsdag' --reach bericht --number 0612345678 >/dev/null 2>&1

check 'the page is written' as home resident page "$who" --out page.html
check_status 8 'and not over another file' as home resident page "$who" --out page.html
page="$work/page.html"
for words in 'Alles wat hier over u staat' 'komt op dinsdag' '0612345678' 'tweede gesprek' 'Woonhulp &amp; co' \
	'naam en huurschuld' 'Noor' 'Wacht op antwoord' "default-src 'none'" '<html lang="nl"'; do
	check "it tells: $words" grep -qF "$words" "$page"
done
check_status 1 'nothing that was typed is markup' grep -qE '<script|<b>' "$page"
check_status 1 'nothing is asked for from outside' grep -qiE 'https?://|src=|href=|url\(' "$page"
check 'in English where asked' as home resident page "$who" --page-lang en
check_says 'Everything that is here about you' 'with its words'
as home resident edit "$who" --language Engels >/dev/null 2>&1
check 'or where the card says so' as home resident page "$who"
check_says 'Everything that is here about you' 'in English'
as home resident edit "$who" --language '' >/dev/null 2>&1
check 'text has no tags' as home resident page "$who" --page-lang nl
check_says "huur $nasty" 'and shows what was typed as it is'
check_status 4 'a conversation is no resident' as home resident page "$talk"

as home erase "$talk2" --yes >/dev/null 2>&1
is 'what was erased is told' "[\"$talk2\",\"contact\",\"Noor\",\"due\"]" '.gone[0] | [.id,.kind,.by,.state] | tojson' \
	home resident page "$who"
as home erase "$who" --yes >/dev/null 2>&1
is 'and the card itself' '[true,"resident",1]' '[.erased,.gone[0].kind,(.contacts|length)] | tojson' home resident page "$who"
check 'in words' as home resident page "$who" --page-lang en
check_says 'Your card was erased' 'that it was erased'
check_says 'It is hidden, and goes when' 'and is hidden'

check 'a conversation with it says so' as home contact show "$talk"
check_says 'Resident: (erased)' 'as erased'
is 'for programs too' true .resident_erased home contact show "$talk"
check 'a referral too' as home referral show "$ref"
check_says 'Resident: (erased)' 'as erased'
check 'lists too' as home contact list
check_says '(erased)' 'as erased'
check 'today too' as home referral list
check_says '/ (erased)' 'as erased'
check 'history too' as home history "$talk"
check_says '(erased)' 'as erased'
as home compact >/dev/null 2>&1
check 'after the cut the page is there' as home resident page "$who" --page-lang en
check_says 'It is gone from this device.' 'and says that it is gone'
check_says 'gone from 1 device of the circle' 'from how many'
check 'the list counts one as one' as home erase list
check_says 'done on 1 device.' 'in the singular'
as home erase "$talk" --yes >/dev/null 2>&1
check 'a referral of an erased conversation' as home referral show "$ref"
check_says '(erased)' 'says so'
finish
