/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The words of a recovery sheet (docs/FORMAT.md, "Recovery sheet").
 *
 * A sheet is 160 random bits. With a checksum of 16 bits they make 16 words of base/words.h. From the same bits comes
 * an X25519 key pair: what is sealed to the public key needs no words, and only the paper opens it. 160 bits cannot be
 * guessed, so nothing is stretched here.
 */
#ifndef SLB_CRYPTO_SHEET_H
#define SLB_CRYPTO_SHEET_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/words.h"
#include "crypto/sign.h"

#define SHEET_SECRET_LEN 20
#define SHEET_WORDS 16

/* The words as letters, one after the other, without blanks or NUL: SHEET_WORDS times WORD_LEN. In guarded memory. */
struct sheet_words {
	char word[SHEET_WORDS][WORD_LEN];
};
void sheet_words_put(const uint8_t secret[static SHEET_SECRET_LEN], struct sheet_words *out);

/* Words as a person typed them or a QR code gives them: either case; blanks, line ends, digits and punctuation only
 * part words. What stands before a mark "SLBSHEET1" is passed over, and so is the rest of a line after the words that
 * follow it; so a whole file of words can be given. */
struct sheet_typed {
	unsigned count; /* words seen, up to one more than SHEET_WORDS */
	unsigned odd;   /* the first that is not in the list, from 1; 0: none */
};
/* Looks without judging; for a prompt that takes some words at a time. */
struct sheet_typed sheet_words_look(struct bytes typed);
/* ERR_INPUT with a sentence: too few or too many words, one that is not in the list (by its place; it is not quoted,
 * for it is a part of a secret), or words that do not belong together. `secret` is zeroed then. */
enum err sheet_words_get(struct errctx *ec, struct bytes typed, uint8_t secret[static SHEET_SECRET_LEN]) MUST_CHECK;

void sheet_keypair(const uint8_t secret[static SHEET_SECRET_LEN], uint8_t public[static BOX_PUBLIC_LEN],
                   uint8_t box_secret[static BOX_SECRET_LEN]);

/* Anybody can seal to a public key. The author key, from the same bits, is known to the paper and to who holds the
 * master key that was sealed to it: under it they say what they sealed. Nothing about it follows from the public key.
 * `out` is guarded memory. */
#define SHEET_AUTHOR_LEN 32
void sheet_author_key(const uint8_t secret[static SHEET_SECRET_LEN], uint8_t out[static SHEET_AUTHOR_LEN]);

/* A sheet is a device too, in each space another one, so that nobody outside can link them: key pairs and a tag from
 * the same bits, by number. In guarded memory. */
#define SHEET_DEVICES 64
#define SHEET_TAG_LEN 5
struct sheet_device {
	uint8_t tag[SHEET_TAG_LEN];
	uint8_t sign[SIGN_PUBLIC_LEN];
	uint8_t sign_secret[SIGN_SECRET_LEN];
	uint8_t box[BOX_PUBLIC_LEN];
	uint8_t box_secret[BOX_SECRET_LEN];
};
void sheet_device(const uint8_t secret[static SHEET_SECRET_LEN], unsigned number, struct sheet_device *out);

/* Letters that a home leaves for its sheet: the key pair that they are sealed to, and the key under which the home says
 * that it wrote them. `box_secret` and `author` are guarded memory. */
void sheet_letter_keys(const uint8_t secret[static SHEET_SECRET_LEN], uint8_t public[static BOX_PUBLIC_LEN],
                       uint8_t box_secret[static BOX_SECRET_LEN], uint8_t author[static SHEET_AUTHOR_LEN]);

#endif
