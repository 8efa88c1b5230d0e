/* SPDX-License-Identifier: EUPL-1.2 */
/* Calendar quarters, and the day on which the tally of one opens. Days count from 1970-01-01. */
#ifndef SLB_TALLY_QUARTER_H
#define SLB_TALLY_QUARTER_H

#include <stdbool.h>
#include <stdint.h>

/* A referral is counted by its state this many days after the last day of the quarter; the tally opens on that day. */
#define QUARTER_WAIT_DAYS 30
#define QUARTER_TEXT_LEN 7 /* "2026Q3" with the NUL */

struct quarter {
	uint16_t year;   /* 1970 to 9999 */
	uint8_t quarter; /* 1 to 4 */
};

/* "2026Q3", nothing before or after it. */
bool quarter_parse(const char *text, struct quarter *out);
void quarter_text(struct quarter q, char out[static QUARTER_TEXT_LEN]);
int64_t quarter_first_day(struct quarter q);
int64_t quarter_last_day(struct quarter q);
int64_t quarter_opens(struct quarter q);

#endif
