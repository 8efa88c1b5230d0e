// SPDX-License-Identifier: EUPL-1.2
// The recovery sheet as a device, the side of a home that has one (V4): it is let in, told what it must know, and an
// earlier one is removed (K1).
#include "sync/paper.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/try.h"
#include "crypto/secret.h"
#include "model/wire.h"
#include "sync/claims.h"
#include "sync/floor.h"
#include "sync/letters.h"
#include "sync/outbox.h"
#include "sync/removal.h"
#include "sync/space.h"

#define KEPT_PAPER "paper"
#define KEPT_PAPER_DEVICE "paper-device"
#define KEPT_PAPER_LETTER "paper-letter"
#define PAPER_HEAD (12 + BOX_PUBLIC_LEN + SHEET_AUTHOR_LEN)
#define DEVICE_LEN (4 + DEVICE_ID_LEN)
#define LETTER_LEN (8 + 2 * HASH_LEN + 8)
/* What was written since is not promised by the last letter; so there is another now and then. */
#define LETTER_AGE_MS (7LL * 24 * 60 * 60 * 1000)

/* ---- What is kept of a sheet ---- */

struct paper *paper_make(const uint8_t secret[static SHEET_SECRET_LEN], uint32_t number, uint32_t day)
{
	struct paper *p = secret_new(sizeof(*p));
	struct sheet_device *d = secret_new(sizeof(*d));
	uint8_t *box_secret = secret_new(BOX_SECRET_LEN);

	if (p != NULL && d != NULL && box_secret != NULL) {
		*p = (struct paper){ .number = number, .day = day };
		sheet_letter_keys(secret, p->letter, box_secret, p->author);
		for (unsigned i = 0; i < SHEET_DEVICES; i++) {
			sheet_device(secret, i, d);
			memcpy(p->device[i].tag.b, d->tag, TAG_LEN);
			memcpy(p->device[i].sign, d->sign, SIGN_PUBLIC_LEN);
			memcpy(p->device[i].box, d->box, BOX_PUBLIC_LEN);
			p->device[i].incarnation = INCARNATION_PAPER | number;
		}
	} else {
		secret_free(p);
		p = NULL;
	}
	secret_free(d);
	secret_free(box_secret);
	return p;
}

_Static_assert(SHEET_TAG_LEN == TAG_LEN, "a sheet's tag is a device's");

void paper_free(struct paper *p)
{
	secret_free(p);
}

void paper_encode(const struct paper *p, uint8_t out[static PAPER_LEN])
{
	be32_put(out, p->number);
	be32_put(out + 4, p->day);
	be32_put(out + 8, p->next);
	memcpy(out + 12, p->letter, BOX_PUBLIC_LEN);
	memcpy(out + 12 + BOX_PUBLIC_LEN, p->author, SHEET_AUTHOR_LEN);
	for (size_t i = 0; i < SHEET_DEVICES; i++)
		bundle_put(&p->device[i], out + PAPER_HEAD + i * BUNDLE_LEN);
}

enum err paper_decode(struct bytes in, struct paper **out)
{
	struct paper *p = NULL;

	*out = NULL;
	if (in.len != PAPER_LEN)
		return ERR_DAMAGED;
	p = secret_new(sizeof(*p));
	if (p == NULL)
		return ERR_NO_MEMORY;
	p->number = be32_get(in.data);
	p->day = be32_get(in.data + 4);
	p->next = be32_get(in.data + 8);
	memcpy(p->letter, in.data + 12, BOX_PUBLIC_LEN);
	memcpy(p->author, in.data + 12 + BOX_PUBLIC_LEN, SHEET_AUTHOR_LEN);
	for (size_t i = 0; i < SHEET_DEVICES; i++)
		bundle_get(in.data + PAPER_HEAD + i * BUNDLE_LEN, &p->device[i]);
	*out = p;
	return ERR_OK;
}

enum err paper_put(struct errctx *ec, struct sync *y, const struct paper *p)
{
	uint8_t *b = secret_new(PAPER_LEN);
	enum err e = ERR_NO_MEMORY;

	if (b != NULL) {
		paper_encode(p, b);
		e = store_kept_put(ec, y->store, 0, KEPT_PAPER, (struct bytes){ b, PAPER_LEN });
	}
	secret_free(b);
	return e;
}

