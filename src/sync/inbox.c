// SPDX-License-Identifier: EUPL-1.2
// What comes in finds its place: a batch, a box with an epoch's key, a letter about joining (S4: one bad file stops
// nothing else).
#include "sync/inbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/tr.h"
#include "crypto/secret.h"
#include "sync/again.h"
#include "sync/apply.h"
#include "sync/box_keys.h"
#include "sync/bundled.h"
#include "sync/carry.h"
#include "sync/epochs.h"
#include "sync/floor.h"
#include "sync/forks.h"
#include "sync/join.h"
#include "sync/lost.h"
#include "sync/rebox.h"
#include "sync/rejoin.h"
#include "sync/snapshot.h"
#include "sync/space.h"

struct box_wanted {
	struct bytes file;
	struct space_id space;
	struct epoch_secret *secret;
	size_t tried; /* pairs; the newest comes first */
};

static enum err box_try(void *arg, const uint8_t public[static BOX_PUBLIC_LEN],
                        const uint8_t secret[static BOX_SECRET_LEN])
{
	struct box_wanted *w = arg;

	w->tried++;
	return boxes_unseal(w->file, w->space, public, secret, w->secret);
}

/* An epoch's key for this device, perhaps. Whether the epoch is used is decided by its signed record. One that was
 * closed here stays closed. */
static enum err boxes_receive(struct errctx *ec, struct sync *y, const struct space_row *space,
                              const struct file_header *h, struct bytes file, enum fate *fate, const char **why)
{
	struct box_wanted w = { file, space->id, secret_new(sizeof(*w.secret)), 0 };
	enum epoch_state state = EPOCH_KEY_ONLY;
	bool held = false;
	enum err e = w.secret == NULL ? ERR_NO_MEMORY : epoch_key_load(ec, y, space->n, h->epoch, w.secret);

	held = e == ERR_OK;
	*fate = FATE_KNOWN;
	if (e == ERR_OK || e == ERR_NOT_FOUND)
		e = epoch_state_of(ec, y, space, h->epoch, &state);
	if (e != ERR_OK)
		goto done;
	e = box_pairs_try(ec, y, space, box_try, &w);
	if (e == ERR_OK && !held && state != EPOCH_CLOSED) {
		*fate = FATE_DONE;
		e = epoch_key_save(ec, y, space->n, h->epoch, w.secret);
	}
	if (e == ERR_OK && w.tried == 1)
		e = box_key_used(ec, y, space);
	if (e == ERR_NOT_FOUND) {
		*fate = held ? FATE_KNOWN : FATE_OTHER;
		e = ERR_OK;
	} else if (e == ERR_DAMAGED) {
		*fate = FATE_ASIDE;
		*why = TR("A box with a key is damaged or forged.");
		e = ERR_OK;
	}
done:
	secret_free(w.secret);
	return e;
}

/* What it carries was taken in before, as files of their own, if its key is here. */
static enum err carried(struct errctx *ec, struct sync *y, const struct space_row *space, const struct file_header *h,
                        struct bytes file, struct received *r, enum fate *fate, const char **why)
{
	struct epoch_secret *secret = secret_new(sizeof(*secret));
	struct buf items = { 0 };
	enum err e = secret == NULL ? ERR_NO_MEMORY : epoch_key_load(ec, y, space->n, h->epoch, secret);

	*fate = FATE_DONE;
	if (e == ERR_NOT_FOUND) {
		enum epoch_state state = EPOCH_OPEN;

		epoch_key_awaits(h->epoch, &r->awaits);
		e = epoch_state_of(ec, y, space, h->epoch, &state);
		*fate = state == EPOCH_CLOSED ? FATE_OTHER : FATE_WAITS;
	} else if (e == ERR_OK) {
		e = carry_unseal(file, secret->key, &items);
	}
	if (e == ERR_DAMAGED) {
		*fate = FATE_ASIDE;
		*why = TR("A batch is damaged or not from whom it says.");
		e = ERR_OK;
	}
	secret_free(secret);
	buf_free(&items);
	return e;
}

