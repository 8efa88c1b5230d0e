/* SPDX-License-Identifier: EUPL-1.2 */
/* Batches that a member signs himself with a changed program: each as an honest program would make it next, with up to
 * three things changed in its fields, or with bytes of its body changed before they are signed. */
#ifndef SLB_TESTS_ATTACK_INSIDER_H
#define SLB_TESTS_ATTACK_INSIDER_H

#include "attack/forgeries.h"
#include "batch/zip.h"

struct own {
	struct arena *a;
	size_t space;
	size_t me;
	struct body body;
	struct context_entry context[BOOK_DEVICES + 2];
	struct edit edit;
	struct draft draft;
	struct edit pair[2]; /* a good one and then that, in four of ten batches: half of a batch is nothing */
	struct draft good;
	struct control control;
	struct buf payload;
	struct file_header head;
	size_t epoch;
	struct space_id sign_space;
	struct device_id sign_dev;
	uint64_t sign_seq;
};

static inline struct device_id id_of(const struct arena *a, size_t dev)
{
	struct device_id id;

	memcpy(id.b, a->book.device[dev].id, DEVICE_ID_LEN);
	return id;
}

static inline struct context_entry *context_of(struct own *o, struct device_id dev)
{
	for (size_t i = 0; i < o->body.context_count; i++) {
		if (device_cmp(o->context[i].dev, dev) == 0)
			return &o->context[i];
	}
	return NULL;
}

/* The forger's newest batch; in a space where he wrote nothing yet, one with number 0. */
static inline const struct book_batch *own_last(const struct own *o)
{
	static const struct book_batch none;
	const struct book_batch *last = book_last(&o->a->book, o->me);

	return last == NULL ? &none : last;
}

/* Puts or replaces an entry, in order. */
static inline void context_set(struct own *o, struct device_id dev, uint64_t seq, const uint8_t *hash)
{
	struct context_entry *c = context_of(o, dev);
	size_t i = o->body.context_count;

	if (c == NULL) {
		if (i == sizeof(o->context) / sizeof(o->context[0]))
			return;
		for (; i > 0 && device_cmp(o->context[i - 1].dev, dev) > 0; i--)
			o->context[i] = o->context[i - 1];
		c = &o->context[i];
		o->body.context_count++;
	}
	*c = (struct context_entry){ .dev = dev, .seq = seq };
	memcpy(c->hash, hash, VV_HASH_LEN);
}

static inline size_t other_device(struct own *o, bool same_space)
{
	size_t dev = 0;

	do
		dev = below(o->a, o->a->book.devices);
	while (dev == o->me || (o->a->book.device[dev].space == o->space) != same_space);
	return dev;
}

static inline void about(struct own *o, struct dot target)
{
	draft_free(&o->draft);
	o->edit.kind = dot_is_none(target) ? KIND_contact : KIND_none;
	o->edit.target = dot_is_none(target) ? o->edit.dot : target;
	if (dot_is_none(target))
		draft_int(&o->draft, F_contact_date, 20000);
	draft_long_text(&o->draft, F_contact_text, NULL, "tekst");
	assert_int_equal(draft_writes(&o->draft, &o->edit.writes, &o->edit.write_count), ERR_OK);
}

static inline void own_begin(struct own *o, struct arena *a, size_t space)
{
	const struct book_batch *last = NULL;

	*o = (struct own){ .a = a, .space = space, .me = a->device[TWEE][space] };
	last = own_last(o);
	o->sign_seq = last->seq + 1;
	o->body.first_counter = last->counter + 1;
	memcpy(o->body.prev, last->hash, BODY_HASH_LEN);
	o->body.context = o->context;
	for (size_t d = 0; d < a->book.devices; d++) {
		const struct book_batch *b = book_last(&a->book, d);

		if (d != o->me && a->book.device[d].space == space && b != NULL && b->seq > last->seen[d])
			context_set(o, id_of(a, d), b->seq, b->hash);
	}
	o->edit =
	    (struct edit){ .dot = { id_of(a, o->me), o->body.first_counter }, .clock = { (uint64_t)a->w.now_ms, 0 } };
	about(o, (struct dot){ 0 });
	o->body.edits = &o->edit;
	o->body.edit_count = 1;
	o->head = (struct file_header){ FILE_BATCH, a->row[TWEE][space].tag, a->row[TWEE][space].my_tag, { { 0 } }, 0 };
	while (a->book.epoch[o->epoch].space != space)
		o->epoch++;
	o->sign_space = a->row[TWEE][space].id;
	o->sign_dev = id_of(a, o->me);
	o->head.seq = o->sign_seq;
}

