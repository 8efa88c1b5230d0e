// SPDX-License-Identifier: EUPL-1.2
// Codes on slips: short enough to type, random enough to say nothing, with a check so that a typing error never opens
// somebody else's referral.
#include "app/slip.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";

#define LETTERS 31
/* 7 * 9 = 2 * 31 + 1 */
#define INVERSE_OF_7 9

_Static_assert(sizeof(alphabet) == LETTERS + 1, "a prime number of letters");

/* An even choice: bytes that would favour some letters are drawn again. */
static unsigned draw(const struct rng *rng)
{
	uint8_t b = 0;

	do
		rng_fill(rng, &b, 1);
	while (b >= 256 / LETTERS * LETTERS);
	return b % LETTERS;
}

void slip_new(const struct rng *rng, char out[static SLIP_LEN + 1])
{
	unsigned sum = 0;

	for (unsigned i = 1; i < SLIP_LEN; i++) {
		unsigned v = draw(rng);

		out[i - 1] = alphabet[v];
		sum += i * v;
	}
	out[SLIP_LEN - 1] = alphabet[(LETTERS - sum % LETTERS) * INVERSE_OF_7 % LETTERS];
	out[SLIP_LEN] = '\0';
}

enum slip_reading slip_read(const char *text, char out[static SLIP_LEN + 1])
{
	unsigned n = 0;
	unsigned sum = 0;

	for (const char *p = text; *p != '\0'; p++) {
		char c = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
		const char *at = strchr(alphabet, c);

		if (c == ' ' || c == '-')
			continue;
		if (at == NULL || n == SLIP_LEN)
			return SLIP_NOT;
		out[n++] = c;
		sum += n * (unsigned)(at - alphabet);
	}
	out[n] = '\0';
	if (n != SLIP_LEN)
		return SLIP_NOT;
	return sum % LETTERS == 0 ? SLIP_CODE : SLIP_MISTYPED;
}
