// SPDX-License-Identifier: EUPL-1.2
// Words that can be read aloud, and back.
#include "base/words.h"

#include <string.h>

static const char first[] = "bdfgjklmnrstvwyz";
static const char second[] = "dflmnrst";
static const char vowel[] = "aiou";

void word_put(unsigned n, char out[static WORD_LEN])
{
	out[0] = first[n >> 7 & 15];
	out[1] = vowel[n >> 5 & 3];
	out[2] = second[n >> 2 & 7];
	out[3] = vowel[n & 3];
}

static bool letter_at(const char *letters, char c, unsigned *at)
{
	const char *found = NULL;

	if (c >= 'A' && c <= 'Z')
		c = (char)(c - 'A' + 'a');
	found = c == '\0' ? NULL : strchr(letters, c);
	if (found == NULL)
		return false;
	*at = (unsigned)(found - letters);
	return true;
}

bool word_get(const char in[static WORD_LEN], unsigned *n)
{
	unsigned part[WORD_LEN];

	if (!letter_at(first, in[0], &part[0]) || !letter_at(vowel, in[1], &part[1]) ||
	    !letter_at(second, in[2], &part[2]) || !letter_at(vowel, in[3], &part[3]))
		return false;
	*n = part[0] << 7 | part[1] << 5 | part[2] << 2 | part[3];
	return true;
}

unsigned word_at(const uint8_t *bits, unsigned i)
{
	unsigned n = 0;

	for (unsigned bit = i * WORD_BITS; bit < (i + 1) * WORD_BITS; bit++)
		n = n << 1 | (bits[bit / 8] >> (7 - bit % 8) & 1);
	return n;
}
