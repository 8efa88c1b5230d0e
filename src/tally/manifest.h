/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Which contributions are counted together.
 *
 * A *view* is what a teller holds at some moment: what it would count, and what of it does not open. It binds nobody;
 * a teller may give new ones until it signs. A *manifest* binds: a teller signs one per plan, ever.
 *
 * View:     [3, plan hash, teller, [hash...], [hash of what does not open...]]
 * Manifest: [4, plan hash, teller, [hash...]]
 * Both signed with the teller's period key (tally/answer.h); hashes are those of contributions, ascending.
 */
#ifndef SLB_TALLY_MANIFEST_H
#define SLB_TALLY_MANIFEST_H

#include <stdbool.h>

#include "tally/key.h"

/* Hashes of contributions, ascending, without doubles. Zero-initialised it is empty. */
struct hash_set {
	uint8_t (*h)[HASH_LEN];
	size_t n;
	size_t cap;
};
enum err hash_set_add(struct hash_set *s, const uint8_t hash[static HASH_LEN]) MUST_CHECK;
bool hash_set_has(const struct hash_set *s, const uint8_t hash[static HASH_LEN]);
bool hash_set_same(const struct hash_set *a, const struct hash_set *b);
enum err hash_set_copy(const struct hash_set *from, struct hash_set *to) MUST_CHECK;
void hash_set_free(struct hash_set *s);

struct view {
	uint32_t teller;
	struct hash_set chosen;
	struct hash_set spoiled;
};
enum err view_make(const struct plan *p, const struct view *v, const struct teller_secret *secret,
                   struct buf *body) MUST_CHECK;
/* `keys` are those of all tellers of the plan, in its order; a teller without one has an all-zero sign key and cannot
 * have signed anything. */
enum err view_parse(const struct plan *p, const struct teller_key *keys, struct bytes body, struct view *out,
                    struct errctx *ec) MUST_CHECK;
void view_free(struct view *v);

struct manifest {
	uint32_t teller;
	struct hash_set set;
};
enum err manifest_make(const struct plan *p, const struct manifest *m, const struct teller_secret *secret,
                       struct buf *body) MUST_CHECK;
enum err manifest_parse(const struct plan *p, const struct teller_key *keys, struct bytes body, struct manifest *out,
                        struct errctx *ec) MUST_CHECK;
void manifest_free(struct manifest *m);

/* What names a set: BLAKE2b("slb tally manifest"; plan hash, hashes). The same for all who sign the same set. */
void manifest_hash(const struct plan *p, const struct hash_set *set, uint8_t out[static HASH_LEN]);

#endif
