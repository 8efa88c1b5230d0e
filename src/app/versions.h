/* SPDX-License-Identifier: EUPL-1.2 */
/* Two versions of a field, written apart: shown side by side until a person picks one or keeps both. */
#ifndef SLB_APP_VERSIONS_H
#define SLB_APP_VERSIONS_H

#include "app/pool.h"
#include "app/session.h"
#include "app/shown.h"

struct two_versions {
	const char *id;
	const char *kind;
	const char *label; /* how people call the record: nickname, service or first words; may be NULL */
	const struct field_versions *field;
};

struct two_versions_list {
	struct pool pool;
	struct two_versions *item; /* one for each field */
	size_t n;
};

/* Free with two_versions_free(), also after a failure. */
enum err versions_list(struct errctx *ec, struct app *app, struct two_versions_list *out) MUST_CHECK;
void two_versions_free(struct two_versions_list *list);

/* `keep` is the number of a version, "both" (all of them), or "proposal" (their changes put together, where that is
 * offered). ERR_NOT_FOUND: no such field or version here; ERR_USAGE: the field has one version, or no proposal. The
 * record has one version of the field afterwards. */
enum err versions_pick(struct errctx *ec, struct app *app, const char *id, const char *field, const char *keep,
                       char out[static ID_TEXT_LEN]) MUST_CHECK;

/* --- within app/ --- */

struct record;
/* How people call a record: nickname, name of the service; NULL where it has none. */
const char *versions_label(struct app *app, struct pool *p, const struct record *r);
/* The value of a write that leaves the versions `from` up to but not including `to` (numbers from 0, newest first) of a
 * REG or TEXT field, the first of them showing; none at all takes the value away. `base`: the CBOR text that a TEXT
 * write starts from, empty for none. Appended to `out`. */
enum err versions_write(const struct record *r, uint32_t tag, size_t from, size_t to, struct bytes base,
                        struct buf *out) MUST_CHECK;

#endif
