// SPDX-License-Identifier: EUPL-1.2
// Coming back with a recovery sheet: letters open, spaces are there again, and a fresh device takes the sheet's place
// (V4, S5: not before everything is here that was promised). What comes in is foreign bytes.
#include <stdlib.h>
#include <string.h>

#include "base/try.h"
#include "crypto/secret.h"
#include "sync/claims.h"
#include "sync/letters.h"
#include "sync/membership.h"
#include "sync/outbox.h"
#include "sync/paper.h"
#include "sync/space.h"

#define SPACES_MAX 1024 /* in a letter */

/* ---- Letters ---- */

struct paper_reader *paper_reader_new(const uint8_t secret[static SHEET_SECRET_LEN])
{
	struct paper_reader *r = secret_new(sizeof(*r));

	if (r == NULL)
		return NULL;
	memcpy(r->secret, secret, SHEET_SECRET_LEN);
	sheet_letter_keys(secret, r->letter, r->letter_secret, r->author);
	return r;
}

/* One space of a letter; `rest` goes on where letter_space_take() begins. */
struct told_space {
	uint32_t device;
	struct space_row row;
	struct wire_in rest;
};

static enum err told_space_get(struct wire_in *in, struct told_space *out)
{
	struct bytes raw = { 0 };
	struct bytes name = { 0 };
	uint64_t device = 0;
	uint64_t kind = 0;
	size_t n = 0;
	enum err e = ERR_OK;

	*out = (struct told_space){ .row.state = SPACE_MEMBER };
	TRY(wire_get_array(in, &n));
	MUST_BE(n == 2);
	TRY(wire_get_uint(in, &device));
	MUST_BE(device < SHEET_DEVICES);
	TRY(wire_get_raw(in, &raw));
	out->rest = wire_in(raw);
	TRY(wire_get_array(&out->rest, &n));
	MUST_BE(n == 8);
	TRY(wire_get_exact(&out->rest, out->row.id.b, SPACE_ID_LEN));
	TRY(wire_get_uint(&out->rest, &kind));
	TRY(wire_get_exact(&out->rest, out->row.tag.b, TAG_LEN));
	TRY(wire_get_text(&out->rest, &name));
	MUST_BE(name.len <= SPACE_NAME_MAX && kind >= SPACE_OWN && kind <= SPACE_NEIGHBOURHOOD);
	memcpy(out->row.name, name.data, name.len);
	out->row.kind = (enum space_kind)kind;
	out->device = (uint32_t)device;
done:
	return e;
}

/* The head of a letter; `in` goes on with its spaces. */
static enum err head_get(struct wire_in *in, struct paper_text *out, size_t *spaces)
{
	uint64_t v[5] = { 0 };
	size_t n = 0;
	enum err e = ERR_OK;

	TRY(wire_get_array(in, &n));
	MUST_BE(n == 6);
	for (size_t i = 0; i < 5; i++)
		TRY(wire_get_uint(in, &v[i]));
	MUST_BE(v[0] == 1 && v[1] > 0 && v[1] < INCARNATION_PAPER && v[2] <= UINT32_MAX && v[3] <= SHEET_DEVICES);
	out->number = (uint32_t)v[1];
	out->day = (uint32_t)v[2];
	out->next = (uint32_t)v[3];
	out->serial = v[4];
	TRY(wire_get_array(in, spaces));
	MUST_BE(*spaces <= SPACES_MAX);
done:
	return e;
}

enum err paper_open(const struct paper_reader *r, struct bytes file, struct paper_text *out)
{
	struct wire_in in;
	struct told_space s;
	uint8_t mac[HASH_LEN];
	size_t n = 0;
	enum err e = ERR_OK;

	*out = (struct paper_text){ 0 };
	TRY(join_unseal(file, BOX_PAPER, r->letter, r->letter_secret, &out->plain));
	MUST_BE(out->plain.len > HASH_LEN);
	out->plain.len -= HASH_LEN;
	paper_mac(r->author, buf_bytes(&out->plain), mac);
	MUST_BE(hash_equal(mac, out->plain.data + out->plain.len, HASH_LEN));
	in = wire_in(buf_bytes(&out->plain));
	TRY(head_get(&in, out, &n));
	for (size_t i = 0; i < n; i++) {
		TRY(told_space_get(&in, &s));
		if (s.row.kind == SPACE_OWN)
			strcpy(out->own, s.row.name);
	}
	TRY(wire_at_end(&in));
done:
	if (e != ERR_OK)
		buf_free(&out->plain);
	return e == ERR_OK || e == ERR_NO_MEMORY ? e : ERR_NOT_FOUND;
}

/* ---- Spaces ---- */

