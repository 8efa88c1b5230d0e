// SPDX-License-Identifier: EUPL-1.2
// A store made again (V5). Every batch passes the same checks as when it came (S4, M1), so the records come to what
// they were. No number that this device may have sent is given out a second time (S5, S7).
#include "sync/rebuild.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/apply.h"
#include "sync/outbox.h"
#include "sync/people.h"
#include "sync/restored.h"
#include "sync/unsealed.h"

#define NUMBER_BITS 40
#define CHUNK 200

static enum err end(struct errctx *ec, struct sync *y, enum err e)
{
	if (e == ERR_OK)
		return store_commit(ec, y->store);
	store_rollback(y->store);
	return e;
}

/* ---- What everything stands on ---- */

static enum err base_gone(struct errctx *ec)
{
	err_clear(ec);
	return err_set(
	    ec, ERR_DAMAGED,
	    "The keys of this home were lost with what is damaged, and nothing can bring them back. Nothing was "
	    "changed. Restore a backup, or join again from another device.",
	    NULL, NULL, NULL);
}

static enum err count_one(void *arg, const char *name, struct bytes value)
{
	(void)name;
	(void)value;
	(*(size_t *)arg)++;
	return ERR_OK;
}

/* Keys of one's own in a space, those of its epochs (what else is to be known of an epoch is in a batch), and one's own
 * entry among its devices. A restored home never has keys of epochs: its backup held none. */
static enum err base_space(struct errctx *ec, struct sync *y, const struct people *p, const struct space_row *s,
                           bool restored)
{
	struct device_keys *keys = NULL;
	size_t epochs = 0;
	bool me = false;
	enum err e = device_keys_load(ec, y, s->n, &keys);

	device_keys_free(keys);
	if (e == ERR_OK)
		e = store_kept_each(ec, y->store, s->n, "epoch:", count_one, &epochs);
	for (size_t i = 0; i < p->devices; i++)
		me = me || (p->device[i].space == s->n && device_cmp(p->device[i].id, s->me) == 0 &&
		            p->device[i].state != DEVICE_NAMED);
	if (e == ERR_OK && s->state == SPACE_MEMBER && (!me || (epochs == 0 && !restored)))
		e = ERR_NOT_FOUND;
	return e == ERR_NOT_FOUND || e == ERR_DAMAGED ? base_gone(ec) : e;
}

/* Of a home that lost its keys nothing can be made; better none than one that looks whole and is empty. */
static enum err base_check(struct errctx *ec, struct sync *y, const struct salvage *old)
{
	const struct salvaged_trace *t = old->trace.item;
	struct people people = { 0 };
	struct restored restored = { 0 };
	bool own = false;
	enum err e = people_load(ec, y, &people);

	if (e == ERR_OK)
		e = restored_get(ec, y, &restored);
	for (size_t i = 0; e == ERR_OK && i < people.spaces; i++) {
		own = own || people.space[i].kind == SPACE_OWN;
		e = base_space(ec, y, &people, &people.space[i], restored.is);
	}
	if (e == ERR_OK && !own)
		e = base_gone(ec);
	for (size_t i = 0; e == ERR_OK && i < old->trace.n; i++) {
		if (people_device(&people, t[i].device) == NULL)
			e = base_gone(ec);
	}
	people_free(&people);
	return e;
}

/* Where a log was compacted, its batches below are gone by intention, and what its records came to there is not read
 * back yet: a home made again without that would show less than it had. */
static enum err compacted_refuse(struct errctx *ec, struct sync *y)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, y->store, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct base base = { 0 };

		e = store_base(ec, y->store, list[i].n, &base);
		vv_free(&base.at);
		if (e == ERR_OK && base.is)
			e = err_set(
			    ec, ERR_REFUSED,
			    "The log of %1 was compacted, and such a home cannot be repaired yet. Nothing was changed. "
			    "Make a new home and use an invitation; export what you can read here first.",
			    list[i].name, NULL, NULL);
	}
	free(list);
	return e;
}

enum err rebuild_begin(struct errctx *ec, struct sync *y, const struct salvage *old)
{
	enum err e = store_begin(ec, y->store);

