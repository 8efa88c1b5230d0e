// SPDX-License-Identifier: EUPL-1.2
// Which referrals hang on which contact.
#include "app/links.h"

#include <stdlib.h>

#include "app/within.h"

static int link_cmp(const void *a, const void *b)
{
	const struct link *x = a;
	const struct link *y = b;
	int c = dot_cmp(x->contact, y->contact);

	return c != 0 ? c : dot_cmp(x->referral, y->referral);
}

enum err links_read(struct errctx *ec, struct app *app, int64_t space, struct links *out)
{
	struct dots ids = { 0 };
	enum err e = store_of_kind(ec, app->store, KIND_referral, space, &ids);

	*out = (struct links){ 0 };
	if (e == ERR_OK && ids.n > 0) {
		out->item = calloc(ids.n, sizeof(*out->item));
		e = out->item == NULL ? within_no_memory(ec) : ERR_OK;
	}
	for (size_t i = 0; i < ids.n && e == ERR_OK; i++) {
		struct loaded l = { 0 };

		if (!within_peek(app, ids.d[i], KIND_referral, &l))
			continue;
		out->item[out->n++] = (struct link){ shown_ref(&l.record, F_referral_contact), ids.d[i] };
		store_loaded_free(&l);
	}
	dots_free(&ids);
	if (out->n > 1)
		qsort(out->item, out->n, sizeof(*out->item), link_cmp);
	return e;
}

void links_free(struct links *l)
{
	free(l->item);
	*l = (struct links){ 0 };
}

const struct link *links_of(const struct links *l, struct dot contact, size_t *n)
{
	size_t from = 0;
	size_t to = l->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (dot_cmp(l->item[middle].contact, contact) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	for (*n = 0; from + *n < l->n && dot_cmp(l->item[from + *n].contact, contact) == 0;)
		(*n)++;
	return l->item == NULL ? NULL : l->item + from;
}
