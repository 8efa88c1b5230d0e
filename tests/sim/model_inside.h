/* SPDX-License-Identifier: EUPL-1.2 */
/* Shared by the parts of the reference model: what it knows of edits and batches, and how it reads CBOR. */
#ifndef SLB_TESTS_SIM_MODEL_INSIDE_H
#define SLB_TESTS_SIM_MODEL_INSIDE_H

#include <string.h>

#include "sim/model.h"

#define DEV 8
#define WRITES_MAX 64
#define TWINS 6 /* batches of copies of one home that hold the same edit */

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
	int batch[TWINS]; /* that hold it */
	unsigned batches;
	size_t origin; /* the first that it was written as */
};

/* What a batch says of who belongs to the space. */
struct says {
	enum { ADMITS, GRANTS, TAKES, CUTS } what;
	size_t batch;
	uint64_t order; /* within the batch: controls by their place, then edits */
	uint8_t device[DEV];
	struct name person; /* where `on`: whose the other device is */
	bool fresh;         /* ADMITS: the same edit made the person's record */
	bool on;            /* ADMITS: of a device that goes on under this id and signed for it */
	uint8_t was[DEV];   /* that device */
	uint64_t forked; /* CUTS: it proves that the device signed two batches with this number; 0: it proves nothing */
	unsigned roles;
};

#define EDITS_FROM (UINT64_C(1) << 32) /* the order of edits within a batch, by their counters */

struct sealed {
	uint8_t dev[DEV];
	uint64_t seq;
	struct set past; /* batches, its author's own earlier ones among them, and all that those had seen */
	struct buf body;
	uint8_t hash[32]; /* zero: not told */
};

struct cut {
	uint8_t hash[32]; /* of the snapshot */
	int before;       /* the cut before it */
	struct set batches;
	struct set edits;  /* of those */
	struct set counts; /* of them */
	struct set final;  /* those that erase, and are not contested there */
};

struct space {
	uint8_t id[16];
	struct made **edit;
	size_t n;
	size_t cap;
	struct sealed **batch;
	size_t batches;
	size_t batch_cap;
	struct says *says;
	size_t says_n;
	size_t says_cap;
	struct cut *cut;
	size_t cuts;
	unsigned kind; /* 1 own, 2 circle, 3 neighbourhood; 0: the first batch is not known */
	uint8_t founder[DEV];
};

struct model {
	struct space space[MODEL_SPACES];
	size_t spaces;
};

#define MEMBER 1
#define MEMBER_ROLES (2u << 3 | SET)
#define MEMBER_DEVICES (3u << 3 | SET)
#define MEMBER_MET (4u << 3 | SET)
#define BUNDLE (5 + 32 + 32 + 4)

#define CONTESTS (1000u << 3 | SET)

#define COORDINATOR 2u
#define TELLER 4u

/* The right that a role gives, from its id as CBOR; 0: none. */
unsigned role_bit(struct bytes role);
/* The kind of the record that an edit is about. */
uint32_t edit_kind(const struct space *s, const struct made *e);

/* Reads an edit into an empty struct; values point into `bytes`. */
bool made_get(struct bytes bytes, struct made *out);
int name_cmp(const struct name *a, const struct name *b);
int edit_by_name(const struct space *s, const struct name *n);
/* Whether or not there is one of the same bytes. */
int edit_new(struct model *m, size_t space, struct bytes edit, const struct set *past);
/* The one of that name among these, rather than any; -1: there is none at all. */
int edit_among(const struct space *s, const struct name *n, const struct set *among);
/* The batch among these that holds it; -1: none does. */
int edit_batch(const struct made *e, const struct set *batches);
const struct wrote *write_of(const struct made *e, uint32_t tag);
/* NULL: not cut. */
const struct cut *cut_of(const struct space *s, int cut);
/* Does it erase its record? */
bool made_erases(const struct made *e);
/* Does it take back that erase, which its author had read? */
bool made_contests(const struct space *s, const struct made *e, size_t erase);
/* A reference: the device's 8 bytes and the counter without leading zeros. */
bool ref_get(struct bytes b, struct name *out);
/* The first 8 bytes of BLAKE2b("slb device"; space, signing key, incarnation): docs/FORMAT.md. */
void device_name(const uint8_t *space, const uint8_t *sign, const uint8_t *incarnation, uint8_t out[static DEV]);

/* Who belongs, for somebody who holds these batches. */
struct look;
/* `cut`: what lies below it is as it was judged there; NULL: nothing does. */
struct look *look_new(const struct space *s, const struct set *batches, const struct cut *cut);
void look_free(struct look *v);
/* Does an edit count there? */
bool look_counts(struct look *v, size_t edit);

/* ---- Reading CBOR ---- */

struct in {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

/* The head of an item: its major type, and its number. */
static inline unsigned head(struct in *in, uint64_t *value)
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

static inline uint64_t number(struct in *in)
{
	uint64_t v = 0;

	in->bad = in->bad || head(in, &v) != 0;
	return v;
}

static inline uint64_t count(struct in *in)
{
	uint64_t v = 0;

	in->bad = in->bad || head(in, &v) != 4;
	return in->bad ? 0 : v;
}

static inline struct bytes string(struct in *in, unsigned major)
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

static inline struct bytes item(struct in *in)
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

static inline struct in in_of(struct bytes b)
{
	return (struct in){ b.data, b.len == 0 ? b.data : b.data + b.len, b.len == 0 };
}

static inline struct name name_get(struct in *in)
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

#endif
