// SPDX-License-Identifier: EUPL-1.2
// A recovery sheet's words and keys. What is typed is foreign bytes: sheet_words_get() is pure, and nothing is derived
// before the checksum holds.
#include "crypto/sheet.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "crypto/hash.h"

#define SUM_LEN 2
#define CODE_LEN (SHEET_SECRET_LEN + SUM_LEN)
#define MARK "slbsheet"
#define MARK_LEN 8

_Static_assert(CODE_LEN * 8 == SHEET_WORDS * WORD_BITS, "the words hold the code, no bit more");
_Static_assert(crypto_box_SEEDBYTES == 32, "the seed of a key pair");

static void checksum(const uint8_t secret[static SHEET_SECRET_LEN], uint8_t out[static SUM_LEN])
{
	struct bytes part = { secret, SHEET_SECRET_LEN };
	uint8_t sum[HASH_LEN];

	hash_parts("sleutelbos sheet checksum 1", NULL, &part, 1, sum, sizeof(sum));
	memcpy(out, sum, SUM_LEN);
	sodium_memzero(sum, sizeof(sum));
}

void sheet_words_put(const uint8_t secret[static SHEET_SECRET_LEN], struct sheet_words *out)
{
	uint8_t code[CODE_LEN];

	memcpy(code, secret, SHEET_SECRET_LEN);
	checksum(secret, code + SHEET_SECRET_LEN);
	for (unsigned i = 0; i < SHEET_WORDS; i++)
		word_put(word_at(code, i), out->word[i]);
	sodium_memzero(code, sizeof(code));
}

void sheet_keypair(const uint8_t secret[static SHEET_SECRET_LEN], uint8_t public[static BOX_PUBLIC_LEN],
                   uint8_t box_secret[static BOX_SECRET_LEN])
{
	struct bytes part = { secret, SHEET_SECRET_LEN };
	uint8_t seed[crypto_box_SEEDBYTES];

	hash_parts("sleutelbos sheet key 1", NULL, &part, 1, seed, sizeof(seed));
	crypto_box_seed_keypair(public, box_secret, seed);
	sodium_memzero(seed, sizeof(seed));
}

void sheet_author_key(const uint8_t secret[static SHEET_SECRET_LEN], uint8_t out[static SHEET_AUTHOR_LEN])
{
	struct bytes part = { secret, SHEET_SECRET_LEN };

	hash_parts("sleutelbos sheet author key 1", NULL, &part, 1, out, SHEET_AUTHOR_LEN);
	/* libsodium leaves a copy of the result below. */
	sodium_stackzero(4096);
}

_Static_assert(crypto_sign_SEEDBYTES == 32, "the seed of a signing key pair");

void sheet_device(const uint8_t secret[static SHEET_SECRET_LEN], unsigned number, struct sheet_device *out)
{
	uint8_t n = (uint8_t)number;
	struct bytes parts[] = { { secret, SHEET_SECRET_LEN }, { &n, 1 } };
	uint8_t seed[32];

	hash_parts("sleutelbos sheet device sign 1", NULL, parts, 2, seed, sizeof(seed));
	crypto_sign_seed_keypair(out->sign, out->sign_secret, seed);
	hash_parts("sleutelbos sheet device box 1", NULL, parts, 2, seed, sizeof(seed));
	crypto_box_seed_keypair(out->box, out->box_secret, seed);
	hash_parts("sleutelbos sheet device tag 1", NULL, parts, 2, seed, sizeof(seed));
	memcpy(out->tag, seed, SHEET_TAG_LEN);
	sodium_memzero(seed, sizeof(seed));
	sodium_stackzero(4096);
}

void sheet_letter_keys(const uint8_t secret[static SHEET_SECRET_LEN], uint8_t public[static BOX_PUBLIC_LEN],
                       uint8_t box_secret[static BOX_SECRET_LEN], uint8_t author[static SHEET_AUTHOR_LEN])
{
	struct bytes part = { secret, SHEET_SECRET_LEN };
	uint8_t seed[crypto_box_SEEDBYTES];

	hash_parts("sleutelbos sheet letter 1", NULL, &part, 1, seed, sizeof(seed));
	crypto_box_seed_keypair(public, box_secret, seed);
	hash_parts("sleutelbos sheet letter author 1", NULL, &part, 1, author, SHEET_AUTHOR_LEN);
	sodium_memzero(seed, sizeof(seed));
	sodium_stackzero(4096);
}

/* ---- Reading what was typed ---- */

/* Letters make words, everything else parts them: digits, punctuation, blanks. Of what is not ASCII, only the blank
 * that does not break and the mark at the head of a file are known to be none. */
