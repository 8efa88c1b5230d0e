// SPDX-License-Identifier: EUPL-1.2
// One person for each device, the same everywhere (M1).
#include "sync/claims.h"

#include <stdlib.h>
#include <string.h>

#include "model/record.h"
#include "model/wire.h"
#include "sync/membership.h"

#define DEVICES_MAX 64 /* of one person, of whom words are made */

void claims_free(struct claims *p)
{
	free(p->device);
	free(p->named);
	*p = (struct claims){ 0 };
}

/* By device; of one device, the claim that holds comes first. */
static int by_device(const void *a, const void *b)
{
	const struct claim *x = a;
	const struct claim *y = b;
	int c = device_cmp(x->dev, y->dev);

	if (c == 0)
		c = y->holds - x->holds;
	if (c == 0)
		c = (x->past > y->past) - (x->past < y->past);
	return c != 0 ? c : dot_cmp(x->edit, y->edit);
}

static int by_person(const void *a, const void *b)
{
	const struct claim *x = a;
	const struct claim *y = b;
	int c = dot_cmp(x->person, y->person);

	return c != 0 ? c : memcmp(x->bundle, y->bundle, BUNDLE_LEN);
}

static int by_dot(const void *a, const void *b)
{
	return dot_cmp(*(const struct dot *)a, *(const struct dot *)b);
}

static enum err claim_add(struct claims *p, const struct claim *c)
{
	struct claim *list = realloc(p->device, (p->n + 1) * sizeof(*list));

	if (list == NULL)
		return ERR_NO_MEMORY;
	p->device = list;
	p->device[p->n++] = *c;
	return ERR_OK;
}

static enum err claims_add(struct claims *p, const struct space_row *space, const struct record *r)
{
	const struct field *f = record_field(r, F_member_devices);
	size_t before = p->n;

	for (size_t i = 0; f != NULL && i < f->n; i++) {
		struct wire_in in = wire_in(f->heads[i].value);
		struct claim c = { .person = r->id,
			           .edit = r->stamps[f->heads[i].stamp].dot,
			           .past = r->stamps[f->heads[i].stamp].past };
		struct bundle b;
		enum err e = ERR_OK;

		if (wire_get_exact(&in, c.bundle, BUNDLE_LEN) != ERR_OK)
			continue; /* of a newer version */
		bundle_get(c.bundle, &b);
		c.dev = device_id_make(space->id, b.sign, b.incarnation);
		e = claim_add(p, &c);
		if (e != ERR_OK)
			return e;
	}
	if (p->n > before)
		p->named[p->named_n++] = r->id;
	return ERR_OK;
}

/* Where membership has said whose a device is, that is it. */
static enum err claims_hold(struct errctx *ec, struct sync *y, struct claims *p)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < p->n; i++) {
		struct device_row row = { 0 };

		e = store_device_by_id(ec, y->store, p->device[i].dev, &row);
		p->device[i].holds =
		    e == ERR_OK && !dot_is_none(row.member) && dot_cmp(row.member, p->device[i].person) == 0;
		e = e == ERR_NOT_FOUND ? ERR_OK : e;
	}
	return e;
}

static bool claims_name(const struct claims *p, struct device_id dev)
{
	for (size_t i = 0; i < p->n; i++)
		if (device_cmp(p->device[i].dev, dev) == 0)
			return true;
	return false;
}

/* A device that goes on for another one (sync/again.h) stands in no record. */
static enum err claims_go_on(struct errctx *ec, struct sync *y, const struct space_row *space, struct claims *p)
{
	struct device_row *list = NULL;
	struct membership m = { 0 };
	size_t n = 0;
	enum err e = store_device_list(ec, y->store, space->n, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct claim c = { .dev = list[i].id, .person = list[i].member, .past = UINT64_MAX };
		size_t at = 0;

		if (list[i].state == DEVICE_NAMED || dot_is_none(c.person) || claims_name(p, c.dev))
			continue;
		if (m.bundles == 0)
			e = membership_load(ec, y, space, &m);
		while (at < m.bundles && device_cmp(m.bundle[at].device, c.dev) != 0)
			at++;
		if (e != ERR_OK || at == m.bundles)
			continue;
		bundle_put(&m.bundle[at].bundle, c.bundle);
		e = claim_add(p, &c);
	}
	membership_free(&m);
	free(list);
	return e;
}

enum err claims_load(struct errctx *ec, struct sync *y, const struct space_row *space, struct claims *out)
{
	struct dots ids = { 0 };
	size_t kept = 0;
	enum err e = store_of_kind(ec, y->store, KIND_member, space->n, &ids);

	*out = (struct claims){ .named = calloc(ids.n + 1, sizeof(struct dot)) };
	if (e == ERR_OK && out->named == NULL)
		e = ERR_NO_MEMORY;
	for (size_t i = 0; e == ERR_OK && i < ids.n; i++) {
		struct loaded l;

		e = store_load(ec, y->store, ids.d[i], &l);
		if (e != ERR_OK)
			break;
		e = claims_add(out, space, &l.record);
		store_loaded_free(&l);
	}
	dots_free(&ids);
	if (e == ERR_OK)
		e = claims_go_on(ec, y, space, out);
	if (e == ERR_OK)
		e = claims_hold(ec, y, out);
	if (e != ERR_OK)
		return e;
	if (out->n > 1)
		qsort(out->device, out->n, sizeof(*out->device), by_device);
	for (size_t i = 0; i < out->n; i++) {
		if (i == 0 || device_cmp(out->device[i].dev, out->device[kept - 1].dev) != 0)
			out->device[kept++] = out->device[i];
	}
	out->n = kept;
	if (out->n > 1)
		qsort(out->device, out->n, sizeof(*out->device), by_person);
	if (out->named_n > 1)
		qsort(out->named, out->named_n, sizeof(*out->named), by_dot);
	return ERR_OK;
}

struct dot claims_of(const struct claims *p, struct device_id dev)
{
	for (size_t i = 0; i < p->n; i++) {
		if (device_cmp(p->device[i].dev, dev) == 0)
			return p->device[i].person;
	}
	return (struct dot){ 0 };
}

size_t claims_devices(const struct claims *p, struct dot person, const struct claim **first)
{
	size_t n = 0;

	*first = NULL;
	for (size_t i = 0; i < p->n; i++) {
		if (dot_cmp(p->device[i].person, person) != 0)
			continue;
		if (n++ == 0)
			*first = &p->device[i];
	}
	return n;
}

bool claims_nobody(const struct claims *p, struct dot person)
{
	const struct claim *first = NULL;

	return claims_devices(p, person, &first) == 0 && p->named_n > 0 &&
	       bsearch(&person, p->named, p->named_n, sizeof(*p->named), by_dot) != NULL;
}

bool claims_fingerprint(const struct claims *p, struct dot person, uint8_t out[static HASH_LEN])
{
	const struct claim *first = NULL;
	struct bytes parts[DEVICES_MAX];
	size_t n = claims_devices(p, person, &first);

	n = n < DEVICES_MAX ? n : DEVICES_MAX;
	for (size_t i = 0; i < n; i++)
		parts[i] = (struct bytes){ first[i].bundle, BUNDLE_LEN };
	if (n > 0)
		hash_parts("slb fingerprint", NULL, parts, n, out, HASH_LEN);
	return n > 0;
}