static enum err classify(struct errctx *ec, struct sync *y, struct bytes file, struct received *r, enum fate *fate,
                         const char **why, int64_t *space_n)
{
	struct file_header h;
	struct space_row space;
	enum err e = ERR_OK;

	*space_n = 0;
	*why = NULL;
	r->awaits = (struct awaits){ 0 };
	r->doubt.seq = 0;
	if (file_header_get(file, &h) != ERR_OK) {
		*fate = FATE_ASIDE;
		*why = TR("A file on the host is not one of ours, or damaged.");
		return ERR_OK;
	}
	if (h.type == FILE_JOIN_REQUEST && r->rebuilding) { /* whom one let in is known by the batches */
		*fate = FATE_OTHER;
		return ERR_OK;
	}
	if (h.type == FILE_JOIN_REQUEST && h.seq == REJOIN_SEQ)
		return rejoin_request_receive(ec, y, &h, file, fate, why);
	if (h.type == FILE_JOIN_REQUEST && h.seq == REBOX_SEQ)
		return rebox_request_receive(ec, y, &h, file, r, fate, why);
	if (h.type == FILE_JOIN_REQUEST)
		return join_request_receive(ec, y, &h, file, r, fate, why);
	if (h.type == FILE_JOIN_ANSWER) {
		e = rejoin_answer_receive(ec, y, file, r, fate, why);
		if (e == ERR_OK && *fate == FATE_OTHER)
			e = rebox_answer_receive(ec, y, file, r, fate, why);
		return e != ERR_OK || *fate != FATE_OTHER ? e : join_answer_receive(ec, y, file, r, fate, why);
	}
	if (h.type == FILE_PAPER) { /* of a home for its sheet */
		*fate = FATE_OTHER;
		return ERR_OK;
	}
	e = space_by_tag(ec, y, h.space, &space);
	if (e == ERR_NOT_FOUND || (e == ERR_OK && space.state != SPACE_MEMBER)) {
		r->awaits.what = AWAITS_SPACE;
		*fate = e == ERR_OK ? FATE_WAITS : FATE_OTHER;
		*space_n = e == ERR_OK ? space.n : 0;
		return ERR_OK;
	}
	if (e != ERR_OK)
		return e;
	*space_n = space.n;
	switch (h.type) {
	case FILE_BATCH:
		return batch_receive(ec, y, &space, &h, file, r, fate, why);
	case FILE_BOXES:
		return boxes_receive(ec, y, &space, &h, file, fate, why);
	case FILE_SNAPSHOT:
		return snapshot_receive(ec, y, &space, &h, file, r, fate, why);
	case FILE_CARRY:
		return carried(ec, y, &space, &h, file, r, fate, why);
	case FILE_VIEW:
		return view_receive(ec, y, &space, &h, file, r, fate, why);
	default: /* of a newer version */
		r->awaits.what = AWAITS_PROGRAM;
		*fate = FATE_WAITS;
		return ERR_OK;
	}
}

/* 16 hex digits that tell files apart. */
static void file_mark(struct bytes file, char out[static 17])
{
	uint8_t hash[HASH_LEN];

	hash_bytes("slb file", file, hash);
	hex_put(hash, 8, out);
}

/* A line for the one who looks, and the bytes as evidence while they are few (S4). */
static enum err put_aside(struct errctx *ec, struct sync *y, const char *ref, const char *name, const char *why,
                          struct bytes file, struct received *r)
{
	char what[ASIDE_WHAT_MAX + 1];
	char mark[17];
	uint64_t count = 0;
	bool added = false;
	enum err e = store_aside_count(ec, y->store, &count);

	file_mark(file, mark);
	snprintf(what, sizeof(what), "%s/%s %s", ref, name, mark);
	if (count >= ASIDE_FILES_MAX) {
		snprintf(what, sizeof(what), "*");
		why = TR("More files do not verify than can be listed.");
	}
	if (count >= ASIDE_FILES_MAX || file.len > ASIDE_BYTES_MAX)
		file.len = 0;
	if (e == ERR_OK)
		e = store_aside_put(ec, y->store, what, why, clock_now(y->clock), file, &added);
	r->set_aside += e == ERR_OK && added;
	return e;
}

/* Waits under its name; a host may have put another file under that name before, so under one of its own if need be. */
static enum err put_waiting(struct errctx *ec, struct sync *y, struct waiting_put *put, struct received *r)
{
	struct file_header h;
	char mark[17];
	uint64_t files = 0;
	uint64_t bytes = 0;
	bool other = false;
	enum err e = store_waiting_size(ec, y->store, &files, &bytes);

