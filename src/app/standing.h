/* SPDX-License-Identifier: EUPL-1.2 */
/* Fields with two versions, before and after something came in. Private to app/. */
#ifndef SLB_APP_STANDING_H
#define SLB_APP_STANDING_H

#include "app/session.h"
#include "store/store.h"

struct side_by_side {
	struct dots records;
	size_t *fields; /* in two versions, of each record */
};

enum err standing_load(struct errctx *ec, struct app *app, struct side_by_side *out) MUST_CHECK;
void standing_free(struct side_by_side *s);
/* How many stand in `after` that did not in `before`. */
uint64_t standing_new(const struct side_by_side *before, const struct side_by_side *after);

#endif
