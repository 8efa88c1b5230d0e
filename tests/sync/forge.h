/* SPDX-License-Identifier: EUPL-1.2 */
/* For tests of what a member, a host or a stranger may send: files handed over without a courier, and batches that a
 * member with a changed program could sign. */
#ifndef SLB_TESTS_SYNC_FORGE_H
#define SLB_TESTS_SYNC_FORGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/hash.h"
#include "crypto/secret.h"
#include "crypto/sign.h"
#include "model/draft.h"
#include "model/edit.h"
#include "model/wire.h"
#include "sync/epochs.h"
#include "sync/homes.h"
#include "sync/inbox.h"
#include "sync/join.h"
#include "sync/outbox.h"
#include "sync/space.h"

#define FORGE_REF "refs/heads/aaaaaaaa/aaaaaaaa/aaaaaaaa"

static inline struct sync sync_of_home(struct world *w, size_t i)
{
	return (struct sync){ w->app[i]->store, w->app[i]->zip, w->app[i]->rng, w->app[i]->clock };
}

/* A space of a home by its name; fails when it is not there. */
static inline struct space_row space_named(struct world *w, size_t i, const char *name)
{
	struct errctx ec = { 0 };
	struct space_row *list = NULL;
	struct space_row out = { 0 };
	size_t n = 0;

	assert_int_equal(store_space_list(&ec, w->app[i]->store, &list, &n), ERR_OK);
	for (size_t k = 0; k < n; k++) {
		if (strcmp(list[k].name, name) == 0)
			out = list[k];
	}
	free(list);
	assert_int_not_equal(out.n, 0);
	return out;
}

/* Hands one file to a home's inbox; what is wrong with it is never an error of the machine (S4). */
static inline struct received give(struct world *w, size_t to, const char *name, struct bytes file)
{
	struct sync y = sync_of_home(w, to);
	struct received r = { 0 };
	struct errctx ec = { 0 };

	assert_int_equal(inbox_file(&ec, &y, FORGE_REF, name, file, &r), ERR_OK);
	assert_int_equal(ec.code, ERR_OK);
	return r;
}

static inline struct received retry(struct world *w, size_t i)
{
	struct sync y = sync_of_home(w, i);
	struct received r = { 0 };
	struct errctx ec = { 0 };

	assert_int_equal(inbox_retry(&ec, &y, &r), ERR_OK);
	assert_int_equal(ec.code, ERR_OK);
	return r;
}

static inline void seal_home(struct world *w, size_t i)
{
	struct sync y = sync_of_home(w, i);
	struct errctx ec = { 0 };
	struct space_row *list = NULL;
	size_t n = 0;

	assert_int_equal(store_begin(&ec, y.store), ERR_OK);
	assert_int_equal(store_space_list(&ec, y.store, &list, &n), ERR_OK);
	for (size_t k = 0; k < n; k++) {
		if (list[k].state == SPACE_MEMBER)
			assert_int_equal(outbox_seal(&ec, &y, &list[k]), ERR_OK);
	}
	assert_int_equal(store_commit(&ec, y.store), ERR_OK);
	free(list);
}

/* Everything that one home ever sealed, to another: nothing is marked as sent, so the same files come again. */
static inline struct received pump(struct world *w, size_t from, size_t to)
{
	struct errctx ec = { 0 };
	struct file_row *list = NULL;
	struct received sum = { 0 };
	struct received r = { 0 };
	size_t n = 0;

	seal_home(w, from);
	assert_int_equal(store_outgoing_list(&ec, w->app[from]->store, &list, &n), ERR_OK);
	for (size_t k = 0; k <= n; k++) {
		if (k < n) {
			struct sync y = sync_of_home(w, to);

			r = (struct received){ 0 };
			assert_int_equal(inbox_file(&ec, &y, list[k].ref, list[k].name, buf_bytes(&list[k].file), &r),
			                 ERR_OK);
		} else {
			r = retry(w, to);
		}
		sum.files += r.files;
		sum.batches += r.batches;
		sum.records += r.records;
		sum.changed += r.changed;
		sum.set_aside += r.set_aside;
		sum.joined += r.joined;
		sum.admitted += r.admitted;
		sum.asking += r.asking;
		sum.arrived += r.arrived;
	}
	store_files_free(list, n);
	return sum;
}

