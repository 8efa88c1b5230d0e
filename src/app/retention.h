/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * How long a circle keeps what it wrote: after so many months people are reminded, after so many it may be erased.
 *
 * The rule of a space is a setting of it with the name "retention" and the value "REMIND ERASE": months as numbers, or
 * "never". Any member may set it, as in a circle all are equals (K4: a setting by somebody who was removed counts for
 * nobody, and one in a neighbourhood is no rule of any circle). Where two were set apart from each other the longer
 * time of each counts until somebody sets it again: so no clock decides (M4). A value that this version cannot read
 * means never. Nothing was set: 12 and 24 months.
 *
 * Nothing is erased by itself. A person looks at what falls under the rule and says yes; each record then goes as by
 * `erase` (app/erase.h), marked with the months, and can be contested by everybody for 14 days (sync/erasing.h).
 *
 * What falls under it: a conversation with its referrals, counted from the newest date in them; and residents with whom
 * all conversations go, or of whom nothing but their card was there for so long. Nothing that is open: a follow-up that
 * is planned, a referral that waits, two versions.
 *
 * How old something is:
 * - *Today* is this computer's date, but at most 62 days after the newest thing that another person wrote in the space:
 *   a clock that runs ahead is held back by the others.
 * - What passed since something was written down is counted along the days on which anything was written in the space,
 *   and a gap between two of them counts as 92 days at most. A clock that jumps by ten years ages nothing by more.
 * - The time between the date of a conversation and the day it was written down (an old list that was typed in) counts
 *   whole.
 */
#ifndef SLB_APP_RETENTION_H
#define SLB_APP_RETENTION_H

#include "app/pool.h"
#include "app/session.h"
#include "app/shown.h"

#define RETENTION_NEVER 0
#define RETENTION_REMIND 12 /* months, where nothing was set */
#define RETENTION_ERASE 24
#define RETENTION_REMIND_MIN 1
#define RETENTION_ERASE_MIN 6 /* a shorter rule would erase what a tally still counts */
#define RETENTION_MAX 600

#define RETENTION_AHEAD_DAYS 62
#define RETENTION_GAP_DAYS 92

struct retention_rule {
	int remind; /* months; RETENTION_NEVER */
	int erase;
	bool set;      /* somebody set it; else it is the default */
	bool disputed; /* two were set apart from each other: the longer counts */
	char by[APP_NAME_MAX];
	int64_t at_ms; /* by the clock of who set it */
};

/* One circle, or (NULL) each of them; without any the own space. */
struct retention_row {
	const char *circle; /* NULL: the own space */
	struct retention_rule rule;
	size_t reminded; /* conversations older than `remind`, as dates and follow-ups tell */
	size_t due;      /* older than `erase` */
};
struct retention_list {
	struct pool pool;
	struct retention_row *item;
	size_t n;
};
enum err retention_show(struct errctx *ec, struct app *app, const char *circle, struct retention_list *out) MUST_CHECK;
void retention_list_free(struct retention_list *list);

/* As typed: "12", "12m", "2y", "never"; NULL leaves what is. ERR_INPUT: not such a time, or too short; ERR_REFUSED: it
 * would be erased before anybody is reminded. */
enum err retention_set(struct errctx *ec, struct app *app, const char *circle, const char *remind, const char *erase,
                       struct retention_rule *out) MUST_CHECK;

struct retention_item {
	const char *id;
	const char *kind; /* "contact", "referral", "resident" */
	int64_t day;      /* the newest date in it; NO_DAY: none */
	const char *resident;
	const char *why; /* an English sentence, the key of its translation: why it stays; NULL: it goes */
};

struct retention_run {
	struct pool pool;
	const char *circle; /* NULL: the own space */
	struct retention_rule rule;
	int64_t today;  /* the day that counted */
	bool held_back; /* it is before this computer's date, because others wrote nothing since */
	struct retention_item *item;
	size_t n;
	size_t go; /* how many of them go */
	size_t stay;
	size_t contacts; /* conversations that go */
	size_t all;      /* conversations in the space */
	bool erased;
	bool others; /* there are other people in the space */
};

/* What falls under the rule of one space. Only with `yes` it is erased: all of it in one transaction. Where that would
 * be more than 20 conversations and more than half of all, `count` must be the number of records that go, as the look
 * before told it: ERR_USAGE. A rule of "never": nothing goes. Free with retention_run_free(), also after a failure. */
struct retention_how {
	const char *circle;
	bool yes;
	size_t count; /* 0: not given */
};
enum err retention_run(struct errctx *ec, struct app *app, const struct retention_how *how,
                       struct retention_run *out) MUST_CHECK;
void retention_run_free(struct retention_run *r);

/* --- within app/ --- */

enum err retention_rule_of(struct errctx *ec, struct app *app, int64_t space, struct retention_rule *out) MUST_CHECK;

struct dots;
/* Fills in what goes and what stays (`item` and the numbers), by out->rule; the ids of what goes to `going`, residents
 * last. */
enum err retention_look(struct errctx *ec, struct app *app, int64_t space, struct retention_run *out,
                        struct dots *going) MUST_CHECK;

#endif