	if (e != ERR_OK)
		return e;
	e = salvage_restore(ec, y->store, old);
	if (e == ERR_OK)
		e = base_check(ec, y, old);
	if (e == ERR_OK)
		e = compacted_refuse(ec, y);
	return end(ec, y, e);
}

/* ---- Batches that were kept ---- */

enum again { AGAIN_OPEN, AGAIN_DONE, AGAIN_BAD };

struct replay {
	const struct salvage *old;
	struct people people;
	enum again *state; /* of each batch */
	struct received *received;
	struct rebuilt *out;
};

/* One batch, in the caller's transaction. */
static enum err replay_one(struct errctx *ec, struct sync *y, struct replay *r, size_t i, enum fate *fate)
{
	const struct salvaged_batch *b = (const struct salvaged_batch *)r->old->batch.item + i;
	const struct space_row *space = people_space(&r->people, b->space);
	struct signed_batch batch = { people_device(&r->people, b->b >> NUMBER_BITS), (uint64_t)b->b & STORE_NUMBER_MAX,
		                      buf_bytes(&b->signed_part) };
	const char *why = NULL;

	*fate = FATE_WAITS;
	if (space == NULL || batch.author == NULL || batch.author->state == DEVICE_NAMED)
		return ERR_OK; /* its device may become known yet */
	if (batch.author->space != space->n) {
		*fate = FATE_ASIDE;
		return ERR_OK;
	}
	return batch_again(ec, y, space, &batch, r->received, fate, &why);
}

/* Some batches from `from` on in one transaction. One that does not fit takes the others back with it: then it is
 * marked, and they are tried without it. */
static enum err replay_chunk(struct errctx *ec, struct sync *y, struct replay *r, size_t from, size_t to, bool *moved)
{
	struct received before = *r->received;
	size_t bad = SIZE_MAX;
	uint64_t done = 0;
	enum err e = store_begin(ec, y->store);

	if (e != ERR_OK)
		return e;
	for (size_t i = from; e == ERR_OK && bad == SIZE_MAX && i < to; i++) {
		enum fate fate = FATE_WAITS;

		if (r->state[i] != AGAIN_OPEN)
			continue;
		e = replay_one(ec, y, r, i, &fate);
		if (fate == FATE_ASIDE)
			bad = i;
		else if (fate == FATE_DONE || fate == FATE_KNOWN)
			r->state[i] = AGAIN_DONE;
		done += fate == FATE_DONE;
	}
	if (e != ERR_OK || bad == SIZE_MAX) {
		r->out->batches += e == ERR_OK ? done : 0;
		*moved = *moved || done > 0;
		return end(ec, y, e);
	}
	store_rollback(y->store);
	err_clear(ec);
	*r->received = before;
	for (size_t i = from; i < to; i++)
		r->state[i] = r->state[i] == AGAIN_BAD ? AGAIN_BAD : AGAIN_OPEN;
	r->state[bad] = AGAIN_BAD;
	return replay_chunk(ec, y, r, from, to, moved);
}

static enum err replay_all(struct errctx *ec, struct sync *y, struct replay *r)
{
	bool moved = true;
	enum err e = ERR_OK;

	while (e == ERR_OK && moved) {
		moved = false;
		people_free(&r->people);
		e = people_load(ec, y, &r->people);
		for (size_t i = 0; e == ERR_OK && i < r->old->batch.n; i += CHUNK)
			e = replay_chunk(ec, y, r, i, i + CHUNK < r->old->batch.n ? i + CHUNK : r->old->batch.n,
			                 &moved);
	}
	return e;
}

/* Sealed files that lay here: those on their way out as well, in case the batch itself could not be read. */
static enum err files_again(struct errctx *ec, struct sync *y, const struct salvaged_list *list, struct received *r)
{
	const struct salvaged_file *f = list->item;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < list->n; i++) {
		if (!f[i].sent && f[i].file.len > 0)
			e = inbox_file(ec, y, f[i].ref, f[i].name, buf_bytes(&f[i].file), r);
	}
	return e;
}

enum err rebuild_local(struct errctx *ec, struct sync *y, const struct salvage *old, struct received *r,
                       struct rebuilt *out)
{
	struct replay replay = { .old = old, .received = r, .out = out };
	enum err e = ERR_OK;

