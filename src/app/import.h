/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Earlier logs of conversations, as rows of a table that somebody kept: what a parser (render/import.h) hands over, and
 * taking it in, all or nothing.
 *
 * Rows that hold one conversation (the same `id` of a file that we wrote, or the same words in every column that is
 * about the conversation, text included) are one contact with several referrals.
 *
 * A conversation is known, and left as it is, where its `id` is here, or where its circle has one with the same date,
 * resident and text; of several that are alike in that, as many are known as there are here. A known conversation gets
 * the referrals of its rows that it has fewer of. So the same file may be taken in twice, and a longer one later.
 */
#ifndef SLB_APP_IMPORT_H
#define SLB_APP_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/pool.h"
#include "app/session.h"

/* X(column, type, list): the canonical name; what a cell of it is: DAY, ID, IDS, YES, LINE, TEXT, REF; the value list.
 */
#define IMPORT_COLUMNS(X)                                                                                              \
	X(id, REF, none)                                                                                               \
	X(date, DAY, none)                                                                                             \
	X(channel, ID, channel)                                                                                        \
	X(who, ID, who)                                                                                                \
	X(from_service, REF, none)                                                                                     \
	X(domains, IDS, domain)                                                                                        \
	X(did, IDS, did)                                                                                               \
	X(resident, LINE, none)                                                                                        \
	X(text, TEXT, none)                                                                                            \
	X(follow_up, DAY, none)                                                                                        \
	X(follow_up_done, YES, none)                                                                                   \
	X(follows, REF, none)                                                                                          \
	X(circle, LINE, none)                                                                                          \
	X(service, LINE, none)                                                                                         \
	X(service_name, LINE, none)                                                                                    \
	X(group, ID, group)                                                                                            \
	X(kind, ID, kind)                                                                                              \
	X(referral_domain, ID, domain)                                                                                 \
	X(referral_date, DAY, none)                                                                                    \
	X(status, ID, status)                                                                                          \
	X(status_date, DAY, none)                                                                                      \
	X(reason, ID, reason)                                                                                          \
	X(consent, ID, consent)                                                                                        \
	X(consent_what, LINE, none)                                                                                    \
	X(consent_until, DAY, none)                                                                                    \
	X(changed, ID, changed)                                                                                        \
	X(referral_text, TEXT, none)

enum import_column {
#define X(column, type, list) IMPORT_##column,
	IMPORT_COLUMNS(X)
#undef X
	    IMPORT_COLUMN_COUNT
};

/* One row of the file. A cell is NULL where it is empty; else an id of its list, several with commas between them, a
 * date as ISO 8601, "true" or "false", or what was typed. */
struct import_row {
	size_t number; /* as a spreadsheet counts: the header is row 1 */
	const char *cell[IMPORT_COLUMN_COUNT];
};

/* A cell that cannot be used. */
struct import_problem {
	size_t row;
	const char *column; /* as the file calls it */
	const char *why;    /* static: an English sentence that is the key of its translation; %1 the file, %2 the row,
	                       %3 the column, %4 `more` */
	const char *more;   /* what there is to choose from; may be NULL */
};

/* How many are told at once. */
#define IMPORT_PROBLEMS_MAX 20

/* Zero-initialised it is empty and valid. Texts are the pool's. */
struct import_log {
	struct pool pool;
	const char *file;                        /* its name without the folder */
	const char *header[IMPORT_COLUMN_COUNT]; /* as the file calls the column; NULL: it has none */
	struct import_row *row;
	size_t rows;
	struct import_problem problem[IMPORT_PROBLEMS_MAX];
	size_t problems; /* told ones */
	size_t unusable; /* all of them */
};

const char *import_column_name(enum import_column c);
/* Is this a whole id, as our own files have them? */
bool import_is_id(const char *text);
/* Notes one; ERR_NO_MEMORY. `column` IMPORT_COLUMN_COUNT takes `name`. */
enum err import_problem_add(struct import_log *log, size_t row, const char *column, const char *why,
                            const char *more) MUST_CHECK;
/* The error that the problems come to: the only one, or how many and where the first is. ERR_INPUT. */
enum err import_problems_error(struct errctx *ec, const struct import_log *log) MUST_CHECK;
void import_log_free(struct import_log *log);

struct import_made {
	size_t rows;
	size_t contacts;  /* new ones */
	size_t referrals; /* new ones */
	size_t residents; /* new ones */
	size_t known;     /* rows of which everything was here */
};

/* Asked now and then with how far it is; false stops. */
typedef bool (*import_step_fn)(void *ctx, size_t done, size_t all);

/* In one transaction: after any error nothing is changed. ERR_INPUT: log->problem tells which cells cannot be used.
 * `circle`: where rows go that name none; NULL: as app_circle(). ERR_LATER: it was stopped. */
enum err import_run(struct errctx *ec, struct app *app, struct import_log *log, const char *circle, import_step_fn step,
                    void *ctx, struct import_made *out) MUST_CHECK;

#endif
