// SPDX-License-Identifier: EUPL-1.2
// Which erases count (M1, M2): one that somebody contests, having seen it, does not.
#include "model/erasing.h"

#include <stdlib.h>

#include "base/array.h"
#include "model/wire.h"

bool edit_writes(const struct edit *edit, uint32_t tag)
{
	for (size_t i = 0; i < edit->write_count; i++)
		if (edit->writes[i].tag == tag)
			return true;
	return false;
}

bool edit_erases(const struct edit *edit)
{
	for (size_t i = 0; i < edit->write_count; i++)
		if (tag_class(edit->writes[i].tag) == CLASS_ERASE)
			return true;
	return false;
}

/* The elements that one write adds. */
static enum err write_names(struct bytes value, named_fn each, void *arg)
{
	struct wire_in in = wire_in(value);
	size_t n = 0;
	enum err e = wire_get_array(&in, &n);

	if (e == ERR_OK)
		e = wire_get_array(&in, &n);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct bytes item = { 0 };
		struct bytes ref = { 0 };
		struct wire_in one;
		struct dot named;

		e = wire_get_raw(&in, &item);
		if (e != ERR_OK)
			break;
		one = wire_in(item);
		if (wire_get_bytes(&one, &ref) == ERR_OK && dot_ref_get(ref.data, ref.len, &named))
			e = each(arg, named);
	}
	return e;
}

enum err edit_names(const struct edit *edit, uint32_t tag, named_fn each, void *arg)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < edit->write_count; i++)
		if (edit->writes[i].tag == tag)
			e = write_names(edit->writes[i].value, each, arg);
	return e;
}

bool edit_saw(const struct edit *edit, struct context ctx, struct dot d)
{
	const struct vv_entry *v = NULL;

	if (device_cmp(d.dev, edit->dot.dev) == 0)
		return d.counter < edit->dot.counter;
	v = vv_get(ctx.seen, d.dev);
	return v != NULL && d.counter <= v->counter;
}

struct noting {
	struct contests *c;
	const struct edit *edit;
	struct context ctx;
};

static enum err note_one(void *arg, struct dot named)
{
	struct noting *n = arg;
	struct dot *d = NULL;

	if (!edit_saw(n->edit, n->ctx, named))
		return ERR_OK;
	d = array_grown(n->c->d, n->c->n, sizeof(*d));
	if (d == NULL)
		return ERR_NO_MEMORY;
	n->c->d = d;
	n->c->d[n->c->n++] = named;
	return ERR_OK;
}

enum err contests_note(struct contests *c, const struct edit *edit, struct context ctx)
{
	struct noting n = { c, edit, ctx };

	return edit_names(edit, F_any_contests, note_one, &n);
}

bool contests_stop(const struct contests *c, const struct edit *edit)
{
	if (!edit_erases(edit))
		return false;
	for (size_t i = 0; i < c->n; i++)
		if (dot_cmp(c->d[i], edit->dot) == 0)
			return true;
	return false;
}

void contests_free(struct contests *c)
{
	free(c->d);
	*c = (struct contests){ 0 };
}
