// SPDX-License-Identifier: EUPL-1.2
// The reference model: what is written again under another name (S7). Two edits are the same words where they have one
// clock and say the same, up to what they name; nothing may be there twice.
#include <stdlib.h>
#include <string.h>

#include "sim/model_inside.h"
#include "sim/must.h"

#define ITEMS_MAX 64
#define SETTING 12

// ---- Do two edits say the same? ----

bool ref_get(struct bytes b, struct name *out)
{
	if (b.len <= DEV || b.len > DEV + 8)
		return false;
	memcpy(out->dev, b.data, DEV);
	out->counter = 0;
	for (size_t i = DEV; i < b.len; i++)
		out->counter = out->counter << 8 | b.data[i];
	return true;
}

/* Do two names mean what is one edit by its origin? */
static bool same_origin(const struct space *s, const struct name *a, const struct name *b)
{
	if (name_cmp(a, b) == 0)
		return true;
	for (size_t i = 0; i < s->n; i++) {
		for (size_t k = 0; name_cmp(&s->edit[i]->name, a) == 0 && k < s->n; k++) {
			if (name_cmp(&s->edit[k]->name, b) == 0 && s->edit[i]->origin == s->edit[k]->origin)
				return true;
		}
	}
	return false;
}

static bool same_item(const struct space *s, struct bytes a, struct bytes b, unsigned depth);

/* The lists of a value in their order; what is within them in any, for elements are sorted by what they name. */
static bool same_list(const struct space *s, struct in *x, struct in *y, size_t n, unsigned depth)
{
	struct bytes of[ITEMS_MAX];
	bool used[ITEMS_MAX] = { false };

	must(n <= ITEMS_MAX, "a value has too many items");
	for (size_t i = 0; i < n; i++)
		of[i] = item(y);
	for (size_t i = 0; i < n; i++) {
		struct bytes one = item(x);
		size_t k = depth == 0 ? i : 0;
		size_t end = depth == 0 ? i + 1 : n;

		while (k < end && (used[k] || !same_item(s, one, of[k], depth + 1)))
			k++;
		if (k == end)
			return false;
		used[k] = true;
	}
	return true;
}

/* `s` NULL: whatever they refer to. */
static bool same_item(const struct space *s, struct bytes a, struct bytes b, unsigned depth)
{
	struct in x = in_of(a);
	struct in y = in_of(b);
	struct name to[2];
	uint64_t n[2];
	unsigned major = 0;

	if (bytes_cmp(a, b) == 0)
		return true;
	if (a.len == 0 || b.len == 0)
		return false;
	major = a.data[0] >> 5;
	if (major != b.data[0] >> 5)
		return false;
	if (major == 2)
		return ref_get(string(&x, 2), &to[0]) && ref_get(string(&y, 2), &to[1]) &&
		       (s == NULL || same_origin(s, &to[0], &to[1]));
	head(&x, &n[0]);
	head(&y, &n[1]);
	return major == 4 && n[0] == n[1] && same_list(s, &x, &y, (size_t)n[0], depth);
}

static bool same_writes(const struct space *s, const struct made *a, const struct made *b)
{
	bool same = a->writes == b->writes && a->kind == b->kind;

	for (size_t i = 0; same && i < a->writes; i++)
		same = a->write[i].tag == b->write[i].tag && same_item(s, a->write[i].value, b->write[i].value, 0);
	return same;
}

static bool same_words(const struct space *s, const struct made *a, const struct made *b)
{
	return a->ms == b->ms && a->count == b->count && same_writes(s, a, b) &&
	       (a->kind != 0 || same_origin(s, &a->target, &b->target));
}

bool model_same(const struct model *m, size_t space, struct bytes edit, size_t was)
{
	const struct space *s = &m->space[space];
	struct made *e = must_calloc(1, sizeof(*e));
	bool same = made_get(edit, e) && same_words(s, e, s->edit[was]);

	free(e);
	return same;
}

