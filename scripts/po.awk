# SPDX-License-Identifier: EUPL-1.2
# Reads gettext .po files and prints one line for each form of each message, fields divided by tabs:
#     msgid, msgid_plural or nothing, number of the form, text, file:line
# Strings keep their escapes (\" \\ \n), which C shares with .po. The header entry (msgid "") is left out.

function unquoted(line)
{
	sub(/^[^"]*"/, "", line)
	sub(/"[^"]*$/, "", line)
	return line
}

function finish(   i)
{
	if (id != "")
		for (i = 0; i < forms; i++)
			print id "\t" plural "\t" i "\t" text[i] "\t" place
	id = plural = ""
	forms = 0
	in_part = ""
}

FNR == 1 { finish() }
/^#/ { next }
/^msgid_plural / { in_part = "plural"; plural = unquoted($0); next }
/^msgid / { finish(); in_part = "id"; id = unquoted($0); place = FILENAME ":" FNR; next }
/^msgstr/ {
	in_part = "text"
	text[forms++] = unquoted($0)
	next
}
/^"/ {
	if (in_part == "id")
		id = id unquoted($0)
	else if (in_part == "plural")
		plural = plural unquoted($0)
	else if (in_part == "text")
		text[forms - 1] = text[forms - 1] unquoted($0)
	next
}
END { finish() }
