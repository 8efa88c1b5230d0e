// SPDX-License-Identifier: EUPL-1.2
// Quarters and days by arithmetic alone; the proleptic Gregorian calendar.
#include "tally/quarter.h"

#include <string.h>

/* Days from 1970-01-01 to the first day of a month. Years start in March here, so that the leap day comes last. */
static int64_t month_start(int64_t year, int64_t month)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t m = month <= 2 ? month + 9 : month - 3;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 - 719468;
}

bool quarter_parse(const char *text, struct quarter *out)
{
	unsigned year = 0;

	if (strlen(text) != QUARTER_TEXT_LEN - 1 || text[4] != 'Q' || text[5] < '1' || text[5] > '4')
		return false;
	for (int i = 0; i < 4; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		year = year * 10 + (unsigned)(text[i] - '0');
	}
	if (year < 1970)
		return false;
	*out = (struct quarter){ .year = (uint16_t)year, .quarter = (uint8_t)(text[5] - '0') };
	return true;
}

static void digits(unsigned v, int n, char *out)
{
	while (n-- > 0) {
		out[n] = (char)('0' + v % 10);
		v /= 10;
	}
}

void quarter_text(struct quarter q, char out[static QUARTER_TEXT_LEN])
{
	digits(q.year, 4, out);
	out[4] = 'Q';
	digits(q.quarter, 1, out + 5);
	out[6] = '\0';
}

int64_t quarter_first_day(struct quarter q)
{
	return month_start(q.year, 3 * (q.quarter - 1) + 1);
}

int64_t quarter_last_day(struct quarter q)
{
	if (q.quarter == 4)
		return month_start(q.year + 1, 1) - 1;
	return month_start(q.year, 3 * q.quarter + 1) - 1;
}

int64_t quarter_opens(struct quarter q)
{
	return quarter_last_day(q) + QUARTER_WAIT_DAYS;
}