static inline void invite_by_hand(struct world *w, size_t a, size_t b, const char *space)
{
	struct invite_view v;
	struct errctx ec = { 0 };
	struct join_view asked;

	assert_int_equal(app_invite(&ec, w->app[a], &(struct invite_ask){ .space = space }, &v), ERR_OK);
	assert_int_equal(app_join(&ec, w->app[b], (const char *)v.text.data, v.text.len, false, &asked), ERR_OK);
	buf_free(&v.text);
	assert_int_equal(pump(w, b, a).admitted, 1);
	assert_true(pump(w, a, b).joined >= 1);
	pump(w, b, a);
}

/* Neighbourhood "West" of 0; circle "Plein" of 1 and 2, which 3 is no member of. Home 2 is the one who forges. */
static inline void forge_world(struct world *w)
{
	struct errctx ec = { 0 };

	world_begin(w);
	world_home(w, "Nul");
	world_home(w, "Een");
	world_home(w, "Twee");
	assert_int_equal(app_found_neighbourhood(&ec, w->app[0], "West", w->remote), ERR_OK);
	invite_by_hand(w, 0, 1, "West");
	assert_int_equal(app_found_circle(&ec, w->app[1], "Plein"), ERR_OK);
	invite_by_hand(w, 1, 2, "Plein");
	pump(w, 0, 2);
	pump(w, 2, 0);
	pump(w, 1, 0);
	pump(w, 0, 1);
}

/* Home 3 joins the circle by the invitation of `by`. */
static inline void invite_third(struct world *w, size_t by)
{
	assert_int_equal(world_home(w, "Drie"), 3);
	invite_by_hand(w, by, 3, "Plein");
}

/* A batch as its author's own program would make it next; every field may be changed before it is made a file. */
struct forge {
	struct world *w;
	size_t by;
	struct space_row space; /* whose id the signature is over */
	struct device_keys *keys;
	struct epoch_secret *secret;
	struct file_header head;
	struct body body;
	struct context_entry context[16];
	struct device_id author;
	uint64_t seq;
	uint8_t hash[HASH_LEN]; /* of the last file made */
};

static inline void forge_start(struct forge *f, struct world *w, size_t by, const char *space)
{
	struct sync y = sync_of_home(w, by);
	struct errctx ec = { 0 };
	struct vv now = { 0 };
	struct vv before = { 0 };
	const struct vv_entry *mine = NULL;

	*f = (struct forge){ .w = w, .by = by };
	seal_home(w, by);
	f->space = space_named(w, by, space);
	f->secret = secret_new(sizeof(*f->secret));
	assert_non_null(f->secret);
	assert_int_equal(device_keys_load(&ec, &y, f->space.n, &f->keys), ERR_OK);
	f->head = (struct file_header){ .type = FILE_BATCH, .space = f->space.tag, .device = f->space.my_tag };
	assert_int_equal(epoch_choose(&ec, &y, &f->space, &f->head.epoch), ERR_OK);
	assert_int_equal(epoch_key_load(&ec, &y, f->space.n, f->head.epoch, f->secret), ERR_OK);
	f->author = f->space.me;
	f->seq = 1;
	f->body.first_counter = 1;
	assert_int_equal(store_vector(&ec, y.store, f->space.n, &now), ERR_OK);
	mine = vv_get(&now, f->author);
	if (mine != NULL) {
		f->seq = mine->seq + 1;
		f->body.first_counter = mine->counter + 1;
		assert_int_equal(store_batch_get(&ec, y.store, f->author, mine->seq, &(uint64_t){ 0 }, f->body.prev),
		                 ERR_OK);
	}
	assert_int_equal(store_context(&ec, y.store, f->author, &before), ERR_OK);
	f->body.context = f->context;
	for (size_t i = 0; i < now.n; i++) {
		const struct vv_entry *was = vv_get(&before, now.e[i].dev);
		struct context_entry *c = &f->context[f->body.context_count];

		if (&now.e[i] == mine || (was != NULL && was->seq == now.e[i].seq))
			continue;
		assert_true(f->body.context_count++ < 16);
		*c = (struct context_entry){ .dev = now.e[i].dev, .seq = now.e[i].seq };
		memcpy(c->hash, now.e[i].hash, VV_HASH_LEN);
	}
	vv_free(&now);
	vv_free(&before);
}

