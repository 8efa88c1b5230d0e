/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The list of 2,048 words, for what people read to each other or copy from paper.
 *
 * Each has the form consonant, vowel, consonant, vowel, which can be read aloud in any of the languages here: word n =
 * C[n >> 7] V[n >> 5 & 3] c[n >> 2 & 7] V[n & 3], with C = bdfgjklmnrstvwyz, c = dflmnrst, V = aiou. A word is 11 bits.
 */
#ifndef SLB_BASE_WORDS_H
#define SLB_BASE_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#define WORD_LEN 4
#define WORD_BITS 11

/* The four letters of word `n` (0 to 2,047), without a NUL. */
void word_put(unsigned n, char out[static WORD_LEN]);
/* Which word these four letters are, in either case; false where they are none. */
bool word_get(const char in[static WORD_LEN], unsigned *n);

/* Words of `bits` that stand one after the other, most significant bit first: word number i of them. */
unsigned word_at(const uint8_t *bits, unsigned i);

#endif
