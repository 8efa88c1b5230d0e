# SPDX-License-Identifier: EUPL-1.2
# Reads the scripts of the web interface and prints each string that people get to see, as it stands in the source:
#     file:line TAB kind TAB text
# Seen by people is what t("...") and msg("...") are given, and the two forms of many(n, "...", "..."); kind is "one" or
# "many" for those, else "text". Such strings are whole literals in double quotes on the line of their call.

{
	line = $0
	while (match(line, /(^|[^A-Za-z0-9_.])(t|msg|many)\(/)) {
		before = substr(line, 1, RSTART)
		call = substr(line, RSTART, RLENGTH)
		line = substr(line, RSTART + RLENGTH)
		if (before ~ /function[ ]$/)
			continue
		if (call ~ /many\($/) {
			rest = line
			for (i = 1; i <= 2; i++) {
				if (!match(rest, /"([^"\\]|\\.)*"/)) {
					print FILENAME ":" FNR ": a plural whose two forms do not stand on one line" >"/dev/stderr"
					exit 1
				}
				print FILENAME ":" FNR "\t" (i == 1 ? "one" : "many") "\t" substr(rest, RSTART + 1, RLENGTH - 2)
				rest = substr(rest, RSTART + RLENGTH)
			}
		} else if (match(line, /^"([^"\\]|\\.)*"/)) {
			print FILENAME ":" FNR "\ttext\t" substr(line, 2, RLENGTH - 2)
		}
	}
}
