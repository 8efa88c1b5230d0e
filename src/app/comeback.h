/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A lost home comes back: from the words of its recovery sheet and the repository of its neighbourhood alone
 * (sync/paper.h). What was never sent is not among it.
 *
 * First the letters for this sheet are fetched, which changes nothing; then there is a home, new or the one that is
 * open, in which their spaces come in with a sync as after joining.
 */
#ifndef SLB_APP_COMEBACK_H
#define SLB_APP_COMEBACK_H

#include "app/syncing.h"

struct comeback;

/* Fetches and opens the letters. ERR_INPUT: not the words of a sheet. ERR_NOT_FOUND: nothing here is for this sheet.
 * ERR_LATER: the repository cannot be read. The folder o->home is made where it is missing, and taken away again. */
enum err comeback_fetch(struct errctx *ec, const struct app_options *o, struct bytes words, const char *remote,
                        struct comeback **out) MUST_CHECK;
void comeback_free(struct comeback *c); /* accepts NULL */
/* What the owner was called; "" where that is not in this repository. */
const char *comeback_name(const struct comeback *c);

struct comeback_space {
	char name[128];
	char kind[16];
	bool coming_in; /* the host has not shown everything yet */
	bool removed;   /* the sheet was replaced or its owner removed: it is as it was then */
};
struct comeback_view {
	uint32_t number; /* of the sheet */
	struct comeback_space *spaces;
	size_t count;
	struct sync_view sync;
};
/* Makes a home with this passphrase, which this sheet opens too, and brings everything into it. *app is open, or NULL.
 * A sync that did not come through is no failure: what is missing comes with the next one. */
enum err comeback_new(struct errctx *ec, const struct app_options *o, const struct comeback *c, struct bytes passphrase,
                      const char *name, struct app **app, struct comeback_view *out) MUST_CHECK;
/* Into a home that is open. ERR_REFUSED: it has everything of this repository already. */
enum err comeback_into(struct errctx *ec, struct app *app, const struct comeback *c,
                       struct comeback_view *out) MUST_CHECK;
void comeback_view_free(struct comeback_view *v);

#endif
