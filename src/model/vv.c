// SPDX-License-Identifier: EUPL-1.2
// Version vectors (what was seen) and hybrid clocks (who wins a tie), M4.
#include "model/vv.h"

#include <stdlib.h>
#include <string.h>

static size_t vv_place(const struct vv *v, struct device_id dev)
{
	size_t lo = 0;
	size_t hi = v->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (device_cmp(v->e[mid].dev, dev) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct vv_entry *vv_get(const struct vv *v, struct device_id dev)
{
	size_t i = vv_place(v, dev);

	return i < v->n && device_cmp(v->e[i].dev, dev) == 0 ? &v->e[i] : NULL;
}

static enum err vv_grow(struct vv *v, size_t cap)
{
	struct vv_entry *e = NULL;

	if (cap <= v->cap)
		return ERR_OK;
	e = realloc(v->e, cap * sizeof(*e));
	if (e == NULL)
		return ERR_NO_MEMORY;
	v->e = e;
	v->cap = cap;
	return ERR_OK;
}

enum err vv_set(struct vv *v, struct vv_entry entry)
{
	size_t i = vv_place(v, entry.dev);

	if (i < v->n && device_cmp(v->e[i].dev, entry.dev) == 0) {
		v->e[i] = entry;
		return ERR_OK;
	}
	if (v->n == v->cap && vv_grow(v, v->cap == 0 ? 8 : 2 * v->cap) != ERR_OK)
		return ERR_NO_MEMORY;
	memmove(v->e + i + 1, v->e + i, (v->n - i) * sizeof(*v->e));
	v->e[i] = entry;
	v->n++;
	return ERR_OK;
}

enum err vv_copy(const struct vv *from, struct vv *to)
{
	enum err e = vv_grow(to, from->n);

	if (e != ERR_OK)
		return e;
	if (from->n > 0)
		memcpy(to->e, from->e, from->n * sizeof(*from->e));
	to->n = from->n;
	return ERR_OK;
}

void vv_free(struct vv *v)
{
	free(v->e);
	*v = (struct vv){ 0 };
}

uint64_t vv_past(const struct vv *v)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < v->n; i++)
		sum = v->e[i].counter > UINT64_MAX - sum ? UINT64_MAX : sum + v->e[i].counter;
	return sum;
}

struct hlc hlc_tick(struct hlc *clock, int64_t now_ms)
{
	uint64_t now = now_ms < 0 ? 0 : (uint64_t)now_ms;

	if (now > clock->ms)
		*clock = (struct hlc){ now, 0 };
	else if (clock->count == UINT32_MAX)
		*clock = (struct hlc){ clock->ms + 1, 0 };
	else
		clock->count++;
	return *clock;
}

void hlc_see(struct hlc *clock, struct hlc seen, int64_t now_ms)
{
	uint64_t now = now_ms < 0 ? 0 : (uint64_t)now_ms;

	if (seen.ms > now + (uint64_t)HLC_DRIFT_MS)
		return;
	if (hlc_cmp(seen, *clock) > 0)
		*clock = seen;
}
