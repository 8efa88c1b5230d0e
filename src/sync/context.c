// SPDX-License-Identifier: EUPL-1.2
// What the author of a batch had seen (S1, M1): causes are here, nothing goes back, nothing that must have been seen is
// left out. Where a device forked, the line that the author followed is followed too (sync/forks.h).
#include "sync/context.h"

#include <string.h>

#include "sync/forks.h"

void had_free(struct had *h)
{
	vv_free(&h->here);
	vv_free(&h->line);
}

enum err had_load(struct errctx *ec, struct sync *y, struct device_id author, struct had *out)
{
	enum err e = store_context(ec, y->store, author, &out->here);

	if (e == ERR_OK)
		e = store_claims(ec, y->store, author, &out->line);
	for (size_t i = 0; e == ERR_OK && i < out->line.n; i++) {
		struct vv_entry *entry = &out->line.e[i];

		e = fork_counter(ec, y, entry, entry->seq, &entry->counter);
	}
	return e;
}

enum err had_note(struct errctx *ec, struct sync *y, int64_t space, struct device_id author, const struct had *h)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < h->line.n; i++)
		e = store_claim_put(ec, y->store, space, author, &h->line.e[i]);
	return e;
}

/* ---- What a batch says ---- */

struct reading {
	struct sync *y;
	const struct space_row *space;
	struct device_id author;
	struct had *had;
	struct awaits *awaits;
};

/* Another space's device, or the author itself: such a batch never will be here. */
static enum err is_strange(struct errctx *ec, const struct reading *r, const struct context_entry *c, bool *strange)
{
	struct device_row device;
	enum err e = ERR_OK;

	*strange = c->seq > STORE_NUMBER_MAX || device_cmp(c->dev, r->author) == 0;
	if (*strange)
		return ERR_OK;
	e = store_device_by_id(ec, r->y->store, c->dev, &device);
	*strange = e == ERR_OK && device.state != DEVICE_NAMED && device.space != r->space->n;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err entry_add(struct had *h, const struct vv_entry *entry, const struct named *named)
{
	struct vv_entry line = *entry;
	enum err e = named->own.seq > 0 ? vv_set(&h->here, named->own) : ERR_OK;

	if (e != ERR_OK || named->applied)
		return e;
	line.counter = named->counter;
	return vv_set(&h->line, line);
}

static enum err entry_read(struct errctx *ec, const struct reading *r, const struct context_entry *c,
                           enum context_fate *fate)
{
	const struct vv_entry *line = vv_get(&r->had->line, c->dev);
	const struct vv_entry *was = line != NULL ? line : vv_get(&r->had->here, c->dev);
	struct vv_entry entry = { .dev = c->dev, .seq = c->seq };
	struct named named;
	bool bad = false;
	bool follows = true;
	enum err e = is_strange(ec, r, c, &bad);

	memcpy(entry.hash, c->hash, VV_HASH_LEN);
	if (e != ERR_OK || bad) {
		*fate = bad ? CONTEXT_STRANGE : *fate;
		return e;
	}
	if (was != NULL && was->seq >= c->seq) {
		*fate = CONTEXT_BACK;
		return ERR_OK;
	}
	e = fork_named(ec, r->y, &entry, &named, r->awaits);
	if (e == ERR_NOT_FOUND) {
		*fate = CONTEXT_WAITS;
		return ERR_OK;
	}
	if (e == ERR_OK && was != NULL && (line != NULL || !named.applied))
		e = fork_follows(ec, r->y, was, &entry, &follows);
	if (e == ERR_OK && !follows)
		*fate = CONTEXT_BACK;
	return e == ERR_OK && follows ? entry_add(r->had, &entry, &named) : e;
}

/* ---- Is it closed? ---- */

/* Up to where the author of the named batch had seen `dev`, as far as that is asked for: of a device that forked, what
 * it wrote before that. */
static enum err seen_then(struct errctx *ec, const struct reading *r, const struct context_entry *c,
                          struct device_id dev, uint64_t *then)
{
	const struct vv_entry *line = vv_get(&r->had->line, c->dev);
	bool off = line != NULL && line->seq == c->seq;
	uint64_t forked = 0;
	enum err e =
	    off ? fork_seen(ec, r->y, line, dev, then) : store_seen_at(ec, r->y->store, c->dev, c->seq, dev, then);
	const struct vv_entry *mine = vv_get(&r->had->here, dev);

