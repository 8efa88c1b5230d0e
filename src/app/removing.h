/* SPDX-License-Identifier: EUPL-1.2 */
/* Removing a person from a circle or a neighbourhood (K1). */
#ifndef SLB_APP_REMOVING_H
#define SLB_APP_REMOVING_H

#include "app/session.h"

struct removed_view {
	char name[128];
	char space[128];
	size_t devices; /* that were removed */
	bool me;        /* it was the owner of this home, who leaves */
};

/* `id`: the whole id of a member record. ERR_USAGE: only a part of one. ERR_NOT_FOUND. ERR_REFUSED: not the caller's to
 * do, or nobody would be left who can. Goes out with the next sync; from now on nothing is sealed for them. */
enum err app_member_remove(struct errctx *ec, struct app *app, const char *id, struct removed_view *out) MUST_CHECK;

#endif
