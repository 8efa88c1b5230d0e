// SPDX-License-Identifier: EUPL-1.2
// Labels of value lists.
#include "app/labels.h"

#include <string.h>

#include "model/schema.h"

const char *label(const char *list, const char *id, const char *lang)
{
	const struct list_item *item = NULL;

	for (int l = LIST_none + 1; l < LIST_COUNT && id != NULL; l++) {
		if (strcmp(list_name((enum list)l), list) == 0)
			item = list_item((enum list)l, id);
	}
	if (item == NULL)
		return id;
	return strcmp(lang, "nl") == 0 ? item->nl : item->en;
}