static inline void own_end(struct own *o)
{
	draft_free(&o->draft);
	draft_free(&o->good);
	buf_free(&o->payload);
}

static inline void good_one_first(struct own *o)
{
	struct edit *first = &o->pair[0];

	o->pair[1] = *first = o->edit;
	o->pair[1].dot.counter++;
	if (o->edit.kind != KIND_none)
		o->pair[1].target = o->pair[1].dot;
	first->kind = KIND_contact;
	first->target = first->dot;
	draft_int(&o->good, F_contact_date, 20001);
	assert_int_equal(draft_writes(&o->good, &first->writes, &first->write_count), ERR_OK);
	o->body.edits = o->pair;
	o->body.edit_count = 2;
}

/* ---- What is changed ---- */

static inline void number_up(struct own *o)
{
	o->head.seq = o->sign_seq += 1 + below(o->a, 5);
}

static inline void number_far(struct own *o)
{
	static const uint64_t far[] = { 0, 1ULL << 40, (1ULL << 40) - 1, UINT64_MAX, INT64_MAX };

	o->head.seq = o->sign_seq = far[below(o->a, 5)];
}

static inline void number_in_the_header_only(struct own *o)
{
	o->head.seq += 1 + below(o->a, 3);
}

static inline void prev_changed(struct own *o)
{
	const struct book_batch *other = &o->a->book.batch[below(o->a, o->a->book.batches)];

	switch (below(o->a, 3)) {
	case 0:
		o->body.prev[below(o->a, BODY_HASH_LEN)] ^= (uint8_t)(1u << below(o->a, 8));
		break;
	case 1:
		memset(o->body.prev, 0, BODY_HASH_LEN);
		break;
	default:
		if (other->dev != o->me)
			memcpy(o->body.prev, other->hash, BODY_HASH_LEN);
		else
			o->body.prev[31] ^= 1;
	}
}

static inline void counter_changed(struct own *o)
{
	uint64_t now = o->body.first_counter;
	const uint64_t to[] = { now + 1, now - 1, 1, 1ULL << 40, now + below(o->a, 100) + 1, (uint64_t)INT64_MAX - 3 };
	bool creates = o->edit.kind != KIND_none;

	o->body.first_counter = o->edit.dot.counter = to[below(o->a, 6)];
	if (creates)
		o->edit.target = o->edit.dot;
}

/* What its last batch had seen, or less. */
static inline void context_lowered(struct own *o)
{
	const struct book_batch *last = own_last(o);

	for (size_t d = 0; d < o->a->book.devices; d++) {
		const struct book_batch *b = NULL;

		if (d == o->me || o->a->book.device[d].space != o->space || last->seen[d] == 0)
			continue;
		b = book_find(&o->a->book, d, 1 + below(o->a, last->seen[d]));
		if (b != NULL)
			context_set(o, id_of(o->a, d), b->seq, b->hash);
	}
}

static inline void context_raised(struct own *o)
{
	size_t d = other_device(o, true);
	const struct book_batch *b = book_last(&o->a->book, d);
	const uint64_t to[] = { 1, 2, 1000, 1ULL << 40, (uint64_t)INT64_MAX };
	uint8_t hash[VV_HASH_LEN] = { 0 };

	context_set(o, id_of(o->a, d), (b == NULL ? 0 : b->seq) + to[below(o->a, 4)], b == NULL ? hash : b->hash);
}

