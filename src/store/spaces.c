// SPDX-License-Identifier: EUPL-1.2
// Spaces, devices, epochs: who is there. Keys that must stay secret are other layers' kept bytes.
#include <stdlib.h>
#include <string.h>

#include "store/inside.h"

enum err store_space_add(struct errctx *ec, struct store *s, struct space_row *row)
{
	sqlite3_stmt *st = stmt(ec, s, ST_space_add);
	enum err e = ERR_OK;

	NEED(st);
	bind_blob(st, 1, row->id.b, SPACE_ID_LEN);
	sqlite3_bind_int(st, 2, row->kind);
	bind_text(st, 3, row->name);
	bind_blob(st, 4, row->tag.b, TAG_LEN);
	sqlite3_bind_int64(st, 5, row->neighbourhood);
	bind_blob(st, 6, row->me.b, DEVICE_ID_LEN);
	bind_blob(st, 7, row->my_tag.b, TAG_LEN);
	sqlite3_bind_int(st, 8, row->state);
	bind_text(st, 9, row->remote);
	e = run(ec, s, st);
	row->n = sqlite3_last_insert_rowid(s->db);
	return e;
}

enum err store_space_update(struct errctx *ec, struct store *s, const struct space_row *row)
{
	sqlite3_stmt *st = stmt(ec, s, ST_space_update);

	NEED(st);
	sqlite3_bind_int64(st, 1, row->n);
	bind_text(st, 2, row->name);
	sqlite3_bind_int64(st, 3, row->neighbourhood);
	bind_blob(st, 4, row->me.b, DEVICE_ID_LEN);
	bind_blob(st, 5, row->my_tag.b, TAG_LEN);
	sqlite3_bind_int(st, 6, row->state);
	bind_text(st, 7, row->remote);
	bind_blob(st, 8, row->id.b, SPACE_ID_LEN);
	bind_blob(st, 9, row->tag.b, TAG_LEN);
	return run(ec, s, st);
}

enum err store_space_delete(struct errctx *ec, struct store *s, int64_t n)
{
	sqlite3_stmt *st = stmt(ec, s, ST_space_delete);

	NEED(st);
	sqlite3_bind_int64(st, 1, n);
	return run(ec, s, st);
}

static enum err space_row_get(struct errctx *ec, sqlite3_stmt *st, struct space_row *row)
{
	enum err e = ERR_OK;

	*row = (struct space_row){ .n = sqlite3_column_int64(st, 0),
		                   .kind = (enum space_kind)sqlite3_column_int(st, 2),
		                   .neighbourhood = sqlite3_column_int64(st, 5),
		                   .state = (enum space_state)sqlite3_column_int(st, 8) };
	if ((e = column_exact(ec, st, 1, row->id.b, SPACE_ID_LEN)) != ERR_OK ||
	    (e = column_text(ec, st, 3, row->name, sizeof(row->name))) != ERR_OK ||
	    (e = column_exact(ec, st, 4, row->tag.b, TAG_LEN)) != ERR_OK ||
	    (e = column_exact(ec, st, 6, row->me.b, DEVICE_ID_LEN)) != ERR_OK ||
	    (e = column_exact(ec, st, 7, row->my_tag.b, TAG_LEN)) != ERR_OK ||
	    (e = column_text(ec, st, 9, row->remote, sizeof(row->remote))) != ERR_OK)
		return e;
	return ERR_OK;
}

enum err store_space_list(struct errctx *ec, struct store *s, struct space_row **out, size_t *count)
{
	sqlite3_stmt *st = stmt(ec, s, ST_space_list);
	size_t cap = 0;
	bool row = false;
	enum err e = ERR_OK;

	*out = NULL;
	*count = 0;
	NEED(st);
	while ((e = step(ec, s, st, &row)) == ERR_OK && row) {
		if ((e = list_grow((void **)out, *count, &cap, sizeof(**out))) != ERR_OK ||
		    (e = space_row_get(ec, st, &(*out)[*count])) != ERR_OK)
			break;
		(*count)++;
	}
	sqlite3_reset(st);
	if (e != ERR_OK) {
		free(*out);
		*out = NULL;
		*count = 0;
	}
	return e;
}

