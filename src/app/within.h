/* SPDX-License-Identifier: EUPL-1.2 */
/* Small steps that every use case takes. Private to app/. */
#ifndef SLB_APP_WITHIN_H
#define SLB_APP_WITHIN_H

#include "app/editor.h"
#include "app/session.h"
#include "app/shown.h"
#include "store/store.h"

/* Finds a record of a kind by its id or the start of one, and loads it. ERR_NOT_FOUND also where it is erased. */
enum err within_load(struct errctx *ec, struct app *app, const char *id, uint32_t kind, struct loaded *out) MUST_CHECK;
/* The same by a whole id that another record named; false where it is not here or erased, or
 * cannot be read (which app_unread() tells). */
bool within_peek(struct app *app, struct dot id, uint32_t kind, struct loaded *out);

/* Was the record that another one names erased? False where it names none, or one that is not here. */
bool within_gone(struct app *app, struct dot id);

/* ERR_LATER with a sentence in a home that was restored and has not come back among the others (S7). */
enum err within_not_restored(struct errctx *ec, struct app *app) MUST_CHECK;

/* ERR_LATER with a sentence while not everything of a space has come that a joiner was promised (sync/floor.h): for
 * whatever writes there. */
enum err within_arrived(struct errctx *ec, struct app *app, int64_t space) MUST_CHECK;

/* Has one this role (an id of the list `role`) in the space oneself? */
enum err within_role(struct errctx *ec, struct app *app, const struct space_row *space, const char *role,
                     bool *out) MUST_CHECK;

/* Ends a transaction: commits where e is ERR_OK, else rolls back. */
enum err within_end(struct errctx *ec, struct app *app, enum err e) MUST_CHECK;

enum err within_no_memory(struct errctx *ec) MUST_CHECK;
/* ERR_NO_MEMORY with its sentence where the pool failed, else e. */
enum err within_pool(struct errctx *ec, const struct pool *p, enum err e) MUST_CHECK;

/* What the owner of this home is called. `out` takes APP_NAME_MAX bytes. */
enum err app_own_name(struct errctx *ec, struct app *app, char *out) MUST_CHECK;

/* The name of the circle that a space is; NULL for the own space. */
const char *within_space_name(struct pool *p, struct app *app, int64_t space);
/* The circle named, or 0 for every circle where the name is NULL. */
enum err within_circle_filter(struct errctx *ec, struct app *app, const char *circle, int64_t *space) MUST_CHECK;

#endif
