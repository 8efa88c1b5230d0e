#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Goal: every sentence the program can say has a Dutch translation in plain language, and the check that promises
# this sees each kind of gap.
set -u
. tests/support/check.sh

check 'every string has plain Dutch, and none is left over' scripts/check-lang

# One used sentence of each kind, all translated.
plant()
{
	mkdir -p "$TMPDIR/src" "$TMPDIR/lang"
	cat >"$TMPDIR/src/a.c" <<'END'
/* "A sentence in a comment." */
void f(void)
{
	err_set(ec, ERR_IO, damaged ? "%1 is damaged." : "%1 was " "not found.", path, NULL, NULL);
	say(tr(lang, "Word"), TR("Label \"x\""), lang_plural(lang, n, "1 thing", "%1 things"), "It reads like one.");
}
END
	cat >"$TMPDIR/lang/nl.po" <<'END'
msgid ""
msgstr "Language: nl\n"

msgid "%1 is damaged."
msgstr "%1 is kapot."

msgid "%1 was not found."
msgstr ""
"%1 is niet "
"gevonden."

msgid "Word"
msgstr "Woord"

msgid "Label \"x\""
msgstr "Etiket \"x\""

msgid "1 thing"
msgid_plural "%1 things"
msgstr[0] "1 ding"
msgstr[1] "%1 dingen"

msgid "It reads like one."
msgstr "Het leest als een zin."
END
	cp "$TMPDIR/lang/nl.po" "$TMPDIR/lang/tr.po"
}
breach()
{
	check_status 1 "$1" scripts/check-lang "$TMPDIR/src" "$TMPDIR/lang"
	check_says "$2" "$1: says so"
}

plant
check 'a complete table passes' scripts/check-lang "$TMPDIR/src" "$TMPDIR/lang"

in_nl()
{
	plant
	sed -i "$1" "$TMPDIR/lang/nl.po"
}
in_nl '/^msgid "Word"/,/^msgstr/s/Woord//'
breach 'a string without Dutch' 'a.c:5: no Dutch for "Word"'
in_nl 's/^msgid "Label .*/msgid "Lable"/'
breach 'a string that differs' 'no Dutch for "Label \"x\""'
breach 'a translation that is left over' 'nl.po:15: not used: "Lable"'
in_nl 's/^msgstr "%1 is kapot/msgstr "%2 is kapot/'
breach 'placeholders that differ' 'placeholders differ'
in_nl 's/^"gevonden[.]"/"gevonden"/'
breach 'a sentence that does not end' 'another ending'
in_nl 's/%1 things/%1 thingies/'
breach 'another plural' 'not used as a plural'
in_nl 's/Woord/Synchroniseren/'
breach 'a banned word' 'is not plain'
in_nl 's/Woord/bijv. dit/'
breach 'an abbreviation' 'an abbreviation'
in_nl 's/Het leest als een zin/Een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien zestien/'
breach 'a long sentence' 'more than 15 words'
plant
printf '\nmsgid "Word"\nmsgstr "Woord"\n' >>"$TMPDIR/lang/nl.po"
breach 'a string that stands twice' 'stands here twice'
plant
sed -i 's/%1 dingen/%1 %2 dingen/' "$TMPDIR/lang/tr.po"
breach 'another language is held to the placeholders' 'tr.po:18: placeholders differ'
plant
sed -i '/^msgid "Word"/,/^$/d' "$TMPDIR/lang/tr.po"
check 'another language may have gaps' scripts/check-lang "$TMPDIR/src" "$TMPDIR/lang"


# The web interface: its scripts, and the labels of the lists.
plant_web()
{
	plant
	mkdir -p "$TMPDIR/src/web/ui"
	cat >"$TMPDIR/src/web/ui/a.js" <<'END'
export function many(n, one, other) {}
say(t("Word"), format("not one"), many(n, "1 door", "%1 doors"), msg("Marked"));
END
	cat >>"$TMPDIR/lang/nl.po" <<'END'

msgid "Marked"
msgstr "Gemerkt"

msgid "1 door"
msgid_plural "%1 doors"
msgstr[0] "1 deur"
msgstr[1] "%1 deuren"
END
	cp "$TMPDIR/lang/nl.po" "$TMPDIR/lang/tr.po"
	printf 'LIST(a)\nITEM(a, x, "Geld", "Money")\n' >"$TMPDIR/lists.def"
	printf '\nmsgid "Money"\nmsgstr "Para"\n' >>"$TMPDIR/lang/tr.po"
}
plant_web
check 'strings of the web interface and labels of lists, all there' scripts/check-lang "$TMPDIR/src" "$TMPDIR/lang"
sed -i '/^msgid "Marked"/,/^$/d' "$TMPDIR/lang/nl.po"
breach 'a web string without Dutch' 'a.js:2: no Dutch for "Marked"'
plant_web
sed -i '/^msgid "Marked"/,/^$/d' "$TMPDIR/lang/tr.po"
breach 'a web string that another language lacks' 'a.js:2: no tr for "Marked"'
plant_web
sed -i '/^msgid "Money"/,/^$/d' "$TMPDIR/lang/tr.po"
breach 'a label that another language lacks' 'no tr for the label "Money"'
plant_web
sed -i 's/Geld/Dossier/' "$TMPDIR/lists.def"
breach 'a label that is not plain' 'lists.def:2: the word "dossier"'
plant_web
sed -i 's/, many(n, "1 door", "%1 doors")//' "$TMPDIR/src/web/ui/a.js"
breach 'a web string that is left over' 'not used: "1 door"'

finish
