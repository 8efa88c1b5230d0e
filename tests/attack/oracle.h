/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a sealed file is worth, judged a second time: straight from docs/FORMAT.md with libsodium and zlib, by no line
 * of src/. It knows what the members really made (the book), and the keys.
 *
 * It judges one way only: what it calls wrong must change nothing anywhere. What it finds nothing wrong with may still
 * be refused (the shapes of values, for one, are not its business).
 */
#ifndef SLB_TESTS_ATTACK_ORACLE_H
#define SLB_TESTS_ATTACK_ORACLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <zlib.h>

#include "base/buf.h"
#include "gen/dictionary.h"

#define BOOK_BATCHES 4000
#define BOOK_RECORDS 8000
#define BOOK_DEVICES 16
#define ORACLE_BODY (1 << 20)

struct book_space {
	uint8_t id[16];
	uint8_t tag[5];
};

struct book_device {
	size_t space;
	uint8_t id[8];
	uint8_t tag[5];
	uint8_t sign[32];
};

struct book_epoch {
	size_t space;
	uint8_t id[32];
	uint8_t key[32];
};

/* One batch that its author really made. */
struct book_batch {
	size_t dev;
	uint64_t seq;
	uint64_t counter; /* after it */
	uint8_t hash[32];
	uint64_t seen[BOOK_DEVICES]; /* numbers of batches: the whole context */
};

struct book_record {
	size_t dev;
	uint64_t counter;
};

struct book {
	struct book_space space[4];
	size_t spaces;
	struct book_device device[BOOK_DEVICES];
	size_t devices;
	struct book_epoch epoch[8];
	size_t epochs;
	struct book_batch batch[BOOK_BATCHES];
	size_t batches;
	struct book_record record[BOOK_RECORDS];
	size_t records;
};

enum verdict {
	WORTH_NOTHING, /* does not open, or nobody signed it */
	WORTH_KNOWN,   /* the very batch that its author made */
	WORTH_BROKEN,  /* signed by its author, against a rule */
	WORTH_EARLY,   /* signed; something before it is missing, or a newer program is */
	WORTH_FORK,    /* signed; its author made another with this number */
	WORTH_FITS,    /* signed, and nothing is wrong with it that is known here */
};

/* A batch as it was judged. */
struct judged {
	enum verdict verdict;
	const char *why;
	struct book_batch batch;
	struct book_record made[64]; /* records that it makes */
	size_t made_count;
};

/* ---- BLAKE2b over labelled parts ---- */

static inline void oracle_len(crypto_generichash_state *st, uint64_t n)
{
	uint8_t b[8];

	for (int i = 0; i < 8; i++)
		b[i] = (uint8_t)(n >> (56 - 8 * i));
	crypto_generichash_update(st, b, 8);
}

static inline void oracle_hash(const char *label, const uint8_t *key, const struct bytes *part, size_t n, uint8_t *out)
{
	crypto_generichash_state st;
	uint8_t len = (uint8_t)strlen(label);

	crypto_generichash_init(&st, key, key == NULL ? 0 : 32, 32);
	crypto_generichash_update(&st, &len, 1);
	crypto_generichash_update(&st, (const uint8_t *)label, len);
	for (size_t i = 0; i < n; i++) {
		oracle_len(&st, part[i].len);
		crypto_generichash_update(&st, part[i].data, part[i].len);
	}
	crypto_generichash_final(&st, out, 32);
}

/* ---- CBOR, shortest heads only ---- */