	if (e == ERR_OK && (files >= WAITING_FILES_MAX || bytes + put->file.len > WAITING_BYTES_MAX)) {
		r->refused++;
		return ERR_OK;
	}
	put->awaits = r->awaits;
	if (file_header_get(put->file, &h) == ERR_OK && (h.type == FILE_BATCH || h.type == FILE_CARRY)) {
		put->author = h.device; /* of what is carried: whoever sealed that */
		put->number = h.type == FILE_BATCH ? h.seq : 0;
	}
	if (e == ERR_OK)
		e = store_waiting_put(ec, y->store, put, &other);
	file_mark(put->file, mark);
	put->name = mark;
	return e == ERR_OK && other ? store_waiting_put(ec, y->store, put, &other) : e;
}

/* A copy of this device wrote this one. */
static enum err copied(struct errctx *ec, struct sync *y, int64_t space, struct bytes file)
{
	struct file_header h;
	enum err e = file_header_get(file, &h);

	return e == ERR_OK ? again_copy(ec, y, space, h.seq) : e;
}

/* What does not count may be evidence all the same. */
static enum err evidence(struct errctx *ec, struct sync *y, struct bytes file)
{
	struct file_header h;
	struct space_row space;
	enum err e = file_header_get(file, &h) == ERR_OK && h.type == FILE_BATCH ? ERR_OK : ERR_NOT_FOUND;

	if (e == ERR_OK)
		e = space_by_tag(ec, y, h.space, &space);
	if (e == ERR_OK && space.state == SPACE_MEMBER)
		e = batch_evidence(ec, y, &space, &h, file);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

void received_saw(struct received *r, const struct file_header *h)
{
	char tag[TAG_TEXT_LEN];

	if (r->lost != NULL)
		lost_came(r->lost, h);
	if (r->watch[0] == '\0' || h->type != FILE_BATCH)
		return;
	tag_text(h->device, tag);
	if (strcmp(tag, r->watch) == 0 && h->seq > r->top)
		r->top = h->seq;
}

/* A file, and the row under which it waits; 0 where it is new. */
struct taken {
	const char *ref;
	const char *name;
	struct bytes file;
	int64_t waiting;
};

/* One file in one transaction. */
static enum err take(struct errctx *ec, struct sync *y, const struct taken *t, struct received *r, bool *moved)
{
	enum fate fate = FATE_DONE;
	const char *why = NULL;
	struct waiting_put put = { .ref = t->ref, .name = t->name, .file = t->file };
	struct file_header h;
	uint64_t batches = r->batches;
	enum err e = store_begin(ec, y->store);

