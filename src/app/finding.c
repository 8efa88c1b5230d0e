// SPDX-License-Identifier: EUPL-1.2
// Search over everything that was written.
#include "app/finding.h"

#include <inttypes.h>
#include <stdio.h>

#include "app/dates.h"
#include "app/within.h"

static int64_t date_of(struct app *app, const struct hit *h)
{
	struct loaded l = { 0 };
	int64_t day = NO_DAY;

	if ((h->kind != KIND_contact && h->kind != KIND_referral) || !within_peek(app, h->id, h->kind, &l))
		return NO_DAY;
	day = shown_day(&l.record, h->kind == KIND_contact ? (uint32_t)F_contact_date : (uint32_t)F_referral_date);
	store_loaded_free(&l);
	return day;
}

static const char *kind_name(struct pool *p, uint32_t kind)
{
	const struct kind_def *def = schema_kind(kind);
	char text[16];

	if (def != NULL)
		return def->name;
	snprintf(text, sizeof(text), "#%" PRIu32, kind);
	return pool_str(p, text);
}

enum err finding_search(struct errctx *ec, struct app *app, const char *words, unsigned limit, struct found_list *out)
{
	struct hit *hits = NULL;
	size_t count = 0;
	enum err e = check_text(ec, "search", words, BSN_FINE);

	*out = (struct found_list){ 0 };
	if (e == ERR_OK)
		e = store_search(ec, app->store, words, KIND_none, limit, &hits, &count);
	if (e != ERR_OK)
		return e;
	out->item = pool_take(&out->pool, count * sizeof(*out->item));
	for (size_t i = 0; i < count && out->item != NULL; i++)
		out->item[out->n++] = (struct found){ .id = shown_id(&out->pool, hits[i].id),
			                              .kind = kind_name(&out->pool, hits[i].kind),
			                              .date = date_of(app, &hits[i]),
			                              .snippet = pool_str(&out->pool, hits[i].snippet) };
	store_hits_free(hits, count);
	return within_pool(ec, &out->pool, e);
}

void found_list_free(struct found_list *list)
{
	pool_free(&list->pool);
	*list = (struct found_list){ 0 };
}
