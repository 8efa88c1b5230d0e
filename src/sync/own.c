// SPDX-License-Identifier: EUPL-1.2
// One own space for one person, whatever the number of devices (M2: nothing that was written disappears on the way).
#include "sync/own.h"

#include <stdlib.h>
#include <string.h>

#include "model/draft.h"
#include "model/record.h"
#include "model/wire.h"
#include "sync/floor.h"
#include "sync/membership.h"

enum err own_space(struct errctx *ec, struct sync *y, struct space_row *out)
{
	struct space_row *list = NULL;
	size_t n = 0;
	bool found = false;
	enum err e = store_space_list(ec, y->store, &list, &n);

	for (size_t i = 0; e == ERR_OK && !found && i < n; i++) {
		bool open = false;

		if (list[i].kind != SPACE_OWN || list[i].state != SPACE_MEMBER)
			continue;
		e = floor_open(ec, y, list[i].n, &open);
		found = e == ERR_OK && !open;
		if (found)
			*out = list[i];
	}
	free(list);
	return e == ERR_OK && !found ? ERR_NOT_FOUND : e;
}

/* --- what was written --- */

/* Every edit of a space's one device, of all records but those that its founding made: the member and the name. */
struct written {
	struct record_log *log; /* of each record */
	size_t logs;
	struct logged **edit; /* ascending by counter, which is the order in which they were written */
	size_t n;
};

static void written_free(struct written *w)
{
	for (size_t i = 0; i < w->logs; i++)
		store_log_free(&w->log[i]);
	free(w->log);
	free(w->edit);
	*w = (struct written){ 0 };
}

static int by_counter(const void *a, const void *b)
{
	const struct logged *x = *(struct logged *const *)a;
	const struct logged *y = *(struct logged *const *)b;

	return (x->edit.dot.counter > y->edit.dot.counter) - (x->edit.dot.counter < y->edit.dot.counter);
}

/* What founding made stays behind, and what was carried on before: there is nothing in that. */
static enum err is_personal(struct errctx *ec, struct sync *y, struct dot id, bool *out)
{
	struct loaded l;
	struct bytes name = { 0 };
	enum err e = store_load(ec, y->store, id, &l);

	*out = false;
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	*out = l.record.kind != KIND_member && !record_is_erased(&l.record) &&
	       !(l.record.kind == KIND_setting && record_text(&l.record, F_setting_name, &name) && name.len == 4 &&
	         memcmp(name.data, "name", 4) == 0);
	store_loaded_free(&l);
	return ERR_OK;
}

static enum err written_load(struct errctx *ec, struct sync *y, int64_t space, struct written *out)
{
	struct dots ids = { 0 };
	size_t total = 0;
	size_t kept = 0;
	enum err e = store_records_known(ec, y->store, space, &ids);

	*out = (struct written){ .log = calloc(ids.n + 1, sizeof(*out->log)) };
	if (e == ERR_OK && out->log == NULL)
		e = ERR_NO_MEMORY;
	for (size_t i = 0; e == ERR_OK && i < ids.n; i++) {
		bool personal = false;

		e = is_personal(ec, y, ids.d[i], &personal);
		if (e != ERR_OK || !personal)
			continue;
		e = store_log_of(ec, y->store, ids.d[i], &out->log[out->logs]);
		total += out->log[out->logs++].n;
	}
	dots_free(&ids);
	if (e == ERR_OK) {
		out->edit = calloc(total + 1, sizeof(struct logged *));
		e = out->edit == NULL ? ERR_NO_MEMORY : ERR_OK;
	}
	for (size_t i = 0; e == ERR_OK && i < out->logs; i++) {
		for (size_t k = 0; k < out->log[i].n; k++)
			out->edit[kept++] = &out->log[i].item[k];
	}
	out->n = kept;
	if (kept > 1)
		qsort(out->edit, kept, sizeof(struct logged *), by_counter);
	return e;
}

enum err own_use(struct errctx *ec, struct sync *y, const struct space_row *own, struct own_use *out)
{
	struct written w = { 0 };
	struct membership m = { 0 };
	struct base base = { 0 };
	struct device_row *list = NULL;
	size_t devices = 0;
	size_t n = 0;
	enum err e = written_load(ec, y, own->n, &w);

	if (e == ERR_OK)
		e = store_device_list(ec, y->store, own->n, &list, &n);
	if (e == ERR_OK)
		e = membership_load(ec, y, own, &m);
	for (size_t i = 0; e == ERR_OK && i < n; i++) /* a recovery sheet is no device that holds anything */
		devices += list[i].state != DEVICE_NAMED && !membership_is_paper(&m, list[i].id);
	membership_free(&m);
	free(list);
	/* where its log was compacted, not every edit is there that would be written again: it stays where it is */
	if (e == ERR_OK)
		e = store_base(ec, y->store, own->n, &base);
	*out = (struct own_use){ w.n > 0 || base.is, devices <= 1 && !base.is };
	vv_free(&base.at);
	written_free(&w);
	return e;
}

/* --- and is written again --- */

/* Old edits and the new ones that say the same. */
struct renamed {
	struct device_id dev;
	uint64_t *counter; /* old; ascending */
	struct dot *dot;   /* new */
	size_t n;
};

static bool renamed_get(const struct renamed *r, struct dot old, struct dot *out)
{
	size_t lo = 0;
	size_t hi = r->n;

	if (device_cmp(old.dev, r->dev) != 0)
		return false;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->counter[mid] < old.counter)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == r->n || r->counter[lo] != old.counter)
		return false;
	*out = r->dot[lo];
	return true;
}