	*moved = false;
	r->tried++;
	if (e != ERR_OK)
		return e;
	e = classify(ec, y, t->file, r, &fate, &why, &put.space);
	if (e == ERR_OK && fate == FATE_COPY) { /* it goes on under another id, and then this is somebody else's */
		store_rollback(y->store);
		e = store_begin(ec, y->store);
		if (e == ERR_OK)
			e = copied(ec, y, put.space, t->file);
		if (e == ERR_OK)
			e = classify(ec, y, t->file, r, &fate, &why, &put.space);
		/* what does not verify no copy made, and then nothing was done */
		r->copies += e == ERR_OK && fate == FATE_DONE;
	}
	/* what waited came before, and by what way is not known any more */
	if (e == ERR_OK && (fate == FATE_DONE || fate == FATE_KNOWN) &&
	    (!r->bundle || (r->batches > batches && t->waiting == 0)))
		e = bundled_taken(ec, y, put.space, t->file, r);
	if (e == ERR_OK && (fate == FATE_ASIDE || fate == FATE_WAITS)) {
		/* whatever was half done goes; the note stays */
		store_rollback(y->store);
		e = store_begin(ec, y->store);
	}
	if (e == ERR_OK && (fate == FATE_ASIDE || (fate == FATE_LINE && why != NULL)))
		e = put_aside(ec, y, t->ref, t->name, why, t->file, r);
	if (e == ERR_OK && fate == FATE_ASIDE)
		e = evidence(ec, y, t->file);
	if (e == ERR_OK && fate == FATE_WAITS && t->waiting == 0)
		e = put_waiting(ec, y, &put, r);
	if (e == ERR_OK && fate == FATE_WAITS && t->waiting != 0)
		e = store_waiting_for(ec, y->store, t->waiting, &r->awaits);
	if (e == ERR_OK && fate == FATE_WAITS && r->doubt.seq > 0) {
		r->doubts++;
		e = fork_doubt(ec, y, put.space, r->doubt.dev, r->doubt.seq);
	}
	if (e == ERR_OK && fate != FATE_WAITS && t->waiting != 0)
		e = store_waiting_delete(ec, y->store, t->waiting);
	if (e == ERR_OK)
		e = store_commit(ec, y->store);
	if (e != ERR_OK)
		store_rollback(y->store);
	*moved = e == ERR_OK && (fate == FATE_DONE || fate == FATE_LINE);
	r->useful += fate == FATE_DONE || fate == FATE_KNOWN || fate == FATE_LINE;
	if ((fate == FATE_DONE || fate == FATE_KNOWN || fate == FATE_LINE) && file_header_get(t->file, &h) == ERR_OK)
		received_saw(r, &h);
	r->useless = fate == FATE_ASIDE;
	r->waits = fate == FATE_WAITS;
	return e;
}

/* ---- What waits ---- */

/* What is to be tried, and what was here before the last file. */
struct wake {
	struct waiting_rows rows;
	size_t at;
	uint64_t batches;
	uint64_t lines;
	uint64_t joined;
	uint64_t devices;
};

static void wake_note(const struct sync *y, const struct received *r, struct wake *k)
{
	k->batches = r->batches;
	k->lines = r->lines;
	k->joined = r->joined + r->keyed;
	k->devices = store_devices_seen(y->store);
}

/* Who waited for the file that has just been taken in? */
static enum err wake_by(struct errctx *ec, struct sync *y, const struct taken *t, const struct received *r,
                        struct wake *k)
{
	struct file_header h = { 0 };
	struct awaits here = { .what = AWAITS_BATCH, .id_len = DEVICE_ID_LEN, .seq = r->last.seq };
	enum err e = file_header_get(t->file, &h) == ERR_OK ? ERR_OK : ERR_DAMAGED;

	bool batch = r->batches > k->batches || r->lines > k->lines;

	memcpy(here.id, r->last.dev.b, DEVICE_ID_LEN);
	if (e == ERR_OK && batch)
		e = store_waiting_on(ec, y->store, &here, &k->rows);
	if (e == ERR_OK && batch) {
		fork_awaits(r->last.dev, r->last.seq, r->last.hash, &here);
		e = store_waiting_on(ec, y->store, &here, &k->rows);
	}
	if (e == ERR_OK && batch)
		e = store_waiting_same(ec, y->store, h.device, h.seq, &k->rows);
	if (e == ERR_OK && h.type == FILE_BOXES) {
		epoch_key_awaits(h.epoch, &here);
		e = store_waiting_on(ec, y->store, &here, &k->rows);
	}
	if (e == ERR_OK && store_devices_seen(y->store) != k->devices)
		e = store_waiting_authors(ec, y->store, &k->rows);
	if (e == ERR_OK && r->joined + r->keyed > k->joined)
		e = store_waiting_ready(ec, y->store, &k->rows);
	return e;
}

/* Tries the rows of `k`, and those that wait for what comes of it. *any: something was applied. */
static enum err wake(struct errctx *ec, struct sync *y, struct received *r, struct wake *k, bool *any)
{
	enum err e = ERR_OK;

	while (e == ERR_OK && k->at < k->rows.count) {
		struct file_row row;
		struct taken t = { .waiting = k->rows.n[k->at++] };
		bool moved = false;

		e = store_waiting_get(ec, y->store, t.waiting, &row);
		if (e == ERR_NOT_FOUND) { /* two things woke it, and it went after the first */
			e = ERR_OK;
			continue;
		}
		t.ref = row.ref;
		t.name = row.name;
		t.file = buf_bytes(&row.file);
		wake_note(y, r, k);
		if (e == ERR_OK)
			e = carry_take(ec, y, t.ref, t.file, r);
		if (e == ERR_OK)
			e = take(ec, y, &t, r, &moved);
		if (e == ERR_OK && moved)
			e = wake_by(ec, y, &t, r, k);
		*any = *any || moved;
		buf_free(&row.file);
	}
	return e;
}

enum err inbox_file(struct errctx *ec, struct sync *y, const char *ref, const char *name, struct bytes file,
                    struct received *r)
{
	struct taken t = { .ref = ref, .name = name, .file = file };
	struct wake k = { 0 };
	bool moved = false;
	bool useless = false;
	bool waits = false;
	enum err e = ERR_OK;

