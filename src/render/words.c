// SPDX-License-Identifier: EUPL-1.2
// Six words for comparing keys aloud.
#include "render/words.h"

#include <string.h>

void six_words(const uint8_t fingerprint[static 9], char out[static SIX_WORDS_LEN])
{
	static const char first[] = "bdfgjklmnrstvwyz";
	static const char second[] = "dflmnrst";
	static const char vowel[] = "aiou";
	char *p = out;

	for (unsigned w = 0; w < 6; w++) {
		unsigned n = 0;

		for (unsigned bit = w * 11; bit < w * 11 + 11; bit++)
			n = (n << 1) | ((fingerprint[bit / 8] >> (7 - bit % 8)) & 1);
		if (w > 0)
			*p++ = ' ';
		*p++ = first[n >> 7];
		*p++ = vowel[(n >> 5) & 3];
		*p++ = second[(n >> 2) & 7];
		*p++ = vowel[n & 3];
	}
	*p = '\0';
}
