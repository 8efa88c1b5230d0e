// SPDX-License-Identifier: EUPL-1.2
// The reference model: a second, slower reading of docs/MERGE.md.
//
//   REG, TEXT   a write lives until an edit that had read it writes the field
//   SET         an added element lives until an edit that had read the adding one adds or removes that element
//   EVENTS      every event lives; one that takes back an event only if its author had read that event
//   ERASE       every erase lives, and nothing else of its record does
#include "sim/model.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/model_inside.h"
#include "sim/must.h"

// ---- Sets ----

void set_add(struct set *s, size_t i)
{
	must(i < MODEL_EDITS, "a space has too many edits");
	s->w[i / 64] |= UINT64_C(1) << (i % 64);
}

bool set_has(const struct set *s, size_t i)
{
	return (s->w[i / 64] >> (i % 64) & 1) != 0;
}

void set_drop(struct set *s, size_t i)
{
	s->w[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

bool set_holds(const struct set *s, const struct set *part)
{
	bool all = true;

	for (size_t i = 0; i < MODEL_EDITS / 64; i++)
		all = all && (part->w[i] & ~s->w[i]) == 0;
	return all;
}

void set_join(struct set *s, const struct set *more)
{
	for (size_t i = 0; i < MODEL_EDITS / 64; i++)
		s->w[i] |= more->w[i];
}

size_t set_size(const struct set *s)
{
	size_t n = 0;

	for (size_t i = 0; i < MODEL_EDITS / 64; i++)
		n += (size_t)__builtin_popcountll(s->w[i]);
	return n;
}

/* [name, target, kind, ms, count, seen, tag, value, ...] */
bool made_get(struct bytes bytes, struct made *out)
{
	struct in in = in_of(bytes);
	uint64_t items = count(&in);

	out->name = name_get(&in);
	out->target = name_get(&in);
	out->kind = (uint32_t)number(&in);
	out->ms = number(&in);
	out->count = number(&in);
	item(&in);
	for (uint64_t i = 6; i + 1 < items && !in.bad; i += 2) {
		struct wrote *w = &out->write[out->writes++];

		must(out->writes <= WRITES_MAX, "an edit writes too many fields");
		w->tag = (uint32_t)number(&in);
		w->value = item(&in);
	}
	return !in.bad && in.p == in.end;
}

// ---- Writing CBOR ----

static void put(struct buf *out, const void *data, size_t len)
{
	must(buf_put(out, data, len) == ERR_OK, "out of memory");
}

static void put_head(struct buf *out, unsigned major, uint64_t v)
{
	unsigned more = v < 24 ? 0 : v <= UINT8_MAX ? 1 : v <= UINT16_MAX ? 2 : v <= UINT32_MAX ? 4 : 8;
	uint8_t b[9];

	b[0] = (uint8_t)(major << 5 | (more == 0   ? (unsigned)v
	                               : more == 1 ? 24u
	                               : more == 2 ? 25u
	                               : more == 4 ? 26u
	                                           : 27u));
	for (unsigned i = 0; i < more; i++)
		b[1 + i] = (uint8_t)(v >> (8 * (more - 1 - i)));
	put(out, b, 1 + more);
}

static void put_name(struct buf *out, const struct name *n)
{
	put_head(out, 2, DEV);
	put(out, n->dev, DEV);
	put_head(out, 0, n->counter);
}

// ---- Edits ----

struct model *model_new(void)
{
	return must_calloc(1, sizeof(struct model));
}

void model_free(struct model *m)
{
	if (m == NULL)
		return;
	for (size_t s = 0; s < m->spaces; s++) {
		for (size_t i = 0; i < m->space[s].n; i++) {
			free(m->space[s].edit[i]->bytes.data);
			free(m->space[s].edit[i]);
		}
		for (size_t i = 0; i < m->space[s].batches; i++) {
			free(m->space[s].batch[i]->body.data);
			free(m->space[s].batch[i]);
		}
		free(m->space[s].batch);
		free(m->space[s].cut);
		free(m->space[s].says);
		free(m->space[s].edit);
	}
	free(m);
}

size_t model_space(struct model *m, const uint8_t *id)
{
	for (size_t s = 0; s < m->spaces; s++) {
		if (memcmp(m->space[s].id, id, 16) == 0)
			return s;
	}
	must(m->spaces < MODEL_SPACES, "too many spaces");
	memcpy(m->space[m->spaces].id, id, 16);
	return m->spaces++;
}

int name_cmp(const struct name *a, const struct name *b)
{
	int c = memcmp(a->dev, b->dev, DEV);

	return c != 0 ? c : (a->counter > b->counter) - (a->counter < b->counter);
}

int edit_by_name(const struct space *s, const struct name *n)
{
	for (size_t i = s->n; i-- > 0;) {
		if (name_cmp(&s->edit[i]->name, n) == 0)
			return (int)i;
	}
	return -1;
}

int edit_among(const struct space *s, const struct name *n, const struct set *among)
{
	int any = -1;

	for (size_t i = s->n; i-- > 0;) {
		if (name_cmp(&s->edit[i]->name, n) != 0)
			continue;
		if (set_has(among, i))
			return (int)i;
		any = any < 0 ? (int)i : any;
	}
	return any;
}

int edit_batch(const struct made *e, const struct set *batches)
{
	for (unsigned i = 0; i < e->batches; i++) {
		if (set_has(batches, (size_t)e->batch[i]))
			return e->batch[i];
	}
	return -1;
}

int model_find(const struct model *m, size_t space, struct bytes edit)
{
	const struct space *s = &m->space[space];
	struct in in = in_of(edit);
	struct name n = { .counter = 0 };
	int found = MODEL_DAMAGED;

	count(&in);
	n = name_get(&in);
	for (size_t i = s->n; !in.bad && i-- > 0;) {
		if (name_cmp(&s->edit[i]->name, &n) != 0)
			continue;
		if (bytes_cmp(buf_bytes(&s->edit[i]->bytes), edit) == 0)
			return (int)i;
		found = MODEL_OTHER;
	}
	return found;
}

void model_author(struct bytes edit, uint8_t dev[static 8])
{
	struct in in = in_of(edit);
	struct name n = { .counter = 0 };

	count(&in);
	n = name_get(&in);
	must(!in.bad, "the log of a device holds what is no edit");
	memcpy(dev, n.dev, DEV);
}

int model_add(struct model *m, size_t space, struct bytes edit, const struct set *past, bool twin)
{
	int known = model_find(m, space, edit);

	return known >= 0 || (known == MODEL_OTHER && !twin) ? known : edit_new(m, space, edit, past);
}

int edit_new(struct model *m, size_t space, struct bytes edit, const struct set *past)
{
	struct space *s = &m->space[space];
	struct made *made = must_calloc(1, sizeof(*made));

	put(&made->bytes, edit.data, edit.len);
	if (!made_get(buf_bytes(&made->bytes), made)) {
		free(made->bytes.data);
		free(made);
		return MODEL_DAMAGED;
	}
	made->origin = s->n;
	made->past = *past;
	made->past_size = set_size(past);
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 64 : 2 * s->cap;
		s->edit = must_realloc(s->edit, s->cap * sizeof(*s->edit));
	}
	must(s->n < MODEL_EDITS, "a space has too many edits");
	s->edit[s->n] = made;
	return (int)s->n++;
}

void model_maker(const struct model *m, size_t space, size_t edit, uint8_t dev[static 8])
{
	memcpy(dev, m->space[space].edit[edit]->name.dev, DEV);
}

size_t model_count(const struct model *m, size_t space)
{
	return m->space[space].n;
}

uint64_t model_clock(const struct model *m, size_t space, size_t edit)
{
	return m->space[space].edit[edit]->ms;
}

const struct set *model_past(const struct model *m, size_t space, size_t edit)
{
	return &m->space[space].edit[edit]->past;
}

bool model_closed(const struct model *m, size_t space, const struct set *has, const struct set *beside)
{
	struct set all = *has;
	const struct space *s = &m->space[space];

	set_join(&all, beside);
	for (size_t i = 0; i < s->n; i++) {
		if (set_has(has, i) && !set_holds(&all, &s->edit[i]->past))
			return false;
	}
	return true;
}

// ---- What a record comes to ----

struct live {
	const struct made *by;
	uint32_t tag;
	struct bytes value;
};

struct record {
	const struct space *space;
	const struct set *has;
	size_t edit[MODEL_EDITS]; /* its edits that count */
	size_t edits;
	uint32_t kind; /* also where the edit that made it does not count */
	struct live *live;
	size_t lives;
	size_t live_cap;
};

static unsigned class_of(uint32_t tag)
{
	return (tag & 7) > ERASE ? REG : tag & 7;
}

const struct wrote *write_of(const struct made *e, uint32_t tag)
{
	for (size_t i = 0; i < e->writes; i++) {
		if (e->write[i].tag == tag)
			return &e->write[i];
	}
	return NULL;
}

/* Does a SET write speak of this element? */
static bool speaks_of(struct bytes write, struct bytes element)
{
	struct in in = in_of(write);

	count(&in);
	for (int half = 0; half < 2; half++) {
		for (uint64_t n = count(&in); n > 0 && !in.bad; n--) {
			if (bytes_cmp(item(&in), element) == 0)
				return true;
		}
	}
	return false;
}

/* Is there an edit that had read edit `i` and speaks of the same thing? */
static bool overtaken(const struct record *r, size_t i, uint32_t tag, const struct bytes *element)
{
	for (size_t k = 0; k < r->edits; k++) {
		const struct made *later = r->space->edit[r->edit[k]];
		const struct wrote *w = set_has(&later->past, i) ? write_of(later, tag) : NULL;

		if (w != NULL && (element == NULL || speaks_of(w->value, *element)))
			return true;
	}
	return false;
}

static void lives_on(struct record *r, const struct made *by, uint32_t tag, struct bytes value)
{
	if (r->lives == r->live_cap) {
		r->live_cap = r->live_cap == 0 ? 64 : 2 * r->live_cap;
		r->live = must_realloc(r->live, r->live_cap * sizeof(*r->live));
	}
	r->live[r->lives++] = (struct live){ by, tag, value };
}

/* ["fout", name]: the name as 8 bytes of device and the counter without leading zeros. */
static bool takes_back(struct bytes event, struct name *which)
{
	struct in in = in_of(event);
	struct bytes word = { 0 };
	struct bytes ref = { 0 };

	if (count(&in) != 2)
		return false;
	word = string(&in, 3);
	if (in.bad || word.len != 4 || memcmp(word.data, "fout", 4) != 0)
		return false;
	ref = string(&in, 2);
	if (in.bad || ref.len <= DEV || ref.len > DEV + 8)
		return false;
	memcpy(which->dev, ref.data, DEV);
	which->counter = 0;
	for (size_t i = DEV; i < ref.len; i++)
		which->counter = which->counter << 8 | ref.data[i];
	return true;
}

static void write_lives(struct record *r, size_t i, const struct wrote *w)
{
	const struct made *by = r->space->edit[i];
	struct name which = { .counter = 0 };
	struct in in = in_of(w->value);
	int named = 0;

	switch (class_of(w->tag)) {
	case REG:
	case TEXT:
		if (!overtaken(r, i, w->tag, NULL))
			lives_on(r, by, w->tag, w->value);
		break;
	case SET:
		count(&in);
		for (uint64_t n = count(&in); n > 0 && !in.bad; n--) {
			struct bytes element = item(&in);

			if (!overtaken(r, i, w->tag, &element))
				lives_on(r, by, w->tag, element);
		}
		break;
	case EVENTS:
		if (takes_back(w->value, &which)) {
			named = edit_among(r->space, &which, &by->past);
			if (named < 0 || !set_has(&by->past, (size_t)named))
				break;
		}
		lives_on(r, by, w->tag, w->value);
		break;
	default:
		lives_on(r, by, w->tag, w->value);
	}
}

bool made_erases(const struct made *e)
{
	for (size_t i = 0; i < e->writes; i++) {
		if (class_of(e->write[i].tag) == ERASE)
			return true;
	}
	return false;
}

static bool is_erased(const struct record *r)
{
	for (size_t k = 0; k < r->edits; k++) {
		if (made_erases(r->space->edit[r->edit[k]]))
			return true;
	}
	return false;
}

static void record_fill(struct record *r)
{
	bool erased = is_erased(r);

	r->lives = 0;
	for (size_t k = 0; k < r->edits; k++) {
		const struct made *e = r->space->edit[r->edit[k]];

		for (size_t i = 0; i < e->writes; i++) {
			if (!erased || class_of(e->write[i].tag) == ERASE)
				write_lives(r, r->edit[k], &e->write[i]);
		}
	}
}

// ---- The canonical dump ----

static int live_cmp(const void *a, const void *b)
{
	const struct live *x = a;
	const struct live *y = b;
	int c = (x->tag > y->tag) - (x->tag < y->tag);

	if (c == 0)
		c = name_cmp(&x->by->name, &y->by->name);
	return c != 0 ? c : bytes_cmp(x->value, y->value);
}

static int made_cmp(const void *a, const void *b)
{
	return name_cmp(&(*(const struct made *const *)a)->name, &(*(const struct made *const *)b)->name);
}

/* The edits of which something lives, ascending by name. */
static const struct made **authors(const struct record *r, size_t *n)
{
	const struct made **list = must_calloc(r->lives + 1, sizeof(*list));
	size_t kept = 0;

	for (size_t i = 0; i < r->lives; i++)
		list[i] = r->live[i].by;
	qsort(list, r->lives, sizeof(*list), made_cmp);
	for (size_t i = 0; i < r->lives; i++) {
		if (kept == 0 || list[kept - 1] != list[i])
			list[kept++] = list[i];
	}
	*n = kept;
	return list;
}

static void record_dump(struct record *r, struct buf *out)
{
	const struct made *first = r->space->edit[r->edit[0]];
	const struct made **list = NULL;
	size_t stamps = 0;
	size_t fields = 0;

	record_fill(r);
	if (r->lives > 0)
		qsort(r->live, r->lives, sizeof(*r->live), live_cmp);
	list = authors(r, &stamps);
	put_head(out, 4, 4);
	put_head(out, 4, 2);
	put_name(out, &first->target);
	put_head(out, 0, r->kind);
	put_head(out, 4, stamps);
	for (size_t i = 0; i < stamps; i++) {
		put_head(out, 4, 5);
		put_name(out, &list[i]->name);
		put_head(out, 0, list[i]->ms);
		put_head(out, 0, list[i]->count);
		put_head(out, 0, list[i]->past_size);
	}
	for (size_t i = 0; i < r->lives; i++)
		fields += i == 0 || r->live[i - 1].tag != r->live[i].tag;
	put_head(out, 5, fields);
	for (size_t i = 0; i < r->lives;) {
		size_t end = i;

		while (end < r->lives && r->live[end].tag == r->live[i].tag)
			end++;
		put_head(out, 0, r->live[i].tag);
		put_head(out, 4, end - i);
		for (; i < end; i++) {
			size_t at = 0;

			while (list[at] != r->live[i].by)
				at++;
			put_head(out, 4, 2);
			put_head(out, 0, at);
			put(out, r->live[i].value.data, r->live[i].value.len);
		}
	}
	free(list);
}

static int target_cmp(const void *a, const void *b, void *arg)
{
	const struct space *s = arg;
	size_t x = *(const size_t *)a;
	size_t y = *(const size_t *)b;
	int c = name_cmp(&s->edit[x]->target, &s->edit[y]->target);

	return c != 0 ? c : (x > y) - (x < y);
}

/* The next record: its edits that count, from order[i] on. */
static size_t record_take(struct record *r, struct look *v, const size_t *order, size_t n, size_t i)
{
	const struct space *s = r->space;
	const struct name *target = &s->edit[order[i]]->target;

	r->edits = 0;
	r->kind = 0;
	for (; i < n && name_cmp(&s->edit[order[i]]->target, target) == 0; i++) {
		r->kind = s->edit[order[i]]->kind != 0 ? s->edit[order[i]]->kind : r->kind;
		if (look_counts(v, order[i]))
			r->edit[r->edits++] = order[i];
	}
	return i;
}

/* Is it an erase that counts for nothing, because another edit of the record contests it? Below a cut that is settled.
 */
static bool contested(const struct record *r, const struct cut *cut, size_t edit)
{
	if (!made_erases(r->space->edit[edit]))
		return false;
	if (cut != NULL && set_has(&cut->edits, edit))
		return !set_has(&cut->final, edit);
	for (size_t k = 0; k < r->edits; k++) {
		if (made_contests(r->space, r->space->edit[r->edit[k]], edit))
			return true;
	}
	return false;
}

static void contested_drop(struct record *r, const struct cut *cut)
{
	size_t drop[MODEL_EDITS];
	size_t kept = 0;
	size_t n = 0;

	for (size_t k = 0; k < r->edits; k++) {
		if (contested(r, cut, r->edit[k]))
			drop[n++] = r->edit[k];
	}
	for (size_t k = 0, d = 0; n > 0 && k < r->edits; k++) {
		if (d < n && r->edit[k] == drop[d])
			d++;
		else
			r->edit[kept++] = r->edit[k];
	}
	r->edits = n > 0 ? kept : r->edits;
}

void model_dump(struct model *m, size_t space, const struct set *has, const struct set *batches, int cut,
                struct buf *out)
{
	struct space *s = &m->space[space];
	size_t *order = must_calloc(s->n + 1, sizeof(*order));
	struct record *r = must_calloc(1, sizeof(*r));
	struct look *v = look_new(s, batches, cut_of(s, cut));
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (set_has(has, i))
			order[n++] = i;
	}
	qsort_r(order, n, sizeof(*order), target_cmp, s);
	r->space = s;
	r->has = has;
	for (size_t i = 0; i < n;) {
		i = record_take(r, v, order, n, i);
		contested_drop(r, cut_of(s, cut));
		if (r->edits > 0)
			record_dump(r, out);
	}
	look_free(v);
	free(r->live);
	free(r);
	free(order);
}

