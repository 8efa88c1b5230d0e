// SPDX-License-Identifier: EUPL-1.2
// Looks sentences up in the tables made from schema/lang/. A missing translation falls back to English, because a
// person who reads an English sentence is better off than one who reads none.
#include "render/lang.h"

#include <string.h>

#include "gen/lang_tables.h"

struct language {
	const char *name;
	const struct lang_entry *entry;
	const size_t *count;
	unsigned (*form)(uint64_t n);
};

static unsigned form_one_other(uint64_t n)
{
	return n == 1 ? 0 : 1;
}

/* CLDR's cardinal rules for Arabic: zero, one, two, few (3 to 10 of each hundred), many (11 to 99), other. */
static unsigned form_arabic(uint64_t n)
{
	if (n <= 2)
		return (unsigned)n;
	if (n % 100 >= 3 && n % 100 <= 10)
		return 3;
	return n % 100 >= 11 ? 4 : 5;
}

static const struct language languages[LANG_COUNT] = {
	[LANG_NL] = { "nl", lang_table_nl, &lang_table_nl_len, form_one_other },
	[LANG_EN] = { "en", lang_table_en, &lang_table_en_len, form_one_other },
	[LANG_AR] = { "ar", lang_table_ar, &lang_table_ar_len, form_arabic },
	[LANG_TR] = { "tr", lang_table_tr, &lang_table_tr_len, form_one_other },
};

enum err lang_parse(const char *name, enum lang *out)
{
	for (int i = 0; i < LANG_COUNT; i++) {
		const char *rest = name + 2;

		if (strncmp(name, languages[i].name, 2) != 0)
			continue;
		if (*rest != '\0' && *rest != '_' && *rest != '-' && *rest != '.')
			continue;
		*out = (enum lang)i;
		return ERR_OK;
	}
	return ERR_NOT_FOUND;
}

const char *lang_name(enum lang lang)
{
	return languages[lang].name;
}

bool lang_is_rtl(enum lang lang)
{
	return lang == LANG_AR;
}

static const struct lang_entry *find(enum lang lang, const char *msgid)
{
	const struct lang_entry *table = languages[lang].entry;
	size_t low = 0;
	size_t high = *languages[lang].count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = strcmp(msgid, table[mid].id);

		if (c == 0)
			return &table[mid];
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

unsigned lang_form(enum lang lang, uint64_t n)
{
	return languages[lang].form(n);
}

const char *lang_tr(enum lang lang, const char *msgid)
{
	const struct lang_entry *e = find(lang, msgid);

	return e != NULL ? e->form[0] : msgid;
}

const char *lang_plural(enum lang lang, uint64_t n, const char *one, const char *many)
{
	const struct lang_entry *e = find(lang, one);
	const char *text = e != NULL ? e->form[lang_form(lang, n)] : NULL;

	if (text != NULL && *text != '\0')
		return text;
	return n == 1 ? one : many;
}

enum err lang_fill(struct buf *out, const char *template, const char *const *args, size_t count)
{
	enum err e = ERR_OK;

	for (const char *p = template; *p != '\0' && e == ERR_OK; p++) {
		size_t arg = (size_t)(p[1] - '1');

		if (p[0] == '%' && p[1] == '%') {
			e = buf_put_byte(out, '%');
			p++;
		} else if (p[0] == '%' && p[1] >= '1' && p[1] <= '9' && arg < count && args[arg] != NULL) {
			e = buf_put_str(out, args[arg]);
			p++;
		} else {
			e = buf_put_byte(out, (uint8_t)*p);
		}
	}
	return e;
}
