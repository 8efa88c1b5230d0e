/* SPDX-License-Identifier: EUPL-1.2 */
/* Six words that two people read to each other to compare keys: the first 66 bits of a fingerprint, most significant
 * first, in the words of base/words.h. */
#ifndef SLB_RENDER_WORDS_H
#define SLB_RENDER_WORDS_H

#include <stdint.h>

#define SIX_WORDS_LEN 30 /* six times four letters, five blanks, NUL */

void six_words(const uint8_t fingerprint[static 9], char out[static SIX_WORDS_LEN]);

#endif
