// SPDX-License-Identifier: EUPL-1.2
// Opening hours: reads the ways in which directories write times, writes one way.
#include "render/hours.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const short_name[HOURS_DAYS] = { "Mo", "Tu", "We", "Th", "Fr", "Sa", "Su" };

int hours_weekday(const char *text)
{
	static const char *const name[2][HOURS_DAYS] = {
		{ "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" },
		{ "maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag" },
	};
	size_t len = strlen(text);

	for (int language = 0; language < 2 && len >= 2; language++)
		for (int day = 0; day < HOURS_DAYS; day++)
			if (len <= strlen(name[language][day]) && strncasecmp(name[language][day], text, len) == 0)
				return day;
	return -1;
}

/* One or two digits; moves *p past them. */
static int number(const char **p)
{
	int n = 0;
	int digits = 0;

	for (; isdigit((unsigned char)**p) && digits < 3; (*p)++, digits++)
		n = 10 * n + (**p - '0');
	return digits == 1 || digits == 2 ? n : -1;
}

int hours_time(const char *text)
{
	const char *p = text;
	int hour = number(&p);
	int minute = 0;
	bool minutes = *p == ':' || *p == '.';

	if (minutes) {
		p++;
		minute = isdigit((unsigned char)p[0]) && isdigit((unsigned char)p[1]) ? number(&p) : -1;
	}
	if (hour < 0 || minute < 0 || minute > 59)
		return -1;
	while (*p == ' ')
		p++;
	if (strcasecmp(p, "am") == 0 || strcasecmp(p, "pm") == 0) {
		if (hour < 1 || hour > 12)
			return -1;
		hour = hour % 12 + (tolower((unsigned char)*p) == 'p' ? 12 : 0);
	} else if (*p != '\0' || !minutes || hour > 24 || (hour == 24 && minute > 0)) {
		return -1;
	}
	return 60 * hour + minute;
}

enum err hours_add(struct hours *hours, int weekday, int opens, int closes)
{
	size_t n = hours->day[weekday].count;

	if (n == HOURS_PER_DAY)
		return ERR_INPUT;
	for (; n > 0 && hours->day[weekday].opens[n - 1] > opens; n--) {
		hours->day[weekday].opens[n] = hours->day[weekday].opens[n - 1];
		hours->day[weekday].closes[n] = hours->day[weekday].closes[n - 1];
	}
	hours->day[weekday].opens[n] = opens;
	hours->day[weekday].closes[n] = closes;
	hours->day[weekday].count++;
	return ERR_OK;
}

static bool same_day(const struct hours *hours, int a, int b)
{
	if (hours->day[a].count != hours->day[b].count)
		return false;
	for (size_t i = 0; i < hours->day[a].count; i++)
		if (hours->day[a].opens[i] != hours->day[b].opens[i] ||
		    hours->day[a].closes[i] != hours->day[b].closes[i])
			return false;
	return true;
}

enum err hours_put(const struct hours *hours, struct buf *out)
{
	bool first = true;

	for (int day = 0; day < HOURS_DAYS; day++) {
		int last = day;
		char text[48];
		enum err e = ERR_OK;

		if (hours->day[day].count == 0)
			continue;
		while (last + 1 < HOURS_DAYS && same_day(hours, day, last + 1))
			last++;
		snprintf(text, sizeof(text), "%s%s%s%s", first ? "" : "; ", short_name[day], last > day ? "-" : "",
		         last > day ? short_name[last] : "");
		e = buf_put_str(out, text);
		for (size_t i = 0; i < hours->day[day].count && e == ERR_OK; i++) {
			int opens = hours->day[day].opens[i];
			int closes = hours->day[day].closes[i];

			snprintf(text, sizeof(text), "%s%02d:%02d-%02d:%02d", i == 0 ? " " : ",", opens / 60,
			         opens % 60, closes / 60, closes % 60);
			e = buf_put_str(out, text);
		}
		if (e != ERR_OK)
			return e;
		first = false;
		day = last;
	}
	return ERR_OK;
}
