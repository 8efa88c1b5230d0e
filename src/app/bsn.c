// SPDX-License-Identifier: EUPL-1.2
// Finds runs of digit groups in a text and holds every nine digits of whole groups to the eleven test.
#include "app/bsn.h"

#include <stddef.h>
#include <stdint.h>

#include "base/utf8.h"

#define BSN_DIGITS 9
/* " - " and ". " still divide one number; more than this divides two. */
#define DIVIDER_MAX 3
/* A longer run is read in parts. */
#define RUN_MAX 64

struct run {
	uint8_t digit[RUN_MAX];
	unsigned digits;
	unsigned first[RUN_MAX + 1]; /* where each group begins */
	unsigned groups;
};

static int digit_value(uint32_t c)
{
	static const uint32_t zero[] = { '0', 0x0660, 0x06F0, 0xFF10 };

	for (size_t i = 0; i < sizeof(zero) / sizeof(zero[0]); i++) {
		if (c >= zero[i] && c <= zero[i] + 9)
			return (int)(c - zero[i]);
	}
	return -1;
}

static bool divides(uint32_t c)
{
	return c == ' ' || c == '.' || c == '-' || c == 0x00A0 || c == 0x202F || (c >= 0x2010 && c <= 0x2014);
}

/* Nine zeros are nobody's number. */
static bool eleven_test(const uint8_t *digit)
{
	int sum = 0;
	int any = 0;

	for (int i = 0; i < BSN_DIGITS; i++) {
		sum += (i == BSN_DIGITS - 1 ? -1 : BSN_DIGITS - i) * digit[i];
		any |= digit[i];
	}
	return any != 0 && sum % 11 == 0;
}

/* Any groups side by side that make nine digits. A group of one digit counts only where they are the whole run, so
 * that the 6 of +31 6 is not taken together with what stands behind it. */
static bool run_has_bsn(struct run *r)
{
	r->first[r->groups] = r->digits;
	for (unsigned from = 0; from < r->groups; from++) {
		bool small = false;

		for (unsigned to = from + 1; to <= r->groups; to++) {
			unsigned total = r->first[to] - r->first[from];

			small = small || r->first[to] - r->first[to - 1] == 1;
			if (total > BSN_DIGITS)
				break;
			if (total == BSN_DIGITS && (!small || (from == 0 && to == r->groups)) &&
			    eleven_test(r->digit + r->first[from]))
				return true;
		}
	}
	return false;
}

bool bsn_inside(const char *text)
{
	struct run r = { .digits = 0 };
	unsigned dividers = 1; /* since the last digit; a digit after any begins a group */

	for (const char *p = text;;) {
		uint32_t c = *p == '\0' ? 0 : utf8_next(&p);
		int d = c == 0 ? -1 : digit_value(c);

		if (d >= 0 && r.digits < RUN_MAX) {
			if (dividers > 0)
				r.first[r.groups++] = r.digits;
			r.digit[r.digits++] = (uint8_t)d;
			dividers = 0;
			continue;
		}
		if (d < 0 && divides(c) && r.digits > 0 && ++dividers <= DIVIDER_MAX)
			continue;
		if (run_has_bsn(&r))
			return true;
		r = (struct run){ .digits = 0 };
		dividers = 1;
		if (d >= 0) {
			r.first[r.groups++] = 0;
			r.digit[r.digits++] = (uint8_t)d;
			dividers = 0;
		}
		if (c == 0)
			return false;
	}
}
