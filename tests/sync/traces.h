/* SPDX-License-Identifier: EUPL-1.2 */
/* Is anything of some bytes left in the files of a home's vault? Every sealed piece is deciphered whether or not its
 * tag holds, as somebody with the master key would: pages, free or used, frames of the log, earlier ones too, the
 * spare. */
#ifndef SLB_TESTS_TRACES_H
#define SLB_TESTS_TRACES_H

#include <sodium.h>

#include "base/file.h"
#include "sync/homes.h"
#include "vault/keyring.h"
#include "vault/ledger.h"
#include "vault/page.h"
#include "vault/vault_over.h"

/* Every 24th offset is looked for: 47 bytes in a row are always found. Shorter pieces of deflated batches are found in
 * others by chance: they share what the dictionary gives. */
#define TRACE_PIECE 24

struct traces {
	struct buf pieces; /* TRACE_PIECE bytes each */
};

static inline void traces_add(struct traces *t, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t at = 0; at + TRACE_PIECE <= len; at += TRACE_PIECE)
		assert_int_equal(buf_put(&t->pieces, p + at, TRACE_PIECE), ERR_OK);
}

static inline size_t traces_in(const struct traces *t, const uint8_t *plain, size_t len)
{
	static bool may[1 << 16];
	size_t found = 0;

	memset(may, 0, sizeof(may));
	for (size_t k = 0; k + TRACE_PIECE <= t->pieces.len; k += TRACE_PIECE)
		may[t->pieces.data[k] << 8 | t->pieces.data[k + 1]] = true;
	for (size_t at = 0; at + TRACE_PIECE <= len; at++) {
		if (!may[plain[at] << 8 | plain[at + 1]])
			continue;
		for (size_t k = 0; k + TRACE_PIECE <= t->pieces.len; k += TRACE_PIECE)
			found += memcmp(plain + at, t->pieces.data + k, TRACE_PIECE) == 0;
	}
	return found;
}

static inline size_t traces_sealed(const struct traces *t, const uint8_t *key, const uint8_t *sealed, size_t len)
{
	uint8_t plain[VAULT_PAGE_SIZE];
	uint8_t subkey[32];
	const uint8_t *nonce = sealed + len;

	assert_true(len <= sizeof(plain));
	crypto_core_hchacha20(subkey, nonce, key, NULL);
	crypto_stream_chacha20_xor_ic(plain, sealed, len, nonce + 16, 1, subkey);
	return traces_in(t, plain, len);
}

static inline struct buf traces_file(const char *dir, const char *name)
{
	struct errctx ec = { 0 };
	struct buf out = { 0 };
	char path[400];

	snprintf(path, sizeof(path), "%.300s/%s", dir, name);
	if (file_read(&ec, path, 1u << 30, &out) != ERR_OK)
		buf_free(&out);
	return out;
}

/* Pieces that are found in the vault of home `i`. */
static inline size_t traces_left(struct world *w, size_t i, const struct traces *t)
{
	const size_t frame = WAL_FRAME_HEADER + VAULT_PAGE_SIZE;
	struct buf db = traces_file(w->home[i], "vault.db");
	struct buf log = traces_file(w->home[i], "vault.db-wal");
	struct buf mark = traces_file(w->home[i], "vault.mark");
	struct keyring *ring = NULL;
	uint8_t master[32];
	size_t found = 0;

	memset(master, (int)(i + 1), sizeof(master));
	assert_true(db.len >= VAULT_PAGE_SIZE);
	ring = keyring_new(master, db.data);
	assert_non_null(ring);
	for (size_t at = 0; at + VAULT_PAGE_SIZE <= db.len; at += VAULT_PAGE_SIZE) {
		size_t skip = at == 0 ? FILE_ID_LEN : 0;

		found += traces_sealed(t, ring->page, db.data + at + skip, VAULT_PAGE_SIZE - PAGE_RESERVE - skip);
	}
	for (size_t at = WAL_HEADER_DISK; at + frame <= log.len; at += frame)
		found += traces_sealed(t, ring->wal, log.data + at, frame - PAGE_RESERVE);
	if (mark.len >= LEDGER_SPARE_AT + VAULT_PAGE_SIZE)
		found += traces_sealed(t, ring->page, mark.data + LEDGER_SPARE_AT + FILE_ID_LEN,
		                       VAULT_PAGE_SIZE - PAGE_RESERVE - FILE_ID_LEN);
	keyring_free(ring);
	buf_free(&db);
	buf_free(&log);
	buf_free(&mark);
	return found;
}

#endif
