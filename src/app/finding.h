/* SPDX-License-Identifier: EUPL-1.2 */
/* Search over everything that was written; every word is a prefix, accents do not count. */
#ifndef SLB_APP_FINDING_H
#define SLB_APP_FINDING_H

#include "app/pool.h"
#include "app/session.h"
#include "app/shown.h"

/* Around what was found in a snippet. */
#define FOUND_BEGIN '\2'
#define FOUND_END '\3'

struct found {
	const char *id;
	const char *kind; /* "contact" and so on */
	int64_t date;     /* NO_DAY where the kind has none */
	const char *snippet;
};

struct found_list {
	struct pool pool;
	struct found *item;
	size_t n;
};

/* Best first, at most `limit`. Free with found_list_free(), also after a failure. */
enum err finding_search(struct errctx *ec, struct app *app, const char *words, unsigned limit,
                        struct found_list *out) MUST_CHECK;
void found_list_free(struct found_list *list);

#endif