/* Is the space here, or another with its tag, by which files are sorted? */
static enum err is_here(struct errctx *ec, struct sync *y, const struct space_row *s, bool *here)
{
	struct space_row row;
	enum err e = space_by_id(ec, y, s->id, &row);

	if (e == ERR_NOT_FOUND)
		e = space_by_tag(ec, y, s->tag, &row);
	*here = e == ERR_OK;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* The sheet's keys are this home's in this space, for as long as it comes in. */
static enum err keys_take(const struct paper_reader *r, uint32_t number, struct told_space *s, struct device_keys **out)
{
	struct sheet_device *d = secret_new(sizeof(*d));
	struct device_keys *k = secret_new(sizeof(*k));
	enum err e = d == NULL || k == NULL ? ERR_NO_MEMORY : ERR_OK;

	if (e == ERR_OK) {
		sheet_device(r->secret, s->device, d);
		memcpy(k->public.tag.b, d->tag, TAG_LEN);
		memcpy(k->public.sign, d->sign, SIGN_PUBLIC_LEN);
		memcpy(k->public.box, d->box, BOX_PUBLIC_LEN);
		k->public.incarnation = INCARNATION_PAPER | number;
		memcpy(k->sign_secret, d->sign_secret, SIGN_SECRET_LEN);
		memcpy(k->box_secret, d->box_secret, BOX_SECRET_LEN);
		s->row.me = device_id_make(s->row.id, k->public.sign, k->public.incarnation);
		s->row.my_tag = k->public.tag;
		*out = k;
	} else {
		secret_free(k);
	}
	secret_free(d);
	return e;
}

static enum err space_take(struct errctx *ec, struct sync *y, const struct paper_reader *r, uint32_t number,
                           struct told_space *s)
{
	struct device_keys *keys = NULL;
	enum err e = keys_take(r, number, s, &keys);

	if (e == ERR_OK)
		e = store_space_add(ec, y->store, &s->row);
	if (e == ERR_OK)
		e = device_keys_save(ec, y, s->row.n, keys);
	if (e == ERR_OK)
		e = letter_space_take(ec, y, &s->row, &s->rest);
	if (e == ERR_OK)
		e = paper_device_note(ec, y, &s->row, s->device, s->row.me);
	device_keys_free(keys);
	return e;
}

/* Those that one letter adds belong to the neighbourhood of that letter. */
static enum err text_take(struct errctx *ec, struct sync *y, const struct paper_reader *r,
                          const struct paper_text *text, const char *remote, int64_t *neighbourhood, size_t *taken)
{
	struct wire_in in = wire_in(buf_bytes(&text->plain));
	struct paper_text head;
	size_t n = 0;
	enum err e = head_get(&in, &head, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct told_space s;
		bool here = false;

		e = told_space_get(&in, &s);
		if (e == ERR_OK)
			e = is_here(ec, y, &s.row, &here);
		if (e != ERR_OK || here)
			continue;
		if (s.row.kind == SPACE_NEIGHBOURHOOD)
			strcpy(s.row.remote, remote);
		e = space_take(ec, y, r, text->number, &s);
		if (e == ERR_OK && s.row.kind == SPACE_NEIGHBOURHOOD) {
			*neighbourhood = s.row.n;
			s.row.neighbourhood = s.row.n;
			e = store_space_update(ec, y->store, &s.row);
		}
		*taken += e == ERR_OK;
	}
	return e;
}

/* Those without one belong to the neighbourhood whose repository this is; not the own space that a new home began with,
 * where the lost one's comes in. */
static enum err all_adopt(struct errctx *ec, struct sync *y, const char *remote, int64_t neighbourhood)
{
	struct space_row *list = NULL;
	bool own = false;
	size_t n = 0;
	enum err e = store_space_list(ec, y->store, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		bool paper = false;

		if (list[i].state != SPACE_MEMBER)
			continue;
		if (neighbourhood == 0 && list[i].kind == SPACE_NEIGHBOURHOOD && strcmp(list[i].remote, remote) == 0)
			neighbourhood = list[i].n;
		e = device_is_paper(ec, y, list[i].n, &paper);
		own = own || (paper && list[i].kind == SPACE_OWN);
	}
	for (size_t i = 0; e == ERR_OK && neighbourhood != 0 && i < n; i++) {
		bool paper = false;

		if (list[i].state != SPACE_MEMBER || list[i].neighbourhood != 0)
			continue;
		e = device_is_paper(ec, y, list[i].n, &paper);
		if (e != ERR_OK || (own && !paper && list[i].kind == SPACE_OWN))
			continue;
		list[i].neighbourhood = neighbourhood;
		e = store_space_update(ec, y->store, &list[i]);
	}
	free(list);
	return e;
}

static int newest_first(const void *a, const void *b)
{
	const struct paper_text *const *x = a;
	const struct paper_text *const *y = b;

	return ((*x)->serial < (*y)->serial) - ((*x)->serial > (*y)->serial);
}

/* The home that comes back has this sheet too, where it has none yet. */
static enum err sheet_take(struct errctx *ec, struct sync *y, const struct paper_reader *r,
                           const struct paper_text *texts, size_t count)
{
	struct paper *p = NULL;
	enum err e = paper_get(ec, y, &p);
	bool same = false;

	if (e == ERR_NOT_FOUND) {
		p = paper_make(r->secret, texts[0].number, texts[0].day);
		e = p == NULL ? ERR_NO_MEMORY : ERR_OK;
	}
	same = e == ERR_OK && memcmp(p->letter, r->letter, BOX_PUBLIC_LEN) == 0;
	for (size_t i = 0; same && i < count; i++)
		p->next = texts[i].next > p->next ? texts[i].next : p->next;
	if (same)
		e = paper_put(ec, y, p);
	paper_free(p);
	return e;
}

enum err paper_take(struct errctx *ec, struct sync *y, const struct paper_reader *r, const struct paper_text *texts,
                    size_t count, const char *remote, size_t *taken)
{
	const struct paper_text **order = calloc(count + 1, sizeof(struct paper_text *));
	int64_t neighbourhood = 0;
	enum err e = order == NULL ? ERR_NO_MEMORY : ERR_OK;

	*taken = 0;
	for (size_t i = 0; e == ERR_OK && i < count; i++)
		order[i] = &texts[i];
	if (e == ERR_OK && count > 0)
		qsort(order, count, sizeof(struct paper_text *), newest_first);
	for (size_t i = 0; e == ERR_OK && i < count; i++)
		e = text_take(ec, y, r, order[i], remote, &neighbourhood, taken);
	if (e == ERR_OK && count > 0)
		e = sheet_take(ec, y, r, texts, count);
	if (e == ERR_OK && *taken > 0)
		e = all_adopt(ec, y, remote, neighbourhood);
	free(order);
	return e;
}

/* ---- Going on ---- */

/* The sheet was removed: nothing is written here any more, and its keys go. */
static enum err keys_drop(struct errctx *ec, struct sync *y, const struct space_row *space, struct device_keys *keys)
{
	enum err e = ERR_OK;

