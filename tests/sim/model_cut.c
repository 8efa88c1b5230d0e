// SPDX-License-Identifier: EUPL-1.2
// The reference model: where logs are cut off (K3; docs/SYNC.md, "Erasure and compaction"). A cut is a set of batches.
// Of their edits it says once and for all which count and which erases are final; nothing is taken away here, so that
// what a home still holds can be held against it.
#include <stdlib.h>
#include <string.h>

#include "sim/model_inside.h"
#include "sim/must.h"

void model_batch_hash(struct model *m, size_t space, size_t batch, const uint8_t hash[static 32])
{
	memcpy(m->space[space].batch[batch]->hash, hash, 32);
}

int model_batch_hashed(const struct model *m, size_t space, const uint8_t hash[static 32])
{
	const struct space *s = &m->space[space];

	for (size_t i = s->batches; i-- > 0;) {
		if (memcmp(s->batch[i]->hash, hash, 32) == 0)
			return (int)i;
	}
	return MODEL_DAMAGED;
}

int model_batch_body(const struct model *m, size_t space, struct bytes body)
{
	const struct space *s = &m->space[space];

	for (size_t i = s->batches; i-- > 0;) {
		if (bytes_cmp(buf_bytes(&s->batch[i]->body), body) == 0)
			return (int)i;
	}
	return MODEL_DAMAGED;
}

const struct cut *cut_of(const struct space *s, int cut)
{
	return cut < 0 ? NULL : &s->cut[cut];
}

int model_cut_find(const struct model *m, size_t space, const uint8_t hash[static 32])
{
	const struct space *s = &m->space[space];

	for (size_t i = 0; i < s->cuts; i++) {
		if (memcmp(s->cut[i].hash, hash, 32) == 0)
			return (int)i;
	}
	return MODEL_UNCUT;
}

/* The elements that a write to a set adds. */
static bool adds_name(struct bytes write, const struct name *name)
{
	struct in in = in_of(write);
	bool found = false;

	count(&in);
	for (uint64_t n = count(&in); n > 0 && !in.bad && !found; n--) {
		struct bytes element = item(&in);
		struct in one = in_of(element);
		struct name named;

		found = ref_get(string(&one, 2), &named) && name_cmp(&named, name) == 0;
	}
	return found;
}

bool made_contests(const struct space *s, const struct made *e, size_t erase)
{
	const struct wrote *w = write_of(e, CONTESTS);

	return w != NULL && set_has(&e->past, erase) && adds_name(w->value, &s->edit[erase]->name);
}

/* Does an edit contest it that lies below the cut as well, and counts? */
static bool contested_below(const struct space *s, const struct cut *c, size_t erase)
{
	for (size_t i = 0; i < s->n; i++) {
		if (set_has(&c->counts, i) && made_contests(s, s->edit[i], erase) &&
		    name_cmp(&s->edit[i]->target, &s->edit[erase]->target) == 0)
			return true;
	}
	return false;
}

int model_cut(struct model *m, size_t space, const uint8_t hash[static 32], int before, const struct set *batches)
{
	struct space *s = &m->space[space];
	const struct cut *below = NULL;
	struct look *v = NULL;
	struct cut *c = NULL;

	s->cut = must_realloc(s->cut, (s->cuts + 1) * sizeof(*s->cut));
	below = cut_of(s, before);
	c = &s->cut[s->cuts++];
	*c = (struct cut){ .before = before, .batches = *batches };
	memcpy(c->hash, hash, 32);
	must(below == NULL || set_holds(batches, &below->batches), "a log was cut off below where it was before");
	model_edits_of(m, space, batches, &c->edits);
	v = look_new(s, batches, below);
	for (size_t i = 0; i < s->n; i++) {
		if (set_has(&c->edits, i) && look_counts(v, i))
			set_add(&c->counts, i);
	}
	look_free(v);
	for (size_t i = 0; i < s->n; i++) {
		if (below != NULL && set_has(&below->edits, i)
		        ? set_has(&below->final, i)
		        : set_has(&c->counts, i) && made_erases(s->edit[i]) && !contested_below(s, c, i))
			set_add(&c->final, i);
	}
	return (int)s->cuts - 1;
}

const struct set *model_cut_batches(const struct model *m, size_t space, int cut)
{
	return &m->space[space].cut[cut].batches;
}

const struct set *model_cut_edits(const struct model *m, size_t space, int cut)
{
	return &m->space[space].cut[cut].edits;
}

bool model_cut_gone(const struct model *m, size_t space, int cut, size_t edit)
{
	const struct space *s = &m->space[space];
	const struct cut *c = &s->cut[cut];
	const struct made *e = s->edit[edit];
	bool more = false;

	for (size_t i = 0; i < e->writes; i++)
		more = more || (e->write[i].tag & 7) != ERASE;
	if (!set_has(&c->edits, edit) || !more)
		return false;
	for (size_t i = 0; i < s->n; i++) {
		if (set_has(&c->final, i) && name_cmp(&s->edit[i]->target, &e->target) == 0)
			return true;
	}
	return false;
}

size_t model_cut_erases(const struct model *m, size_t space, int cut)
{
	const struct cut *c = &m->space[space].cut[cut];
	const struct cut *below = cut_of(&m->space[space], c->before);

	return set_size(&c->final) - (below == NULL ? 0 : set_size(&below->final));
}

/* ---- What everything came to ---- */

struct entry {
	struct name record;
	struct bytes bytes;
};

static int entry_cmp(const void *a, const void *b)
{
	return name_cmp(&((const struct entry *)a)->record, &((const struct entry *)b)->record);
}

/* [record, kind, stamps, fields], or [record, kind] of which nothing counts: false. */
static bool entry_get(struct in *in, struct entry *out)
{
	struct in one;
	uint64_t parts = 0;

	out->bytes = item(in);
	one = in_of(out->bytes);
	parts = count(&one);
	out->record = name_get(&one);
	must(!in->bad && !one.bad, "what a record came to cannot be read");
	return parts == 4;
}

void model_states(struct bytes entries, struct buf *out)
{
	struct in in = in_of(entries);
	struct entry *list = NULL;
	size_t n = 0;

	while (entries.len > 0 && in.p < in.end) {
		list = must_realloc(list, (n + 1) * sizeof(*list));
		n += entry_get(&in, &list[n]);
	}
	if (n > 0)
		qsort(list, n, sizeof(*list), entry_cmp);
	for (size_t i = 0; i < n; i++)
		must(buf_put(out, list[i].bytes.data, list[i].bytes.len) == ERR_OK, "out of memory");
	free(list);
}

void model_cut_dump(struct model *m, size_t space, int cut, struct buf *out)
{
	struct cut c = m->space[space].cut[cut];
	struct buf all = { 0 };

	model_dump(m, space, &c.edits, &c.batches, cut, &all);
	model_states(buf_bytes(&all), out);
	buf_free(&all);
}
