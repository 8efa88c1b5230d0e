// SPDX-License-Identifier: EUPL-1.2
// Fields of a record as plain values. What this version does not know is shown raw, never dropped (M3).
#include "app/shown.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/dates.h"
#include "app/proposal.h"
#include "model/record.h"
#include "model/wire.h"

_Static_assert(ID_TEXT_LEN == DOT_TEXT_LEN, "an id as text");

const char *shown_id(struct pool *p, struct dot d)
{
	char text[DOT_TEXT_LEN];

	if (dot_is_none(d))
		return NULL;
	dot_text(d, text);
	return pool_str(p, text);
}

const char *shown_text(struct pool *p, const struct record *r, uint32_t tag)
{
	struct bytes b = { 0 };

	return record_text(r, tag, &b) && b.len > 0 ? pool_text(p, b) : NULL;
}

int64_t shown_day(const struct record *r, uint32_t tag)
{
	int64_t day = NO_DAY;

	return record_int(r, tag, &day) ? day : NO_DAY;
}

bool shown_bool(const struct record *r, uint32_t tag)
{
	bool v = false;

	return record_bool(r, tag, &v) && v;
}

struct dot shown_ref(const struct record *r, uint32_t tag)
{
	struct dot d = { 0 };

	return record_ref(r, tag, &d) ? d : (struct dot){ 0 };
}

const char *shown_ref_id(struct pool *p, const struct record *r, uint32_t tag)
{
	return shown_id(p, shown_ref(r, tag));
}

struct words shown_set(struct pool *p, const struct record *r, uint32_t tag, enum list list)
{
	struct words found = { 0 };
	struct words out = { 0 };
	struct bytes b = { 0 };
	size_t n = 0;
	size_t items = 0;
	const struct list_item *item = list == LIST_none ? NULL : list_items(list, &items);

	while (record_element(r, tag, n, &b))
		n++;
	if (n == 0)
		return out;
	found.word = pool_take(p, n * sizeof(*found.word));
	out.word = pool_take(p, n * sizeof(*out.word));
	for (size_t i = 0; i < n && found.word != NULL && out.word != NULL; i++) {
		if (record_element_text(r, tag, i, &b) && (found.word[found.n] = pool_text(p, b)) != NULL)
			found.n++;
	}
	for (size_t k = 0; k < items; k++) {
		if (words_have(&found, item[k].id))
			out.word[out.n++] = item[k].id;
	}
	for (size_t i = 0; i < found.n; i++) {
		if (!words_have(&out, found.word[i]))
			out.word[out.n++] = found.word[i];
	}
	return out;
}

const char *shown_author(struct pool *p, struct app *app, const struct record *r, uint32_t tag)
{
	const struct head *h = record_shown(r, tag);
	char name[APP_NAME_MAX];

	if (h == NULL)
		return NULL;
	app_author(app, r->stamps[h->stamp].dot, name);
	return pool_str(p, name);
}

const char *shown_value(struct pool *p, const struct field_def *def, struct bytes raw)
{
	struct wire_in in = wire_in(raw);
	struct bytes b = { 0 };
	struct dot d = { 0 };
	int64_t v = 0;
	bool yes = false;
	char text[32];

	switch (wire_peek(&in)) {
	case WIRE_TEXT:
		return wire_get_text(&in, &b) == ERR_OK && b.len > 0 ? pool_text(p, b) : NULL;
	case WIRE_UINT:
	case WIRE_NEGINT:
		if (wire_get_int(&in, &v) != ERR_OK)
			return NULL;
		if (def != NULL && def->type == TYPE_DATE)
			day_text(v, text);
		else
			snprintf(text, sizeof(text), "%" PRId64, v);
		return pool_str(p, text);
	case WIRE_BOOL:
		return wire_get_bool(&in, &yes) == ERR_OK ? pool_str(p, yes ? "true" : "false") : NULL;
	case WIRE_BYTES:
		if (wire_get_bytes(&in, &b) != ERR_OK)
			return NULL;
		if (def != NULL && def->type == TYPE_REF && dot_ref_get(b.data, b.len, &d))
			return shown_id(p, d);
		snprintf(text, sizeof(text), "(%zu bytes)", b.len);
		return pool_str(p, text);
	default:
		return NULL;
	}
}