int model_again(struct model *m, size_t space, struct bytes edit, const struct set *past, size_t was)
{
	struct space *s = &m->space[space];
	int e = edit_new(m, space, edit, past);

	if (e < 0)
		return e;
	s->edit[e]->origin = s->edit[was]->origin;
	return e;
}

size_t model_origin(const struct model *m, size_t space, size_t edit)
{
	return m->space[space].edit[edit]->origin;
}

uint64_t model_counter(const struct model *m, size_t space, size_t edit)
{
	return m->space[space].edit[edit]->name.counter;
}

bool model_doubled(struct model *m, size_t space, const struct set *has, const struct set *batches, int cut,
                   size_t *twice)
{
	const struct space *s = &m->space[space];
	struct look *v = NULL;
	bool is = false;

	for (size_t i = 0; i < s->n && !is; i++) {
		if (!set_has(has, i) || s->edit[i]->origin == i)
			continue;
		v = v == NULL ? look_new(s, batches, cut_of(s, cut)) : v;
		for (size_t k = 0; k < s->n && !is; k++)
			is = k != i && set_has(has, k) && s->edit[k]->origin == s->edit[i]->origin &&
			     look_counts(v, i) && look_counts(v, k);
		*twice = i;
	}
	if (v != NULL)
		look_free(v);
	return is;
}

void model_whole_batches(const struct model *m, size_t space, const uint8_t me[static 8], const struct set *batches,
                         struct set *past)
{
	const struct space *s = &m->space[space];

	for (size_t i = 0; i < s->batches; i++) {
		const struct sealed *b = s->batch[i];
		bool whole = true;

		if (!set_has(batches, i) || memcmp(b->dev, me, DEV) == 0)
			continue;
		for (size_t k = 0; k < s->n && whole; k++)
			whole = edit_batch(s->edit[k], batches) != (int)i || set_has(past, k);
		/* neither it nor what its author wrote after it */
		for (size_t k = 0; k < s->n && !whole; k++) {
			int in = edit_batch(s->edit[k], batches);

			if (in >= 0 && memcmp(s->batch[in]->dev, b->dev, DEV) == 0 && s->batch[in]->seq >= b->seq)
				set_drop(past, k);
		}
	}
}

// ---- From one space to another ----

/* The setting in which an own space has its name. */
static bool is_name(const struct made *e)
{
	static const uint8_t name[] = { 0x64, 'n', 'a', 'm', 'e' };
	bool is = false;

	for (size_t i = 0; e->kind == SETTING && i < e->writes; i++)
		is = is || bytes_cmp(e->write[i].value, (struct bytes){ name, sizeof(name) }) == 0;
	return is;
}

bool model_personal(const struct model *m, size_t space, size_t edit)
{
	const struct space *s = &m->space[space];
	const struct made *e = s->edit[edit];
	int first = edit_among(s, &e->target, &e->past);

	return edit_kind(s, e) != MEMBER && !is_name(e->kind != 0 || first < 0 ? e : s->edit[first]);
}

bool model_erased(const struct model *m, size_t space, const struct set *has, size_t edit)
{
	const struct space *s = &m->space[space];
	bool erased = false;

	for (size_t i = 0; i < s->n && !erased; i++) {
		const struct made *e = s->edit[i];

		for (size_t k = 0; set_has(has, i) && k < e->writes; k++)
			erased = erased ||
			         ((e->write[k].tag & 7) == ERASE && name_cmp(&e->target, &s->edit[edit]->target) == 0);
	}
	return erased;
}

bool model_carried(const struct model *m, size_t space, size_t edit, size_t to, const struct set *has,
                   const uint8_t dev[static 8])
{
	const struct space *s = &m->space[to];
	bool found = false;

	for (size_t i = 0; i < s->n && !found; i++)
		found = set_has(has, i) && memcmp(s->edit[i]->name.dev, dev, DEV) == 0 &&
		        same_writes(NULL, m->space[space].edit[edit], s->edit[i]);
	return found;
}
