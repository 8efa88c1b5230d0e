/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Sealed files: what goes to a host or onto a stick.
 *
 * Every file starts with a clear header of 64 bytes:
 *   0  4  "SLKB"            8  5  space tag      18 32  epoch id (zero for join files)
 *   4  1  format, 1        13  5  device tag     50  8  sequence number, big-endian
 *   5  1  type             (6, 2 and 58, 6: zero)
 * A batch goes on with nonce 24 | ciphertext | tag 16, the header being associated data. Its plaintext is
 *   length of the signed part, 4 bytes big-endian | signed part | zeros up to the padded size
 *   signed part = Ed25519 signature 64 | deflated body (raw deflate, preset dictionary)
 *   batch hash = BLAKE2b("slb batch"; space id, device id, sequence, deflated body); the signature is over it.
 * The epoch is not signed, so that a batch can be sealed again under another epoch without looking like a fork.
 * Files of boxes go on with a count, 2 bytes big-endian, and that many boxes (sign.h), each of
 *   header 64 | space id 16 | epoch key 32 | hash of the recipients 32 | hash of the parents 32
 * join files with one box of length of the plaintext, 4 bytes big-endian | header 64 | plaintext | zeros. A box has no
 * associated data, so the header stands inside as well. It says nothing of who sealed it: that is for what it holds.
 * The file's size is a multiple of 2,048 up to 16,384 bytes, then as Padmé has it (Nikitin and others, PETS 2019).
 */
#ifndef SLB_BATCH_BATCH_H
#define SLB_BATCH_BATCH_H

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "batch/names.h"
#include "crypto/hash.h"

#define FILE_HEADER_LEN 64
#define FILE_FORMAT 1
#define BATCH_BODY_MAX (32u << 20) /* bytes of an inflated body */
#define FILE_MAX (16u << 20)

enum file_type {
	FILE_BATCH = 1,
	FILE_BOXES = 2,
	FILE_JOIN_REQUEST = 3,
	FILE_JOIN_ANSWER = 4,
	FILE_SNAPSHOT = 5,
	FILE_CARRY = 6,
	FILE_PAPER = 7, /* like a join file, for a recovery sheet (sync/paper.h) */
	FILE_VIEW = 9   /* what a repository was seen to show, only in bundles (sync/bundled.h) */
};

struct file_header {
	enum file_type type;
	struct tag space;
	struct tag device;
	struct epoch_id epoch;
	uint64_t seq;
};

void file_header_put(const struct file_header *h, uint8_t out[static FILE_HEADER_LEN]);
/* ERR_DAMAGED for anything file_header_put() would not write. */
enum err file_header_get(struct bytes file, struct file_header *out) MUST_CHECK;

/* Deflate and inflate streams, kept for re-use; not for two threads at once. */
struct zip;
enum err zip_new(struct zip **out) MUST_CHECK;
void zip_free(struct zip *z);

/* Who made a batch. */
struct batch_author {
	struct space_id space;
	struct device_id dev;
	uint64_t seq;
};

/* signed part and hash of a body. */
enum err batch_sign(struct zip *z, const struct batch_author *author, const uint8_t secret[static SIGN_SECRET_LEN],
                    struct bytes body, struct buf *signed_out, uint8_t hash[static HASH_LEN]) MUST_CHECK;

/* Checks the signature, then inflates: appends the body to `body`. ERR_DAMAGED when either fails. */
enum err batch_open(struct zip *z, const struct batch_author *author, const uint8_t public[static SIGN_PUBLIC_LEN],
                    struct bytes signed_part, struct buf *body, uint8_t hash[static HASH_LEN]) MUST_CHECK;

/* Inflates without any check: for a batch whose author it names itself, before its signature can be checked. Appends
 * the body. */
enum err batch_peek(struct zip *z, struct bytes signed_part, struct buf *body) MUST_CHECK;

/* The sealed file. `key` is the epoch's key; the cipher's key is derived from it and the epoch's id. */
enum err batch_seal(const struct file_header *h, const uint8_t key[static EPOCH_KEY_LEN], struct bytes signed_part,
                    const struct rng *rng, struct buf *file) MUST_CHECK;

/* The signed part of a sealed file, appended to `signed_out`. ERR_DAMAGED when it does not verify. */
enum err batch_unseal(struct bytes file, const uint8_t key[static EPOCH_KEY_LEN], struct buf *signed_out) MUST_CHECK;

/* Batches that are carried over (sync/carry.h), one after the other: device 8 | its tag 5 | number 8 | length 4 |
 * signed part; lengths and numbers big-endian. A file like that of a batch, with a type and a type tag of its own. */
enum err carry_seal(const struct file_header *h, const uint8_t key[static EPOCH_KEY_LEN], struct bytes items,
                    const struct rng *rng, struct buf *file) MUST_CHECK;
enum err carry_unseal(struct bytes file, const uint8_t key[static EPOCH_KEY_LEN], struct buf *items) MUST_CHECK;

/* A part of a snapshot (sync/snapshot.h), in a file like that of a batch, with a type and a type tag of its own. */
enum err snapshot_seal(const struct file_header *h, const uint8_t key[static EPOCH_KEY_LEN], struct bytes part,
                       const struct rng *rng, struct buf *file) MUST_CHECK;
enum err snapshot_unseal(struct bytes file, const uint8_t key[static EPOCH_KEY_LEN], struct buf *part) MUST_CHECK;

/* What a repository was seen to show (sync/bundled.h): the same with a type tag of its own. */
enum err view_seal(const struct file_header *h, const uint8_t key[static EPOCH_KEY_LEN], struct bytes content,
                   const struct rng *rng, struct buf *file) MUST_CHECK;
enum err view_unseal(struct bytes file, const uint8_t key[static EPOCH_KEY_LEN], struct buf *content) MUST_CHECK;

/* The size to which a file of `len` bytes is padded. */
size_t padded_len(size_t len);

/* --- epoch keys in boxes --- */

/* What a box holds for one recipient; enough to check the epoch's id. */
struct epoch_secret {
	uint8_t key[EPOCH_KEY_LEN];
	uint8_t recipients[32];
	uint8_t parents[32];
};

/* A file of type FILE_BOXES: one box for each recipient. */
enum err boxes_seal(const struct file_header *h, struct space_id space, const struct epoch_secret *secret,
                    const struct recipient *to, size_t count, struct buf *file) MUST_CHECK;
/* Tries every box with this key pair. ERR_NOT_FOUND when none is for it; ERR_DAMAGED when the id in the header is
 * not the one the key, space, recipients and parents give, or the header is not the one it was sealed with. */
enum err boxes_unseal(struct bytes file, struct space_id space, const uint8_t public[static BOX_PUBLIC_LEN],
                      const uint8_t box_secret[static BOX_SECRET_LEN], struct epoch_secret *out) MUST_CHECK;

/* --- joining: files of one sealed box; the file's type is the box's, else ERR_INPUT or ERR_DAMAGED --- */

enum err join_seal(const struct file_header *h, enum box_type type, const uint8_t to[static BOX_PUBLIC_LEN],
                   struct bytes plain, struct buf *file) MUST_CHECK;
enum err join_unseal(struct bytes file, enum box_type type, const uint8_t public[static BOX_PUBLIC_LEN],
                     const uint8_t box_secret[static BOX_SECRET_LEN], struct buf *plain) MUST_CHECK;

#endif