struct oracle_in {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

static inline unsigned oracle_head(struct oracle_in *in, uint64_t *v)
{
	static const uint64_t least[] = { 24, 1 << 8, 1 << 16, UINT64_C(1) << 32 };
	unsigned major = 0;
	unsigned low = 0;

	*v = 0;
	if (in->bad || in->p == in->end) {
		in->bad = true;
		return 8;
	}
	major = *in->p >> 5;
	low = *in->p++ & 31;
	if (low < 24) {
		*v = low;
		return major;
	}
	if (low > 27 || major == 7 || (size_t)(in->end - in->p) < (size_t)1 << (low - 24)) {
		in->bad = true;
		return 8;
	}
	for (unsigned i = 0; i < 1u << (low - 24); i++)
		*v = *v << 8 | *in->p++;
	in->bad = *v < least[low - 24];
	return major;
}

static inline uint64_t oracle_number(struct oracle_in *in)
{
	uint64_t v = 0;
	unsigned major = oracle_head(in, &v);

	in->bad = in->bad || major != 0;
	return in->bad ? 0 : v;
}

static inline uint64_t oracle_count(struct oracle_in *in)
{
	uint64_t v = 0;
	unsigned major = oracle_head(in, &v);

	in->bad = in->bad || major != 4 || v > (size_t)(in->end - in->p);
	return in->bad ? 0 : v;
}

static inline const uint8_t *oracle_bytes(struct oracle_in *in, size_t want)
{
	uint64_t v = 0;
	unsigned major = oracle_head(in, &v);
	const uint8_t *p = in->p;

	in->bad = in->bad || major != 2 || v != want || v > (size_t)(in->end - in->p);
	if (!in->bad)
		in->p += want;
	return p;
}

static inline void oracle_skip(struct oracle_in *in, unsigned depth)
{
	uint64_t v = 0;
	unsigned major = oracle_head(in, &v);

	if (in->bad || depth > 20) {
		in->bad = true;
	} else if (major == 2 || major == 3) {
		in->bad = v > (size_t)(in->end - in->p);
		in->p += in->bad ? 0 : v;
	} else if (major == 4 || major == 5) {
		for (uint64_t i = 0; i < (major == 5 ? 2 * v : v) && !in->bad; i++)
			oracle_skip(in, depth + 1);
	} else if (major > 5) {
		in->bad = major == 6 || v < 20 || v > 22;
	}
}

static inline bool oracle_null(struct oracle_in *in)
{
	if (in->bad || in->p == in->end || *in->p != 0xf6)
		return false;
	in->p++;
	return true;
}

/* ---- The book ---- */

static inline const struct book_batch *book_find(const struct book *b, size_t dev, uint64_t seq)
{
	for (size_t i = 0; i < b->batches; i++) {
		if (b->batch[i].dev == dev && b->batch[i].seq == seq)
			return &b->batch[i];
	}
	return NULL;
}

/* The newest of a device; NULL: none. */
static inline const struct book_batch *book_last(const struct book *b, size_t dev)
{
	const struct book_batch *last = NULL;

	for (size_t i = 0; i < b->batches; i++) {
		if (b->batch[i].dev == dev && (last == NULL || b->batch[i].seq > last->seq))
			last = &b->batch[i];
	}
	return last;
}

static inline bool book_has_record(const struct book *b, size_t dev, uint64_t counter)
{
	for (size_t i = 0; i < b->records; i++) {
		if (b->record[i].dev == dev && b->record[i].counter == counter)
			return true;
	}
	return false;
}

/* BOOK_DEVICES: nobody's. */
static inline size_t book_device(const struct book *b, const uint8_t *id)
{
	size_t i = 0;

	while (i < b->devices && memcmp(b->device[i].id, id, 8) != 0)
		i++;
	return i < b->devices ? i : BOOK_DEVICES;
}

/* What was judged to fit becomes a part of the book. */
static inline bool book_add(struct book *b, const struct judged *j)
{
	if (b->batches == BOOK_BATCHES || b->records + j->made_count > BOOK_RECORDS)
		return false;
	b->batch[b->batches++] = j->batch;
	memcpy(&b->record[b->records], j->made, j->made_count * sizeof(j->made[0]));
	b->records += j->made_count;
	return true;
}

/* ---- Judging ---- */

struct judging {
	const struct book *book;
	struct judged *out;
	size_t names[BOOK_DEVICES + 1]; /* BOOK_DEVICES: nobody here */
	size_t name_count;
	struct oracle_in in;
};

/* The worst stands: broken before early. */
static inline void judge(struct judging *j, enum verdict v, const char *why)
{
	if (j->out->verdict == WORTH_FITS || (j->out->verdict == WORTH_EARLY && v == WORTH_BROKEN)) {
		j->out->verdict = v;
		j->out->why = why;
	}
}

static inline void judge_names(struct judging *j)
{
	uint64_t n = oracle_count(&j->in);

	j->names[0] = j->out->batch.dev;
	j->name_count = 1;
	for (uint64_t i = 0; i < n && !j->in.bad; i++) {
		const uint8_t *id = oracle_bytes(&j->in, 8);

		if (j->in.bad || j->name_count > BOOK_DEVICES)
			return;
		j->names[j->name_count++] = book_device(j->book, id);
	}
}

static inline size_t judge_name(struct judging *j, bool *nobody)
{
	uint64_t i = oracle_number(&j->in);

	j->in.bad = j->in.bad || i >= j->name_count;
	*nobody = j->in.bad || j->names[i] == BOOK_DEVICES;
	return *nobody ? 0 : j->names[i];
}

static inline void judge_context(struct judging *j)
{
	uint64_t n = oracle_count(&j->in);
	size_t last = BOOK_DEVICES;

	for (uint64_t i = 0; i < n && !j->in.bad; i++) {
		bool nobody = false;
		const struct book_batch *known = NULL;
		const uint8_t *hash = NULL;
		uint64_t seq = 0;
		size_t dev = 0;

		if (oracle_count(&j->in) != 3)
			j->in.bad = true;
		dev = judge_name(j, &nobody);
		seq = oracle_number(&j->in);
		hash = oracle_bytes(&j->in, 8);
		if (j->in.bad)
			return;
		if (nobody) {
			judge(j, seq > 1ULL << 40 ? WORTH_BROKEN : WORTH_EARLY, "a device that nobody knows");
			continue;
		}
		known = book_find(j->book, dev, seq);
		if (dev == j->out->batch.dev || j->book->device[dev].space != j->book->device[j->out->batch.dev].space)
			judge(j, WORTH_BROKEN, "a context with itself, or another space");
		else if (last != BOOK_DEVICES && memcmp(j->book->device[last].id, j->book->device[dev].id, 8) >= 0)
			judge(j, WORTH_BROKEN, "a context out of order");
		else if (seq <= j->out->batch.seen[dev] || seq > (1ULL << 40) - 1)
			judge(j, WORTH_BROKEN, "a context that goes back, or out of bounds");
		else if (known == NULL)
			judge(j, WORTH_EARLY, "a context that does not exist");
		else if (memcmp(known->hash, hash, 8) != 0)
			judge(j, WORTH_BROKEN, "a context of another history");
		else
			j->out->batch.seen[dev] = seq;
		last = dev;
	}
}

static inline void judge_target(struct judging *j, uint64_t dot)
{
	const struct book_batch *seen = NULL;
	bool nobody = false;
	bool there = false;
	uint64_t counter = 0;
	size_t dev = 0;

	if (oracle_count(&j->in) != 2)
		j->in.bad = true;
	dev = judge_name(j, &nobody);
	counter = oracle_number(&j->in);
	if (j->in.bad)
		return;
	for (size_t i = 0; i < j->out->made_count; i++)
		there = there || (j->out->made[i].dev == dev && j->out->made[i].counter == counter);
	if (!nobody && dev != j->out->batch.dev)
		seen = book_find(j->book, dev, j->out->batch.seen[dev]);
	if (nobody || (dev == j->out->batch.dev ? counter >= dot : seen == NULL || counter > seen->counter))
		judge(j, WORTH_BROKEN, "about what its author had not seen");
	else if (!there && !book_has_record(j->book, dev, counter))
		judge(j, WORTH_BROKEN, "about no record");
	else if (j->book->device[dev].space != j->book->device[j->out->batch.dev].space)
		judge(j, WORTH_BROKEN, "about a record of another space");
}

static inline void judge_edit(struct judging *j, uint64_t dot)
{
	uint64_t items = oracle_count(&j->in);
	uint64_t n = 0;

	if (items < 3 || items % 2 == 0 || j->in.p == j->in.end) {
		j->in.bad = true;
		return;
	}
	if (*j->in.p >> 5 == 0) { /* a new record */
		if (oracle_number(&j->in) == 0)
			j->in.bad = true;
		if (j->out->made_count < sizeof(j->out->made) / sizeof(j->out->made[0]))
			j->out->made[j->out->made_count++] = (struct book_record){ j->out->batch.dev, dot };
	} else {
		judge_target(j, dot);
	}
	oracle_skip(&j->in, 0); /* the clock */
	if (!oracle_null(&j->in)) {
		n = oracle_count(&j->in);
		for (uint64_t i = 0; i < n && !j->in.bad; i++) {
			bool nobody = false;

			if (oracle_count(&j->in) != 2)
				j->in.bad = true;
			(void)judge_name(j, &nobody);
			(void)oracle_number(&j->in);
		}
	}
	for (uint64_t i = 3; i < items && !j->in.bad; i += 2) {
		(void)oracle_number(&j->in);
		oracle_skip(&j->in, 0);
	}
}

/* [epoch id, [[device, box key]...], [parents...]]. That recipients and parents are not those which the id commits to
 * is seen only by who holds the key, so it decides nothing about the batch. */
static inline void judge_epoch(struct judging *j)
{
	const uint8_t *id = oracle_count(&j->in) == 3 ? oracle_bytes(&j->in, 32) : NULL;
	uint64_t n = oracle_count(&j->in);

	for (uint64_t i = 0; i < n && !j->in.bad; i++) {
		if (oracle_count(&j->in) != 2)
			j->in.bad = true;
		(void)oracle_bytes(&j->in, 8);
		(void)oracle_bytes(&j->in, 32);
	}
	n = oracle_count(&j->in);
	for (uint64_t i = 0; i < n && !j->in.bad; i++)
		(void)oracle_bytes(&j->in, 32);
	j->in.bad = j->in.bad || id == NULL;
}

/* [kind, founder's signing key, nonce] gives the space's id, and the founder says it. */
static inline void judge_genesis(struct judging *j)
{
	const struct book_device *me = &j->book->device[j->out->batch.dev];
	uint64_t n = oracle_count(&j->in);
	uint8_t kind = (uint8_t)oracle_number(&j->in);
	const uint8_t *sign = oracle_bytes(&j->in, 32);
	const uint8_t *nonce = oracle_bytes(&j->in, 16);
	const struct bytes part[] = { { &kind, 1 }, { sign, 32 }, { nonce, 16 } };
	crypto_generichash_state st;
	uint8_t id[16];

	if (n != 3 || j->in.bad) {
		j->in.bad = true;
		return;
	}
	crypto_generichash_init(&st, NULL, 0, 16);
	crypto_generichash_update(&st, (const uint8_t *)"\x09slb space", 10);
	for (size_t i = 0; i < 3; i++) {
		oracle_len(&st, part[i].len);
		crypto_generichash_update(&st, part[i].data, part[i].len);
	}
	crypto_generichash_final(&st, id, 16);
	if (memcmp(id, j->book->space[me->space].id, 16) != 0 || memcmp(sign, me->sign, 32) != 0)
		judge(j, WORTH_BROKEN, "another genesis");
}

static inline void judge_controls(struct judging *j)
{
	uint64_t n = oracle_count(&j->in);

	for (uint64_t i = 0; i < n && !j->in.bad; i++) {
		struct oracle_in at;
		uint64_t type = 0;

		if (oracle_count(&j->in) != 2)
			j->in.bad = true;
		type = oracle_number(&j->in);
		at = j->in;
		oracle_skip(&j->in, 0);
		if (j->in.bad)
			return;
		if (type == 1 || type == 9) {
			struct oracle_in after = j->in;

			j->in = at;
			if (type == 1)
				judge_epoch(j);
			else
				judge_genesis(j);
			if (j->in.bad || j->in.p != after.p)
				judge(j, WORTH_BROKEN, "a control that is none");
			j->in = after;
		} else if (type % 2 == 1 && (type > 20 || *at.p >> 5 != 4)) {
			judge(j, WORTH_EARLY, "a control for a newer program");
		}
	}
}

static inline bool oracle_inflate(struct bytes in, uint8_t *out, size_t *len)
{
	z_stream s = { 0 };
	int rc = Z_OK;

	if (inflateInit2(&s, -15) != Z_OK)
		return false;
	(void)inflateSetDictionary(&s, dictionary, (uInt)dictionary_len);
	s.next_in = (uint8_t *)(uintptr_t)in.data;
	s.avail_in = (uInt)in.len;
	s.next_out = out;
	s.avail_out = ORACLE_BODY;
	rc = inflate(&s, Z_FINISH);
	*len = ORACLE_BODY - s.avail_out;
	inflateEnd(&s);
	return rc == Z_STREAM_END && s.avail_in == 0;
}

static inline void judge_body(struct judging *j, struct bytes deflated)
{
	static uint8_t plain[ORACLE_BODY];
	static const uint8_t zero[32];
	const struct book_batch *last = book_last(j->book, j->out->batch.dev);
	const uint8_t *prev = NULL;
	uint64_t first = 0;
	uint64_t n = 0;
	size_t len = 0;

	if (!oracle_inflate(deflated, plain, &len)) {
		judge(j, WORTH_BROKEN, "no deflated body");
		return;
	}
	j->in = (struct oracle_in){ plain, plain + len, false };
	if (oracle_count(&j->in) != 8 || oracle_number(&j->in) != 1)
		j->in.bad = true;
	prev = oracle_bytes(&j->in, 32);
	first = oracle_number(&j->in);
	(void)oracle_number(&j->in);
	if (!j->in.bad && (memcmp(prev, last == NULL ? zero : last->hash, 32) != 0 ||
	                   first != (last == NULL ? 0 : last->counter) + 1))
		judge(j, WORTH_BROKEN, "does not follow on its author's last");
	if (last != NULL)
		memcpy(j->out->batch.seen, last->seen, sizeof(last->seen));
	judge_names(j);
	judge_context(j);
	n = oracle_count(&j->in);
	for (uint64_t i = 0; i < n && !j->in.bad; i++)
		judge_edit(j, first + i);
	j->out->batch.counter = first + n - 1;
	judge_controls(j);
	if (j->in.bad || j->in.p != j->in.end)
		judge(j, WORTH_BROKEN, "no body");
}

/* Whoever has this tag in this space and signed it. */
static inline bool judge_author(struct judging *j, size_t space, const uint8_t *file, struct bytes part)
{
	const struct book *b = j->book;

	for (size_t i = 0; i < b->devices && part.len >= 64; i++) {
		const struct bytes parts[] = { { b->space[space].id, 16 },
			                       { b->device[i].id, 8 },
			                       { file + 50, 8 },
			                       { part.data + 64, part.len - 64 } };

		if (b->device[i].space != space || memcmp(b->device[i].tag, file + 13, 5) != 0)
			continue;
		oracle_hash("slb batch", NULL, parts, 4, j->out->batch.hash);
		j->out->batch.dev = i;
		if (crypto_sign_verify_detached(part.data, j->out->batch.hash, 32, b->device[i].sign) == 0)
			return true;
	}
	return false;
}

/* The signed part of a file in `plain` (as large as the file); false: it does not open. */
static inline bool oracle_unseal(const struct book *b, struct bytes file, size_t *space, uint8_t *plain,
                                 struct bytes *part)
{
	static const uint8_t begin[] = { 'S', 'L', 'K', 'B', 1, 1, 0, 0 };
	static const uint8_t none[6];
	uint8_t ad[68] = { 'S', 'B', '0', '9' };
	uint8_t key[32];
	struct bytes id = { file.data + 18, 32 };
	unsigned long long len = 0;
	uint64_t inner = 0;
	bool open = false;

