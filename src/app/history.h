/* SPDX-License-Identifier: EUPL-1.2 */
/* The history of a record: every edit that was made to it, what it changed, by whom and when. */
#ifndef SLB_APP_HISTORY_H
#define SLB_APP_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "app/pool.h"
#include "app/session.h"
#include "app/shown.h"

enum change_form {
	CHANGE_VALUE, /* before, after: the values; several where they were kept together, none: nothing there */
	CHANGE_SET,   /* before: elements taken out, after: elements put in */
	CHANGE_EVENT, /* before: the event that was taken back, after: the one that was added; as status, date, reason
	               */
};

struct history_change {
	enum change_form form;
	const char *field;       /* name as in schema/records.def; "#17" for one this version does not know */
	const char *list;        /* of which the values are ids (app/labels.h); NULL: none */
	bool yes_no;             /* the values are "true" or "false" */
	const char *before_name; /* where the value is the id of a record: how people call it; NULL: not known */
	const char *after_name;
	bool before_erased; /* it names a record that was erased */
	bool after_erased;
	const char **before;
	size_t befores;
	const char **after;
	size_t afters;
};

#define LOCAL_TIME_LEN 32 /* room for "2026-11-22 10:00" */

struct history_edit {
	size_t n;         /* from 1, oldest first */
	const char *edit; /* id of the edit */
	const char *author;
	int64_t at_ms;              /* by the clock of the device that made it */
	char local[LOCAL_TIME_LEN]; /* the same as local date and time */
	bool made;                  /* it made the record */
	bool undoes;                /* it was made by undo, on this device */
	bool undone;                /* it was taken back by undo, on this device */
	bool counts; /* else nothing of it shows: written after its author was removed, or beyond the own role */
	struct history_change *change;
	size_t changes;
};

struct history {
	struct pool pool;
	const char *id;
	const char *kind; /* "contact" and so on */
	struct history_edit *edit;
	size_t n;
};

/* `id` whole or a start that only one has; any kind of record. In the order in which the edits came here: what somebody
 * had read comes before what they made of it. Where two people changed a field apart, `before` of each is what that
 * person replaced. Free with history_free(), also after a failure. */
enum err history_read(struct errctx *ec, struct app *app, const char *id, struct history *out) MUST_CHECK;
void history_free(struct history *h);

#endif
