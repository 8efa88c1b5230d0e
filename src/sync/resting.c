// SPDX-License-Identifier: EUPL-1.2
// Who was not heard of for long: the day of the last batch of each device, as it came here; of one that never wrote,
// the day from which somebody waited for it.
#include "sync/resting.h"

#include <stdio.h>
#include <string.h>

#include "base/codec.h"

#define META_SEEN "seen:"
#define META_NAMED "named:"
#define DAY_MS (24LL * 60 * 60 * 1000)

static enum err day_get(struct errctx *ec, struct sync *y, const char *what, struct device_id dev, int64_t *day)
{
	char name[24];
	struct buf b = { 0 };
	enum err e = ERR_OK;

	snprintf(name, sizeof(name), "%s", what);
	hex_put(dev.b, DEVICE_ID_LEN, name + strlen(what));
	e = store_meta_get(ec, y->store, name, &b);
	*day = e == ERR_OK && b.len == 4 ? (int64_t)be32_get(b.data) : 0;
	buf_free(&b);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err day_put(struct errctx *ec, struct sync *y, const char *what, struct device_id dev)
{
	int64_t today = clock_now(y->clock) / DAY_MS;
	char name[24];
	uint8_t b[4];

	if (today <= 0)
		return ERR_OK;
	snprintf(name, sizeof(name), "%s", what);
	hex_put(dev.b, DEVICE_ID_LEN, name + strlen(what));
	be32_put(b, (uint32_t)today);
	return store_meta_put(ec, y->store, name, (struct bytes){ b, sizeof(b) });
}

enum err device_seen_day(struct errctx *ec, struct sync *y, struct device_id dev, int64_t *day)
{
	return day_get(ec, y, META_SEEN, dev, day);
}

enum err device_was_seen(struct errctx *ec, struct sync *y, struct device_id dev)
{
	int64_t day = 0;
	enum err e = device_seen_day(ec, y, dev, &day);

	return e != ERR_OK || day == clock_now(y->clock) / DAY_MS ? e : day_put(ec, y, META_SEEN, dev);
}

enum err device_was_named(struct errctx *ec, struct sync *y, struct device_id dev)
{
	int64_t day = 0;
	enum err e = device_seen_day(ec, y, dev, &day);

	if (e == ERR_OK && day == 0)
		e = day_get(ec, y, META_NAMED, dev, &day);
	return e != ERR_OK || day > 0 ? e : day_put(ec, y, META_NAMED, dev);
}

enum err device_is_resting(struct errctx *ec, struct sync *y, const struct device_row *device, bool *out)
{
	int64_t day = 0;
	enum err e = ERR_OK;

	*out = device->state == DEVICE_RESTING;
	if (device->state != DEVICE_ACTIVE)
		return ERR_OK;
	e = device_seen_day(ec, y, device->id, &day);
	if (e == ERR_OK && day == 0)
		e = day_get(ec, y, META_NAMED, device->id, &day);
	*out = e == ERR_OK && day > 0 && clock_now(y->clock) / DAY_MS - day >= RESTING_DAYS;
	return e;
}

enum err device_quiet_days(struct errctx *ec, struct sync *y, struct device_id dev, int64_t *days)
{
	int64_t day = 0;
	enum err e = device_seen_day(ec, y, dev, &day);

	*days = -1;
	if (e == ERR_OK && day > 0)
		*days = clock_now(y->clock) / DAY_MS > day ? clock_now(y->clock) / DAY_MS - day : 0;
	return e;
}