static size_t gap_len(struct bytes in, size_t at)
{
	uint8_t c = in.data[at];

	if (c >= 0x80) {
		if (c == 0xC2 && at + 1 < in.len && in.data[at + 1] == 0xA0)
			return 2;
		if (c == 0xEF && at + 2 < in.len && in.data[at + 1] == 0xBB && in.data[at + 2] == 0xBF)
			return 3;
		return 0;
	}
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? 0 : 1;
}

static struct bytes token_next(struct bytes in, size_t *at)
{
	struct bytes t = { NULL, 0 };
	size_t gap = 0;

	while (*at < in.len && (gap = gap_len(in, *at)) > 0)
		*at += gap;
	t.data = in.data + *at;
	while (*at < in.len && gap_len(in, *at) == 0)
		(*at)++;
	t.len = (size_t)(in.data + *at - t.data);
	return t;
}

/* What follows a mark: the rest of its line, or of the text where the words stand below it. */
static struct bytes after_mark(struct bytes in)
{
	for (size_t i = 0; i + MARK_LEN < in.len; i++) {
		struct bytes rest = { in.data + i + MARK_LEN, in.len - i - MARK_LEN };
		const uint8_t *end = NULL;

		if (strncasecmp((const char *)in.data + i, MARK, MARK_LEN) != 0)
			continue;
		end = memchr(rest.data, '\n', rest.len);
		if (end != NULL && memchr(rest.data, ' ', (size_t)(end - rest.data)) != NULL)
			rest.len = (size_t)(end - rest.data);
		return rest;
	}
	return in;
}

struct walked {
	struct sheet_typed seen;
	unsigned word[SHEET_WORDS];
};

static void walk(struct bytes typed, struct walked *w)
{
	struct bytes in = after_mark(typed);
	size_t at = 0;

	*w = (struct walked){ { 0, 0 }, { 0 } };
	while (w->seen.count <= SHEET_WORDS) {
		struct bytes t = token_next(in, &at);
		unsigned n = 0;

		if (t.len == 0)
			return;
		w->seen.count++;
		if (t.len != WORD_LEN || !word_get((const char *)t.data, &n)) {
			if (w->seen.odd == 0)
				w->seen.odd = w->seen.count;
		} else if (w->seen.count <= SHEET_WORDS) {
			w->word[w->seen.count - 1] = n;
		}
	}
}

struct sheet_typed sheet_words_look(struct bytes typed)
{
	struct walked w;
	struct sheet_typed seen;

	walk(typed, &w);
	seen = w.seen;
	sodium_memzero(&w, sizeof(w));
	return seen;
}

static enum err problem(struct errctx *ec, struct sheet_typed seen)
{
	char n[16];

	snprintf(n, sizeof(n), "%u", seen.odd > 0 ? seen.odd : seen.count);
	if (seen.odd > 0)
		return err_set(ec, ERR_INPUT,
		               "Word %1 is not a word of a recovery sheet. Look at it again. Nothing was changed.", n,
		               NULL, NULL);
	if (seen.count > SHEET_WORDS)
		return err_set(ec, ERR_INPUT, "There are more than 16 words here. A recovery sheet has 16.", NULL, NULL,
		               NULL);
	return err_set(ec, ERR_INPUT, "There are %1 words here. A recovery sheet has 16.", n, NULL, NULL);
}

enum err sheet_words_get(struct errctx *ec, struct bytes typed, uint8_t secret[static SHEET_SECRET_LEN])
{
	struct walked w;
	uint8_t code[CODE_LEN] = { 0 };
	uint8_t sum[SUM_LEN];
	enum err e = ERR_OK;

	walk(typed, &w);
	sodium_memzero(secret, SHEET_SECRET_LEN);
	if (w.seen.odd > 0 || w.seen.count != SHEET_WORDS) {
		e = problem(ec, w.seen);
		goto done;
	}
	for (unsigned bit = 0; bit < SHEET_WORDS * WORD_BITS; bit++)
		if ((w.word[bit / WORD_BITS] >> (WORD_BITS - 1 - bit % WORD_BITS) & 1) != 0)
			code[bit / 8] |= (uint8_t)(1 << (7 - bit % 8));
	checksum(code, sum);
	if (hash_equal(sum, code + SHEET_SECRET_LEN, SUM_LEN))
		memcpy(secret, code, SHEET_SECRET_LEN);
	else
		e = err_set(ec, ERR_INPUT,
		            "One of the words is not as on the sheet, or two changed places. Compare them one by one. "
		            "Nothing was changed.",
		            NULL, NULL, NULL);
done:
	sodium_memzero(&w, sizeof(w));
	sodium_memzero(code, sizeof(code));
	return e;
}
