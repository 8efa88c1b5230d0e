// SPDX-License-Identifier: EUPL-1.2
// Everybody that is known in a store, in one list.
#include "sync/people.h"

#include <stdlib.h>
#include <string.h>

void people_free(struct people *p)
{
	free(p->space);
	free(p->device);
	*p = (struct people){ 0 };
}

enum err people_load(struct errctx *ec, struct sync *y, struct people *out)
{
	enum err e = store_space_list(ec, y->store, &out->space, &out->spaces);

	for (size_t i = 0; e == ERR_OK && i < out->spaces; i++) {
		struct device_row *list = NULL;
		struct device_row *grown = NULL;
		size_t n = 0;

		e = store_device_list(ec, y->store, out->space[i].n, &list, &n);
		grown = e == ERR_OK ? realloc(out->device, (out->devices + n + 1) * sizeof(*grown)) : NULL;
		if (e == ERR_OK && grown == NULL)
			e = ERR_NO_MEMORY;
		if (grown != NULL) {
			out->device = grown;
			if (n > 0)
				memcpy(grown + out->devices, list, n * sizeof(*list));
			out->devices += n;
		}
		free(list);
	}
	return e;
}

const struct space_row *people_space(const struct people *p, int64_t n)
{
	for (size_t i = 0; i < p->spaces; i++) {
		if (p->space[i].n == n)
			return &p->space[i];
	}
	return NULL;
}

const struct device_row *people_device(const struct people *p, int64_t n)
{
	for (size_t i = 0; i < p->devices; i++) {
		if (p->device[i].n == n)
			return &p->device[i];
	}
	return NULL;
}
