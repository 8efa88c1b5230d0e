// SPDX-License-Identifier: EUPL-1.2
// Sentences changed apart, put together. Serves M2: a proposal beside the concurrent texts, never in their place.
#include "model/merge3.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The parts of one text: sentences with the blanks after them, and line ends with those. */
struct parts {
	struct bytes *part;
	size_t n;
};

/* Sentences from..to of the base are replaced by `n` parts of another text. from == to: an addition before `from`. */
struct change {
	size_t from;
	size_t to;
	const struct bytes *part;
	size_t n;
};

struct changes {
	struct change *item;
	size_t n;
	struct bytes *kept; /* for each part of the base: how it stands in the other text; no length: it does not */
};

/* ---- Cutting ---- */

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The length of a mark that ends a sentence when a blank or the end follows; 0 where there is none. Three dots count
 * as their last. Beside ASCII: the Arabic question mark and full stop, the ellipsis, the Greek question mark's twin. */
static size_t mark_len(const uint8_t *p, size_t left)
{
	static const char *const marks[] = { ".", "!", "?", "\xd8\x9f", "\xdb\x94", "\xe2\x80\xa6" };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t len = strlen(marks[i]);

		if (len <= left && memcmp(p, marks[i], len) == 0)
			return len;
	}
	return 0;
}

/* The length of the first part. */
static size_t part_len(const uint8_t *p, size_t left)
{
	size_t i = 0;

	while (i < left && p[i] != '\n') {
		size_t mark = mark_len(p + i, left - i);

		i += mark > 0 ? mark : 1;
		if (mark > 0 && i < left && is_blank(p[i]))
			break;
	}
	while (i < left && is_blank(p[i]))
		i++;
	if (i < left && p[i] == '\n')
		i++;
	return i;
}

static enum err parts_cut(struct bytes text, struct parts *out, bool *fits)
{
	size_t room = text.len < MERGE3_PARTS_MAX ? text.len : MERGE3_PARTS_MAX; /* a part has at least one byte */
	size_t at = 0;

	*out = (struct parts){ calloc(room + 1, sizeof(*out->part)), 0 };
	if (out->part == NULL)
		return ERR_NO_MEMORY;
	while (at < text.len && out->n < MERGE3_PARTS_MAX) {
		size_t len = part_len(text.data + at, text.len - at);

		out->part[out->n++] = (struct bytes){ text.data + at, len };
		at += len;
	}
	*fits = at == text.len;
	return ERR_OK;
}

/* ---- What one text changed ---- */

/* Without the blanks and the line end behind it: a sentence is the same whether or not another follows it. */
static struct bytes core(struct bytes part)
{
	while (part.len > 1 && (is_blank(part.data[part.len - 1]) || part.data[part.len - 1] == '\n'))
		part.len--;
	return part;
}

static bool same(struct bytes a, struct bytes b)
{
	return bytes_cmp(core(a), core(b)) == 0;
}

/* len[i][j]: the longest common subsequence of the parts from i and from j on; 2 bytes each, rows of m + 1. */
static uint16_t *lcs_table(const struct bytes *a, size_t n, const struct bytes *b, size_t m)
{
	uint16_t *len = calloc((n + 1) * (m + 1), sizeof(*len));

	if (len == NULL)
		return NULL;
	for (size_t i = n; i-- > 0;) {
		for (size_t j = m; j-- > 0;) {
			uint16_t down = len[(i + 1) * (m + 1) + j];
			uint16_t right = len[i * (m + 1) + j + 1];

			len[i * (m + 1) + j] = same(a[i], b[j]) ? (uint16_t)(len[(i + 1) * (m + 1) + j + 1] + 1)
			                       : down > right   ? down
			                                        : right;
		}
	}
	return len;
}

static void change_add(struct changes *c, size_t base_from, size_t base_to, const struct bytes *part, size_t n)
{
	struct change *last = c->n > 0 ? &c->item[c->n - 1] : NULL;

	if (last != NULL && last->to == base_from && last->part + last->n == part) {
		last->to = base_to;
		last->n += n;
	} else {
		c->item[c->n++] = (struct change){ base_from, base_to, part, n };
	}
}

static enum err changes_find(const struct parts *base, const struct parts *text, struct changes *out)
{
	size_t head = 0;
	size_t n = base->n;
	size_t m = text->n;
	size_t i = 0;
	size_t j = 0;
	uint16_t *len = NULL;

	*out = (struct changes){ .item = calloc(base->n + text->n + 1, sizeof(*out->item)),
		                 .kept = calloc(base->n + 1, sizeof(*out->kept)) };
	if (out->item == NULL || out->kept == NULL)
		return ERR_NO_MEMORY;
	while (head < n && head < m && same(base->part[head], text->part[head])) {
		out->kept[head] = text->part[head];
		head++;
	}
	while (n > head && m > head && same(base->part[n - 1], text->part[m - 1])) {
		n--;
		m--;
		out->kept[n] = text->part[m];
	}
	len = lcs_table(base->part + head, n - head, text->part + head, m - head);
	if (len == NULL)
		return ERR_NO_MEMORY;
	while (head + i < n || head + j < m) {
		size_t row = m - head + 1;
		const struct bytes *part = text->part + head + j;

		if (head + i < n && head + j < m && same(base->part[head + i], *part)) {
			out->kept[head + i] = *part;
			i++;
			j++;
		} else if (head + j < m && (head + i == n || len[i * row + j + 1] >= len[(i + 1) * row + j])) {
			change_add(out, head + i, head + i, part, 1);
			j++;
		} else {
			change_add(out, head + i, head + i + 1, part, 0);
			i++;
		}
	}
	free(len);
	return ERR_OK;
}