// ---- Devices ----

static void hash_part(crypto_generichash_state *st, const void *data, size_t len)
{
	uint8_t be[8];

	for (int i = 0; i < 8; i++)
		be[i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
	crypto_generichash_update(st, be, sizeof(be));
	crypto_generichash_update(st, data, len);
}

void device_name(const uint8_t *space, const uint8_t *sign, const uint8_t *incarnation, uint8_t out[static DEV])
{
	static const char label[] = "\012slb device";
	crypto_generichash_state st;
	uint8_t hash[32];

	crypto_generichash_init(&st, NULL, 0, sizeof(hash));
	crypto_generichash_update(&st, (const uint8_t *)label, sizeof(label) - 1);
	hash_part(&st, space, 16);
	hash_part(&st, sign, 32);
	hash_part(&st, incarnation, 4);
	crypto_generichash_final(&st, hash, sizeof(hash));
	memcpy(out, hash, DEV);
}

void model_tell(const struct model *m, size_t space, size_t edit)
{
	const struct made *e = m->space[space].edit[edit];

	printf("#     edit %zu of space %zu: %02x%02x-%llu to %02x%02x-%llu, kind %u, clock %llu, past %llu, tags",
	       edit, space, e->name.dev[0], e->name.dev[1], (unsigned long long)e->name.counter, e->target.dev[0],
	       e->target.dev[1], (unsigned long long)e->target.counter, e->kind, (unsigned long long)e->ms,
	       (unsigned long long)e->past_size);
	for (size_t i = 0; i < e->writes; i++)
		printf(" %u", e->write[i].tag);
	printf("\n");
}