	r->rebuilding = true;
	replay.state = calloc(old->batch.n + 1, sizeof(*replay.state));
	e = replay.state == NULL ? ERR_NO_MEMORY : replay_all(ec, y, &replay);
	if (e == ERR_OK)
		e = files_again(ec, y, &old->outgoing, r);
	if (e == ERR_OK)
		e = files_again(ec, y, &old->waiting, r);
	if (e == ERR_OK)
		e = inbox_retry(ec, y, r);
	people_free(&replay.people);
	free(replay.state);
	return e;
}

/* ---- What misses ---- */

/* How far a device's batches are applied here now. */
static enum err head_of(struct errctx *ec, struct sync *y, const struct device_row *d, struct vv_entry *out)
{
	struct vv v = { 0 };
	const struct vv_entry *entry = NULL;
	enum err e = store_vector(ec, y->store, d->space, &v);

	*out = (struct vv_entry){ .dev = d->id };
	if (e == ERR_OK)
		entry = vv_get(&v, d->id);
	if (entry != NULL)
		*out = *entry;
	vv_free(&v);
	return e;
}

enum err rebuild_gaps(struct errctx *ec, struct sync *y, const struct salvage *old, uint64_t *missing)
{
	const struct salvaged_trace *t = old->trace.item;
	struct people people = { 0 };
	enum err e = people_load(ec, y, &people);

	*missing = 0;
	for (size_t i = 0; e == ERR_OK && i < old->trace.n; i++) {
		const struct device_row *d = people_device(&people, t[i].device);
		struct vv_entry head = { 0 };

		if (d != NULL)
			e = head_of(ec, y, d, &head);
		if (e == ERR_OK && t[i].seq > head.seq)
			*missing += t[i].seq - head.seq;
	}
	people_free(&people);
	return e;
}

/* ---- What is to be sent ---- */

static const struct salvaged_file *outgoing_named(const struct salvage *old, const char *name)
{
	const struct salvaged_file *f = old->outgoing.item;

	for (size_t i = 0; i < old->outgoing.n; i++) {
		if (strcmp(f[i].name, name) == 0)
			return &f[i];
	}
	return NULL;
}

static const struct shown_file *shown_named(const struct shown_files *shown, const char *name)
{
	for (size_t i = 0; shown != NULL && i < shown->n; i++) {
		if (strcmp(shown->file[i].name, name) == 0)
			return &shown->file[i];
	}
	return NULL;
}

static void own_name(const struct space_row *space, uint64_t seq, char out[static FILE_NAME_MAX])
{
	char tag[TAG_TEXT_LEN];

	tag_text(space->my_tag, tag);
	snprintf(out, FILE_NAME_MAX, "%s-%" PRIu64, tag, seq);
}

/* Every batch of one's own is in the list of files, as one that was sent or one that waits for it. */
static enum err outgoing_again(struct errctx *ec, struct sync *y, const struct salvage *old,
                               const struct shown_files *shown, const struct space_row *space, uint64_t head)
{
	enum err e = ERR_OK;

	for (uint64_t seq = 1; e == ERR_OK && seq <= head; seq++) {
		char name[FILE_NAME_MAX];
		const struct salvaged_file *was = NULL;
		const struct shown_file *there = NULL;

		own_name(space, seq, name);
		was = outgoing_named(old, name);
		there = shown_named(shown, name);
		if (there != NULL) {
			struct salvaged_file sent = { .space = space->n, .sent = true };

			memcpy(sent.ref, there->ref, sizeof(sent.ref));
			memcpy(sent.name, there->name, sizeof(sent.name));
			e = salvage_outgoing(ec, y->store, &sent);
		} else if (was != NULL && (was->sent || was->file.len > 0)) {
			e = salvage_outgoing(ec, y->store, was);
		} else {
			e = outbox_again(ec, y, space, seq);
		}
	}
	return e;
}

/* What is known of batches of this device beyond those that were brought back. */
enum beyond { BEYOND_NOTHING, BEYOND_UNKNOWN, BEYOND_SENT };

