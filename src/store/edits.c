// SPDX-License-Identifier: EUPL-1.2
// The log of edits and what they come to, in one transaction. Upholds M1 (fold), M4 (one clock, drifting no more than
// a day), S1 with sync's help (an edit's context is what was applied when it was written), V5 (keyed chain).
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "model/erasing.h"
#include "model/wire.h"
#include "store/inside.h"

#define CLOCK_META "clock"

/* The clock only goes up, so of a space's unsealed edits the last one tells, however many there are. */
enum err clock_load(struct errctx *ec, struct store *s)
{
	sqlite3_stmt *st = stmt(ec, s, ST_edit_unsealed_newest);
	struct buf kept = { 0 };
	struct wire_in in;
	uint64_t count = 0;
	bool row = false;
	enum err e = ERR_OK;

	NEED(st);
	while ((e = step(ec, s, st, &row)) == ERR_OK && row) {
		struct edit edit;
		struct body pool;

		e = edit_parse(column_bytes(st, 0), &edit, &pool);
		if (e != ERR_OK)
			break;
		if (hlc_cmp(edit.clock, s->clock) > 0)
			s->clock = edit.clock;
		body_free(&pool);
	}
	sqlite3_reset(st);
	if (e == ERR_OK)
		e = store_meta_get(ec, s, CLOCK_META, &kept);
	if (e == ERR_OK) {
		struct hlc clock = { 0 };

		in = wire_in(buf_bytes(&kept));
		if (wire_get_uint(&in, &clock.ms) != ERR_OK || wire_get_uint(&in, &count) != ERR_OK ||
		    count > UINT32_MAX)
			e = ERR_DAMAGED;
		clock.count = (uint32_t)count;
		if (e == ERR_OK && hlc_cmp(clock, s->clock) > 0)
			s->clock = clock;
	}
	buf_free(&kept);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Written with every sealed or applied batch; between those the unsealed edits tell. */
static enum err clock_save(struct errctx *ec, struct store *s)
{
	struct buf b = { 0 };
	enum err e = wire_put_uint(&b, s->clock.ms);

	if (e == ERR_OK)
		e = wire_put_uint(&b, s->clock.count);
	if (e == ERR_OK)
		e = store_meta_put(ec, s, CLOCK_META, buf_bytes(&b));
	buf_free(&b);
	return e;
}

/* --- vectors, contexts, batches --- */

enum err store_vector(struct errctx *ec, struct store *s, int64_t space, struct vv *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_vector_list);
	bool row = false;
	enum err e = ERR_OK;

	out->n = 0;
	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	while ((e = step(ec, s, st, &row)) == ERR_OK && row) {
		struct vv_entry entry = { .seq = (uint64_t)sqlite3_column_int64(st, 1),
			                  .counter = (uint64_t)sqlite3_column_int64(st, 2) };

		if ((e = column_exact(ec, st, 0, entry.dev.b, DEVICE_ID_LEN)) != ERR_OK ||
		    (e = column_exact(ec, st, 3, entry.hash, VV_HASH_LEN)) != ERR_OK ||
		    (e = vv_set(out, entry)) != ERR_OK)
			break;
	}
	sqlite3_reset(st);
	return e;
}

enum err context_put(const struct vv *v, struct buf *out)
{
	enum err e = wire_put_array(out, v->n);

	for (size_t i = 0; e == ERR_OK && i < v->n; i++) {
		if ((e = wire_put_bytes(out, v->e[i].dev.b, DEVICE_ID_LEN)) == ERR_OK &&
		    (e = wire_put_uint(out, v->e[i].seq)) == ERR_OK &&
		    (e = wire_put_uint(out, v->e[i].counter)) == ERR_OK)
			e = wire_put_bytes(out, v->e[i].hash, VV_HASH_LEN);
	}
	return e;
}

enum err context_get(struct bytes bytes, struct vv *out)
{
	struct wire_in in = wire_in(bytes);
	size_t n = 0;
	enum err e = wire_get_array(&in, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct vv_entry entry = { 0 };

		if ((e = wire_get_exact(&in, entry.dev.b, DEVICE_ID_LEN)) == ERR_OK &&
		    (e = wire_get_uint(&in, &entry.seq)) == ERR_OK &&
		    (e = wire_get_uint(&in, &entry.counter)) == ERR_OK &&
		    (e = wire_get_exact(&in, entry.hash, VV_HASH_LEN)) == ERR_OK)
			e = vv_set(out, entry);
	}
	return e;
}