enum err paper_get(struct errctx *ec, struct sync *y, struct paper **out)
{
	struct buf b = { 0 };
	enum err e = store_kept_get(ec, y->store, 0, KEPT_PAPER, &b);

	*out = NULL;
	if (e == ERR_OK)
		e = paper_decode(buf_bytes(&b), out);
	buf_free(&b);
	if (e == ERR_DAMAGED)
		e = err_set(ec, e, "The vault holds something that cannot be right. Run verify.", NULL, NULL, NULL);
	return e;
}

enum err paper_device_note(struct errctx *ec, struct sync *y, const struct space_row *space, uint32_t number,
                           struct device_id id)
{
	uint8_t b[DEVICE_LEN];

	be32_put(b, number);
	memcpy(b + 4, id.b, DEVICE_ID_LEN);
	return store_kept_put(ec, y->store, space->n, KEPT_PAPER_DEVICE, (struct bytes){ b, sizeof(b) });
}

static struct device_id device_of(const struct paper *p, const struct space_row *space, uint32_t number)
{
	return device_id_make(space->id, p->device[number].sign, p->device[number].incarnation);
}

/* Which device of a sheet is in a space, and whether it is this sheet's. */
struct placed {
	bool any;
	bool current;
	uint32_t number;
	struct device_id id;
};

static enum err placed_get(struct errctx *ec, struct sync *y, const struct paper *p, const struct space_row *space,
                           struct placed *out)
{
	struct buf b = { 0 };
	struct device_id is;
	enum err e = store_kept_get(ec, y->store, space->n, KEPT_PAPER_DEVICE, &b);

	*out = (struct placed){ .any = e == ERR_OK && b.len == DEVICE_LEN };
	if (out->any) {
		out->number = be32_get(b.data);
		memcpy(out->id.b, b.data + 4, DEVICE_ID_LEN);
	}
	if (out->any && out->number < SHEET_DEVICES) {
		is = device_of(p, space, out->number);
		out->current = device_cmp(is, out->id) == 0;
	}
	buf_free(&b);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* ---- Letting it in ---- */

/* Can this home write in the space as its owner's device? */
static enum err may_tend(struct errctx *ec, struct sync *y, const struct space_row *space, bool *out)
{
	struct device_row me = { .state = DEVICE_NAMED };
	bool open = false;
	bool paper = false;
	enum err e = store_device_by_id(ec, y->store, space->me, &me);

	e = e == ERR_NOT_FOUND ? ERR_OK : e;
	*out = e == ERR_OK && me.state == DEVICE_ACTIVE && space->state == SPACE_MEMBER;
	if (*out)
		e = floor_open(ec, y, space->n, &open);
	if (e == ERR_OK && *out)
		e = device_is_paper(ec, y, space->n, &paper);
	*out = *out && !open && !paper;
	return e;
}

static enum err let_in(struct errctx *ec, struct sync *y, struct paper *p, const struct space_row *space)
{
	struct admission a = { .space = space->n, .device = &p->device[p->next] };
	struct claims people = { 0 };
	struct dot person = { 0 };
	enum err e = claims_load(ec, y, space, &people);

	if (e == ERR_OK)
		person = claims_of(&people, space->me);
	claims_free(&people);
	if (e != ERR_OK || dot_is_none(person))
		return e;
	e = member_write(ec, y, &a, &person);
	if (e == ERR_OK)
		e = paper_device_note(ec, y, space, p->next, device_of(p, space, p->next));
	p->next++;
	return e == ERR_OK ? paper_put(ec, y, p) : e;
}

enum err paper_tend(struct errctx *ec, struct sync *y, const struct space_row *space)
{
	struct paper *p = NULL;
	struct placed before = { 0 };
	struct device_row old;
	bool may = false;
	enum err e = paper_get(ec, y, &p);

	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e == ERR_OK)
		e = placed_get(ec, y, p, space, &before);
	if (e == ERR_OK && !before.current && p->next < SHEET_DEVICES)
		e = may_tend(ec, y, space, &may);
	if (e == ERR_OK && may)
		e = let_in(ec, y, p, space);
	if (e == ERR_OK && may && before.any) {
		e = store_device_by_id(ec, y->store, before.id, &old);
		if (e == ERR_OK && old.state == DEVICE_ACTIVE)
			e = device_remove(ec, y, space, before.id);
		e = e == ERR_NOT_FOUND ? ERR_OK : e;
	}
	paper_free(p);
	return e;
}

