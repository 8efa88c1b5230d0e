/* SPDX-License-Identifier: EUPL-1.2 */
/* The rows of a table as conversations, and which of them are here already. Private to app/. */
#ifndef SLB_APP_IMPORT_TALKS_H
#define SLB_APP_IMPORT_TALKS_H

#include "app/import.h"
#include "model/id.h"

#define NO_ROW SIZE_MAX

struct talk {
	size_t row; /* the first one */
	bool known;
	struct dot contact; /* of a known one; the writer sets it for a new one */
};

struct talks {
	struct talk *item; /* oldest first; those of one day in the order of the file */
	size_t n;
	size_t *next;    /* of a row: the next of the same conversation, NO_ROW at the end */
	size_t *talk_of; /* of a row: index into item */
	struct id_row *by_id;
	size_t ids;
};

/* `space` is where each row goes. Free with talks_free(), also after a failure. */
enum err talks_read(struct errctx *ec, struct app *app, const struct import_log *log, const int64_t *space,
                    struct talks *out) MUST_CHECK;
void talks_free(struct talks *t);

/* The contact of the row that has this in its column id; false where there is no such row. */
bool talks_find(const struct talks *t, const struct import_log *log, const char *id, struct dot *out);

#endif
