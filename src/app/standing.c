// SPDX-License-Identifier: EUPL-1.2
// Two versions: what stands in them now and did not before.
#include "app/standing.h"

#include <stdlib.h>

void standing_free(struct side_by_side *s)
{
	dots_free(&s->records);
	free(s->fields);
	*s = (struct side_by_side){ 0 };
}

enum err standing_load(struct errctx *ec, struct app *app, struct side_by_side *out)
{
	enum err e = store_two_versions(ec, app->store, &out->records);

	out->fields = calloc(out->records.n + 1, sizeof(*out->fields));
	if (e == ERR_OK && out->fields == NULL)
		e = ERR_NO_MEMORY;
	for (size_t i = 0; e == ERR_OK && i < out->records.n; i++) {
		struct loaded l;

		e = store_load(ec, app->store, out->records.d[i], &l);
		if (e == ERR_OK)
			out->fields[i] = record_two_versions(&l.record);
		store_loaded_free(&l);
	}
	return e;
}

uint64_t standing_new(const struct side_by_side *before, const struct side_by_side *after)
{
	uint64_t n = 0;

	for (size_t i = 0; i < after->records.n; i++) {
		size_t was = 0;

		for (size_t k = 0; k < before->records.n; k++) {
			if (dot_cmp(before->records.d[k], after->records.d[i]) == 0)
				was = before->fields[k];
		}
		n += after->fields[i] > was ? after->fields[i] - was : 0;
	}
	return n;
}