enum err store_context(struct errctx *ec, struct store *s, struct device_id dev, struct vv *out)
{
	int64_t key = 0;
	sqlite3_stmt *st = NULL;
	bool row = false;
	enum err e = key_find(ec, s, (struct dot){ dev, 0 }, &key);

	out->n = 0;
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	st = stmt(ec, s, ST_vector_get);
	NEED(st);
	sqlite3_bind_int64(st, 1, device_of(key));
	e = step(ec, s, st, &row);
	if (e == ERR_OK && row)
		e = context_get(column_bytes(st, 3), out);
	sqlite3_reset(st);
	return e;
}

enum err store_batch_get(struct errctx *ec, struct store *s, struct device_id dev, uint64_t seq, uint64_t *counter,
                         uint8_t hash[static 32])
{
	int64_t key = 0;
	sqlite3_stmt *st = NULL;
	bool row = false;
	enum err e = key_find(ec, s, (struct dot){ dev, seq }, &key);

	if (e != ERR_OK)
		return e;
	st = stmt(ec, s, ST_batch_get);
	NEED(st);
	sqlite3_bind_int64(st, 1, key);
	e = step(ec, s, st, &row);
	if (e == ERR_OK && row) {
		*counter = (uint64_t)sqlite3_column_int64(st, 0);
		e = column_exact(ec, st, 1, hash, 32);
	} else if (e == ERR_OK) {
		e = ERR_NOT_FOUND;
	}
	sqlite3_reset(st);
	return e;
}

enum err store_batch_applied(struct errctx *ec, struct store *s, const struct applied_batch *b)
{
	struct vv_entry head = { .dev = b->dev, .seq = b->seq, .counter = b->counter };
	sqlite3_stmt *st = NULL;
	int64_t key = 0;
	enum err e = key_of(ec, s, b->space, (struct dot){ b->dev, b->seq }, &key);

	if (e == ERR_OK)
		e = store_seen_note(ec, s, b);
	if (e != ERR_OK)
		return e;
	st = stmt(ec, s, ST_batch_put);
	NEED(st);
	sqlite3_bind_int64(st, 1, key);
	sqlite3_bind_int64(st, 2, b->space);
	sqlite3_bind_int64(st, 3, (int64_t)b->counter);
	bind_blob(st, 4, b->hash, 32);
	bind_blob(st, 5, b->signed_part.data, b->signed_part.len);
	e = run(ec, s, st);
	memcpy(head.hash, b->hash, VV_HASH_LEN);
	if (e == ERR_OK)
		e = store_head_put(ec, s, b->space, &head, b->context);
	return e == ERR_OK ? clock_save(ec, s) : e;
}

/* --- the log --- */

static enum err tail_load(struct errctx *ec, struct store *s)
{
	sqlite3_stmt *st = NULL;
	bool row = false;
	enum err e = ERR_OK;

	if (s->tail_known)
		return ERR_OK;
	st = stmt(ec, s, ST_edit_tail);
	NEED(st);
	s->tail_n = 0;
	memset(s->tail, 0, sizeof(s->tail));
	e = step(ec, s, st, &row);
	if (e == ERR_OK && row) {
		s->tail_n = sqlite3_column_int64(st, 0);
		e = column_exact(ec, st, 1, s->tail, sizeof(s->tail));
	}
	sqlite3_reset(st);
	s->tail_known = e == ERR_OK;
	return e;
}

