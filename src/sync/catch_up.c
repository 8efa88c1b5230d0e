// SPDX-License-Identifier: EUPL-1.2
// Acts and contexts of batches that were applied before this version kept them: read again from the signed batches.
#include <stdlib.h>
#include <string.h>

#include "sync/acts.h"
#include "sync/refold.h"

static enum err one_kept(void *arg, struct device_id dev, uint64_t seq, const struct vv *context, struct bytes acts)
{
	(void)dev;
	(void)seq;
	(void)context;
	(void)acts;
	*(bool *)arg = true;
	return ERR_LATER; /* one is enough */
}

/* Batches and not one act: there is always the founder's. */
static enum err acts_missing(struct errctx *ec, struct sync *y, const struct space_row *space, bool *missing)
{
	struct vv heads = { 0 };
	bool some = false;
	enum err e = store_acts_each(ec, y->store, space->n, one_kept, &some);

	if (e == ERR_LATER)
		e = ERR_OK;
	if (e == ERR_OK)
		e = store_vector(ec, y->store, space->n, &heads);
	*missing = !some && heads.n > 0;
	vv_free(&heads);
	return e;
}

static enum err batch_keep(struct errctx *ec, struct sync *y, const struct space_row *space,
                           const struct device_row *author, uint64_t seq, struct refold *f)
{
	struct batch_author by = { space->id, author->id, seq };
	struct batch_told told = { space, author->id, seq, NULL, NULL };
	struct told_list list = { 0 };
	struct vv seen = { 0 };
	struct body body = { 0 };
	struct buf signed_part = { 0 };
	struct buf cbor = { 0 };
	struct buf acts = { 0 };
	uint8_t hash[HASH_LEN];
	enum err e = store_batch_signed(ec, y->store, author->id, seq, &signed_part);

	if (e == ERR_OK)
		e = batch_open(y->zip, &by, author->sign, buf_bytes(&signed_part), &cbor, hash);
	if (e == ERR_OK)
		e = body_parse(buf_bytes(&cbor), author->id, &body);
	if (e == ERR_OK)
		e = refold_context(f, author->id, seq, &seen);
	told.seen = &seen;
	told.body = &body;
	if (e == ERR_OK)
		e = told_from_batch(ec, y, &told, &list);
	if (e == ERR_OK && (list.n > 0 || seq == 1))
		e = told_put(&list, &acts);
	for (size_t i = 0; e == ERR_OK && i < body.context_count; i++)
		e = store_seen_put(ec, y->store, space->n, (struct dot){ author->id, seq },
		                   (struct dot){ body.context[i].dev, body.context[i].seq });
	if (e == ERR_OK && acts.len > 0)
		e = store_acts_put(ec, y->store, space->n, author->id, seq, &seen, buf_bytes(&acts));
	told_free(&list);
	vv_free(&seen);
	body_free(&body);
	buf_free(&signed_part);
	buf_free(&cbor);
	buf_free(&acts);
	return e;
}

static enum err space_catch_up(struct errctx *ec, struct sync *y, const struct space_row *space)
{
	struct refold *f = NULL;
	struct device_row *list = NULL;
	struct vv heads = { 0 };
	size_t n = 0;
	enum err e = refold_open(ec, y, space, &f);

	if (e == ERR_OK)
		e = store_device_list(ec, y->store, space->n, &list, &n);
	if (e == ERR_OK)
		e = store_vector(ec, y->store, space->n, &heads);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		const struct vv_entry *head = vv_get(&heads, list[i].id);

		for (uint64_t seq = 1; e == ERR_OK && head != NULL && seq <= head->seq; seq++)
			e = batch_keep(ec, y, space, &list[i], seq, f);
	}
	if (e == ERR_OK)
		e = membership_renew(ec, y, space);
	vv_free(&heads);
	free(list);
	refold_close(f);
	return e;
}

enum err membership_catch_up(struct errctx *ec, struct sync *y)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, y->store, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		bool missing = false;

		if (list[i].state == SPACE_MEMBER)
			e = acts_missing(ec, y, &list[i], &missing);
		if (e != ERR_OK || !missing)
			continue;
		e = store_begin(ec, y->store);
		if (e == ERR_OK)
			e = space_catch_up(ec, y, &list[i]);
		if (e == ERR_OK)
			e = store_commit(ec, y->store);
		else
			store_rollback(y->store);
	}
	free(list);
	return e;
}
