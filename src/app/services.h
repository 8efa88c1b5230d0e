/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The directory (de wegwijzer): services and initiatives, one for the whole neighbourhood. Coordinators edit it;
 * everyone may say that an entry is right or wrong. "Checked" is a date on which a person looked; it is not the same
 * as edited.
 */
#ifndef SLB_APP_SERVICES_H
#define SLB_APP_SERVICES_H

#include <stdbool.h>

#include "app/directory.h"
#include "app/pool.h"
#include "app/session.h"
#include "app/shown.h"

/* After so many months without a check an entry is old, and very old. */
#define STALE_MONTHS 6
#define VERY_STALE_MONTHS 12

struct service_fields {
	struct directory_entry entry; /* as typed; borrowed. NULL: not given, "": take it away */
	const char *note;             /* among key figures; never exported */
	const char *successor_of;     /* id of the entry that this one replaces */
};

enum staleness { STALE_NOT, STALE_OLD, STALE_VERY_OLD, STALE_NEVER_CHECKED };

struct service {
	const char *id;
	const char *name;
	const char *organisation;
	const char *kind;
	const char *group;
	struct words domains;
	const char *description;
	const char *eligibility;
	const char *documents;
	const char *application;
	const char *phone;
	const char *email;
	const char *website;
	const char *address;
	const char *hours;
	struct words languages;
	const char *cost;
	int64_t checked_on; /* NO_DAY: never */
	const char *checked_by;
	const char *wrong; /* what somebody said is wrong; NULL: nothing */
	const char *note;
	const char *successor_of;
	const char *source;
	enum staleness stale;
	size_t two;
	struct versions versions;
};

struct service_list {
	struct pool pool;
	struct service *item;
	size_t n;
};

/* All these work in the chosen neighbourhood. ERR_REFUSED where a coordinator is needed. */
enum err service_add(struct errctx *ec, struct app *app, const struct service_fields *f,
                     char out[static ID_TEXT_LEN]) MUST_CHECK;
enum err service_edit(struct errctx *ec, struct app *app, const char *id, const struct service_fields *f,
                      char out[static ID_TEXT_LEN]) MUST_CHECK;
/* `wrong` NULL: it is right, as of today; else what is wrong. */
enum err service_check(struct errctx *ec, struct app *app, const char *id, const char *wrong,
                       char out[static ID_TEXT_LEN]) MUST_CHECK;
/* A list of one. Free lists with service_list_free(), also after a failure. */
enum err service_show(struct errctx *ec, struct app *app, const char *id, struct service_list *out) MUST_CHECK;
enum err service_list_all(struct errctx *ec, struct app *app, struct service_list *out) MUST_CHECK;
/* Best first, at most `limit`. */
enum err service_search(struct errctx *ec, struct app *app, const char *words, unsigned limit,
                        struct service_list *out) MUST_CHECK;
void service_list_free(struct service_list *list);

struct import_counts {
	size_t added;
	size_t changed;
	size_t same; /* here already, and nothing differs */
};

/* Takes entries in. One that has a `source` which is here already changes that entry, where it differs; what is
 * empty in the file leaves the entry's field alone. Entries that cannot be used are added to import's rejects. In
 * transactions of bounded size, so what came before a failure stays, and running it again goes on. `stop` (may be
 * NULL) is asked between them. */
typedef bool (*import_stop_fn)(void *ctx);
enum err service_import(struct errctx *ec, struct app *app, struct directory_import *import, import_stop_fn stop,
                        void *ctx, struct import_counts *out) MUST_CHECK;

/* --- within app/ --- */

struct dots;
/* These records, in this order; what is erased or of another kind is left out. */
enum err service_list_of(struct errctx *ec, struct app *app, const struct dots *ids,
                         struct service_list *out) MUST_CHECK;
struct editor;
/* ERR_REFUSED where this device's person is no coordinator of the neighbourhood. */
enum err service_may_edit(struct errctx *ec, struct app *app, int64_t space) MUST_CHECK;
/* Checks and fills; the caller writes or frees the editor. */
enum err service_fields_put(struct editor *ed, const struct service_fields *f) MUST_CHECK;

#endif
