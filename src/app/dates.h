/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Dates as days since 1970-01-01, and how people write them: 2026-11-22, today, tomorrow, yesterday, +3d, +2w, +1m,
 * -1w; d, w and m are days, weeks and months, and a number without a sign counts forward ("3d").
 * The Dutch words vandaag, morgen and gisteren do as well.
 */
#ifndef SLB_APP_DATES_H
#define SLB_APP_DATES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define NO_DAY INT64_MIN
#define DAY_TEXT_LEN 11  /* "2026-11-22" with its NUL */
#define TIME_TEXT_LEN 21 /* "2026-11-22T09:30:00Z" with its NUL */

struct date {
	int year;
	int month; /* 1 to 12 */
	int day;   /* 1 to 31 */
};

/* Gregorian calendar. */
struct date day_date(int64_t day);
int64_t date_day(struct date d);
bool date_valid(struct date d); /* years 1900 to 2199 */

/* The same day of the month `months` later (or earlier), or the last day of that month. */
int64_t day_add_months(int64_t day, int months);

/* ISO 8601; "" for NO_DAY. */
void day_text(int64_t day, char out[static DAY_TEXT_LEN]);
/* Milliseconds since 1970 as UTC, to the second. */
void time_text(int64_t ms, char out[static TIME_TEXT_LEN]);

/* ERR_INPUT, naming `field`, for anything that is not a date as above. */
enum err day_parse(struct errctx *ec, const char *field, const char *text, int64_t today, int64_t *out) MUST_CHECK;

#endif
