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

#include "sim/must.h"

#define DEV 8
#define WRITES_MAX 64

enum { REG, TEXT, SET, EVENTS, ERASE };

struct name {
	uint8_t dev[DEV];
	uint64_t counter;
};

struct wrote {
	uint32_t tag;
	struct bytes value;
};

struct made {
	struct name name;
	struct name target;
	uint32_t kind;
	uint64_t ms;
	uint64_t count;
	struct wrote write[WRITES_MAX];
	size_t writes;
	struct set past;
	uint64_t past_size;
	struct buf bytes;
};

struct space {
	uint8_t id[16];
	struct made **edit;
	size_t n;
	size_t cap;
};

struct model {
	struct space space[MODEL_SPACES];
	size_t spaces;
};

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

// ---- Reading CBOR ----

struct in {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

/* The head of an item: its major type, and its number. */
static unsigned head(struct in *in, uint64_t *value)
{
	unsigned major = 0;
	unsigned low = 0;
	unsigned more = 0;

	*value = 0;
	if (in->bad || in->p == in->end) {
		in->bad = true;
		return 8;
	}
	major = *in->p >> 5;
	low = *in->p++ & 31;
	if (low < 24) {
		*value = low;
		return major;
	}
	more = low > 27 ? 0 : 1u << (low - 24);
	if (more == 0 || (size_t)(in->end - in->p) < more) {
		in->bad = true;
		return 8;
	}
	while (more-- > 0)
		*value = *value << 8 | *in->p++;
	return major;
}

static uint64_t number(struct in *in)
{
	uint64_t v = 0;

	in->bad = in->bad || head(in, &v) != 0;
	return v;
}

static uint64_t count(struct in *in)
{
	uint64_t v = 0;

	in->bad = in->bad || head(in, &v) != 4;
	return in->bad ? 0 : v;
}

static struct bytes string(struct in *in, unsigned major)
{
	uint64_t v = 0;
	struct bytes out = { 0 };

	in->bad = in->bad || head(in, &v) != major || v > (uint64_t)(in->end - in->p);
	if (in->bad)
		return out;
	out = (struct bytes){ in->p, (size_t)v };
	in->p += v;
	return out;
}

static struct bytes item(struct in *in)
{
	const uint8_t *start = in->p;
	uint64_t open = 1;

	while (open > 0 && !in->bad) {
		uint64_t v = 0;
		unsigned major = head(in, &v);

		open--;
		if (major == 2 || major == 3) {
			if (v > (uint64_t)(in->end - in->p))
				in->bad = true;
			else
				in->p += v;
		} else if (major == 4) {
			open += v;
		} else if (major == 5) {
			open += 2 * v;
		}
	}
	return in->bad ? (struct bytes){ 0 } : (struct bytes){ start, (size_t)(in->p - start) };
}

static struct in in_of(struct bytes b)
{
	return (struct in){ b.data, b.len == 0 ? b.data : b.data + b.len, b.len == 0 };
}

static struct name name_get(struct in *in)
{
	struct name n = { .counter = 0 };
	struct bytes dev = { 0 };

