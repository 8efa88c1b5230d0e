// SPDX-License-Identifier: EUPL-1.2
// Bundles, byte by byte. Pure: nothing here opens what is sealed.
#include "batch/bundle.h"

#include <string.h>

#include "base/codec.h"
#include "batch/batch.h"
#include "crypto/hash.h"

static const uint8_t magic[4] = { 'S', 'L', 'K', 'U' };

void bundle_head_put(uint32_t parts, uint8_t out[static BUNDLE_HEAD_LEN])
{
	memset(out, 0, BUNDLE_HEAD_LEN);
	memcpy(out, magic, sizeof(magic));
	out[4] = 1;
	be32_put(out + 8, parts);
}

enum err bundle_head_get(struct bytes head, uint32_t *parts)
{
	uint8_t again[BUNDLE_HEAD_LEN];

	if (head.len != BUNDLE_HEAD_LEN || memcmp(head.data, magic, sizeof(magic)) != 0)
		return ERR_DAMAGED;
	if (head.data[4] > 1)
		return ERR_INPUT;
	*parts = be32_get(head.data + 8);
	bundle_head_put(*parts, again);
	return memcmp(again, head.data, sizeof(again)) == 0 && *parts <= BUNDLE_PARTS_MAX ? ERR_OK : ERR_DAMAGED;
}

static bool is_name(struct bytes b, size_t max, bool slashes)
{
	if (b.len == 0 || b.len > max)
		return false;
	for (size_t i = 0; i < b.len; i++) {
		uint8_t c = b.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || (slashes && c == '/')))
			return false;
	}
	return true;
}

static bool is_part(const struct bundle_part *p)
{
	return is_name(p->ref, BUNDLE_REF_MAX, true) && is_name(p->name, BUNDLE_NAME_MAX, false) && p->file.len > 0 &&
	       p->file.len <= FILE_MAX;
}

static void part_hash(uint32_t number, struct bytes before, uint8_t out[static BUNDLE_HASH_LEN])
{
	uint8_t n[4];
	const struct bytes parts[] = { { n, sizeof(n) }, before };

	be32_put(n, number);
	hash_parts("slb bundle part", NULL, parts, 2, out, BUNDLE_HASH_LEN);
}

enum err bundle_part_put(uint32_t number, const struct bundle_part *part, struct buf *out)
{
	uint8_t head[BUNDLE_PART_HEAD_LEN] = { (uint8_t)part->ref.len, (uint8_t)part->name.len };
	uint8_t hash[BUNDLE_HASH_LEN];
	size_t from = out->len;
	enum err e = is_part(part) ? ERR_OK : ERR_INPUT;

	be32_put(head + 4, (uint32_t)part->file.len);
	if (e == ERR_OK)
		e = buf_put(out, head, sizeof(head));
	if (e == ERR_OK)
		e = buf_put(out, part->ref.data, part->ref.len);
	if (e == ERR_OK)
		e = buf_put(out, part->name.data, part->name.len);
	if (e == ERR_OK)
		e = buf_put(out, part->file.data, part->file.len);
	if (e == ERR_OK) {
		part_hash(number, (struct bytes){ out->data + from, out->len - from }, hash);
		e = buf_put(out, hash, sizeof(hash));
	}
	return e;
}

enum err bundle_part_len(const uint8_t head[static BUNDLE_PART_HEAD_LEN], size_t *len)
{
	uint32_t file = be32_get(head + 4);

	if (head[0] == 0 || head[0] > BUNDLE_REF_MAX || head[1] == 0 || head[1] > BUNDLE_NAME_MAX || head[2] != 0 ||
	    head[3] != 0 || file == 0 || file > FILE_MAX)
		return ERR_DAMAGED;
	*len = (size_t)head[0] + head[1] + file + BUNDLE_HASH_LEN;
	return ERR_OK;
}

enum err bundle_part_get(uint32_t number, struct bytes part, struct bundle_part *out)
{
	uint8_t hash[BUNDLE_HASH_LEN];
	const uint8_t *p = part.data;
	size_t len = 0;

	if (part.len < BUNDLE_PART_HEAD_LEN || bundle_part_len(p, &len) != ERR_OK ||
	    part.len - BUNDLE_PART_HEAD_LEN != len)
		return ERR_DAMAGED;
	part_hash(number, (struct bytes){ p, part.len - BUNDLE_HASH_LEN }, hash);
	if (memcmp(hash, p + part.len - BUNDLE_HASH_LEN, BUNDLE_HASH_LEN) != 0)
		return ERR_DAMAGED;
	out->ref = (struct bytes){ p + BUNDLE_PART_HEAD_LEN, p[0] };
	out->name = (struct bytes){ out->ref.data + p[0], p[1] };
	out->file = (struct bytes){ out->name.data + p[1], be32_get(p + 4) };
	return is_part(out) ? ERR_OK : ERR_DAMAGED;
}
