// SPDX-License-Identifier: EUPL-1.2
// Labels of value lists.
#include "app/labels.h"

#include <ctype.h>
#include <string.h>

#include "model/schema.h"

/* LIST_none where there is no list of that name. */
static enum list list_named(const char *name)
{
	for (int l = LIST_none + 1; l < LIST_COUNT; l++) {
		if (strcmp(list_name((enum list)l), name) == 0)
			return (enum list)l;
	}
	return LIST_none;
}

const char *label(const char *list, const char *id, const char *lang)
{
	const struct list_item *item = NULL;
	enum list l = id == NULL ? LIST_none : list_named(list);

	if (l != LIST_none)
		item = list_item(l, id);
	if (item == NULL)
		return id;
	return strcmp(lang, "nl") == 0 ? item->nl : item->en;
}

const char *label_id(const char *list, size_t n)
{
	size_t count = 0;
	enum list l = list_named(list);
	const struct list_item *items = l == LIST_none ? NULL : list_items(l, &count);

	return n < count ? items[n].id : NULL;
}

static char folded(char c)
{
	return c == '_' ? ' ' : (char)tolower((unsigned char)c);
}

/* How many bytes at `p` say `name`, 0 where they say something else or go on behind it. */
static size_t says(const char *p, const char *name, bool several)
{
	size_t len = strlen(name);
	const char *end = NULL;

	for (size_t i = 0; i < len; i++) {
		if (p[i] == '\0' || folded(p[i]) != folded(name[i]))
			return 0;
	}
	end = p + len + strspn(p + len, " \t\r\n");
	return *end == '\0' || (several && (*end == ',' || *end == ';')) ? len : 0;
}

bool label_find(const char *list, const char *text, bool several, struct label_found *out)
{
	size_t count = 0;
	enum list l = list_named(list);
	const struct list_item *items = l == LIST_none ? NULL : list_items(l, &count);

	*out = (struct label_found){ 0 };
	for (size_t i = 0; i < count; i++) {
		const char *const names[] = { items[i].id, items[i].nl, items[i].en };

		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
			size_t len = says(text, names[k], several);

			if (len > out->len)
				*out = (struct label_found){ i, len };
		}
	}
	return out->len > 0;
}