static uint64_t own_trace(const struct salvage *old, const struct device_row *me)
{
	const struct salvaged_trace *t = old->trace.item;

	for (size_t i = 0; i < old->trace.n; i++) {
		if (t[i].device == me->n)
			return t[i].seq;
	}
	return 0;
}

/* A number that somebody may have seen is never given out again (S5, S7): only a row that can be read, and says that
 * its file was not sent yet, frees it. */
static enum beyond own_beyond(const struct salvage *old, const struct space_row *space, const struct device_row *me,
                              uint64_t head)
{
	const struct salvaged_file *f = old->outgoing.item;
	uint64_t last = own_trace(old, me);
	char tag[TAG_TEXT_LEN];
	size_t len = 0;

	tag_text(space->my_tag, tag);
	len = strlen(tag);
	for (size_t i = 0; i < old->outgoing.n; i++) {
		if (f[i].sent && strncmp(f[i].name, tag, len) == 0 && f[i].name[len] == '-' &&
		    strtoull(f[i].name + len + 1, NULL, 10) > head)
			return BEYOND_SENT;
	}
	for (uint64_t seq = head + 1; seq <= last; seq++) {
		char name[FILE_NAME_MAX];

		own_name(space, seq, name);
		if (outgoing_named(old, name) == NULL)
			return BEYOND_UNKNOWN;
	}
	return BEYOND_NOTHING;
}

static enum err beyond_refuse(struct errctx *ec, const struct space_row *space, enum beyond beyond)
{
	if (beyond == BEYOND_SENT)
		return err_set(
		    ec, ERR_LATER,
		    "The repository does not show what this device sent to %1, and it is gone here. Somebody who "
		    "fetched it must sync first; then try again. Nothing was changed.",
		    space->name, NULL, NULL);
	return err_set(
	    ec, ERR_LATER,
	    "What this device made last for %1 is gone here, and nothing tells whether it was sent. Let the others "
	    "sync first, then try again. If nobody has it: make a new home and ask for an invitation. Nothing was "
	    "changed.",
	    space->name, NULL, NULL);
}

static enum err space_end(struct errctx *ec, struct sync *y, const struct salvage *old, const struct shown_files *shown,
                          const struct people *people, const struct space_row *space, struct rebuilt *out)
{
	struct device_row me = { 0 };
	struct unsealed_job job = { .old = old, .people = people, .space = space, .me = &me };
	struct vv_entry head = { 0 };
	struct restored restored = { 0 };
	enum beyond beyond = BEYOND_NOTHING;
	char tag[TAG_TEXT_LEN];
	enum err e = store_device_by_id(ec, y->store, space->me, &me);

	if (e == ERR_NOT_FOUND) /* asked to join, nothing written yet */
		return ERR_OK;
	if (e == ERR_OK)
		e = head_of(ec, y, &me, &head);
	if (e == ERR_OK)
		e = restored_get(ec, y, &restored);
	/* which sends nothing any more (S7) */
	if (e == ERR_OK && !restored.is)
		beyond = own_beyond(old, space, &me, head.seq);
	if (beyond != BEYOND_NOTHING)
		e = beyond_refuse(ec, space, beyond);
	if (e == ERR_OK && !restored.is)
		e = outgoing_again(ec, y, old, shown, space, head.seq);
	job.head = head.counter;
	if (e == ERR_OK)
		e = unsealed_again(ec, y, &job, out);
	tag_text(space->my_tag, tag);
	return e == ERR_OK && shown == NULL ? salvage_branches(ec, y->store, old, tag) : e;
}

enum err rebuild_end(struct errctx *ec, struct sync *y, const struct salvage *old, const struct shown_files *shown,
                     struct rebuilt *out)
{
	struct people people = { 0 };
	enum err e = rebuild_gaps(ec, y, old, &out->lost_batches);

	if (e == ERR_OK)
		e = people_load(ec, y, &people);
	if (e == ERR_OK)
		e = store_begin(ec, y->store);
	if (e == ERR_OK) {
		for (size_t i = 0; e == ERR_OK && i < people.spaces; i++)
			e = space_end(ec, y, old, shown, &people, &people.space[i], out);
		e = end(ec, y, e);
	}
	people_free(&people);
	return e;
}
