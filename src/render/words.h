/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Six words that two people read to each other to compare keys.
 *
 * The list has 2,048 words of the form consonant, vowel, consonant, vowel, which can be read aloud in any of the
 * languages here: word n = C[n >> 7] V[n >> 5 & 3] c[n >> 2 & 7] V[n & 3], with C = bdfgjklmnrstvwyz, c = dflmnrst,
 * V = aiou. Six words are the first 66 bits of a fingerprint, most significant first.
 */
#ifndef SLB_RENDER_WORDS_H
#define SLB_RENDER_WORDS_H

#include <stdint.h>

#define SIX_WORDS_LEN 30 /* six times four letters, five blanks, NUL */

void six_words(const uint8_t fingerprint[static 9], char out[static SIX_WORDS_LEN]);

#endif
