/* SPDX-License-Identifier: EUPL-1.2 */
/* Residents: a nickname in a circle, and how they may be reached. Nothing more is ever asked. */
#ifndef SLB_APP_RESIDENTS_H
#define SLB_APP_RESIDENTS_H

#include "app/pool.h"
#include "app/session.h"
#include "app/shown.h"

/* As typed; NULL: not given, "": take it away. */
struct resident_fields {
	const char *nick;
	const char *reach;  /* id of list reach */
	const char *number; /* a telephone number or address to reach them; no check for a BSN */
	const char *language;
	const char *note;
};

struct resident {
	const char *id;
	const char *nick;
	const char *reach;
	const char *number;
	const char *language;
	const char *note;
	const char *circle; /* name; NULL in the own space */
	size_t two;         /* fields with two versions */
	struct versions versions;
};

struct resident_list {
	struct pool pool;
	struct resident *item;
	size_t n;
};

/* ERR_REFUSED where the circle has a resident of that name. `out` receives the id. */
enum err resident_add(struct errctx *ec, struct app *app, const char *circle, const struct resident_fields *f,
                      char out[static ID_TEXT_LEN]) MUST_CHECK;
/* `id` whole or a start that only one has; *out the whole one. */
enum err resident_edit(struct errctx *ec, struct app *app, const char *id, const struct resident_fields *f,
                       char out[static ID_TEXT_LEN]) MUST_CHECK;
/* A list of one. Free both with resident_list_free(), also after a failure. */
enum err resident_show(struct errctx *ec, struct app *app, const char *id, struct resident_list *out) MUST_CHECK;
/* NULL: all circles. */
enum err resident_list_all(struct errctx *ec, struct app *app, const char *circle,
                           struct resident_list *out) MUST_CHECK;
/* Other residents of the same circle whose name sounds like that of resident `id` (a whole id): perhaps the same
 * person.
 */
enum err resident_similar(struct errctx *ec, struct app *app, const char *id, struct resident_list *out) MUST_CHECK;
/* The same for a name that is being typed: whoever has this very name or one that sounds like it, those left out that
 * were said to be somebody else (resident_not_same()). `circle` as for resident_add(). */
enum err resident_sounding(struct errctx *ec, struct app *app, const char *circle, const char *nick,
                           struct resident_list *out) MUST_CHECK;
/* A person says that whoever is called `nick` is not resident `id`; remembered in this home. */
enum err resident_not_same(struct errctx *ec, struct app *app, const char *id, const char *nick) MUST_CHECK;
void resident_list_free(struct resident_list *list);

/* --- within app/ --- */

struct dot;
struct dots;
struct store;
/* These records, in this order; what is erased or of another kind is left out. */
enum err resident_list_of(struct errctx *ec, struct app *app, const struct dots *ids,
                          struct resident_list *out) MUST_CHECK;
/* The resident of that name in a space, made where there is none yet; inside the caller's transaction. */
enum err resident_named(struct errctx *ec, struct app *app, int64_t space, const char *nick,
                        struct dot *out) MUST_CHECK;
/* A name that can be used: not empty, and not another resident's; ERR_INPUT, ERR_REFUSED. `self`: whose name it is to
 * be. */
enum err resident_nick_free(struct errctx *ec, struct app *app, int64_t space, const char *nick,
                            struct dot self) MUST_CHECK;
/* The name, NULL where the record is not here; *never tells that the resident asked not to be reached. */
const char *resident_nick(struct pool *p, struct app *app, struct dot id, bool *never);

#endif
