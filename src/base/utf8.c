// SPDX-License-Identifier: EUPL-1.2
// UTF-8 as the Unicode standard's table 3-7 has it; NUL is refused because SQLite's length() stops there.
#include "base/utf8.h"

bool utf8_valid(const void *data, size_t len)
{
	const uint8_t *p = data;
	const uint8_t *end = len == 0 ? p : p + len; /* no bytes may have no address */

	while (p < end) {
		uint8_t c = *p++;
		uint8_t lo = 0x80;
		uint8_t hi = 0xBF;
		int more = 0;

		if (c == 0)
			return false;
		if (c < 0x80)
			continue;
		if (c >= 0xC2 && c <= 0xDF) {
			more = 1;
		} else if (c >= 0xE0 && c <= 0xEF) {
			more = 2;
			lo = c == 0xE0 ? 0xA0 : 0x80;
			hi = c == 0xED ? 0x9F : 0xBF;
		} else if (c >= 0xF0 && c <= 0xF4) {
			more = 3;
			lo = c == 0xF0 ? 0x90 : 0x80;
			hi = c == 0xF4 ? 0x8F : 0xBF;
		} else {
			return false;
		}
		for (; more > 0; more--) {
			if (p == end || *p < lo || *p > hi)
				return false;
			p++;
			lo = 0x80;
			hi = 0xBF;
		}
	}
	return true;
}

uint32_t utf8_next(const char **p)
{
	const uint8_t *s = (const uint8_t *)*p;
	uint32_t cp = s[0];
	int more = cp < 0x80 ? 0 : cp < 0xE0 ? 1 : cp < 0xF0 ? 2 : 3;

	cp = more == 0 ? cp : cp & (0x3FU >> more);
	for (int i = 1; i <= more; i++)
		cp = (cp << 6) | (s[i] & 0x3FU);
	*p += more + 1;
	return cp;
}
