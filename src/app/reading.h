/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a form was read with (M2): applied is not seen. Whoever reads a record to change it takes this token along, and
 * hands it back with the changes; what came in meanwhile then stands beside them and is not overwritten.
 */
#ifndef SLB_APP_READING_H
#define SLB_APP_READING_H

#include "app/pool.h"
#include "app/session.h"

/* A token as interfaces keep it, and the long text that stood there when it was given (the base of a merge). Both may
 * be NULL: everything that is applied here counts as seen. */
struct reading {
	const char *token;
	const char *text;
};

/* The token for the space that record `id` (a whole id) is in, now: "batch-device batch-device ...". The pool's. */
enum err reading_token(struct errctx *ec, struct app *app, struct pool *p, const char *id, const char **out) MUST_CHECK;

/* --- within app/ --- */

struct seen;
/* ERR_INPUT for what is no token. *count is 0 and *out NULL for no token at all. */
enum err reading_parse(struct errctx *ec, struct pool *p, const char *token, const struct seen **out,
                       size_t *count) MUST_CHECK;

#endif