	r->useless = r->waits = false;
	if (strlen(ref) > REF_MAX || strlen(name) > FILE_NAME_MAX)
		return ERR_OK; /* nothing of ours has such a name */
	r->files++;
	e = carry_take(ec, y, ref, file, r);
	wake_note(y, r, &k);
	if (e == ERR_OK)
		e = take(ec, y, &t, r, &moved);
	useless = r->useless;
	waits = r->waits;
	if (e == ERR_OK && moved)
		e = wake_by(ec, y, &t, r, &k);
	if (e == ERR_OK)
		e = wake(ec, y, r, &k, &moved);
	r->useless = useless;
	r->waits = waits;
	free(k.rows.n);
	return e;
}

/* Does this file take part in a group? What carries others is taken in otherwise, and no name of ours is so long. */
static bool goes_together(const struct inbox_item *item)
{
	struct file_header h;

	return strlen(item->ref) <= REF_MAX && strlen(item->name) <= FILE_NAME_MAX &&
	       file_header_get(item->file, &h) == ERR_OK && h.type == FILE_BATCH;
}

/* In the transaction that is open. *good: how many; where that is not all of them it is to be rolled back. */
static enum err take_group(struct errctx *ec, struct sync *y, const struct inbox_item *items, size_t n,
                           struct received *r, struct wake *k, size_t *good)
{
	uint64_t strange = r->strange;
	enum err e = ERR_OK;

	for (*good = 0; *good < n && goes_together(&items[*good]); (*good)++) {
		const struct inbox_item *item = &items[*good];
		struct taken t = { .ref = item->ref, .name = item->name, .file = item->file };
		enum fate fate = FATE_DONE;
		const char *why = NULL;
		int64_t space = 0;

		r->files++;
		r->tried++;
		wake_note(y, r, k);
		e = classify(ec, y, t.file, r, &fate, &why, &space);
		if (e == ERR_OK && fate == FATE_DONE)
			e = wake_by(ec, y, &t, r, k);
		if (e != ERR_OK || (fate != FATE_DONE && fate != FATE_KNOWN && fate != FATE_OTHER) ||
		    r->strange != strange)
			break;
	}
	return e;
}

/* That are taken in for good. */
static void saw_all(const struct inbox_item *items, size_t n, struct received *r)
{
	struct file_header h;

	for (size_t i = 0; i < n; i++)
		if (file_header_get(items[i].file, &h) == ERR_OK)
			received_saw(r, &h);
}

enum err inbox_files(struct errctx *ec, struct sync *y, const struct inbox_item *items, size_t n, struct received *r,
                     size_t *taken)
{
	const struct received before = *r;
	enum err e = ERR_OK;

	*taken = 0;
	while (e == ERR_OK && *taken == 0 && n > 0) {
		struct wake k = { 0 };
		bool moved = false;
		size_t good = 0;

		e = store_begin(ec, y->store);
		if (e != ERR_OK)
			break;
		e = take_group(ec, y, items, n, r, &k, &good);
		if (e == ERR_OK && good == n)
			e = store_commit(ec, y->store);
		if (e != ERR_OK || good < n) { /* those before it once more, without it */
			store_rollback(y->store);
			*r = before;
			n = good;
		} else {
			*taken = n;
			saw_all(items, n, r);
			e = wake(ec, y, r, &k, &moved);
		}
		free(k.rows.n);
	}
	return e;
}

enum err inbox_retry(struct errctx *ec, struct sync *y, struct received *r)
{
	bool any = true;
	enum err e = ERR_OK;

	while (e == ERR_OK && any) {
		uint64_t arrived = r->arrived;
		struct wake k = { 0 };

		any = false;
		e = store_waiting_ready(ec, y->store, &k.rows);
		if (e == ERR_OK)
			e = wake(ec, y, r, &k, &any);
		free(k.rows.n);
		if (e == ERR_OK && !any) {
			/* whoever asks to be let in waits for that, too */
			e = floor_settle(ec, y, r);
			any = r->arrived > arrived;
		}
	}
	return e;
}