enum err shown_values(struct pool *p, const struct field_def *def, uint32_t tag, struct bytes raw, const char ***out,
                      size_t *count)
{
	struct wire_in in = wire_in(raw);
	struct bytes one = { 0 };
	size_t n = 1;
	const char **list = NULL;

	*out = NULL;
	*count = 0;
	if (wire_peek(&in) == WIRE_ARRAY && wire_get_array(&in, &n) != ERR_OK)
		return ERR_DAMAGED;
	if (tag_class(tag) == CLASS_TEXT) {
		if (n == 0 || wire_get_raw(&in, &one) != ERR_OK)
			return ERR_DAMAGED;
		n--;
	}
	list = pool_take(p, (n + 1) * sizeof(*list));
	if (list == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < n; i++) {
		const char *text = NULL;

		if (wire_get_raw(&in, &one) != ERR_OK)
			return ERR_DAMAGED;
		text = shown_value(p, def, one);
		if (text != NULL)
			list[(*count)++] = text;
	}
	*out = list;
	return p->failed ? ERR_NO_MEMORY : ERR_OK;
}

const char *shown_field(struct pool *p, const struct field_def *def, uint32_t tag)
{
	char text[16];

	if (def != NULL)
		return def->name;
	snprintf(text, sizeof(text), "#%" PRIu32, tag >> 3);
	return pool_str(p, text);
}

const char *shown_field_list(const struct field_def *def)
{
	return def == NULL || def->list == LIST_none ? NULL : list_name(def->list);
}

static enum err field_versions_of(struct pool *p, struct app *app, const struct record *r, uint32_t tag,
                                  struct field_versions *out)
{
	const struct field_def *def = schema_field(r->kind, tag);
	size_t n = record_versions(r, tag);
	enum err e = ERR_OK;

	*out = (struct field_versions){ .field = shown_field(p, def, tag),
		                        .list = shown_field_list(def),
		                        .version = pool_take(p, n * sizeof(struct version)),
		                        .versions = n };
	if (out->version == NULL || out->field == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		struct version *v = &out->version[i];
		const struct stamp *by = NULL;
		struct bytes raw = { 0 };
		char name[APP_NAME_MAX];

		if (!record_version(r, tag, i, &raw, &by))
			return ERR_DAMAGED;
		app_author(app, by->dot, name);
		*v = (struct version){ .n = i + 1, .author = pool_str(p, name), .at_ms = (int64_t)by->clock.ms };
		e = shown_values(p, def, tag, raw, &v->value, &v->values);
	}
	return e;
}

static enum err field_proposal_of(struct pool *p, struct app *app, const struct record *r, uint32_t tag,
                                  struct field_versions *out)
{
	struct buf text = { 0 };
	struct buf base = { 0 };
	bool there = false;
	enum err e = proposal_make(NULL, app, r, tag, &text, &base, &there);

	if (e == ERR_OK && there)
		out->proposal = pool_text(p, buf_bytes(&text));
	buf_free(&text);
	buf_free(&base);
	return e == ERR_OK && p->failed ? ERR_NO_MEMORY : e;
}

enum err shown_versions(struct pool *p, struct app *app, const struct record *r, struct versions *out)
{
	enum err e = ERR_OK;

	*out = (struct versions){ .field = pool_take(p, r->field_count * sizeof(struct field_versions)),
		                  .kept = pool_take(p, r->field_count * sizeof(struct field_kept)) };
	if (p->failed)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < r->field_count && e == ERR_OK; i++) {
		uint32_t tag = r->fields[i].tag;
		const struct field_def *def = schema_field(r->kind, tag);
		const struct head *h = NULL;
		struct bytes second = { 0 };

		if (tag_class(tag) != CLASS_REG && tag_class(tag) != CLASS_TEXT)
			continue;
		if (record_versions(r, tag) > 1) {
			e = field_versions_of(p, app, r, tag, &out->field[out->fields]);
			if (e == ERR_OK)
				e = field_proposal_of(p, app, r, tag, &out->field[out->fields++]);
		} else if (record_kept(r, tag, 1, &second) && (h = record_shown(r, tag)) != NULL) {
			struct field_kept *k = &out->kept[out->kept_count++];

			k->field = shown_field(p, def, tag);
			k->list = shown_field_list(def);
			e = shown_values(p, def, tag, h->value, &k->value, &k->values);
		}
	}
	return e;
}