/* ---- Its letter ---- */

void paper_mac(const uint8_t author[static SHEET_AUTHOR_LEN], struct bytes plain, uint8_t out[static HASH_LEN])
{
	hash_parts("sleutelbos sheet letter mac 1", author, &plain, 1, out, HASH_LEN);
}

/* What there is to tell of a neighbourhood: its spaces in which the sheet is a device, with their epochs; and how far
 * every device has come. */
struct telling {
	struct space_row *space;
	uint32_t *number; /* the sheet's device in it */
	size_t n;
	uint8_t what[HASH_LEN];
	uint8_t heads[HASH_LEN];
};

static void telling_free(struct telling *t)
{
	free(t->space);
	free(t->number);
	*t = (struct telling){ 0 };
}

static enum err epochs_into(struct errctx *ec, struct sync *y, const struct space_row *space, struct buf *what)
{
	struct epoch_row *list = NULL;
	size_t n = 0;
	enum err e = store_epoch_list(ec, y->store, space->n, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		e = buf_put(what, list[i].id.b, EPOCH_ID_LEN);
		if (e == ERR_OK)
			e = buf_put_byte(what, (uint8_t)list[i].state);
	}
	free(list);
	return e;
}

static enum err heads_into(struct errctx *ec, struct sync *y, const struct space_row *space, struct buf *heads)
{
	struct vv v = { 0 };
	enum err e = store_vector(ec, y->store, space->n, &v);

	for (size_t i = 0; e == ERR_OK && i < v.n; i++)
		e = buf_put(heads, v.e[i].hash, VV_HASH_LEN);
	vv_free(&v);
	return e;
}

static enum err one_into(struct errctx *ec, struct sync *y, const struct paper *p, const struct space_row *space,
                         struct telling *t, struct buf *what, struct buf *heads)
{
	struct placed at = { 0 };
	bool open = true;
	enum err e = placed_get(ec, y, p, space, &at);

	if (e == ERR_OK && at.current)
		e = floor_open(ec, y, space->n, &open);
	if (e != ERR_OK || open)
		return e;
	t->space[t->n] = *space;
	t->number[t->n++] = at.number;
	e = buf_put(what, at.id.b, DEVICE_ID_LEN);
	if (e == ERR_OK)
		e = epochs_into(ec, y, space, what);
	return e == ERR_OK ? heads_into(ec, y, space, heads) : e;
}

static enum err telling_load(struct errctx *ec, struct sync *y, const struct paper *p, int64_t neighbourhood,
                             struct telling *out)
{
	struct space_row *list = NULL;
	struct buf what = { 0 };
	struct buf heads = { 0 };
	size_t n = 0;
	enum err e = store_space_list(ec, y->store, &list, &n);

	*out = (struct telling){ .space = calloc(n + 1, sizeof(*out->space)),
		                 .number = calloc(n + 1, sizeof(*out->number)) };
	if (e == ERR_OK && (out->space == NULL || out->number == NULL))
		e = ERR_NO_MEMORY;
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		if (list[i].neighbourhood == neighbourhood && list[i].state == SPACE_MEMBER)
			e = one_into(ec, y, p, &list[i], out, &what, &heads);
	if (e == ERR_OK)
		e = buf_put(&what, p->letter, BOX_PUBLIC_LEN);
	if (e == ERR_OK)
		hash_bytes("slb sheet letter tells", buf_bytes(&what), out->what);
	hash_bytes("slb sheet letter heads", buf_bytes(&heads), out->heads);
	buf_free(&what);
	buf_free(&heads);
	free(list);
	return e;
}

/* [1, number, day, next, serial, [[device's number, space]...]] and the author's word for it. */
static enum err letter_put(struct errctx *ec, struct sync *y, const struct paper *p, const struct telling *t,
                           uint64_t serial, struct buf *plain)
{
	uint8_t mac[HASH_LEN];
	enum err e = ERR_OK;

	TRY(wire_put_array(plain, 6));
	TRY(wire_put_uint(plain, 1));
	TRY(wire_put_uint(plain, p->number));
	TRY(wire_put_uint(plain, p->day));
	TRY(wire_put_uint(plain, p->next));
	TRY(wire_put_uint(plain, serial));
	TRY(wire_put_array(plain, t->n));
	for (size_t i = 0; i < t->n; i++) {
		TRY(wire_put_array(plain, 2));
		TRY(wire_put_uint(plain, t->number[i]));
		TRY(letter_space_put(ec, y, &t->space[i], plain));
	}
	paper_mac(p->author, buf_bytes(plain), mac);
	TRY(buf_put(plain, mac, sizeof(mac)));
done:
	return e;
}