/* One more link of the log. */
static enum err log_append(struct errctx *ec, struct store *s, int64_t space, const struct edit *edit, int64_t record,
                           uint64_t past, uint64_t seq)
{
	struct buf bytes = { 0 };
	uint8_t link[VAULT_CHAIN_LEN];
	int64_t dot = 0;
	sqlite3_stmt *st = NULL;
	enum err e = tail_load(ec, s);

	if (e == ERR_OK)
		e = key_of(ec, s, space, edit->dot, &dot);
	if (e == ERR_OK)
		e = edit_put(edit, &bytes);
	if (e != ERR_OK)
		goto done;
	vault_chain(s->vault, s->tail, buf_bytes(&bytes), link);
	st = stmt(ec, s, ST_edit_put);
	if (st == NULL) {
		e = ERR_IO;
		goto done;
	}
	sqlite3_bind_int64(st, 1, s->tail_n + 1);
	sqlite3_bind_int64(st, 2, dot);
	sqlite3_bind_int64(st, 3, record);
	sqlite3_bind_int64(st, 4, space);
	sqlite3_bind_int64(st, 5, (int64_t)past);
	sqlite3_bind_int64(st, 6, (int64_t)seq);
	bind_blob(st, 7, bytes.data, bytes.len);
	bind_blob(st, 8, link, sizeof(link));
	e = run(ec, s, st);
	if (e == ERR_OK) {
		s->tail_n++;
		memcpy(s->tail, link, sizeof(link));
		e = erasure_note(ec, s, space, dot, record, edit);
	}
done:
	buf_free(&bytes);
	return e;
}

static enum err record_row(struct errctx *ec, struct store *s, sqlite3_stmt *st, int64_t space, int64_t key,
                           const struct record *r, const struct buf *state)
{
	NEED(st);
	sqlite3_bind_int64(st, 1, key);
	sqlite3_bind_int64(st, 2, space);
	sqlite3_bind_int64(st, 3, r->kind);
	sqlite3_bind_int64(st, 4, (int64_t)record_two_versions(r));
	bind_blob(st, 5, state->data, state->len);
	return run(ec, s, st);
}

static enum err record_write(struct errctx *ec, struct store *s, int64_t space, int64_t key, const struct record *r,
                             bool fresh)
{
	struct buf state = { 0 };
	enum err e = record_put(r, &state);

	if (e == ERR_OK && !fresh)
		e = record_row(ec, s, stmt(ec, s, ST_record_change), space, key, r, &state);
	if (e == ERR_OK && (fresh || sqlite3_changes(s->db) == 0))
		e = record_row(ec, s, stmt(ec, s, ST_record_add), space, key, r, &state);
	buf_free(&state);
	return e;
}

enum err load_key(struct errctx *ec, struct store *s, int64_t key, struct loaded *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_record_get);
	bool row = false;
	enum err e = ERR_OK;

	*out = (struct loaded){ 0 };
	NEED(st);
	sqlite3_bind_int64(st, 1, key);
	e = step(ec, s, st, &row);
	if (e == ERR_OK && !row)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK) {
		out->space = sqlite3_column_int64(st, 0);
		e = buf_put(&out->bytes, column_bytes(st, 1).data, column_bytes(st, 1).len);
	}
	sqlite3_reset(st);
	if (e == ERR_OK)
		e = record_get(buf_bytes(&out->bytes), &out->record);
	if (e == ERR_DAMAGED)
		e = err_set(ec, ERR_DAMAGED, "A record in the vault is damaged. Run verify to see how much is.", NULL,
		            NULL, NULL);
	if (e != ERR_OK)
		store_loaded_free(out);
	return e;
}

void store_loaded_free(struct loaded *l)
{
	record_free(&l->record);
	buf_free(&l->bytes);
	*l = (struct loaded){ 0 };
}

enum err store_load(struct errctx *ec, struct store *s, struct dot id, struct loaded *out)
{
	int64_t key = 0;
	enum err e = key_find(ec, s, id, &key);

	*out = (struct loaded){ 0 };
	return e != ERR_OK ? e : load_key(ec, s, key, out);
}

enum err blob_of(struct errctx *ec, struct store *s, enum statement which, struct dot d, struct buf *out)
{
	sqlite3_stmt *st = NULL;
	int64_t key = 0;
	bool row = false;
	enum err e = key_find(ec, s, d, &key);

	if (e != ERR_OK)
		return e;
	st = stmt(ec, s, which);
	NEED(st);
	sqlite3_bind_int64(st, 1, key);
	e = step(ec, s, st, &row);
	if (e == ERR_OK)
		e = row ? buf_put(out, column_bytes(st, 0).data, column_bytes(st, 0).len) : ERR_NOT_FOUND;
	sqlite3_reset(st);
	return e;
}

enum err store_state(struct errctx *ec, struct store *s, struct dot id, struct buf *out)
{
	return blob_of(ec, s, ST_record_state, id, out);
}

