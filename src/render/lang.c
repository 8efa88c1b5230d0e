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

#define FILLED_ARGS 3
/* Bytes of its own that a msgid needs before it may stand for a sentence: "%1, %2: %3" fits too much. */
#define FILLED_OWN 8

/* Where the text between two values ends: at the next '%' of the msgid, or at its end. */
static size_t own_len(const char *msgid)
{
	return strcspn(msgid, "%");
}

/* Does the sentence come from this msgid? The values are cut out of it into `value`; `own` counts the rest. */
static bool filled_from(const char *msgid, const char *sentence, struct bytes value[static FILLED_ARGS], size_t *own)
{
	const char *p = sentence;
	size_t len = own_len(msgid);

	*own = len;
	if (strncmp(p, msgid, len) != 0)
		return false;
	p += len;
	msgid += len;
	while (*msgid != '\0') {
		const size_t n = (size_t)(msgid[1] - '1');
		const char *next = NULL;

		if (msgid[1] < '1' || n >= FILLED_ARGS)
			return false;
		msgid += 2;
		len = own_len(msgid);
		*own += len;
		if (msgid[len] != '\0' && len == 0)
			return false; // two values side by side: nobody can tell them apart
		if (msgid[len] != '\0') {
			char between[128];

			if (len >= sizeof(between))
				return false;
			memcpy(between, msgid, len);
			between[len] = '\0';
			next = strstr(p, between);
		} else if (strlen(p) >= len && strcmp(p + strlen(p) - len, msgid) == 0) {
			next = p + strlen(p) - len;
		}
		if (next == NULL)
			return false;
		value[n] = (struct bytes){ (const uint8_t *)p, (size_t)(next - p) };
		p = next + len;
		msgid += len;
	}
	return *p == '\0' && *own >= FILLED_OWN;
}

enum err lang_tr_filled(struct buf *out, enum lang lang, const char *sentence)
{
	const struct lang_entry *best = NULL;
	struct bytes values[FILLED_ARGS] = { { NULL, 0 } };
	size_t most = 0;
	enum err e = ERR_OK;

	for (size_t i = 0; i < *languages[lang].count; i++) {
		const struct lang_entry *entry = &languages[lang].entry[i];
		struct bytes found[FILLED_ARGS] = { { NULL, 0 } };
		size_t own = 0;

		if (filled_from(entry->id, sentence, found, &own) && own > most) {
			best = entry;
			most = own;
			memcpy(values, found, sizeof(values));
		}
	}
	if (best == NULL)
		return buf_put_str(out, sentence);
	for (const char *p = best->form[0]; *p != '\0' && e == ERR_OK; p++) {
		const size_t n = p[0] == '%' && p[1] >= '1' ? (size_t)(p[1] - '1') : FILLED_ARGS;

		if (n < FILLED_ARGS) {
			e = buf_put(out, values[n].data, values[n].len);
			p++;
		} else {
			e = buf_put_byte(out, (uint8_t)*p);
		}
	}
	return e;
}