static inline void context_of_itself(struct own *o)
{
	const struct book_batch *b = own_last(o);

	context_set(o, o->sign_dev, b->seq + below(o->a, 3), b->hash);
}

static inline void context_of_another_space(struct own *o)
{
	size_t d = other_device(o, false);
	const struct book_batch *b = book_last(&o->a->book, d);

	if (b == NULL)
		d = o->a->device[NUL][WEST];
	b = book_last(&o->a->book, d);
	context_set(o, id_of(o->a, d), b->seq, b->hash);
}

static inline void context_of_nobody(struct own *o)
{
	struct device_id id;
	uint8_t hash[VV_HASH_LEN];

	noise(o->a, id.b, sizeof(id.b));
	noise(o->a, hash, sizeof(hash));
	context_set(o, id, 1 + below(o->a, 3), hash);
}

static inline void context_of_another_history(struct own *o)
{
	size_t d = other_device(o, true);
	const struct book_batch *last = own_last(o);
	const struct book_batch *b = book_last(&o->a->book, d);
	uint8_t hash[VV_HASH_LEN];

	if (b == NULL || b->seq <= last->seen[d]) {
		prev_changed(o);
		return;
	}
	memcpy(hash, b->hash, VV_HASH_LEN);
	hash[below(o->a, VV_HASH_LEN)] ^= (uint8_t)(1u << below(o->a, 8));
	context_set(o, id_of(o->a, d), b->seq, hash);
}

/* Says that it has seen nothing new, and is about something new. */
static inline void about_what_it_has_not_seen(struct own *o)
{
	const struct book_batch *last = own_last(o);
	size_t d = other_device(o, true);
	const struct book_batch *b = last->seen[d] == 0 ? NULL : book_find(&o->a->book, d, last->seen[d]);

	o->body.context_count = 0;
	about(o, (struct dot){ id_of(o->a, d), (b == NULL ? 0 : b->counter) + 1 + below(o->a, 3) });
}

static inline void about_another_space(struct own *o)
{
	const struct book_record *r = NULL;

	do
		r = &o->a->book.record[below(o->a, o->a->book.records)];
	while (o->a->book.device[r->dev].space == o->space);
	about(o, (struct dot){ id_of(o->a, r->dev), r->counter });
}

static inline void about_nothing(struct own *o)
{
	struct dot d = { id_of(o->a, other_device(o, true)), 1 + below(o->a, 60) };

	if (random_chance(&o->a->rnd, 25))
		noise(o->a, d.dev.b, sizeof(d.dev.b));
	if (random_chance(&o->a->rnd, 25))
		d.counter = 1ULL << (40 + below(o->a, 22));
	about(o, d);
}

static inline void about_something(struct own *o)
{
	const struct book_record *r = NULL;

	do
		r = &o->a->book.record[below(o->a, o->a->book.records)];
	while (o->a->book.device[r->dev].space != o->space);
	if (r->dev != o->me || r->counter < o->edit.dot.counter)
		about(o, (struct dot){ id_of(o->a, r->dev), r->counter });
}

static inline void control_put(struct own *o, uint32_t type)
{
	o->control = (struct control){ type, buf_bytes(&o->payload) };
	o->body.controls = &o->control;
	o->body.control_count = 1;
}

static inline void control_unknown(struct own *o)
{
	buf_reset(&o->payload);
	assert_int_equal(wire_put_uint(&o->payload, below(o->a, 100)), ERR_OK);
	control_put(o, 21 + (uint32_t)below(o->a, 1000));
}

static inline void control_malformed(struct own *o)
{
	static const uint32_t types[] = { CONTROL_EPOCH, CONTROL_GENESIS };

	buf_reset(&o->payload);
	if (random_chance(&o->a->rnd, 50))
		assert_int_equal(wire_put_array(&o->payload, 0), ERR_OK);
	else
		assert_int_equal(wire_put_null(&o->payload), ERR_OK);
	control_put(o, types[below(o->a, 2)]);
}