/* ---- Putting together ---- */

static bool change_same(const struct change *a, const struct change *b)
{
	bool equal = a->from == b->from && a->to == b->to && a->n == b->n;

	for (size_t i = 0; equal && i < a->n; i++)
		equal = same(a->part[i], b->part[i]);
	return equal;
}

static bool is_addition(const struct change *c)
{
	return c->from == c->to;
}

/* Do they change the same sentences in different ways? An addition at the edge of a change does not touch it. */
static bool clash(const struct change *a, const struct change *b)
{
	if (change_same(a, b) || (is_addition(a) && is_addition(b)))
		return false;
	return a->from < b->to && b->from < a->to;
}

/* All changes of all texts: by place, an addition before a replacement that begins there, then by text. */
struct placed {
	struct change change;
	size_t text;
	size_t order;
};

static int compare_placed(const void *x, const void *y)
{
	const struct placed *a = x;
	const struct placed *b = y;

	if (a->change.from != b->change.from)
		return a->change.from < b->change.from ? -1 : 1;
	if (is_addition(&a->change) != is_addition(&b->change))
		return is_addition(&a->change) ? -1 : 1;
	if (a->text != b->text)
		return a->text < b->text ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* Drops what stands there already; false where two changes do not go together. */
static bool placed_settle(struct placed *p, size_t *n)
{
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++) {
		bool twice = false;

		for (size_t k = 0; k < kept; k++) {
			if (clash(&p[k].change, &p[i].change))
				return false;
			twice = twice || (p[k].text != p[i].text && change_same(&p[k].change, &p[i].change));
		}
		if (!twice)
			p[kept++] = p[i];
	}
	*n = kept;
	return true;
}

/* A part that something follows does not run into it: the last sentence of a text has no blank behind it. */
static enum err part_put(struct buf *out, size_t from, struct bytes part)
{
	enum err e = ERR_OK;
	uint8_t last = out->len > from ? out->data[out->len - 1] : '\n';

	if (part.len > 0 && part.data[0] != '\n' && last != '\n' && !is_blank(last))
		e = buf_put_byte(out, ' ');
	return e == ERR_OK ? buf_put(out, part.data, part.len) : e;
}

struct merging {
	struct parts base;
	struct parts text[MERGE3_TEXTS_MAX];
	struct changes changes[MERGE3_TEXTS_MAX];
	struct placed *placed;
};

/* A part that nobody changed, with the blanks and the line end behind it as somebody made them, if anybody did. */
static struct bytes untouched(const struct merging *m, size_t count, size_t at)
{
	for (size_t i = 0; i < count; i++)
		if (m->changes[i].kept[at].len > 0 && bytes_cmp(m->changes[i].kept[at], m->base.part[at]) != 0)
			return m->changes[i].kept[at];
	return m->base.part[at];
}

static enum err write_merged(const struct merging *m, size_t count, size_t n, struct buf *out)
{
	const struct parts *base = &m->base;
	const struct placed *p = m->placed;
	size_t from = out->len;
	size_t next = 0;
	enum err e = ERR_OK;

	for (size_t at = 0; at <= base->n && e == ERR_OK;) {
		bool replaced = false;

		for (; next < n && p[next].change.from == at && e == ERR_OK; next++) {
			const struct change *c = &p[next].change;

			for (size_t i = 0; i < c->n && e == ERR_OK; i++)
				e = part_put(out, from, c->part[i]);
			if (c->to > at) {
				at = c->to;
				replaced = true;
				next++;
				break;
			}
		}
		if (!replaced) {
			if (at < base->n && e == ERR_OK)
				e = part_put(out, from, untouched(m, count, at));
			at++;
		}
	}
	return e;
}

static void merging_free(struct merging *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < MERGE3_TEXTS_MAX; i++) {
		free(m->text[i].part);
		free(m->changes[i].item);
		free(m->changes[i].kept);
	}
	free(m->base.part);
	free(m->placed);
	free(m);
}

enum err merge3(struct bytes base, const struct bytes *texts, size_t count, struct buf *out, bool *clean)
{
	struct merging *m = calloc(1, sizeof(*m));
	size_t total = 0;
	size_t n = 0;
	bool fits = count <= MERGE3_TEXTS_MAX;
	size_t before = out->len;
	enum err e = m == NULL ? ERR_NO_MEMORY : ERR_OK;

	*clean = false;
	if (e == ERR_OK && fits)
		e = parts_cut(base, &m->base, &fits);
	for (size_t i = 0; i < count && e == ERR_OK && fits; i++) {
		e = parts_cut(texts[i], &m->text[i], &fits);
		if (e == ERR_OK && fits)
			e = changes_find(&m->base, &m->text[i], &m->changes[i]);
		total += fits ? m->changes[i].n : 0;
	}
	if (e != ERR_OK || !fits || total > MERGE3_PARTS_MAX)
		goto done;
	m->placed = calloc(total + 1, sizeof(*m->placed));
	if (m->placed == NULL) {
		e = ERR_NO_MEMORY;
		goto done;
	}
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < m->changes[i].n; k++)
			m->placed[n++] = (struct placed){ m->changes[i].item[k], i, k };
	qsort(m->placed, n, sizeof(*m->placed), compare_placed);
	if (!placed_settle(m->placed, &n))
		goto done;
	e = write_merged(m, count, n, out);
	*clean = e == ERR_OK;
	if (e != ERR_OK)
		out->len = before;
done:
	merging_free(m);
	return e;
}
