// SPDX-License-Identifier: EUPL-1.2
// The byte format of a backup: what stands where, its keys, its size, the trailer over all of it (V2).
#include "vault/backup_file.h"

#include <string.h>

#include "base/codec.h"
#include "crypto/secret.h"
#include "vault/page.h"

#define MAGIC "SLBBACK1"
#define MAGIC_LEN 8
#define STEP_MIN 65536u
#define SIZE_MAX_LOG2 62

static const struct bytes NO_CONTEXT = { NULL, 0 };

void backup_head_put(uint32_t key_file_len, uint8_t out[static BACKUP_HEAD_LEN])
{
	memset(out, 0, BACKUP_HEAD_LEN);
	memcpy(out, MAGIC, MAGIC_LEN);
	be32_put(out + MAGIC_LEN, key_file_len);
}

enum err backup_head_get(const uint8_t in[static BACKUP_HEAD_LEN], uint32_t *key_file_len)
{
	*key_file_len = be32_get(in + MAGIC_LEN);
	return memcmp(in, MAGIC, MAGIC_LEN) == 0 && be32_get(in + MAGIC_LEN + 4) == 0 && *key_file_len > 0 &&
	               *key_file_len <= BACKUP_KEY_FILE_MAX
	           ? ERR_OK
	           : ERR_DAMAGED;
}

uint64_t backup_size(uint64_t used)
{
	uint64_t step = STEP_MIN;

	for (unsigned log2 = 0; log2 < SIZE_MAX_LOG2 && (1ULL << (log2 + 1)) <= used; log2++)
		step = (1ULL << (log2 + 1)) / 8 > STEP_MIN ? (1ULL << (log2 + 1)) / 8 : STEP_MIN;
	return (used + step - 1) / step * step;
}

bool backup_size_possible(uint64_t size)
{
	return size > 0 && size < 1ULL << SIZE_MAX_LOG2 && backup_size(size) == size;
}

struct backup_keys *backup_keys_new(const uint8_t master[static 32])
{
	struct backup_keys *keys = secret_new(sizeof(*keys));

	if (keys == NULL)
		return NULL;
	key_derive(master, "sleutelbos backup list 1", NO_CONTEXT, keys->list);
	key_derive(master, "sleutelbos backup end 1", NO_CONTEXT, keys->end);
	return keys;
}

void backup_keys_free(struct backup_keys *keys)
{
	secret_free(keys);
}

/* Bytes of a backup that are not filling. */
static uint64_t used_by(uint32_t key_file_len, uint64_t db_len, uint64_t mark_len)
{
	return BACKUP_HEAD_LEN + key_file_len + BACKUP_LIST_SEALED + mark_len + db_len + BACKUP_TRAILER_LEN;
}

struct backup_list backup_list_of(uint32_t key_file_len, uint64_t db_len, uint64_t mark_len, int64_t made_ms)
{
	return (struct backup_list){ backup_size(used_by(key_file_len, db_len, mark_len)), db_len, mark_len, made_ms };
}

static void list_ad(struct bytes head, uint8_t out[static HASH_LEN])
{
	hash_bytes("sleutelbos backup head 1", head, out);
}

void backup_list_seal(const struct backup_keys *keys, struct bytes head, const struct backup_list *list,
                      const uint8_t nonce[static AEAD_NONCE_LEN], uint8_t out[static BACKUP_LIST_SEALED])
{
	uint8_t ad[HASH_LEN];
	uint8_t *body = out + AEAD_NONCE_LEN;

	list_ad(head, ad);
	memcpy(out, nonce, AEAD_NONCE_LEN);
	be64_put(body, list->total);
	be64_put(body + 8, list->db_len);
	be64_put(body + 16, list->mark_len);
	be64_put(body + 24, (uint64_t)list->made_ms);
	aead_seal_detached(SEAL_BACKUP, keys->list, nonce, (struct bytes){ ad, sizeof(ad) }, body, BACKUP_LIST_LEN,
	                   body + BACKUP_LIST_LEN);
}

static bool list_fits(const struct backup_list *l, uint32_t key_file_len)
{
	return l->db_len >= VAULT_PAGE_SIZE && l->db_len % VAULT_PAGE_SIZE == 0 &&
	       l->db_len < 1ULL << (SIZE_MAX_LOG2 - 1) && l->mark_len > 0 && l->mark_len <= BACKUP_MARK_MAX &&
	       l->total == backup_size(used_by(key_file_len, l->db_len, l->mark_len));
}

enum err backup_list_unseal(const struct backup_keys *keys, struct bytes head,
                            const uint8_t in[static BACKUP_LIST_SEALED], struct backup_list *out)
{
	uint8_t ad[HASH_LEN];
	uint8_t body[BACKUP_LIST_LEN];
	enum err e = ERR_OK;

	*out = (struct backup_list){ 0 };
	if (head.len <= BACKUP_HEAD_LEN)
		return ERR_DAMAGED;
	list_ad(head, ad);
	memcpy(body, in + AEAD_NONCE_LEN, sizeof(body));
	e = aead_unseal_detached(SEAL_BACKUP, keys->list, in, (struct bytes){ ad, sizeof(ad) }, body, sizeof(body),
	                         in + AEAD_NONCE_LEN + BACKUP_LIST_LEN);
	if (e != ERR_OK)
		return e;
	*out = (struct backup_list){ be64_get(body), be64_get(body + 8), be64_get(body + 16),
		                     (int64_t)be64_get(body + 24) };
	return list_fits(out, (uint32_t)(head.len - BACKUP_HEAD_LEN)) ? ERR_OK : ERR_DAMAGED;
}

/* ---- The trailer ---- */

void backup_sum_start(struct backup_sum *s, const struct backup_keys *keys)
{
	s->keys = keys;
	memset(s->link, 0, sizeof(s->link));
	s->total = 0;
	s->have = 0;
}

static void block_close(struct backup_sum *s)
{
	const struct bytes parts[2] = { { s->link, sizeof(s->link) }, { s->block, s->have } };
	uint8_t next[HASH_LEN];

	hash_parts("sleutelbos backup block 1", s->keys->end, parts, 2, next, sizeof(next));
	memcpy(s->link, next, sizeof(next));
	s->have = 0;
}

void backup_sum_add(struct backup_sum *s, struct bytes bytes)
{
	s->total += bytes.len;
	while (bytes.len > 0) {
		size_t n = bytes.len < BACKUP_BLOCK - s->have ? bytes.len : BACKUP_BLOCK - s->have;

		memcpy(s->block + s->have, bytes.data, n);
		s->have += n;
		bytes = (struct bytes){ bytes.data + n, bytes.len - n };
		if (s->have == BACKUP_BLOCK)
			block_close(s);
	}
}

void backup_sum_end(struct backup_sum *s, uint8_t out[static BACKUP_TRAILER_LEN])
{
	uint8_t total[8];
	const struct bytes parts[2] = { { s->link, sizeof(s->link) }, { total, sizeof(total) } };

	if (s->have > 0)
		block_close(s);
	be64_put(total, s->total + BACKUP_TRAILER_LEN);
	hash_parts("sleutelbos backup end 1", s->keys->end, parts, 2, out, BACKUP_TRAILER_LEN);
}
