// SPDX-License-Identifier: EUPL-1.2
// Six words for comparing keys aloud.
#include "render/words.h"

#include "base/words.h"

void six_words(const uint8_t fingerprint[static 9], char out[static SIX_WORDS_LEN])
{
	char *p = out;

	for (unsigned w = 0; w < 6; w++) {
		if (w > 0)
			*p++ = ' ';
		word_put(word_at(fingerprint, w), p);
		p += WORD_LEN;
	}
	*p = '\0';
}