static enum err letter_write(struct errctx *ec, struct sync *y, int64_t neighbourhood, const struct paper *p,
                             const struct telling *t, uint64_t serial)
{
	struct file_header h = { .type = FILE_PAPER };
	struct buf plain = { 0 };
	struct buf file = { 0 };
	char ref[REF_MAX + 1];
	uint8_t b[LETTER_LEN];
	enum err e = ERR_OK;

	TRY(letter_put(ec, y, p, t, serial, &plain));
	TRY(mailbox(ec, y, neighbourhood, ref, &h.device));
	TRY(join_seal(&h, BOX_PAPER, p->letter, buf_bytes(&plain), &file));
	TRY(letter_send(ec, y, neighbourhood, "paper", buf_bytes(&file)));
	be64_put(b, serial);
	memcpy(b + 8, t->what, HASH_LEN);
	memcpy(b + 8 + HASH_LEN, t->heads, HASH_LEN);
	be64_put(b + 8 + 2 * HASH_LEN, (uint64_t)clock_now(y->clock));
	TRY(store_kept_put(ec, y->store, neighbourhood, KEPT_PAPER_LETTER, (struct bytes){ b, sizeof(b) }));
done:
	buf_free(&plain);
	buf_free(&file);
	return e;
}

/* Does the last letter tell what there is now? *serial: its number. */
static enum err letter_stands(struct errctx *ec, struct sync *y, int64_t neighbourhood, const struct telling *t,
                              bool aged, uint64_t *serial, bool *stands)
{
	struct buf b = { 0 };
	int64_t at = 0;
	enum err e = store_kept_get(ec, y->store, neighbourhood, KEPT_PAPER_LETTER, &b);

	*stands = false;
	*serial = 0;
	if (e == ERR_OK && b.len == LETTER_LEN) {
		*serial = be64_get(b.data);
		at = (int64_t)be64_get(b.data + 8 + 2 * HASH_LEN);
		*stands = memcmp(b.data + 8, t->what, HASH_LEN) == 0;
		if (aged && memcmp(b.data + 8 + HASH_LEN, t->heads, HASH_LEN) != 0 &&
		    clock_now(y->clock) - at > LETTER_AGE_MS)
			*stands = false;
	}
	buf_free(&b);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err paper_letter(struct errctx *ec, struct sync *y, int64_t neighbourhood)
{
	struct paper *p = NULL;
	struct telling t = { 0 };
	uint64_t serial = 0;
	bool stands = true;
	enum err e = paper_get(ec, y, &p);

	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e == ERR_OK)
		e = telling_load(ec, y, p, neighbourhood, &t);
	if (e == ERR_OK && t.n > 0)
		e = letter_stands(ec, y, neighbourhood, &t, true, &serial, &stands);
	if (e == ERR_OK && !stands)
		e = letter_write(ec, y, neighbourhood, p, &t, serial + 1);
	telling_free(&t);
	paper_free(p);
	return e;
}

enum err paper_reaches(struct errctx *ec, struct sync *y, const struct space_row *space, bool *out)
{
	struct paper *p = NULL;
	struct telling t = { 0 };
	struct placed at = { 0 };
	uint64_t serial = 0;
	uint64_t files = 0;
	uint64_t edits = 0;
	enum err e = space->neighbourhood == 0 ? ERR_NOT_FOUND : paper_get(ec, y, &p);

	*out = false;
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e == ERR_OK)
		e = placed_get(ec, y, p, space, &at);
	if (e == ERR_OK && at.current)
		e = telling_load(ec, y, p, space->neighbourhood, &t);
	if (e == ERR_OK && at.current)
		e = letter_stands(ec, y, space->neighbourhood, &t, false, &serial, out);
	if (e == ERR_OK && *out)
		e = store_outgoing_count(ec, y->store, space->neighbourhood, &files, &edits);
	*out = *out && serial > 0 && (files == 0 || edits > 0);
	telling_free(&t);
	paper_free(p);
	return e;
}
