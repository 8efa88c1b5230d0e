// SPDX-License-Identifier: EUPL-1.2
// What people may type into a field. What is refused is refused before anything is written, with a sentence that says
// what to type.
#include "app/check.h"

#include <string.h>

#include "app/bsn.h"
#include "base/buf.h"
#include "base/utf8.h"

enum err check_text(struct errctx *ec, const char *field, const char *text, enum check_bsn bsn)
{
	size_t len = strlen(text);

	if (!utf8_valid(text, len))
		return err_set(ec, ERR_INPUT, "%1: this text cannot be read. Save or type it as UTF-8.", field, NULL,
		               NULL);
	if (len > TEXT_MAX)
		return err_set(ec, ERR_INPUT, "%1: this text is too long. At most 65,536 bytes fit.", field, NULL,
		               NULL);
	if (bsn == BSN_REFUSED && bsn_inside(text))
		return err_set(ec, ERR_INPUT,
		               "%1: nine digits in this text can be a BSN, and that is never kept here. Leave them "
		               "out. Is it another number? Then write a slash in it, as in 1234/56789.",
		               field, NULL, NULL);
	return ERR_OK;
}

enum err check_line(struct errctx *ec, const char *field, const char *text, enum check_bsn bsn)
{
	size_t len = strlen(text);

	if (len > LINE_MAX_LEN)
		return err_set(ec, ERR_INPUT, "%1: this is too long. At most 1,000 bytes fit.", field, NULL, NULL);
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
			return err_set(ec, ERR_INPUT, "%1: write this on one line, without tabs or line ends.", field,
			               NULL, NULL);
	}
	return check_text(ec, field, text, bsn);
}

enum err check_id(struct errctx *ec, const char *field, enum list list, const char *id)
{
	size_t count = 0;
	const struct list_item *items = list_items(list, &count);
	struct buf all = { 0 };
	enum err e = ERR_OK;

	if (list_item(list, id) != NULL)
		return ERR_OK;
	for (size_t i = 0; i < count && e == ERR_OK; i++) {
		e = i > 0 ? buf_put_str(&all, ", ") : ERR_OK;
		if (e == ERR_OK)
			e = buf_put_str(&all, items[i].id);
	}
	if (e == ERR_OK)
		e = buf_terminate(&all);
	if (e == ERR_OK)
		e = err_set(ec, ERR_INPUT, "%1: \"%2\" is not in the list. Choose from: %3.", field, id,
		            (const char *)all.data);
	buf_free(&all);
	return e;
}

bool words_have(const struct words *w, const char *word)
{
	for (size_t i = 0; i < w->n; i++) {
		if (strcmp(w->word[i], word) == 0)
			return true;
	}
	return false;
}

enum err words_split(struct pool *pool, const char *text, struct words *out)
{
	size_t parts = 1;

	*out = (struct words){ 0 };
	for (const char *p = text; *p != '\0'; p++)
		parts += *p == ',';
	out->word = pool_take(pool, parts * sizeof(*out->word));
	if (out->word == NULL)
		return ERR_NO_MEMORY;
	for (const char *p = text;;) {
		size_t len = strcspn(p, ",");
		const char *from = p + strspn(p, " \t");
		const char *to = p + len;
		const char *word = NULL;

		while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
			to--;
		if (to > from) {
			word = pool_text(pool, (struct bytes){ (const uint8_t *)from, (size_t)(to - from) });
			if (word == NULL)
				return ERR_NO_MEMORY;
			if (!words_have(out, word))
				out->word[out->n++] = word;
		}
		if (p[len] == '\0')
			return ERR_OK;
		p += len + 1;
	}
}