static inline void forge_end(struct forge *f)
{
	device_keys_free(f->keys);
	secret_free(f->secret);
}

static inline void forge_make(struct forge *f, struct buf *file)
{
	struct batch_author author = { f->space.id, f->author, f->seq };
	struct buf cbor = { 0 };
	struct buf signed_part = { 0 };

	f->head.seq = f->seq;
	assert_int_equal(body_put(&f->body, f->author, &cbor), ERR_OK);
	assert_int_equal(
	    batch_sign(f->w->app[f->by]->zip, &author, f->keys->sign_secret, buf_bytes(&cbor), &signed_part, f->hash),
	    ERR_OK);
	buf_reset(file);
	assert_int_equal(batch_seal(&f->head, f->secret->key, buf_bytes(&signed_part), f->w->app[f->by]->rng, file),
	                 ERR_OK);
	buf_free(&cbor);
	buf_free(&signed_part);
}

/* The batch that follows on the one just made. */
static inline void forge_next(struct forge *f)
{
	memcpy(f->body.prev, f->hash, HASH_LEN);
	f->seq++;
	f->body.first_counter += f->body.edit_count;
	f->body.edit_count = 0;
	f->body.context_count = 0;
	f->body.control_count = 0;
}

/* One edit of the body: a new contact, or (with a target) its text. Free the draft when the file is made. */
static inline struct edit forge_edit(struct forge *f, struct draft *d, struct dot target, const char *text)
{
	struct edit e = { .dot = { f->author, f->body.first_counter },
		          .clock = { (uint64_t)f->w->now_ms, 0 },
		          .target = target,
		          .kind = KIND_none };

	if (dot_is_none(target)) {
		e.kind = KIND_contact;
		e.target = e.dot;
		draft_int(d, F_contact_date, 20000);
	}
	draft_long_text(d, F_contact_text, NULL, text);
	assert_int_equal(draft_writes(d, &e.writes, &e.write_count), ERR_OK);
	return e;
}

/* What a home has set aside and keeps waiting. */
struct stock {
	size_t aside;
	uint64_t waiting;
};

static inline struct stock stock_of(struct world *w, size_t i)
{
	struct errctx ec = { 0 };
	struct aside_row *list = NULL;
	struct stock s = { 0 };

	assert_int_equal(store_aside_list(&ec, w->app[i]->store, &list, &s.aside), ERR_OK);
	free(list);
	assert_int_equal(store_waiting_count(&ec, w->app[i]->store, &s.waiting), ERR_OK);
	return s;
}

static inline struct dot contact_in(struct world *w, size_t i, const char *space, struct dot target, const char *text)
{
	struct draft d = { 0 };
	struct errctx ec = { 0 };
	struct dot id = { 0 };
	struct change c = { .space = space_named(w, i, space).n,
		            .kind = dot_is_none(target) ? KIND_contact : KIND_none,
		            .target = target };

	if (dot_is_none(target))
		draft_int(&d, F_contact_date, 20000);
	draft_long_text(&d, F_contact_text, NULL, text);
	assert_int_equal(draft_writes(&d, &c.writes, &c.write_count), ERR_OK);
	assert_int_equal(store_begin(&ec, w->app[i]->store), ERR_OK);
	assert_int_equal(store_write(&ec, w->app[i]->store, &c, clock_now(&w->clock), &id), ERR_OK);
	assert_int_equal(store_commit(&ec, w->app[i]->store), ERR_OK);
	draft_free(&d);
	return id;
}

static inline void expect_same(struct world *w, size_t a, size_t b, const char *space)
{
	struct buf x = world_dump(w, a, space);
	struct buf y = world_dump(w, b, space);

	assert_true(x.len > 100);
	assert_int_equal(bytes_cmp(buf_bytes(&x), buf_bytes(&y)), 0);
	buf_free(&x);
	buf_free(&y);
}

#endif