	if (e != ERR_OK || *then <= (mine == NULL ? 0 : mine->seq))
		return e;
	e = store_forked(ec, r->y->store, dev, &forked);
	if (e == ERR_OK && forked > 0 && *then >= forked)
		*then = forked - 1;
	return e;
}

/* Had the author of a batch seen all that the author of one that it names had seen? An honest device applies causes
 * first, so it had: who says otherwise pretends not to have heard of something, a removal perhaps. */
static enum err names_closed(struct errctx *ec, const struct reading *r, const struct context_entry *c, bool *closed)
{
	struct vv head = { 0 };
	/* no batch had seen more than the last one of its author; one on another line may have */
	enum err e = vv_get(&r->had->line, c->dev) != NULL ? store_vector(ec, r->y->store, r->space->n, &head)
	                                                   : store_context(ec, r->y->store, c->dev, &head);

	*closed = true;
	for (size_t i = 0; e == ERR_OK && i < head.n && *closed; i++) {
		const struct vv_entry *seen = &head.e[i];
		const struct vv_entry *mine = vv_get(&r->had->here, seen->dev);
		uint64_t up_to = mine == NULL ? 0 : mine->seq;
		uint64_t then = 0;

		/* its own batches are all before it */
		if (device_cmp(seen->dev, r->author) == 0 || device_cmp(seen->dev, c->dev) == 0 || seen->seq <= up_to)
			continue;
		e = seen_then(ec, r, c, seen->dev, &then);
		*closed = then <= up_to;
	}
	vv_free(&head);
	return e;
}

enum err context_read(struct errctx *ec, struct sync *y, const struct space_row *space, struct device_id author,
                      const struct body *body, struct had *h, enum context_fate *fate, struct awaits *awaits)
{
	struct reading r = { y, space, author, h, awaits };
	bool closed = true;
	enum err e = ERR_OK;

	*fate = CONTEXT_GOOD;
	for (size_t i = 0; e == ERR_OK && *fate == CONTEXT_GOOD && i < body->context_count; i++)
		e = entry_read(ec, &r, &body->context[i], fate);
	for (size_t i = 0; e == ERR_OK && *fate == CONTEXT_GOOD && closed && i < body->context_count; i++)
		e = names_closed(ec, &r, &body->context[i], &closed);
	if (e == ERR_OK && !closed)
		*fate = CONTEXT_UNCLOSED;
	return e;
}

/* ---- What an edit says ---- */

/* Lowered along the line that the author followed. */
static enum err lower(struct errctx *ec, struct sync *y, const struct seen *seen, struct had *h)
{
	const struct vv_entry *here = vv_get(&h->here, seen->dev);
	const struct vv_entry *line = vv_get(&h->line, seen->dev);
	struct vv_entry entry = { .dev = seen->dev, .seq = seen->seq };
	uint8_t hash[HASH_LEN];
	enum err e = ERR_OK;

	if (line != NULL && seen->seq < line->seq) {
		struct vv_entry lowered = *line;

		e = fork_counter(ec, y, line, seen->seq, &lowered.counter);
		if (e == ERR_OK)
			e = vv_set(&h->line, lowered);
	}
	if (e != ERR_OK || here == NULL || seen->seq >= here->seq)
		return e;
	if (seen->seq > 0)
		e = store_batch_get(ec, y->store, seen->dev, seen->seq, &entry.counter, hash);
	return e == ERR_OK ? vv_set(&h->here, entry) : e;
}

enum err edit_had(struct errctx *ec, struct sync *y, const struct had *batch, const struct edit *edit, struct had *out)
{
	enum err e = vv_copy(&batch->here, &out->here);

	if (e == ERR_OK)
		e = vv_copy(&batch->line, &out->line);
	for (size_t i = 0; e == ERR_OK && i < edit->seen_count; i++)
		e = lower(ec, y, &edit->seen[i], out);
	return e;
}

uint64_t had_past(const struct had *h, struct dot dot)
{
	uint64_t past = dot.counter - 1;

	for (size_t i = 0; i < h->here.n; i++) {
		if (device_cmp(h->here.e[i].dev, dot.dev) != 0 && vv_get(&h->line, h->here.e[i].dev) == NULL)
			past += h->here.e[i].counter;
	}
	for (size_t i = 0; i < h->line.n; i++)
		past += h->line.e[i].counter;
	return past;
}
