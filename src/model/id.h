/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Names of devices, edits and records.
 *
 * A device id is 8 bytes, BLAKE2b over the space, the device's signing key and its incarnation (computed in batch/).
 * A dot names one edit: the device that made it and that device's counter, from 1. A record's id is its creating dot.
 *
 * Text form of a dot: counter in decimal, '-', base32 of the device id (13 characters): "17-aebagbafaydqq".
 */
#ifndef SLB_MODEL_ID_H
#define SLB_MODEL_ID_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define DEVICE_ID_LEN 8
#define DOT_TEXT_LEN 36 /* with the NUL */
#define DEVICE_TEXT_LEN 14
#define SPACE_ID_LEN 16
#define EPOCH_ID_LEN 32
#define TAG_LEN 5      /* random; names a space or a device to the host */
#define TAG_TEXT_LEN 9 /* base32 with the NUL */

/* Counters and sequence numbers end here, so that they fit a signed 64-bit column. */
#define COUNTER_MAX ((uint64_t)INT64_MAX)

enum space_kind { SPACE_OWN = 1, SPACE_CIRCLE = 2, SPACE_NEIGHBOURHOOD = 3 };

struct space_id {
	uint8_t b[SPACE_ID_LEN];
};

struct epoch_id {
	uint8_t b[EPOCH_ID_LEN];
};

struct tag {
	uint8_t b[TAG_LEN];
};

struct device_id {
	uint8_t b[DEVICE_ID_LEN];
};

struct dot {
	struct device_id dev;
	uint64_t counter; /* 0: no dot */
};

static inline int device_cmp(struct device_id a, struct device_id b)
{
	return memcmp(a.b, b.b, DEVICE_ID_LEN);
}

static inline int dot_cmp(struct dot a, struct dot b)
{
	int c = device_cmp(a.dev, b.dev);

	return c != 0 ? c : (a.counter > b.counter) - (a.counter < b.counter);
}

static inline bool dot_is_none(struct dot d)
{
	return d.counter == 0;
}

void device_text(struct device_id dev, char out[static DEVICE_TEXT_LEN]);
void dot_text(struct dot d, char out[static DOT_TEXT_LEN]);
/* Tags name branches: lower-case base32. An epoch's part of a branch name is the first five bytes of its id. */
void tag_text(struct tag t, char out[static TAG_TEXT_LEN]);
bool tag_parse(const char *text, struct tag *out);
void epoch_text(struct epoch_id id, char out[static TAG_TEXT_LEN]);

/* A whole id only; shortened ids are looked up by the store. */
bool dot_parse(const char *text, struct dot *out);

/* A reference to a record as a field value: 8 bytes of device, then the counter, big-endian, without leading zeros.
 * `out` takes DOT_REF_MAX bytes; returns the length. */
#define DOT_REF_MAX 16
size_t dot_ref_put(struct dot d, uint8_t out[static DOT_REF_MAX]);
bool dot_ref_get(const uint8_t *in, size_t len, struct dot *out);

#endif
