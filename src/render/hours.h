/* SPDX-License-Identifier: EUPL-1.2 */
/* A week of opening hours, from rows of a schedule to one line in OpenStreetMap's opening_hours notation:
 * "Mo-Fr 08:00-17:00; Sa 10:00-18:00". Times are minutes after midnight. */
#ifndef SLB_RENDER_HOURS_H
#define SLB_RENDER_HOURS_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define HOURS_DAYS 7
#define HOURS_PER_DAY 8

/* Zero-initialised it is closed all week. */
struct hours {
	struct {
		int opens[HOURS_PER_DAY];
		int closes[HOURS_PER_DAY];
		size_t count;
	} day[HOURS_DAYS];
};

/* 0 for Monday to 6 for Sunday, by its English or Dutch name or the first two or more letters of it; -1 else. */
int hours_weekday(const char *text);
/* "08:00", "8:30", "24:00", "9am", "4:00 PM", "12 am"; -1 else. */
int hours_time(const char *text);

/* Adds a time of opening; those beyond HOURS_PER_DAY on one day are ERR_INPUT. */
enum err hours_add(struct hours *hours, int weekday, int opens, int closes) MUST_CHECK;
/* Appends the line; nothing where it is closed all week. Each day is in order of opening. */
enum err hours_put(const struct hours *hours, struct buf *out) MUST_CHECK;

#endif
