// SPDX-License-Identifier: EUPL-1.2
// Calendar arithmetic and the ways in which people write a date. Days to dates and back as in Howard Hinnant,
// "chrono-Compatible Low-Level Date Algorithms": eras of 400 years, years that begin in March.
#include "app/dates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define YEAR_MIN 1900
#define YEAR_MAX 2199

struct date day_date(int64_t day)
{
	int64_t z = day + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	int month = (int)(mp < 10 ? mp + 3 : mp - 9);

	return (struct date){ .year = (int)(yoe + era * 400 + (month <= 2)),
		              .month = month,
		              .day = (int)(doy - (153 * mp + 2) / 5 + 1) };
}

int64_t date_day(struct date d)
{
	int64_t y = d.year - (d.month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (d.month > 2 ? d.month - 3 : d.month + 9) + 2) / 5 + d.day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * 146097 + doe - 719468;
}

static int month_length(int year, int month)
{
	static const int length[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return length[month - 1] + (month == 2 && leap);
}

bool date_valid(struct date d)
{
	return d.year >= YEAR_MIN && d.year <= YEAR_MAX && d.month >= 1 && d.month <= 12 && d.day >= 1 &&
	       d.day <= month_length(d.year, d.month);
}

int64_t day_add_months(int64_t day, int months)
{
	struct date d = day_date(day);
	int count = d.year * 12 + d.month - 1 + months;
	int longest = 0;

	d.year = count / 12;
	d.month = count % 12 + 1;
	longest = month_length(d.year, d.month);
	if (d.day > longest)
		d.day = longest;
	return date_day(d);
}

void day_text(int64_t day, char out[static DAY_TEXT_LEN])
{
	struct date d = { 0 };

	out[0] = '\0';
	if (day == NO_DAY || day < date_day((struct date){ 1, 1, 1 }) || day > date_day((struct date){ 9999, 12, 31 }))
		return;
	d = day_date(day);
	snprintf(out, DAY_TEXT_LEN, "%04u-%02u-%02u", (unsigned)d.year % 10000, (unsigned)d.month % 100,
	         (unsigned)d.day % 100);
}

void time_text(int64_t ms, char out[static TIME_TEXT_LEN])
{
	int64_t s = ms / 1000;
	int64_t day = s / 86400;
	unsigned rest = (unsigned)(s % 86400);
	char date[DAY_TEXT_LEN];

	day_text(day, date);
	snprintf(out, TIME_TEXT_LEN, "%sT%02u:%02u:%02uZ", date, rest / 3600 % 24, rest / 60 % 60, rest % 60);
}

/* "2026-11-22" and nothing else. */
static bool iso_parse(const char *text, int64_t *out)
{
	static const char shape[] = "dddd-dd-dd";
	struct date d = { 0 };

	for (size_t i = 0; i < sizeof(shape); i++) {
		bool digit = text[i] >= '0' && text[i] <= '9';

		if (shape[i] == 'd' ? !digit : text[i] != shape[i])
			return false;
	}
	d.year = atoi(text);
	d.month = atoi(text + 5);
	d.day = atoi(text + 8);
	*out = date_day(d);
	return date_valid(d);
}

/* "+3d", "-1w", "1m". */
static bool offset_parse(const char *text, int64_t today, int64_t *out)
{
	const char *p = text;
	int sign = 1;
	int n = 0;
	int digits = 0;

	if (*p == '+' || *p == '-')
		sign = *p++ == '-' ? -1 : 1;
	for (; *p >= '0' && *p <= '9'; p++, digits++) {
		if (digits == 4)
			return false;
		n = n * 10 + (*p - '0');
	}
	if (digits == 0 || strlen(p) != 1)
		return false;
	n *= sign;
	switch (*p) {
	case 'd':
		*out = today + n;
		break;
	case 'w':
		*out = today + 7 * (int64_t)n;
		break;
	case 'm':
		if (n < -1200 || n > 1200)
			return false;
		*out = day_add_months(today, n);
		break;
	default:
		return false;
	}
	return date_valid(day_date(*out));
}

enum err day_parse(struct errctx *ec, const char *field, const char *text, int64_t today, int64_t *out)
{
	static const struct {
		const char *word;
		int days;
	} words[] = { { "today", 0 },   { "tomorrow", 1 }, { "yesterday", -1 },
		      { "vandaag", 0 }, { "morgen", 1 },   { "gisteren", -1 } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i].word) == 0) {
			*out = today + words[i].days;
			return ERR_OK;
		}
	}
	if (iso_parse(text, out) || offset_parse(text, today, out))
		return ERR_OK;
	return err_set(ec, ERR_INPUT,
	               "%1: \"%2\" is not a date. Write it as 2026-11-22, today, tomorrow, +3d, +1w or +1m.", field,
	               text, NULL);
}