enum err store_space_get(struct errctx *ec, struct store *s, int64_t n, struct space_row *out)
{
	struct space_row *list = NULL;
	size_t count = 0;
	enum err e = store_space_list(ec, s, &list, &count);

	if (e == ERR_OK)
		e = ERR_NOT_FOUND;
	for (size_t i = 0; i < count; i++) {
		if (list[i].n == n) {
			*out = list[i];
			e = ERR_OK;
		}
	}
	free(list);
	return e;
}

/* --- devices --- */

static enum err device_row_get(struct errctx *ec, struct store *s, sqlite3_stmt *st, struct device_row *row)
{
	int64_t member = sqlite3_column_int64(st, 6);
	enum err e = ERR_OK;

	*row = (struct device_row){ .n = sqlite3_column_int64(st, 0),
		                    .space = sqlite3_column_int64(st, 1),
		                    .state = (enum device_state)sqlite3_column_int(st, 7) };
	if ((e = column_exact(ec, st, 2, row->id.b, DEVICE_ID_LEN)) != ERR_OK)
		return e;
	if (row->state == DEVICE_NAMED)
		return ERR_OK;
	if ((e = column_exact(ec, st, 3, row->tag.b, TAG_LEN)) != ERR_OK ||
	    (e = column_exact(ec, st, 4, row->sign, DEVICE_KEY_LEN)) != ERR_OK ||
	    (e = column_exact(ec, st, 5, row->box, DEVICE_KEY_LEN)) != ERR_OK)
		return e;
	return member == 0 ? ERR_OK : dot_of(ec, s, member, &row->member);
}

enum err store_device_by_id(struct errctx *ec, struct store *s, struct device_id id, struct device_row *out)
{
	sqlite3_stmt *st = stmt(ec, s, ST_device_by_id);
	bool row = false;
	enum err e = ERR_OK;

	NEED(st);
	bind_blob(st, 1, id.b, DEVICE_ID_LEN);
	e = step(ec, s, st, &row);
	if (e == ERR_OK)
		e = row ? device_row_get(ec, s, st, out) : ERR_NOT_FOUND;
	sqlite3_reset(st);
	return e;
}

enum err store_device_put(struct errctx *ec, struct store *s, struct device_row *row)
{
	struct device_row old;
	sqlite3_stmt *st = NULL;
	int64_t member = 0;
	bool known = false;
	enum err e = store_device_by_id(ec, s, row->id, &old);

	known = e == ERR_OK && old.state != DEVICE_NAMED;
	if (e == ERR_NOT_FOUND) {
		st = stmt(ec, s, ST_device_add);
		NEED(st);
		sqlite3_bind_int64(st, 1, row->space);
		bind_blob(st, 2, row->id.b, DEVICE_ID_LEN);
		bind_blob(st, 3, "", 0);
		bind_blob(st, 4, "", 0);
		bind_blob(st, 5, "", 0);
		sqlite3_bind_int64(st, 6, 0);
		sqlite3_bind_int(st, 7, DEVICE_NAMED);
		e = run(ec, s, st);
		old.n = sqlite3_last_insert_rowid(s->db);
	}
	if (e != ERR_OK)
		return e;
	row->n = old.n;
	if (row->state == DEVICE_NAMED)
		return ERR_OK;
	if (e == ERR_OK && known) {
		if (old.space != row->space || !dot_is_none(old.member) || dot_is_none(row->member))
			return ERR_OK;
		row->tag = old.tag;
		memcpy(row->sign, old.sign, DEVICE_KEY_LEN);
		memcpy(row->box, old.box, DEVICE_KEY_LEN);
		row->state = old.state;
	}
	if (!dot_is_none(row->member)) {
		e = key_of(ec, s, row->space, row->member, &member);
		if (e != ERR_OK)
			return e;
	}
	s->devices_seen++;
	st = stmt(ec, s, ST_device_update);
	NEED(st);
	sqlite3_bind_int64(st, 1, row->n);
	bind_blob(st, 2, row->tag.b, TAG_LEN);
	bind_blob(st, 3, row->sign, DEVICE_KEY_LEN);
	bind_blob(st, 4, row->box, DEVICE_KEY_LEN);
	sqlite3_bind_int64(st, 5, member);
	sqlite3_bind_int(st, 6, row->state);
	sqlite3_bind_int64(st, 7, row->space);
	return run(ec, s, st);
}