enum err store_record_put(struct errctx *ec, struct store *s, int64_t space, const struct record *r)
{
	int64_t key = 0;
	enum err e = key_of(ec, s, space, r->id, &key);

	assert(s->in_transaction);
	if (e == ERR_OK)
		e = record_write(ec, s, space, key, r, false);
	return e == ERR_OK ? project(ec, s, space, key, r, false) : e;
}

enum err store_record_delete(struct errctx *ec, struct store *s, struct dot id)
{
	sqlite3_stmt *st = NULL;
	int64_t key = 0;
	enum err e = key_find(ec, s, id, &key);

	assert(s->in_transaction);
	if (e == ERR_OK)
		e = unproject(ec, s, key);
	if (e != ERR_OK)
		return e;
	st = stmt(ec, s, ST_record_delete);
	NEED(st);
	sqlite3_bind_int64(st, 1, key);
	return run(ec, s, st);
}

/* A record that is not there: made by this edit, or by one in the log that does not count. */
static enum err record_begin(struct errctx *ec, struct store *s, int64_t space, const struct edit *edit,
                             struct loaded *l)
{
	uint32_t kind = edit->kind;
	enum err e = kind != KIND_none ? ERR_OK : store_kind_made(ec, s, edit->target, &kind);

	if (e != ERR_OK)
		return e;
	record_init(&l->record, edit->target);
	if (edit->kind == KIND_none)
		l->record.kind = kind;
	l->space = space;
	return ERR_OK;
}

/* Folds one edit into its record and writes everything that follows from it. */
static enum err fold(struct errctx *ec, struct store *s, int64_t space, const struct edit *edit, struct context ctx,
                     uint64_t seq)
{
	struct loaded l = { 0 };
	int64_t key = 0;
	bool fresh = false;
	enum err e = key_of(ec, s, space, edit->target, &key);

	if (e != ERR_OK)
		return e;
	e = load_key(ec, s, key, &l);
	if (e == ERR_NOT_FOUND) {
		fresh = true;
		e = record_begin(ec, s, space, edit, &l);
	}
	if (e == ERR_NOT_FOUND || (e == ERR_OK && l.space != space))
		e = err_set(ec, ERR_DAMAGED, "An edit is about a record that is not there, or of another space.", NULL,
		            NULL, NULL);
	if (e == ERR_OK)
		e = record_apply(&l.record, edit, ctx);
	if (e == ERR_OK)
		e = log_append(ec, s, space, edit, key, ctx.past, seq);
	if (e == ERR_OK &&
	    edit_writes(edit, F_any_contests)) { /* an erase counts no more: what it hid is there again */
		store_loaded_free(&l);
		e = fold_all(ec, s, space, edit->target, &l);
	}
	if (e == ERR_OK)
		e = record_write(ec, s, space, key, &l.record, fresh);
	if (e == ERR_OK)
		e = project(ec, s, space, key, &l.record, fresh);
	store_loaded_free(&l);
	return e;
}

enum err store_apply(struct errctx *ec, struct store *s, int64_t space, const struct edit *edit, struct context ctx,
                     uint64_t seq, int64_t now_ms)
{
	assert(s->in_transaction);
	hlc_see(&s->clock, edit->clock, now_ms);
	s->now_ms = now_ms;
	return fold(ec, s, space, edit, ctx, seq);
}

enum err store_apply_void(struct errctx *ec, struct store *s, int64_t space, const struct edit *edit,
                          struct context ctx, uint64_t seq, int64_t now_ms)
{
	int64_t key = 0;
	enum err e = key_of(ec, s, space, edit->target, &key);

	assert(s->in_transaction);
	hlc_see(&s->clock, edit->clock, now_ms);
	s->now_ms = now_ms;
	if (e == ERR_OK)
		e = log_append(ec, s, space, edit, key, ctx.past, seq);
	return e == ERR_OK ? store_void_set(ec, s, edit->dot, true) : e;
}

/* --- writing --- */

enum err store_next_dot(struct errctx *ec, struct store *s, int64_t space, struct dot *out)
{
	struct space_row row;
	sqlite3_stmt *st = NULL;
	bool some = false;
	int64_t key = 0;
	uint64_t last = 0;
	enum err e = store_space_get(ec, s, space, &row);