	memset(keys->sign_secret, 0, SIGN_SECRET_LEN);
	memset(keys->box_secret, 0, BOX_SECRET_LEN);
	e = device_keys_save(ec, y, space->n, keys);
	return e == ERR_OK ? store_forget_ask(ec, y->store) : e;
}

/* The sheet's one act: a fresh device of the same person. */
static enum err fresh_let_in(struct errctx *ec, struct sync *y, struct space_row *space)
{
	struct device_keys *fresh = device_keys_make(y->rng);
	struct admission a = { .space = space->n };
	struct claims people = { 0 };
	struct dot person = { 0 };
	enum err e = fresh == NULL ? ERR_NO_MEMORY : claims_load(ec, y, space, &people);

	if (e == ERR_OK)
		person = claims_of(&people, space->me);
	claims_free(&people);
	if (e == ERR_OK && dot_is_none(person))
		e = ERR_DAMAGED;
	if (e == ERR_OK) {
		a.device = &fresh->public;
		e = member_write(ec, y, &a, &person);
	}
	if (e == ERR_OK)
		e = outbox_seal(ec, y, space);
	if (e == ERR_OK) {
		space->me = device_id_make(space->id, fresh->public.sign, fresh->public.incarnation);
		space->my_tag = fresh->public.tag;
		e = store_space_update(ec, y->store, space);
	}
	if (e == ERR_OK)
		e = device_keys_save(ec, y, space->n, fresh);
	device_keys_free(fresh);
	return e == ERR_OK ? store_forget_ask(ec, y->store) : e;
}

enum err paper_give_way(struct errctx *ec, struct sync *y, const struct space_row *space)
{
	struct space_row row = *space;
	struct device_keys *keys = NULL;
	struct device_row me;
	enum err e = device_keys_load(ec, y, space->n, &keys);

	if (e == ERR_OK && (keys->public.incarnation & INCARNATION_PAPER) != 0) {
		e = store_device_by_id(ec, y->store, space->me, &me);
		if (e == ERR_OK)
			e = me.state == DEVICE_ACTIVE ? fresh_let_in(ec, y, &row) : keys_drop(ec, y, space, keys);
	}
	device_keys_free(keys);
	return e;
}