	in->bad = in->bad || count(in) != 2;
	dev = string(in, 2);
	n.counter = number(in);
	in->bad = in->bad || dev.len != DEV;
	if (!in->bad)
		memcpy(n.dev, dev.data, DEV);
	return n;
}

/* [name, target, kind, ms, count, seen, tag, value, ...] */
static bool made_get(struct bytes bytes, struct made *out)
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

static int name_cmp(const struct name *a, const struct name *b)
{
	int c = memcmp(a->dev, b->dev, DEV);

	return c != 0 ? c : (a->counter > b->counter) - (a->counter < b->counter);
}

static int by_name(const struct space *s, const struct name *n)
{
	for (size_t i = s->n; i-- > 0;) {
		if (name_cmp(&s->edit[i]->name, n) == 0)
			return (int)i;
	}
	return -1;
}

int model_find(const struct model *m, size_t space, struct bytes edit)
{
	const struct space *s = &m->space[space];
	struct in in = in_of(edit);
	struct name n = { .counter = 0 };
	int i = 0;

	count(&in);
	n = name_get(&in);
	i = in.bad ? -1 : by_name(s, &n);
	if (i < 0)
		return MODEL_DAMAGED;
	return bytes_cmp(buf_bytes(&s->edit[i]->bytes), edit) == 0 ? i : MODEL_OTHER;
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

int model_add(struct model *m, size_t space, struct bytes edit, const struct set *past)
{
	struct space *s = &m->space[space];
	int known = model_find(m, space, edit);
	struct made *made = NULL;

	if (known == MODEL_OTHER || known >= 0)
		return known;
	made = must_calloc(1, sizeof(*made));
	put(&made->bytes, edit.data, edit.len);
	if (!made_get(buf_bytes(&made->bytes), made)) {
		free(made->bytes.data);
		free(made);
		return MODEL_DAMAGED;
	}
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

bool model_closed(const struct model *m, size_t space, const struct set *has)
{
	const struct space *s = &m->space[space];

	for (size_t i = 0; i < s->n; i++) {
		for (size_t k = 0; set_has(has, i) && k < MODEL_EDITS / 64; k++) {
			if ((s->edit[i]->past.w[k] & ~has->w[k]) != 0)
				return false;
		}
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
	size_t edit[MODEL_EDITS]; /* its edits */
	size_t edits;
	struct live *live;
	size_t lives;
	size_t live_cap;
};

static unsigned class_of(uint32_t tag)
{
	return (tag & 7) > ERASE ? REG : tag & 7;
}

static const struct wrote *write_of(const struct made *e, uint32_t tag)
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
			named = by_name(r->space, &which);
			if (named < 0 || !set_has(&by->past, (size_t)named))
				break;
		}
		lives_on(r, by, w->tag, w->value);
		break;
	default:
		lives_on(r, by, w->tag, w->value);
	}
}

static bool is_erased(const struct record *r)
{
	for (size_t k = 0; k < r->edits; k++) {
		const struct made *e = r->space->edit[r->edit[k]];

		for (size_t i = 0; i < e->writes; i++) {
			if (class_of(e->write[i].tag) == ERASE)
				return true;
		}
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
	uint32_t kind = 0;

	record_fill(r);
	if (r->lives > 0)
		qsort(r->live, r->lives, sizeof(*r->live), live_cmp);
	list = authors(r, &stamps);
	for (size_t k = 0; k < r->edits; k++)
		kind = r->space->edit[r->edit[k]]->kind != 0 ? r->space->edit[r->edit[k]]->kind : kind;
	put_head(out, 4, 4);
	put_head(out, 4, 2);
	put_name(out, &first->target);
	put_head(out, 0, kind);
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

/* Each record of `has`, ascending. */
typedef void (*record_fn)(void *arg, struct record *r);

static void records_each(struct model *m, size_t space, const struct set *has, record_fn each, void *arg)
{
	struct space *s = &m->space[space];
	size_t *order = must_calloc(s->n + 1, sizeof(*order));
	struct record *r = must_calloc(1, sizeof(*r));
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (set_has(has, i))
			order[n++] = i;
	}
	qsort_r(order, n, sizeof(*order), target_cmp, s);
	r->space = s;
	r->has = has;
	for (size_t i = 0; i < n;) {
		const struct name *target = &s->edit[order[i]]->target;

		r->edits = 0;
		for (; i < n && name_cmp(&s->edit[order[i]]->target, target) == 0; i++)
			r->edit[r->edits++] = order[i];
		each(arg, r);
	}
	free(r->live);
	free(r);
	free(order);
}

static void dump_one(void *arg, struct record *r)
{
	record_dump(r, arg);
}

void model_dump(struct model *m, size_t space, const struct set *has, struct buf *out)
{
	records_each(m, space, has, dump_one, out);
}

// ---- Members ----

#define MEMBER 1
#define MEMBER_DEVICES (3u << 3 | SET)
#define BUNDLE (5 + 32 + 32 + 4)

static int id_cmp(const void *a, const void *b)
{
	return memcmp(a, b, DEV);
}

static void hash_part(crypto_generichash_state *st, const void *data, size_t len)
{
	uint8_t be[8];

	for (int i = 0; i < 8; i++)
		be[i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
	crypto_generichash_update(st, be, sizeof(be));
	crypto_generichash_update(st, data, len);
}

/* The first 8 bytes of BLAKE2b("slb device"; space, signing key, incarnation): docs/FORMAT.md. */
static void device_id(const uint8_t *space, const uint8_t *bundle, uint8_t out[DEV])
{
	static const char label[] = "\012slb device";
	crypto_generichash_state st;
	uint8_t hash[32];

	crypto_generichash_init(&st, NULL, 0, sizeof(hash));
	crypto_generichash_update(&st, (const uint8_t *)label, sizeof(label) - 1);
	hash_part(&st, space, 16);
	hash_part(&st, bundle + 5, 32);
	hash_part(&st, bundle + 69, 4);
	crypto_generichash_final(&st, hash, sizeof(hash));
	memcpy(out, hash, DEV);
}

static void members_one(void *arg, struct record *r)
{
	struct model_devices *out = arg;
	uint32_t kind = 0;

	for (size_t k = 0; k < r->edits; k++)
		kind = r->space->edit[r->edit[k]]->kind != 0 ? r->space->edit[r->edit[k]]->kind : kind;
	if (kind != MEMBER)
		return;
	/* once registered, a device stays: what later edits do to the record changes nothing */
	for (size_t k = 0; k < r->edits; k++) {
		const struct wrote *w = write_of(r->space->edit[r->edit[k]], MEMBER_DEVICES);
		struct in in = in_of(w == NULL ? (struct bytes){ 0 } : w->value);

		if (w == NULL)
			continue;
		count(&in);
		for (uint64_t n = count(&in); n > 0 && !in.bad; n--) {
			struct bytes b = string(&in, 2);

			if (b.len != BUNDLE)
				continue;
			out->id = must_realloc(out->id, (out->n + 1) * sizeof(*out->id));
			device_id(r->space->id, b.data, out->id[out->n++]);
		}
	}
}

void model_members(struct model *m, size_t space, const struct set *has, struct model_devices *out)
{
	size_t kept = 0;

	*out = (struct model_devices){ 0 };
	records_each(m, space, has, members_one, out);
	if (out->n > 0)
		qsort(out->id, out->n, sizeof(*out->id), id_cmp);
	for (size_t i = 0; i < out->n; i++) {
		if (kept == 0 || memcmp(out->id[kept - 1], out->id[i], DEV) != 0)
			memmove(out->id[kept++], out->id[i], DEV);
	}
	out->n = kept;
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