	if (e != ERR_OK)
		return e;
	*out = (struct dot){ row.me, 0 };
	st = stmt(ec, s, ST_edit_unsealed_last);
	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	e = step(ec, s, st, &some);
	if (e == ERR_OK && some)
		last = (uint64_t)sqlite3_column_int64(st, 0) & STORE_NUMBER_MAX;
	sqlite3_reset(st);
	if (e == ERR_OK && last == 0) {
		e = key_find(ec, s, *out, &key);
		if (e == ERR_NOT_FOUND) {
			e = ERR_OK;
		} else if (e == ERR_OK) {
			st = stmt(ec, s, ST_vector_get);
			NEED(st);
			sqlite3_bind_int64(st, 1, device_of(key));
			e = step(ec, s, st, &some);
			if (e == ERR_OK && some)
				last = (uint64_t)sqlite3_column_int64(st, 1);
			sqlite3_reset(st);
		}
	}
	out->counter = last + 1;
	return e;
}

/* Lowers `context` to what a form had been read with; *seen receives the entries that differ (free it). */
static enum err apply_token(struct errctx *ec, struct store *s, const struct change *c, struct device_id me,
                            struct vv *context, struct seen **seen, size_t *seen_count)
{
	enum err e = ERR_OK;

	*seen = calloc(context->n + 1, sizeof(**seen));
	*seen_count = 0;
	if (*seen == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; e == ERR_OK && i < context->n; i++) {
		struct vv_entry *entry = &context->e[i];
		uint64_t then = 0;
		uint8_t hash[32];

		if (device_cmp(entry->dev, me) == 0)
			continue;
		for (size_t k = 0; k < c->seen_count; k++) {
			if (device_cmp(c->seen[k].dev, entry->dev) == 0)
				then = c->seen[k].seq;
		}
		if (then >= entry->seq)
			continue;
		(*seen)[(*seen_count)++] = (struct seen){ entry->dev, then };
		entry->seq = then;
		entry->counter = 0;
		if (then > 0)
			e = store_batch_get(ec, s, entry->dev, then, &entry->counter, hash);
	}
	return e;
}

static uint64_t past_count(const struct vv *context, struct dot dot)
{
	uint64_t past = dot.counter - 1;

	for (size_t i = 0; i < context->n; i++) {
		if (device_cmp(context->e[i].dev, dot.dev) != 0)
			past += context->e[i].counter;
	}
	return past;
}

/* A device that was removed writes to nobody. One that is not let in as far as is known here would seal what it writes
 * together with what it had not seen yet (S1). Where no device is known the space is being founded. */
enum err store_may_write(struct errctx *ec, struct store *s, int64_t space)
{
	struct space_row row;
	struct device_row me = { .state = DEVICE_NAMED };
	struct device_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_get(ec, s, space, &row);

	if (e == ERR_OK)
		e = store_device_by_id(ec, s, row.me, &me);
	if (e == ERR_OK && me.state == DEVICE_REMOVED)
		return err_set(ec, ERR_REFUSED,
		               "This home was removed from %1. What is here can still be read and exported; nothing "
		               "new can be written there. A member can invite you again.",
		               row.name, NULL, NULL);
	if (e != ERR_NOT_FOUND && (e != ERR_OK || me.state != DEVICE_NAMED))
		return e;
	e = store_device_list(ec, s, space, &list, &n);
	free(list);
	if (e == ERR_OK && n > 0)
		return err_set(ec, ERR_LATER, "%1 is still coming in. Sync again, then write there.", row.name, NULL,
		               NULL);
	return e;
}

enum err store_write(struct errctx *ec, struct store *s, const struct change *c, int64_t now_ms, struct dot *out)
{
	struct vv context = { 0 };
	struct seen *seen = NULL;
	struct edit edit = { .kind = c->kind, .target = c->target, .writes = c->writes, .write_count = c->write_count };
	uint64_t past = 0;
	enum err e = ERR_OK;

