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
#include "sync/join.h"
#include "sync/rejoin.h"

static enum err space_find(struct errctx *ec, struct sync *y, struct tag tag, struct space_row *out)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, y->store, &list, &n);

	if (e != ERR_OK)
		return e;
	e = ERR_NOT_FOUND;
	for (size_t i = 0; i < n; i++) {
		if (memcmp(list[i].tag.b, tag.b, TAG_LEN) == 0) {
			*out = list[i];
			e = ERR_OK;
		}
	}
	free(list);
	return e;
}

/* An epoch's key for this device, perhaps. Whether the epoch is used is decided by its signed record. */
static enum err boxes_receive(struct errctx *ec, struct sync *y, const struct space_row *space,
                              const struct file_header *h, struct bytes file, enum fate *fate, const char **why)
{
	struct device_keys *keys = NULL;
	struct epoch_secret *secret = secret_new(sizeof(*secret));
	enum err e = secret == NULL ? ERR_NO_MEMORY : epoch_key_load(ec, y, space->n, h->epoch, secret);

	*fate = FATE_KNOWN;
	if (e == ERR_NOT_FOUND) {
		e = device_keys_load(ec, y, space->n, &keys);
		if (e == ERR_OK)
			e = boxes_unseal(file, space->id, keys->public.box, keys->box_secret, secret);
		if (e == ERR_OK) {
			*fate = FATE_DONE;
			e = epoch_key_save(ec, y, space->n, h->epoch, secret);
		} else if (e == ERR_NOT_FOUND) {
			*fate = FATE_OTHER;
			e = ERR_OK;
		} else if (e == ERR_DAMAGED) {
			*fate = FATE_ASIDE;
			*why = TR("A box with a key is damaged or forged.");
			e = ERR_OK;
		}
	}
	device_keys_free(keys);
	secret_free(secret);
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
	if (h.type == FILE_JOIN_REQUEST)
		return join_request_receive(ec, y, &h, file, r, fate, why);
	if (h.type == FILE_JOIN_ANSWER) {
		e = rejoin_answer_receive(ec, y, file, r, fate, why);
		return e != ERR_OK || *fate != FATE_OTHER ? e : join_answer_receive(ec, y, file, r, fate, why);
	}
	e = space_find(ec, y, h.space, &space);
	if (e == ERR_NOT_FOUND || (e == ERR_OK && space.state != SPACE_MEMBER)) {
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
	default: /* of a newer version */
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
static enum err put_waiting(struct errctx *ec, struct sync *y, int64_t space, const char *ref, const char *name,
                            struct bytes file, struct received *r)
{
	char mark[17];
	uint64_t files = 0;
	uint64_t bytes = 0;
	bool other = false;
	enum err e = store_waiting_size(ec, y->store, &files, &bytes);

	if (e == ERR_OK && (files >= WAITING_FILES_MAX || bytes + file.len > WAITING_BYTES_MAX)) {
		r->refused++;
		return ERR_OK;
	}
	if (e == ERR_OK)
		e = store_waiting_put(ec, y->store, space, ref, name, file, &other);
	file_mark(file, mark);
	return e == ERR_OK && other ? store_waiting_put(ec, y->store, space, ref, mark, file, &other) : e;
}

/* A copy of this device wrote this one. */
static enum err copied(struct errctx *ec, struct sync *y, int64_t space, struct bytes file, struct received *r)
{
	struct file_header h;
	enum err e = file_header_get(file, &h);

	r->copies += e == ERR_OK;
	return e == ERR_OK ? again_copy(ec, y, space, h.seq) : e;
}

/* One file in one transaction; `waiting` is its row where it waited already, 0 where it is new. */
static enum err take(struct errctx *ec, struct sync *y, const char *ref, const char *name, struct bytes file,
                     int64_t waiting, struct received *r, bool *moved)
{
	enum fate fate = FATE_DONE;
	const char *why = NULL;
	int64_t space = 0;
	enum err e = store_begin(ec, y->store);

	*moved = false;
	if (e != ERR_OK)
		return e;
	e = classify(ec, y, file, r, &fate, &why, &space);
	if (e == ERR_OK && fate == FATE_COPY) { /* it goes on under another id, and then this is somebody else's */
		store_rollback(y->store);
		e = store_begin(ec, y->store);
		if (e == ERR_OK)
			e = copied(ec, y, space, file, r);
		if (e == ERR_OK)
			e = classify(ec, y, file, r, &fate, &why, &space);
		if (e == ERR_OK && (fate == FATE_ASIDE || fate == FATE_WAITS)) {
			e = store_commit(ec, y->store);
			if (e == ERR_OK)
				e = store_begin(ec, y->store);
		}
	}
	if (e == ERR_OK && (fate == FATE_ASIDE || fate == FATE_WAITS)) {
		/* whatever was half done goes; the note stays */
		store_rollback(y->store);
		e = store_begin(ec, y->store);
	}
	if (e == ERR_OK && fate == FATE_ASIDE)
		e = put_aside(ec, y, ref, name, why, file, r);
	if (e == ERR_OK && fate == FATE_WAITS && waiting == 0)
		e = put_waiting(ec, y, space, ref, name, file, r);
	if (e == ERR_OK && fate != FATE_WAITS && waiting != 0)
		e = store_waiting_delete(ec, y->store, waiting);
	if (e == ERR_OK)
		e = store_commit(ec, y->store);
	if (e != ERR_OK)
		store_rollback(y->store);
	*moved = e == ERR_OK && fate == FATE_DONE;
	return e;
}

enum err inbox_file(struct errctx *ec, struct sync *y, const char *ref, const char *name, struct bytes file,
                    struct received *r)
{
	uint64_t refused = r->refused;
	bool moved = false;
	enum err e = ERR_OK;

	if (strlen(ref) > REF_MAX || strlen(name) > FILE_NAME_MAX)
		return ERR_OK; /* nothing of ours has such a name */
	r->files++;
	e = take(ec, y, ref, name, file, 0, r, &moved);
	if (e != ERR_OK || r->refused == refused || r->batches == r->retried)
		return e;
	/* no room: something of what waits may have got what it needs meanwhile */
	e = inbox_retry(ec, y, r);
	r->refused = refused;
	r->retried = r->batches;
	return e != ERR_OK ? e : take(ec, y, ref, name, file, 0, r, &moved);
}

enum err inbox_retry(struct errctx *ec, struct sync *y, struct received *r)
{
	bool any = true;
	enum err e = ERR_OK;

	while (e == ERR_OK && any) {
		struct file_row *list = NULL;
		size_t n = 0;

		any = false;
		e = store_waiting_list(ec, y->store, &list, &n);
		for (size_t i = 0; e == ERR_OK && i < n; i++) {
			bool moved = false;

			e = take(ec, y, list[i].ref, list[i].name, buf_bytes(&list[i].file), list[i].n, r, &moved);
			any = any || moved;
		}
		store_files_free(list, n);
	}
	return e;
}