enum err store_device_stand(struct errctx *ec, struct store *s, const struct device_row *row)
{
	sqlite3_stmt *st = NULL;
	int64_t member = 0;
	enum err e = dot_is_none(row->member) ? ERR_OK : key_of(ec, s, row->space, row->member, &member);

	if (e != ERR_OK)
		return e;
	st = stmt(ec, s, ST_device_update);
	NEED(st);
	sqlite3_bind_int64(st, 1, row->n);
	bind_blob(st, 2, row->tag.b, TAG_LEN);
	bind_blob(st, 3, row->sign, DEVICE_KEY_LEN);
	bind_blob(st, 4, row->box, DEVICE_KEY_LEN);
	sqlite3_bind_int64(st, 5, member);
	sqlite3_bind_int(st, 6, row->state);
	sqlite3_bind_int64(st, 7, row->space);
	return run(ec, s, st);
}

enum err store_device_list(struct errctx *ec, struct store *s, int64_t space, struct device_row **out, size_t *count)
{
	sqlite3_stmt *st = stmt(ec, s, ST_device_list);
	size_t cap = 0;
	bool row = false;
	enum err e = ERR_OK;

	*out = NULL;
	*count = 0;
	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	while ((e = step(ec, s, st, &row)) == ERR_OK && row) {
		if ((e = list_grow((void **)out, *count, &cap, sizeof(**out))) != ERR_OK ||
		    (e = device_row_get(ec, s, st, &(*out)[*count])) != ERR_OK)
			break;
		(*count)++;
	}
	sqlite3_reset(st);
	if (e != ERR_OK) {
		free(*out);
		*out = NULL;
		*count = 0;
	}
	return e;
}

uint64_t store_devices_seen(const struct store *s)
{
	return s->devices_seen;
}

static void near_add(struct store *s, struct device_id id, int64_t n)
{
	s->near[s->near_next].id = id;
	s->near[s->near_next].n = n;
	s->near_next = (s->near_next + 1) % NEAR_DEVICES;
}

enum err key_find(struct errctx *ec, struct store *s, struct dot d, int64_t *key)
{
	sqlite3_stmt *st = NULL;
	bool row = false;
	enum err e = ERR_OK;

	if (d.counter > STORE_NUMBER_MAX)
		return ERR_NOT_FOUND;
	for (size_t i = 0; i < NEAR_DEVICES; i++) {
		if (s->near[i].n != 0 && device_cmp(s->near[i].id, d.dev) == 0) {
			*key = (int64_t)(((uint64_t)s->near[i].n << COUNTER_BITS) | d.counter);
			return ERR_OK;
		}
	}
	st = stmt(ec, s, ST_device_by_id);
	NEED(st);
	bind_blob(st, 1, d.dev.b, DEVICE_ID_LEN);
	e = step(ec, s, st, &row);
	if (e == ERR_OK && row) {
		*key = (int64_t)(((uint64_t)sqlite3_column_int64(st, 0) << COUNTER_BITS) | d.counter);
		near_add(s, d.dev, sqlite3_column_int64(st, 0));
	}
	sqlite3_reset(st);
	return e != ERR_OK ? e : row ? ERR_OK : ERR_NOT_FOUND;
}

enum err key_of(struct errctx *ec, struct store *s, int64_t space, struct dot d, int64_t *key)
{
	struct device_row row = { .space = space, .id = d.dev, .state = DEVICE_NAMED };
	enum err e = key_find(ec, s, d, key);

