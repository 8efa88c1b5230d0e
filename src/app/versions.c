// SPDX-License-Identifier: EUPL-1.2
// Two versions, side by side. A pick is an edit that has seen them all, so that it replaces them and nothing else (M2);
// keeping both is one write with a list.
#include "app/versions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/proposal.h"
#include "app/within.h"
#include "model/wire.h"

const char *versions_label(struct app *app, struct pool *p, const struct record *r)
{
	struct loaded l = { 0 };
	const char *label = NULL;

	switch (r->kind) {
	case KIND_resident:
		return shown_text(p, r, F_resident_nick);
	case KIND_contact:
		if (within_peek(app, shown_ref(r, F_contact_resident), KIND_resident, &l)) {
			label = shown_text(p, &l.record, F_resident_nick);
			store_loaded_free(&l);
		}
		return label;
	case KIND_referral:
		return shown_text(p, r, F_referral_service_name);
	case KIND_service:
		return shown_text(p, r, F_service_name);
	default:
		return NULL;
	}
}

static enum err add_record(struct app *app, const struct record *r, size_t room, struct two_versions_list *out)
{
	struct versions v = { 0 };
	const struct kind_def *def = schema_kind(r->kind);
	const char *id = shown_id(&out->pool, r->id);
	const char *label = versions_label(app, &out->pool, r);
	enum err e = shown_versions(&out->pool, app, r, &v);

	for (size_t i = 0; e == ERR_OK && i < v.fields && out->n < room; i++)
		out->item[out->n++] = (struct two_versions){
			.id = id, .kind = def == NULL ? "" : def->name, .label = label, .field = &v.field[i]
		};
	return e;
}

enum err versions_list(struct errctx *ec, struct app *app, struct two_versions_list *out)
{
	struct dots ids = { 0 };
	struct loaded l = { 0 };
	size_t room = 0;
	enum err e = store_two_versions(ec, app->store, &ids);

	*out = (struct two_versions_list){ 0 };
	for (size_t i = 0; i < ids.n && e == ERR_OK; i++) {
		e = store_load(ec, app->store, ids.d[i], &l);
		if (e == ERR_OK)
			room += record_two_versions(&l.record);
		store_loaded_free(&l);
	}
	if (e == ERR_OK)
		out->item = pool_take(&out->pool, room * sizeof(*out->item));
	for (size_t i = 0; i < ids.n && e == ERR_OK && out->item != NULL; i++) {
		e = store_load(ec, app->store, ids.d[i], &l);
		if (e == ERR_OK)
			e = add_record(app, &l.record, room, out);
		store_loaded_free(&l);
	}
	dots_free(&ids);
	return within_pool(ec, &out->pool, e);
}

void two_versions_free(struct two_versions_list *list)
{
	pool_free(&list->pool);
	*list = (struct two_versions_list){ 0 };
}

/* The values of one version, each as its CBOR item, that are not in `all` yet. */
static enum err values_add(struct bytes raw, bool text, struct bytes *all, size_t *count, size_t room)
{
	struct wire_in in = wire_in(raw);
	struct bytes one = { 0 };
	size_t n = 1;

	if (wire_peek(&in) == WIRE_ARRAY && wire_get_array(&in, &n) != ERR_OK)
		return ERR_DAMAGED;
	if (text && (n-- == 0 || wire_get_raw(&in, &one) != ERR_OK))
		return ERR_DAMAGED;
	while (n-- > 0) {
		bool there = false;
		struct wire_in value;

		if (wire_get_raw(&in, &one) != ERR_OK)
			return ERR_DAMAGED;
		value = wire_in(one);
		for (size_t i = 0; i < *count; i++)
			there = there || bytes_cmp(all[i], one) == 0;
		// a version that took the value away adds nothing to keep
		if (!there && wire_peek(&value) != WIRE_NULL && *count < room)
			all[(*count)++] = one;
	}
	return ERR_OK;
}

#define KEEP_MAX 64

enum err versions_write(const struct record *r, uint32_t tag, size_t from, size_t to, struct bytes base,
                        struct buf *out)
{
	struct bytes all[KEEP_MAX];
	size_t count = 0;
	bool text = tag_class(tag) == CLASS_TEXT;
	enum err e = ERR_OK;

	for (size_t n = from; n < to && e == ERR_OK; n++) {
		const struct stamp *by = NULL;
		struct bytes raw = { 0 };

		e = record_version(r, tag, n, &raw, &by) ? values_add(raw, text, all, &count, KEEP_MAX) : ERR_DAMAGED;
	}
	if (e == ERR_OK && text) {
		e = wire_put_array(out, 1 + (count == 0 ? 1 : count));
		if (e == ERR_OK)
			e = base.len == 0 ? wire_put_null(out) : buf_put(out, base.data, base.len);
		if (e == ERR_OK && count == 0)
			e = wire_put_text(out, "", 0);
	} else if (e == ERR_OK && count > 1) {
		e = wire_put_array(out, count);
	} else if (e == ERR_OK && count == 0) {
		e = wire_put_null(out);
	}
	for (size_t i = 0; i < count && e == ERR_OK; i++)
		e = buf_put(out, all[i].data, all[i].len);
	return e;
}

