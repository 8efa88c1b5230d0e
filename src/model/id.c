// SPDX-License-Identifier: EUPL-1.2
// Names of devices, edits and records.
#include "model/id.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/codec.h"

void device_text(struct device_id dev, char out[static DEVICE_TEXT_LEN])
{
	base32_put(dev.b, DEVICE_ID_LEN, out);
}

void dot_text(struct dot d, char out[static DOT_TEXT_LEN])
{
	char dev[DEVICE_TEXT_LEN];

	device_text(d.dev, dev);
	snprintf(out, DOT_TEXT_LEN, "%" PRIu64 "-%s", d.counter, dev);
}

bool dot_parse(const char *text, struct dot *out)
{
	uint64_t n = 0;
	const char *p = text;

	if (*p < '1' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (n > (COUNTER_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (*p != '-' || !base32_get(p + 1, strlen(p + 1), out->dev.b, DEVICE_ID_LEN))
		return false;
	out->counter = n;
	return true;
}

size_t dot_ref_put(struct dot d, uint8_t out[static DOT_REF_MAX])
{
	uint8_t be[8];
	size_t skip = 0;

	be64_put(be, d.counter);
	while (skip < 7 && be[skip] == 0)
		skip++;
	memcpy(out, d.dev.b, DEVICE_ID_LEN);
	memcpy(out + DEVICE_ID_LEN, be + skip, 8 - skip);
	return DEVICE_ID_LEN + 8 - skip;
}

bool dot_ref_get(const uint8_t *in, size_t len, struct dot *out)
{
	uint64_t n = 0;

	if (len <= DEVICE_ID_LEN || len > DOT_REF_MAX || in[DEVICE_ID_LEN] == 0)
		return false;
	memcpy(out->dev.b, in, DEVICE_ID_LEN);
	for (size_t i = DEVICE_ID_LEN; i < len; i++)
		n = (n << 8) | in[i];
	out->counter = n;
	return n <= COUNTER_MAX;
}

void tag_text(struct tag t, char out[static TAG_TEXT_LEN])
{
	base32_put(t.b, TAG_LEN, out);
}

bool tag_parse(const char *text, struct tag *out)
{
	return base32_get(text, strlen(text), out->b, TAG_LEN);
}

void epoch_text(struct epoch_id id, char out[static TAG_TEXT_LEN])
{
	base32_put(id.b, TAG_LEN, out);
}
