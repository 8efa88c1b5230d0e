// SPDX-License-Identifier: EUPL-1.2
// Text for people: sentences and fields. Records stand in text_records.c.
#include "render/text.h"

#include <string.h>

#include "app/dates.h"
#include "base/utf8.h"

/* Escape sequences start with one of these. */
static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

void text_typed(const struct text *t, const char *typed, int indent)
{
	if (typed == NULL || !utf8_valid(typed, strlen(typed)))
		return;
	for (const char *p = typed; *p != '\0';) {
		const char *from = p;
		uint32_t c = utf8_next(&p);

		if (c == '\n')
			fprintf(t->out, "\n%*s", indent, "");
		else if (c == '\t' || is_control(c))
			fputc(' ', t->out);
		else
			fwrite(from, 1, (size_t)(p - from), t->out);
	}
}

int text_width(const char *typed)
{
	int n = 0;

	while (*typed != '\0') {
		utf8_next(&typed);
		n++;
	}
	return n;
}

void text_column(const struct text *t, const char *typed, int width)
{
	int blanks = width - text_width(typed);

	text_typed(t, typed, 0);
	fprintf(t->out, "%*s", blanks < 0 ? 2 : blanks + 2, "");
}

/* An argument of a sentence; control characters become blanks. */
static void put_arg(FILE *out, const char *s)
{
	for (; s != NULL && *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == 0xC2 && (unsigned char)s[1] >= 0x80 && (unsigned char)s[1] < 0xA0) {
			fputs("  ", out);
			s++;
		} else {
			fputc(c < 0x20 || c == 0x7F ? ' ' : c, out);
		}
	}
}

/* As lang_fill(), without memory: what there is to say may be that there is none. */
void text_say(const struct text *t, const char *msg, const char *a1, const char *a2, const char *a3)
{
	const char *args[3] = { a1, a2, a3 };

	for (const char *p = lang_tr(t->lang, msg); *p != '\0'; p++) {
		if (p[0] == '%' && p[1] == '%') {
			fputc(*p++, t->out);
		} else if (p[0] == '%' && p[1] >= '1' && p[1] <= '3') {
			put_arg(t->out, args[p[1] - '1']);
			p++;
		} else {
			fputc(*p, t->out);
		}
	}
}

void text_line(const struct text *t, const char *msg, const char *a1, const char *a2, const char *a3)
{
	text_say(t, msg, a1, a2, a3);
	fputc('\n', t->out);
}

void text_field(const struct text *t, const char *name, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	fprintf(t->out, "  %s: ", lang_tr(t->lang, name));
	text_typed(t, value, 4);
	fputc('\n', t->out);
}

void text_day_field(const struct text *t, const char *name, int64_t day)
{
	char text[DAY_TEXT_LEN];

	day_text(day, text);
	text_field(t, name, text);
}
