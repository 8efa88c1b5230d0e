// SPDX-License-Identifier: EUPL-1.2
// One line of `run` becomes an argv, quoted as in a shell but without anything that a shell would expand.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tr.h"
#include "base/utf8.h"
#include "cli/args.h"

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static enum err refuse(struct errctx *ec, const struct args_place *at, const char *msg)
{
	char line[16];

	snprintf(line, sizeof(line), "%u", at->line);
	return err_set(ec, ERR_INPUT, msg, at->name, line, NULL);
}

// Reads one word at *p, which is not blank; writes it at *out. The word never takes more room than it had.
static const char *word_read(const char *p, char **out)
{
	char *o = *out;
	char quote = '\0';

	for (; *p != '\0' && (quote != '\0' || !blank(*p)); p++) {
		if (quote == '\0' && (*p == '\'' || *p == '"')) {
			quote = *p;
		} else if (*p == quote) {
			quote = '\0';
		} else if (quote != '\'' && *p == '\\') {
			if (p[1] == '\0')
				return NULL;
			if (quote == '"' && p[1] != '"' && p[1] != '\\')
				*o++ = *p;
			*o++ = *++p;
		} else {
			*o++ = *p;
		}
	}
	*o++ = '\0';
	*out = o;
	return quote == '\0' ? p : NULL;
}

enum err args_split(struct errctx *ec, const struct args_place *at, const char *text, struct args_line *out)
{
	size_t len = strlen(text);
	const char *p = text;
	char *o = NULL;
	enum err e = ERR_OK;

	*out = (struct args_line){ .size = len + 2 };
	if (!utf8_valid(text, len))
		return refuse(ec, at, TR("%1, line %2: this is not readable text. Save the file as UTF-8."));
	// Two bytes of text make at most one word with its NUL and its place in argv.
	out->text = calloc(1, out->size);
	out->argv = calloc(len / 2 + 4, sizeof(*out->argv));
	if (out->text == NULL || out->argv == NULL) {
		e = err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.", NULL,
		            NULL, NULL);
		goto done;
	}
	out->argv[out->argc++] = (char *)(uintptr_t)at->program;
	o = out->text;
	for (;;) {
		while (blank(*p))
			p++;
		if (*p == '\0' || *p == '#')
			break;
		out->argv[out->argc++] = o;
		p = word_read(p, &o);
		if (p == NULL) {
			e = refuse(
			    ec, at,
			    TR("%1, line %2: a quote is opened and not closed, or the line ends in a backslash."));
			goto done;
		}
	}
done:
	if (e != ERR_OK)
		args_line_clear(out);
	return e;
}

void args_line_clear(struct args_line *l)
{
	if (l->text != NULL)
		explicit_bzero(l->text, l->size);
	free(l->text);
	free(l->argv);
	*l = (struct args_line){ .argc = 0 };
}