/* An epoch that is known (the founder's, for himself alone) with other recipients or parents. */
static inline void control_epoch(struct own *o)
{
	size_t founder = o->space == PLEIN ? EEN : NUL;
	size_t epoch = o->space == PLEIN && random_chance(&o->a->rnd, 50) ? o->a->own_epoch : o->epoch;
	bool recipients = random_chance(&o->a->rnd, 50);
	size_t n = recipients ? 1 : below(o->a, 3);
	size_t parents = recipients ? 1 + below(o->a, 2) : below(o->a, 2);
	struct buf *p = &o->payload;
	uint8_t bytes[40];

	buf_reset(p);
	assert_int_equal(wire_put_array(p, 3), ERR_OK);
	assert_int_equal(wire_put_bytes(p, o->a->book.epoch[epoch].id, EPOCH_ID_LEN), ERR_OK);
	assert_int_equal(wire_put_array(p, n), ERR_OK);
	for (size_t i = 0; i < n; i++) {
		noise(o->a, bytes, sizeof(bytes));
		if (recipients || i == 1)
			memcpy(bytes, o->a->row[founder][o->space].me.b, DEVICE_ID_LEN);
		if (recipients)
			memcpy(bytes + DEVICE_ID_LEN, o->a->keys[founder][o->space]->public.box, BOX_PUBLIC_LEN);
		assert_int_equal(wire_put_array(p, 2), ERR_OK);
		assert_int_equal(wire_put_bytes(p, bytes, DEVICE_ID_LEN), ERR_OK);
		assert_int_equal(wire_put_bytes(p, bytes + DEVICE_ID_LEN, BOX_PUBLIC_LEN), ERR_OK);
	}
	assert_int_equal(wire_put_array(p, parents), ERR_OK);
	for (size_t i = 0; i < parents; i++) {
		noise(o->a, bytes, EPOCH_ID_LEN);
		assert_int_equal(wire_put_bytes(p, bytes, EPOCH_ID_LEN), ERR_OK);
	}
	control_put(o, CONTROL_EPOCH);
}

/* Of another space, or of this one by somebody who did not found it. */
static inline void control_genesis(struct own *o)
{
	struct buf *p = &o->payload;
	uint8_t nonce[SPACE_NONCE_LEN];

	buf_reset(p);
	noise(o->a, nonce, sizeof(nonce));
	assert_int_equal(wire_put_array(p, 3), ERR_OK);
	assert_int_equal(wire_put_uint(p, 1 + below(o->a, 3)), ERR_OK);
	assert_int_equal(wire_put_bytes(p, o->a->keys[TWEE][o->space]->public.sign, SIGN_PUBLIC_LEN), ERR_OK);
	assert_int_equal(wire_put_bytes(p, nonce, sizeof(nonce)), ERR_OK);
	control_put(o, CONTROL_GENESIS);
}

static inline void signed_for_another_space(struct own *o)
{
	o->sign_space = o->a->row[TWEE][1 - o->space].id;
}

static inline void signed_as_another(struct own *o)
{
	size_t d = other_device(o, random_chance(&o->a->rnd, 80));

	o->sign_dev = id_of(o->a, d);
	if (random_chance(&o->a->rnd, 70))
		memcpy(o->head.device.b, o->a->book.device[d].tag, TAG_LEN);
}

static inline void under_another_tag(struct own *o)
{
	o->head.device = some_tag(o->a);
}

static inline void under_another_epoch(struct own *o)
{
	o->epoch = below(o->a, o->a->book.epochs);
	if (random_chance(&o->a->rnd, 50))
		memcpy(o->head.space.b, o->a->book.space[o->a->book.epoch[o->epoch].space].tag, TAG_LEN);
}