/* A value with every reference to an old edit or record put in its new name. A reference is eight bytes of a device's
 * id and a counter: nothing else in a value looks like one of this device by chance. */
static enum err value_again(struct wire_in *in, const struct renamed *names, struct buf *out)
{
	struct bytes item = { 0 };
	struct dot old;
	struct dot now;
	uint8_t ref[DOT_REF_MAX];
	size_t n = 0;
	enum err e = ERR_OK;

	switch (wire_peek(in)) {
	case WIRE_ARRAY:
	case WIRE_MAP: {
		bool map = wire_peek(in) == WIRE_MAP;

		e = map ? wire_get_map(in, &n) : wire_get_array(in, &n);
		if (e == ERR_OK)
			e = map ? wire_put_map(out, n) : wire_put_array(out, n);
		for (size_t i = 0; e == ERR_OK && i < (map ? 2 * n : n); i++)
			e = value_again(in, names, out);
		return e;
	}
	case WIRE_BYTES:
		e = wire_get_bytes(in, &item);
		if (e == ERR_OK && dot_ref_get(item.data, item.len, &old) && renamed_get(names, old, &now)) {
			size_t len = dot_ref_put(now, ref);

			return wire_put_bytes(out, ref, len);
		}
		return e == ERR_OK ? wire_put_bytes(out, item.data, item.len) : e;
	default:
		e = wire_get_raw(in, &item);
		return e == ERR_OK ? buf_put(out, item.data, item.len) : e;
	}
}

static enum err edit_again(struct errctx *ec, struct sync *y, int64_t space, const struct edit *edit,
                           struct renamed *names)
{
	struct change c = { .space = space, .kind = edit->kind, .write_count = edit->write_count };
	struct write *writes = calloc(edit->write_count + 1, sizeof(*writes));
	struct buf *values = calloc(edit->write_count + 1, sizeof(*values));
	struct dot written = { 0 };
	enum err e = writes == NULL || values == NULL ? ERR_NO_MEMORY : ERR_OK;

	if (e == ERR_OK && edit->kind == KIND_none && !renamed_get(names, edit->target, &c.target))
		e = ERR_DAMAGED;
	for (size_t i = 0; e == ERR_OK && i < edit->write_count; i++) {
		struct wire_in in = wire_in(edit->writes[i].value);

		e = value_again(&in, names, &values[i]);
		writes[i] = (struct write){ edit->writes[i].tag, buf_bytes(&values[i]) };
	}
	c.writes = writes;
	if (e == ERR_OK)
		e = store_write(ec, y->store, &c, clock_now(y->clock), &written);
	if (e == ERR_OK) {
		names->counter[names->n] = edit->dot.counter;
		names->dot[names->n++] = written;
	}
	for (size_t i = 0; values != NULL && i < edit->write_count; i++)
		buf_free(&values[i]);
	free(values);
	free(writes);
	return e;
}

/* What stands in the old space would stand in every list twice. */
static enum err erase(struct errctx *ec, struct sync *y, int64_t space, struct dot record)
{
	struct draft d = { 0 };
	struct change c = { .space = space, .target = record };
	struct dot written = { 0 };
	enum err e = ERR_OK;

	draft_bool(&d, F_any_erased, true);
	e = draft_writes(&d, &c.writes, &c.write_count);
	if (e == ERR_OK)
		e = store_write(ec, y->store, &c, clock_now(y->clock), &written);
	draft_free(&d);
	return e;
}

static enum err carry(struct errctx *ec, struct sync *y, const struct space_row *old, const struct space_row *joined,
                      uint64_t *carried)
{
	struct written w = { 0 };
	struct renamed names = { .dev = old->me };
	enum err e = written_load(ec, y, old->n, &w);

	names.counter = calloc(w.n + 1, sizeof(*names.counter));
	names.dot = calloc(w.n + 1, sizeof(*names.dot));
	if (e == ERR_OK && (names.counter == NULL || names.dot == NULL))
		e = ERR_NO_MEMORY;
	/* first, so that what this device wrote last, which undo asks for, is a record that stands */
	for (size_t i = 0; e == ERR_OK && i < w.n; i++) {
		if (w.edit[i]->edit.kind == KIND_none)
			continue;
		e = erase(ec, y, old->n, w.edit[i]->edit.dot);
		*carried += w.edit[i]->edit.kind != KIND_setting;
	}
	for (size_t i = 0; e == ERR_OK && i < w.n; i++)
		e = edit_again(ec, y, joined->n, &w.edit[i]->edit, &names);
	free(names.counter);
	free(names.dot);
	written_free(&w);
	return e;
}

enum err own_give_way(struct errctx *ec, struct sync *y, const struct space_row *joined, uint64_t *carried)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, y->store, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		if (list[i].kind != SPACE_OWN || list[i].state != SPACE_MEMBER || list[i].n == joined->n)
			continue;
		e = carry(ec, y, &list[i], joined, carried);
		list[i].state = SPACE_GONE;
		list[i].neighbourhood = 0;
		if (e == ERR_OK)
			e = store_space_update(ec, y->store, &list[i]);
	}
	free(list);
	if (e == ERR_DAMAGED)
		return err_set(ec, e, "The vault holds something that cannot be right. Run verify.", NULL, NULL, NULL);
	return e;
}