/* Versions from-to (from 0) that `keep` names, of `count`. */
static enum err keep_parse(struct errctx *ec, const char *keep, size_t count, size_t *from, size_t *to)
{
	char last[24];

	*from = 0;
	*to = count - 1;
	if (strcmp(keep, "both") == 0)
		return ERR_OK;
	if (keep[0] >= '1' && keep[0] <= '9' && strlen(keep) <= 3 && strspn(keep, "0123456789") == strlen(keep)) {
		size_t n = (size_t)atoi(keep);

		if (n <= count) {
			*from = n - 1;
			*to = n - 1;
			return ERR_OK;
		}
	}
	snprintf(last, sizeof(last), "%zu", count);
	return err_set(ec, ERR_USAGE, "There is no version %1. Choose a number from 1 to %2, or both.", keep, last,
	               NULL);
}

static enum err field_find(struct errctx *ec, const struct record *r, const char *field, uint32_t *tag)
{
	const struct field_def *def = schema_field_named(r->kind, field);

	if (def != NULL) {
		*tag = def->tag;
		return ERR_OK;
	}
	// a field of a newer version, as `versions list` calls it
	for (size_t i = 0; i < r->field_count && field[0] == '#'; i++) {
		if (r->fields[i].tag >> 3 == (uint32_t)strtoul(field + 1, NULL, 10)) {
			*tag = r->fields[i].tag;
			return ERR_OK;
		}
	}
	return err_set(ec, ERR_NOT_FOUND, "There is no field %1 here.", field, NULL, NULL);
}

/* What the n-th version of a TEXT field started from, as its CBOR item; empty for another class. A version that is
 * picked keeps it, so that what others change meanwhile can still be put together with it. */
static struct bytes base_of(const struct record *r, uint32_t tag, size_t n)
{
	const struct stamp *by = NULL;
	struct bytes raw = { 0 };
	struct bytes base = { 0 };
	size_t count = 0;
	struct wire_in in;

	if (tag_class(tag) != CLASS_TEXT || !record_version(r, tag, n, &raw, &by))
		return base;
	in = wire_in(raw);
	if (wire_get_array(&in, &count) != ERR_OK || wire_get_raw(&in, &base) != ERR_OK)
		return (struct bytes){ 0 };
	return base;
}

/* The write of what `keep` asks for. */
static enum err pick_value(struct errctx *ec, struct app *app, const struct record *r, uint32_t tag, const char *keep,
                           struct buf *out)
{
	struct buf text = { 0 };
	struct buf base = { 0 };
	size_t from = 0;
	size_t to = 0;
	bool there = false;
	enum err e = ERR_OK;

	if (strcmp(keep, "proposal") != 0) {
		e = keep_parse(ec, keep, record_versions(r, tag), &from, &to);
		if (e == ERR_OK && from == to)
			return versions_write(r, tag, from, to + 1, base_of(r, tag, from), out);
		return e != ERR_OK ? e : versions_write(r, tag, from, to + 1, (struct bytes){ 0 }, out);
	}
	e = proposal_make(ec, app, r, tag, &text, &base, &there);
	if (e == ERR_OK && !there)
		e = err_set(ec, ERR_USAGE, "These versions cannot be put together. Choose one of them, or keep both.",
		            NULL, NULL, NULL);
	if (e == ERR_OK)
		e = wire_put_array(out, 2);
	if (e == ERR_OK)
		e = wire_put_text(out, (const char *)base.data, base.len);
	if (e == ERR_OK)
		e = wire_put_text(out, (const char *)text.data, text.len);
	buf_free(&text);
	buf_free(&base);
	return e;
}

static enum err pick_write(struct errctx *ec, struct app *app, const struct loaded *l, uint32_t tag, struct bytes value)
{
	const struct write write = { .tag = tag, .value = value };
	struct change change = { .space = l->space, .target = l->record.id, .writes = &write, .write_count = 1 };
	struct dot dot = { 0 };
	enum err e = within_arrived(ec, app, l->space);

	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	return e != ERR_OK ? e : within_end(ec, app, store_write(ec, app->store, &change, app_now_ms(app), &dot));
}

enum err versions_pick(struct errctx *ec, struct app *app, const char *id, const char *field, const char *keep,
                       char out[static ID_TEXT_LEN])
{
	struct loaded l = { 0 };
	struct buf value = { 0 };
	uint32_t tag = 0;
	size_t count = 0;
	enum err e = within_load(ec, app, id, KIND_none, &l);

	if (e == ERR_OK)
		e = field_find(ec, &l.record, field, &tag);
	if (e == ERR_OK && (tag_class(tag) == CLASS_REG || tag_class(tag) == CLASS_TEXT))
		count = record_versions(&l.record, tag);
	if (e == ERR_OK && count < 2)
		e = err_set(ec, ERR_USAGE, "The field %1 has one version; there is nothing to choose.", field, NULL,
		            NULL);
	if (e == ERR_OK)
		e = pick_value(ec, app, &l.record, tag, keep, &value);
	if (e == ERR_OK)
		e = pick_write(ec, app, &l, tag, buf_bytes(&value));
	if (e == ERR_OK)
		dot_text(l.record.id, out);
	buf_free(&value);
	store_loaded_free(&l);
	return e == ERR_NO_MEMORY ? within_no_memory(ec) : e;
}
