// SPDX-License-Identifier: EUPL-1.2
// Sealed pages, frames and headers (V1, V2). Everything a reader could tell two ciphertexts apart by is associated
// data: file, page or frame number, and for the log its generation and salts; so nothing can be moved.
#include "vault/page.h"

#include <assert.h>
#include <string.h>

#include "base/codec.h"

static const uint8_t MAGIC[16] = "SQLite format 3";

bool page_sealable(const uint8_t *page, size_t size, uint32_t number)
{
	uint8_t any = 0;

	for (size_t i = size - PAGE_RESERVE; i < size; i++)
		any |= page[i];
	return any == 0 && (number != 1 || memcmp(page, MAGIC, sizeof(MAGIC)) == 0);
}

static struct bytes page_ad(const struct keyring *ring, uint32_t number, uint8_t out[static FILE_ID_LEN + 4])
{
	memcpy(out, ring->file_id, FILE_ID_LEN);
	be32_put(out + FILE_ID_LEN, number);
	return (struct bytes){ out, FILE_ID_LEN + 4 };
}

/* Page 1: the first 16 bytes are the file id, in clear and bound through the associated data. */
static size_t page_skip(uint32_t number)
{
	return number == 1 ? sizeof(MAGIC) : 0;
}

void page_seal(const struct keyring *ring, uint32_t number, const uint8_t nonce[static AEAD_NONCE_LEN], uint8_t *page,
               size_t size)
{
	uint8_t ad[FILE_ID_LEN + 4];
	uint8_t *tail = page + size - PAGE_RESERVE;
	size_t skip = page_skip(number);

	assert(page_sealable(page, size, number));
	memcpy(tail, nonce, AEAD_NONCE_LEN);
	aead_seal_detached(SEAL_PAGE, ring->page, tail, page_ad(ring, number, ad), page + skip,
	                   size - PAGE_RESERVE - skip, tail + AEAD_NONCE_LEN);
	if (skip > 0)
		memcpy(page, ring->file_id, FILE_ID_LEN);
}

enum err page_unseal(const struct keyring *ring, uint32_t number, uint8_t *page, size_t size)
{
	uint8_t ad[FILE_ID_LEN + 4];
	uint8_t *tail = page + size - PAGE_RESERVE;
	size_t skip = page_skip(number);
	enum err e = ERR_OK;

	if (skip > 0 && memcmp(page, ring->file_id, FILE_ID_LEN) != 0)
		e = ERR_DAMAGED;
	else
		e = aead_unseal_detached(SEAL_PAGE, ring->page, tail, page_ad(ring, number, ad), page + skip,
		                         size - PAGE_RESERVE - skip, tail + AEAD_NONCE_LEN);
	if (e != ERR_OK) {
		memset(page, 0, size);
		return e;
	}
	memset(tail, 0, PAGE_RESERVE);
	if (skip > 0)
		memcpy(page, MAGIC, sizeof(MAGIC));
	return ERR_OK;
}

void wal_header_seal(const struct keyring *ring, const uint8_t plain[static WAL_HEADER_LEN], uint64_t generation,
                     const uint8_t nonce[static AEAD_NONCE_LEN], uint8_t out[static WAL_HEADER_DISK])
{
	uint8_t *tail = out + WAL_HEADER_LEN + 8;

	memcpy(out, plain, WAL_HEADER_LEN);
	be64_put(out + WAL_HEADER_LEN, generation);
	memcpy(tail, nonce, AEAD_NONCE_LEN);
	aead_seal_detached(SEAL_WAL_HEAD, ring->wal, tail, (struct bytes){ ring->file_id, FILE_ID_LEN }, out,
	                   WAL_HEADER_LEN + 8, tail + AEAD_NONCE_LEN);
}

enum err wal_header_unseal(const struct keyring *ring, const uint8_t in[static WAL_HEADER_DISK],
                           uint8_t plain[static WAL_HEADER_LEN], uint64_t *generation)
{
	uint8_t body[WAL_HEADER_LEN + 8];
	const uint8_t *tail = in + sizeof(body);
	enum err e = ERR_OK;

	memcpy(body, in, sizeof(body));
	e = aead_unseal_detached(SEAL_WAL_HEAD, ring->wal, tail, (struct bytes){ ring->file_id, FILE_ID_LEN }, body,
	                         sizeof(body), tail + AEAD_NONCE_LEN);
	memcpy(plain, body, WAL_HEADER_LEN);
	*generation = be64_get(body + WAL_HEADER_LEN);
	return e;
}

#define FRAME_AD_LEN (FILE_ID_LEN + 8 + WAL_SALT_LEN + 4)

static struct bytes frame_ad(const struct keyring *ring, const struct wal_id *log, uint32_t number,
                             uint8_t out[static FRAME_AD_LEN])
{
	memcpy(out, ring->file_id, FILE_ID_LEN);
	be64_put(out + FILE_ID_LEN, log->generation);
	memcpy(out + FILE_ID_LEN + 8, log->salts, WAL_SALT_LEN);
	be32_put(out + FILE_ID_LEN + 8 + WAL_SALT_LEN, number);
	return (struct bytes){ out, FRAME_AD_LEN };
}

void frame_seal(const struct keyring *ring, const struct wal_id *log, uint32_t number, uint32_t first,
                const uint8_t nonce[static AEAD_NONCE_LEN], uint8_t *frame, size_t size)
{
	uint8_t ad[FRAME_AD_LEN];
	uint8_t *tail = frame + size - PAGE_RESERVE;

	/* The salts are known from the log's header and bound below; their place holds what SQLite has no room for. */
	be32_put(frame + 8, first);
	be32_put(frame + 12, 0);
	memcpy(tail, nonce, AEAD_NONCE_LEN);
	aead_seal_detached(SEAL_WAL_FRAME, ring->wal, tail, frame_ad(ring, log, number, ad), frame, size - PAGE_RESERVE,
	                   tail + AEAD_NONCE_LEN);
}

enum err frame_unseal(const struct keyring *ring, const struct wal_id *log, uint32_t number, uint8_t *frame,
                      size_t size, uint32_t *first)
{
	uint8_t ad[FRAME_AD_LEN];
	uint8_t *tail = frame + size - PAGE_RESERVE;
	enum err e = aead_unseal_detached(SEAL_WAL_FRAME, ring->wal, tail, frame_ad(ring, log, number, ad), frame,
	                                  size - PAGE_RESERVE, tail + AEAD_NONCE_LEN);

	*first = 0;
	memset(tail, 0, PAGE_RESERVE);
	if (e != ERR_OK)
		return e;
	*first = be32_get(frame + 8);
	memcpy(frame + 8, log->salts, WAL_SALT_LEN);
	return ERR_OK;
}

static uint32_t word_get(const uint8_t *p, bool big)
{
	return big ? be32_get(p) : (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void wal_checksum(const uint8_t *data, size_t len, bool big, uint32_t sum[static 2])
{
	uint32_t a = sum[0];
	uint32_t b = sum[1];

	for (size_t i = 0; i + 8 <= len; i += 8) {
		a += word_get(data + i, big) + b;
		b += word_get(data + i + 4, big) + a;
	}
	sum[0] = a;
	sum[1] = b;
}
