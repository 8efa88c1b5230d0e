# SPDX-License-Identifier: EUPL-1.2
# Reads C sources and prints each string that people get to see, as it stands in the source, with its escapes:
#     file:line TAB kind TAB text
# kind is "one" or "many" for the two English forms of a plural, else "text". Seen by people is: the sentence of
# err_set(), what TR(), tr(), lang_tr() and lang_plural() are given, and any literal that reads like a sentence.

function finish(   call, place_in_call, kind)
{
	if (!running)
		return
	running = 0
	call = depth > 0 ? name[depth] : ""
	place_in_call = depth > 0 ? arg[depth] : 0
	kind = ""
	if ((call "/" place_in_call) in shown)
		kind = shown[call "/" place_in_call]
	else if (text ~ /^(\\")?[A-Z%].* .* .*[.?!]$/)
		kind = "text"
	if (kind != "" && text != "")
		print place "\t" kind "\t" text
}

function literal(quoted)
{
	if (!running) {
		text = ""
		place = FILENAME ":" FNR
	}
	running = 1
	text = text substr(quoted, 2, length(quoted) - 2)
}

function opens(function_name)
{
	finish()
	depth++
	name[depth] = function_name
	arg[depth] = 1
}

BEGIN {
	shown["TR/1"] = shown["err_set/3"] = shown["err_set_4/3"] = shown["tr/2"] = shown["lang_tr/2"] = "text"
	shown["lang_plural/3"] = "one"
	shown["lang_plural/4"] = "many"
}

FNR == 1 {
	finish()
	depth = in_comment = 0
}
/^}/ { finish(); depth = 0 }
/^[ \t]*#[ \t]*(include|error)/ { next }
{
	word = ""
	while (length($0) > 0) {
		if (in_comment) {
			if (!match($0, /\*\//))
				next
			in_comment = 0
		} else if (match($0, /^[ \t\\]+/)) {
			;
		} else if (match($0, /^"([^"\\]|\\.)*"/)) {
			literal(substr($0, 1, RLENGTH))
		} else if (match($0, /^\/\*/)) {
			in_comment = 1
		} else if (match($0, /^\/\//)) {
			next
		} else if (match($0, /^[A-Za-z_0-9]+/)) {
			finish()
			word = substr($0, 1, RLENGTH)
		} else if (match($0, /^[({]/)) {
			opens($0 ~ /^\(/ ? word : "")
			word = ""
		} else if (match($0, /^[)}]/)) {
			finish()
			if (depth > 0)
				depth--
		} else if (match($0, /^,/)) {
			finish()
			arg[depth]++
		} else if (match($0, /^'([^'\\]|\\.)+'/)) {
			finish()
		} else {
			match($0, /^./)
			finish()
		}
		$0 = substr($0, RSTART + RLENGTH)
	}
}
END { finish() }
