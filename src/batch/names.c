// SPDX-License-Identifier: EUPL-1.2
// Names that commit to keys: a space to its founder, a device to its key, an epoch to its key and recipients (K1).
#include "batch/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "crypto/hash.h"

struct space_id space_id_make(enum space_kind kind, const uint8_t founder[static SIGN_PUBLIC_LEN],
                              const uint8_t nonce[static SPACE_NONCE_LEN])
{
	uint8_t k = (uint8_t)kind;
	const struct bytes parts[] = { { &k, 1 }, { founder, SIGN_PUBLIC_LEN }, { nonce, SPACE_NONCE_LEN } };
	struct space_id id;

	hash_parts("slb space", NULL, parts, 3, id.b, sizeof(id.b));
	return id;
}

struct device_id device_id_make(struct space_id space, const uint8_t sign_public[static SIGN_PUBLIC_LEN],
                                uint32_t incarnation)
{
	uint8_t inc[4];
	const struct bytes parts[] = { { space.b, SPACE_ID_LEN },
		                       { sign_public, SIGN_PUBLIC_LEN },
		                       { inc, sizeof(inc) } };
	uint8_t full[HASH_LEN];
	struct device_id id;

	be32_put(inc, incarnation);
	hash_parts("slb device", NULL, parts, 3, full, sizeof(full));
	memcpy(id.b, full, DEVICE_ID_LEN);
	return id;
}

static int recipient_cmp(const void *a, const void *b)
{
	const struct recipient *x = a;
	const struct recipient *y = b;

	return memcmp(x, y, sizeof(*x));
}

static int epoch_cmp(const void *a, const void *b)
{
	return memcmp(a, b, EPOCH_ID_LEN);
}

_Static_assert(sizeof(struct recipient) == DEVICE_ID_LEN + BOX_PUBLIC_LEN, "recipients are hashed as they lie");

void recipients_hash(struct recipient *recipients, size_t count, uint8_t out[static 32])
{
	if (count > 1)
		qsort(recipients, count, sizeof(*recipients), recipient_cmp);
	hash_bytes("slb recipients", (struct bytes){ (const uint8_t *)recipients, count * sizeof(*recipients) }, out);
}

void parents_hash(struct epoch_id *parents, size_t count, uint8_t out[static 32])
{
	if (count > 1)
		qsort(parents, count, sizeof(*parents), epoch_cmp);
	hash_bytes("slb parents", (struct bytes){ (const uint8_t *)parents, count * sizeof(*parents) }, out);
}

struct epoch_id epoch_id_make(const uint8_t key[static EPOCH_KEY_LEN], struct space_id space,
                              const uint8_t recipients[static 32], const uint8_t parents[static 32])
{
	const struct bytes parts[] = { { space.b, SPACE_ID_LEN }, { recipients, 32 }, { parents, 32 } };
	struct epoch_id id;

	hash_parts("slb epoch", key, parts, 3, id.b, sizeof(id.b));
	return id;
}