static void (*const changes[])(struct own *o) = {
	number_up,
	number_far,
	number_in_the_header_only,
	prev_changed,
	counter_changed,
	context_lowered,
	context_raised,
	context_of_itself,
	context_of_another_space,
	context_of_nobody,
	context_of_another_history,
	about_what_it_has_not_seen,
	about_another_space,
	about_nothing,
	about_something,
	control_unknown,
	control_malformed,
	control_epoch,
	control_genesis,
	signed_for_another_space,
	signed_as_another,
	under_another_tag,
	under_another_epoch,
};

#define CHANGES (sizeof(changes) / sizeof(changes[0]))

/* ---- Making it ---- */

static inline void body_bytes_changed(struct arena *a, struct buf *cbor)
{
	size_t at = below(a, cbor->len);

	switch (below(a, 4)) {
	case 0:
		cbor->data[at] ^= (uint8_t)(1u << below(a, 8));
		break;
	case 1:
		cbor->data[at] = (uint8_t)random_next(&a->rnd);
		break;
	case 2:
		memmove(cbor->data + at, cbor->data + at + 1, cbor->len - at - 1);
		cbor->len--;
		break;
	default:
		put(cbor, "", 1);
		memmove(cbor->data + at + 1, cbor->data + at, cbor->len - at - 1);
		cbor->data[at] = (uint8_t)random_next(&a->rnd);
	}
}

/* False: no program's writer would write it. */
static inline bool own_make(struct own *o, bool change_bytes, struct buf *out)
{
	struct arena *a = o->a;
	struct buf cbor = { 0 };
	struct buf deflated = { 0 };
	struct buf part = { 0 };
	bool good = body_put(&o->body, o->edit.dot.dev, &cbor) == ERR_OK;

	if (good) {
		for (uint64_t i = 0; change_bytes && i < 1 + below(a, 3); i++)
			body_bytes_changed(a, &cbor);
		assert_int_equal(zip_deflate(a->w.app[TWEE]->zip, buf_bytes(&cbor), &deflated), ERR_OK);
		if (change_bytes && random_chance(&a->rnd, 10))
			deflated.data[below(a, deflated.len)] ^= (uint8_t)(1u << below(a, 8));
		if (change_bytes && random_chance(&a->rnd, 5))
			put(&deflated, cbor.data, 1 + below(a, 4));
		sign_as(o->sign_space, o->sign_dev.b, o->sign_seq, a->keys[TWEE][o->space]->sign_secret,
		        buf_bytes(&deflated), &part);
		seal_under(a, o->epoch, &o->head, buf_bytes(&part), out);
	}
	buf_free(&cbor);
	buf_free(&deflated);
	buf_free(&part);
	return good;
}

static inline size_t own_space(struct arena *a)
{
	return random_chance(&a->rnd, 80) ? PLEIN : WEST;
}

static inline void own_changed(struct arena *a, struct buf *out)
{
	struct own o;
	bool made = false;

	while (!made) {
		own_begin(&o, a, own_space(a));
		for (uint64_t i = 0; i < 1 + below(a, 3); i++)
			changes[below(a, CHANGES)](&o);
		if (random_chance(&a->rnd, 40))
			good_one_first(&o);
		made = own_make(&o, false, out);
		own_end(&o);
	}
}

static inline void own_bytes_changed(struct arena *a, struct buf *out)
{
	struct own o;

	own_begin(&o, a, PLEIN);
	if (random_chance(&a->rnd, 50))
		about_something(&o);
	assert_true(own_make(&o, true, out));
	own_end(&o);
}

/* What an honest program would make: it must be taken, or all of this proves nothing. */
static inline void own_honest(struct arena *a, struct buf *out)
{
	struct own o;

	own_begin(&o, a, PLEIN);
	if (random_chance(&a->rnd, 50))
		about_something(&o);
	assert_true(own_make(&o, false, out));
	own_end(&o);
}

#endif