	if (file.len < 64 + 40 + 4 || memcmp(file.data, begin, 8) != 0 || memcmp(file.data + 58, none, 6) != 0)
		return false;
	memcpy(ad + 4, file.data, 64);
	for (size_t i = 0; i < b->epochs && !open; i++) {
		*space = b->epoch[i].space;
		if (memcmp(b->epoch[i].id, id.data, 32) != 0 || memcmp(b->space[*space].tag, file.data + 8, 5) != 0)
			continue;
		oracle_hash("slb batch key", b->epoch[i].key, &id, 1, key);
		open = crypto_aead_xchacha20poly1305_ietf_decrypt(plain, &len, NULL, file.data + 88, file.len - 88, ad,
		                                                  sizeof(ad), file.data + 64, key) == 0;
	}
	if (!open)
		return false;
	for (int i = 0; i < 4; i++)
		inner = inner << 8 | plain[i];
	if (inner > len - 4)
		return false;
	for (size_t i = 4 + inner; i < len; i++) {
		if (plain[i] != 0)
			return false;
	}
	if (file.len <= 16384 && file.len != (64 + 40 + 4 + inner + 2047) / 2048 * 2048)
		return false;
	*part = (struct bytes){ plain + 4, inner };
	return true;
}

static inline void oracle_judge(const struct book *b, struct bytes file, struct judged *out)
{
	struct judging j = { .book = b, .out = out };
	uint8_t *plain = malloc(file.len + 1);
	struct bytes part = { 0 };
	const struct book_batch *known = NULL;
	const struct book_batch *last = NULL;
	size_t space = 0;

	*out = (struct judged){ .verdict = WORTH_NOTHING, .why = "does not open" };
	if (plain == NULL || !oracle_unseal(b, file, &space, plain, &part) ||
	    !judge_author(&j, space, file.data, part)) {
		free(plain);
		return;
	}
	for (size_t i = 50; i < 58; i++)
		out->batch.seq = out->batch.seq << 8 | file.data[i];
	out->verdict = WORTH_FITS;
	known = book_find(b, out->batch.dev, out->batch.seq);
	last = book_last(b, out->batch.dev);
	if (known != NULL) {
		out->verdict = memcmp(known->hash, out->batch.hash, 32) == 0 ? WORTH_KNOWN : WORTH_FORK;
	} else if (out->batch.seq != (last == NULL ? 0 : last->seq) + 1) {
		out->verdict = out->batch.seq == 0 || out->batch.seq > (1ULL << 40) - 1 ? WORTH_BROKEN : WORTH_EARLY;
		out->why = "not its author's next number";
	} else {
		judge_body(&j, (struct bytes){ part.data + 64, part.len - 64 });
	}
	free(plain);
}

#endif
