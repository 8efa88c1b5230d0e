// SPDX-License-Identifier: EUPL-1.2
// Rows out of single pages of SQLite's format, as far as they can be had (V5). Pages are authenticated before they come
// here, but may be older ones or belong to anything: nothing they say is trusted beyond their own bounds.
#include "store/carve.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"

#define LEAF_TABLE 0x0D
#define LEAF_INDEX 0x0A
#define INNER_INDEX 0x02
#define FILE_HEADER 100
#define PAYLOAD_MAX ((uint64_t)64 << 20)

struct reader {
	const uint8_t *p;
	const uint8_t *end;
};

/* SQLite's varint: up to eight bytes of seven bits, a ninth of eight. */
static bool varint(struct reader *r, uint64_t *out)
{
	uint64_t v = 0;

	for (int i = 0; i < 9 && r->p < r->end; i++) {
		uint8_t b = *r->p++;

		if (i == 8) {
			*out = v << 8 | b;
			return true;
		}
		v = v << 7 | (b & 0x7F);
		if (b < 0x80) {
			*out = v;
			return true;
		}
	}
	return false;
}

/* ---- Records ---- */

static bool number_get(struct reader *r, size_t len, int64_t *out)
{
	uint64_t v = 0;

	if ((size_t)(r->end - r->p) < len)
		return false;
	if (len > 0 && (r->p[0] & 0x80) != 0)
		v = UINT64_MAX;
	for (size_t i = 0; i < len; i++)
		v = v << 8 | r->p[i];
	r->p += len;
	*out = (int64_t)v;
	return true;
}

static bool column_get(uint64_t type, struct reader *body, struct carved_column *out)
{
	static const uint8_t lengths[] = { 0, 1, 2, 3, 4, 6, 8 };
	uint64_t len = type >= 12 ? (type - 12) / 2 : type == 7 ? 8 : 0;

	*out = (struct carved_column){ .type = CARVED_NULL };
	if (type >= 1 && type <= 6) {
		out->type = CARVED_INT;
		return number_get(body, lengths[type], &out->number);
	}
	if (type == 8 || type == 9) {
		out->type = CARVED_INT;
		out->number = (int64_t)type - 8;
		return true;
	}
	if (type == 0)
		return true;
	if (type == 10 || type == 11 || len > (uint64_t)(body->end - body->p))
		return false;
	out->type = type == 7 ? CARVED_OTHER : type % 2 == 0 ? CARVED_BLOB : CARVED_TEXT;
	out->bytes = (struct bytes){ body->p, (size_t)len };
	body->p += len;
	return true;
}

static enum err record_read(const struct carver *c, struct bytes payload, bool table, int64_t rowid)
{
	struct carved_column column[CARVE_COLUMNS];
	struct carved_row row = { .table = table, .rowid = rowid, .column = column };
	struct reader head = { payload.data, payload.data + payload.len };
	struct reader body = { 0 };
	uint64_t len = 0;

	if (!varint(&head, &len) || len > payload.len)
		return ERR_OK;
	body = (struct reader){ payload.data + len, payload.data + payload.len };
	head.end = payload.data + len;
	while (head.p < head.end) {
		uint64_t type = 0;

		if (row.n == CARVE_COLUMNS || !varint(&head, &type) || !column_get(type, &body, &column[row.n]))
			return ERR_OK;
		row.n++;
	}
	return body.p == body.end ? c->row(c->arg, &row) : ERR_OK;
}

/* ---- Cells ---- */

/* How much of a payload stands in the cell itself. */
static size_t local_size(const struct carver *c, bool table, uint64_t payload)
{
	uint64_t max = table ? c->usable - 35 : (c->usable - 12) * 64 / 255 - 23;
	uint64_t min = (c->usable - 12) * 32 / 255 - 23;
	uint64_t k = min + (payload - min) % (c->usable - 4);

	if (payload <= max)
		return (size_t)payload;
	return (size_t)(k <= max ? k : min);
}

/* The rest of a payload, page after page; false where one is missing. */
static bool overflow_read(const struct carver *c, uint32_t next, uint64_t want, struct buf *out)
{
	uint8_t *page = malloc(c->size);
	bool ok = page != NULL;

	while (ok && out->len < want) {
		size_t part = c->usable - 4;

		if (part > want - out->len)
			part = (size_t)(want - out->len);
		ok = next != 0 && c->page(c->arg, next, page) && buf_put(out, page + 4, part) == ERR_OK;
		if (ok)
			next = be32_get(page);
	}
	if (page != NULL)
		memset(page, 0, c->size);
	free(page);
	return ok && next == 0;
}

static enum err cell_read(const struct carver *c, const uint8_t *page, size_t at, uint8_t kind)
{
	bool table = kind == LEAF_TABLE;
	struct reader r = { page + at, page + c->usable };
	struct buf whole = { 0 };
	uint64_t payload = 0;
	uint64_t rowid = 0;
	size_t local = 0;
	enum err e = ERR_OK;

	if (kind == INNER_INDEX)
		r.p += r.end - r.p >= 4 ? 4 : r.end - r.p;
	if (!varint(&r, &payload) || payload > PAYLOAD_MAX || (table && !varint(&r, &rowid)))
		return ERR_OK;
	local = local_size(c, table, payload);
	if ((size_t)(r.end - r.p) < local)
		return ERR_OK;
	if (local == payload)
		return record_read(c, (struct bytes){ r.p, local }, table, (int64_t)rowid);
	if ((size_t)(r.end - r.p) < local + 4)
		return ERR_OK;
	e = buf_put(&whole, r.p, local);
	if (e == ERR_OK && overflow_read(c, be32_get(r.p + local), payload, &whole))
		e = record_read(c, buf_bytes(&whole), table, (int64_t)rowid);
	buf_free(&whole);
	return e;
}

enum err carve_page(const struct carver *c, const uint8_t *page, bool first)
{
	const uint8_t *h = page + (first ? FILE_HEADER : 0);
	uint8_t kind = h[0];
	size_t header = kind == INNER_INDEX ? 12 : 8;
	size_t cells = be16_get(h + 3);
	enum err e = ERR_OK;

	if (kind != LEAF_TABLE && kind != LEAF_INDEX && kind != INNER_INDEX)
		return ERR_OK;
	for (size_t i = 0; e == ERR_OK && i < cells; i++) {
		const uint8_t *pointer = h + header + 2 * i;
		size_t at = 0;

		if (pointer + 2 > page + c->usable)
			break;
		at = be16_get(pointer);
		if (at < c->usable)
			e = cell_read(c, page, at, kind);
	}
	return e;
}

bool carved_is(const struct carved_row *row, const char *types)
{
	if (row->n != strlen(types))
		return false;
	for (size_t i = 0; i < row->n; i++) {
		enum carved_type t = row->column[i].type;
		char want = types[i];

		if (want == 'N' || ((want == 'I' || want == 'B') && t == CARVED_NULL))
			continue;
		if ((want == 'n' && t != CARVED_NULL) || ((want == 'i' || want == 'I') && t != CARVED_INT) ||
		    (want == 't' && t != CARVED_TEXT) || ((want == 'b' || want == 'B') && t != CARVED_BLOB))
			return false;
	}
	return true;
}