	if (d.counter > STORE_NUMBER_MAX)
		return err_set(ec, ERR_DAMAGED, "A number in the log is larger than it can be.", NULL, NULL, NULL);
	if (e != ERR_NOT_FOUND)
		return e;
	e = store_device_put(ec, s, &row);
	if (e == ERR_OK)
		*key = (int64_t)(((uint64_t)row.n << COUNTER_BITS) | d.counter);
	return e;
}

enum err dot_of(struct errctx *ec, struct store *s, int64_t key, struct dot *out)
{
	int64_t n = device_of(key);
	sqlite3_stmt *st = NULL;
	bool row = false;
	enum err e = ERR_OK;

	out->counter = (uint64_t)key & STORE_NUMBER_MAX;
	for (size_t i = 0; i < NEAR_DEVICES; i++) {
		if (s->near[i].n != 0 && s->near[i].n == n) {
			out->dev = s->near[i].id;
			return ERR_OK;
		}
	}
	st = stmt(ec, s, ST_device_id);
	NEED(st);
	sqlite3_bind_int64(st, 1, n);
	e = step(ec, s, st, &row);
	if (e == ERR_OK)
		e = row ? column_exact(ec, st, 0, out->dev.b, DEVICE_ID_LEN)
		        : err_set(ec, ERR_DAMAGED, "The vault holds something that cannot be right. Run verify.", NULL,
		                  NULL, NULL);
	if (e == ERR_OK)
		near_add(s, out->dev, n);
	sqlite3_reset(st);
	return e;
}

/* --- epochs --- */

enum err store_epoch_put(struct errctx *ec, struct store *s, const struct epoch_row *row)
{
	struct dot creator = { row->creator, 1 };
	int64_t key = 0;
	sqlite3_stmt *st = NULL;
	enum err e = key_of(ec, s, row->space, creator, &key);

	if (e != ERR_OK)
		return e;
	st = stmt(ec, s, ST_epoch_put);
	NEED(st);
	bind_blob(st, 1, row->id.b, EPOCH_ID_LEN);
	sqlite3_bind_int64(st, 2, row->space);
	sqlite3_bind_int64(st, 3, device_of(key));
	sqlite3_bind_int64(st, 4, (int64_t)row->removals_seen);
	sqlite3_bind_int(st, 5, row->state);
	sqlite3_bind_int64(st, 6, (int64_t)row->rank);
	return run(ec, s, st);
}

enum err store_epoch_list(struct errctx *ec, struct store *s, int64_t space, struct epoch_row **out, size_t *count)
{
	sqlite3_stmt *st = stmt(ec, s, ST_epoch_list);
	size_t cap = 0;
	bool row = false;
	enum err e = ERR_OK;

	*out = NULL;
	*count = 0;
	NEED(st);
	sqlite3_bind_int64(st, 1, space);
	while ((e = step(ec, s, st, &row)) == ERR_OK && row) {
		struct epoch_row *r = NULL;
		struct dot creator = { 0 };

		if ((e = list_grow((void **)out, *count, &cap, sizeof(**out))) != ERR_OK)
			break;
		r = &(*out)[*count];
		*r = (struct epoch_row){ .space = space,
			                 .removals_seen = (uint64_t)sqlite3_column_int64(st, 2),
			                 .state = (enum epoch_state)sqlite3_column_int(st, 3),
			                 .rank = (uint64_t)sqlite3_column_int64(st, 4) };
		if ((e = column_exact(ec, st, 0, r->id.b, EPOCH_ID_LEN)) != ERR_OK ||
		    (e = dot_of(ec, s, (int64_t)((uint64_t)sqlite3_column_int64(st, 1) << COUNTER_BITS), &creator)) !=
		        ERR_OK)
			break;
		r->creator = creator.dev;
		(*count)++;
	}
	sqlite3_reset(st);
	if (e != ERR_OK) {
		free(*out);
		*out = NULL;
		*count = 0;
	}
	return e;
}