	assert(s->in_transaction);
	e = store_may_write(ec, s, c->space);
	if (e == ERR_OK)
		e = store_next_dot(ec, s, c->space, &edit.dot);
	if (e == ERR_OK)
		e = store_vector(ec, s, c->space, &context);
	if (e != ERR_OK)
		goto done;
	if (c->seen != NULL) {
		e = apply_token(ec, s, c, edit.dot.dev, &context, &seen, &edit.seen_count);
		if (e != ERR_OK)
			goto done;
		edit.seen = edit.seen_count > 0 ? seen : NULL;
	}
	past = past_count(&context, edit.dot);
	edit.clock = hlc_tick(&s->clock, now_ms);
	s->now_ms = now_ms;
	if (edit.kind != KIND_none)
		edit.target = edit.dot;
	e = fold(ec, s, c->space, &edit, (struct context){ &context, past }, 0);
	if (e == ERR_OK)
		*out = edit.dot;
done:
	free(seen);
	vv_free(&context);
	return e;
}

enum err store_write_seen(struct errctx *ec, struct store *s, int64_t space, const struct edit *edit,
                          const struct vv *had)
{
	struct vv context = { 0 };
	enum err e = vv_copy(had, &context);

	assert(s->in_transaction);
	for (size_t i = 0; e == ERR_OK && i < edit->seen_count; i++) {
		const struct vv_entry *was = vv_get(&context, edit->seen[i].dev);
		struct vv_entry entry = { .dev = edit->seen[i].dev, .seq = edit->seen[i].seq };
		uint8_t hash[32];

		if (was == NULL || was->seq <= entry.seq)
			continue;
		if (entry.seq > 0)
			e = store_batch_get(ec, s, entry.dev, entry.seq, &entry.counter, hash);
		if (e == ERR_OK)
			e = vv_set(&context, entry);
	}
	if (hlc_cmp(edit->clock, s->clock) > 0)
		s->clock = edit->clock;
	if (e == ERR_OK)
		e = fold(ec, s, space, edit, (struct context){ &context, past_count(&context, edit->dot) }, 0);
	vv_free(&context);
	return e;
}

enum err store_write_again(struct errctx *ec, struct store *s, int64_t space, const struct edit *edit)
{
	struct vv context = { 0 };
	enum err e = store_vector(ec, s, space, &context);

	if (e == ERR_OK)
		e = store_write_seen(ec, s, space, edit, &context);
	vv_free(&context);
	return e;
}

enum err store_unsealed_each(struct errctx *ec, struct store *s, int64_t space, store_edit_fn each, void *arg)
{
	sqlite3_stmt *st = stmt(ec, s, ST_edit_unsealed);
	bool row = false;
	enum err e = ERR_OK;

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	while ((e = step(ec, s, st, &row)) == ERR_OK && row) {
		e = each(arg, column_bytes(st, 0));
		if (e != ERR_OK)
			break;
	}
	sqlite3_reset(st);
	return e;
}

static enum err count_of(struct errctx *ec, struct store *s, sqlite3_stmt *st, uint64_t *first, uint64_t *second)
{
	bool row = false;
	enum err e = step(ec, s, st, &row);

	if (e == ERR_OK && row) {
		*first = (uint64_t)sqlite3_column_int64(st, 0);
		if (second != NULL)
			*second = (uint64_t)sqlite3_column_int64(st, 1);
	}
	sqlite3_reset(st);
	return e;
}

enum err store_unsealed_count(struct errctx *ec, struct store *s, int64_t space, uint64_t *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_edit_unsealed_count);

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	return count_of(ec, s, st, out, NULL);
}

enum err store_outgoing_count(struct errctx *ec, struct store *s, int64_t space, uint64_t *files, uint64_t *edits)
{
	sqlite3_stmt *st = stmt(ec, s, ST_outgoing_count);

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	return count_of(ec, s, st, files, edits);
}

enum err store_waiting_of(struct errctx *ec, struct store *s, int64_t space, uint64_t *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_waiting_of);

	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	return count_of(ec, s, st, out, NULL);
}

enum err store_aside_count(struct errctx *ec, struct store *s, uint64_t *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_aside_count);

	NEED(st);
	return count_of(ec, s, st, out, NULL);
}

enum err store_mark_sealed(struct errctx *ec, struct store *s, int64_t space, struct dot last, uint64_t seq)
{
	int64_t key = 0;
	sqlite3_stmt *st = NULL;
	enum err e = key_of(ec, s, space, last, &key);

	if (e != ERR_OK)
		return e;
	st = stmt(ec, s, ST_edit_sealed);
	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	sqlite3_bind_int64(st, 2, (int64_t)seq);
	sqlite3_bind_int64(st, 3, key);
	return run(ec, s, st);
}
