/* SPDX-License-Identifier: EUPL-1.2 */
/* Removing a person, or one device of a person, from a space (K1). */
#ifndef SLB_APP_REMOVING_H
#define SLB_APP_REMOVING_H

#include "app/session.h"

struct removed_view {
	char name[128];
	char space[128];
	size_t devices; /* that were removed */
	bool me;        /* it was the owner of this home, who leaves; or a device of theirs */
	/* Of a person who was removed from a circle: the neighbourhood in which somebody of that name still is, and
	 * that one's id there where it can be but one; "" */
	char still_in[128];
	char still_id[40];
};

/* `id`: the whole id of a member record. ERR_USAGE: only a part of one. ERR_NOT_FOUND. ERR_REFUSED: not the caller's to
 * do, or nobody would be left who can. Goes out with the next sync; from now on nothing is sealed for them. */
enum err app_member_remove(struct errctx *ec, struct app *app, const char *id, struct removed_view *out) MUST_CHECK;

/* One device of a person, by its whole id; what else the person has there stays. The same errors; ERR_REFUSED also for
 * the very device on which this is typed, and for the person's last one. */
enum err app_device_remove(struct errctx *ec, struct app *app, const char *id, const char *device,
                           struct removed_view *out) MUST_CHECK;

/* Turns down a request to be let in, or to come back, by the start of its id: it is gone from the list, also where it
 * comes once more. Whoever asks is not told. `name` gets what it calls itself; "". ERR_NOT_FOUND, ERR_USAGE. */
enum err app_decline(struct errctx *ec, struct app *app, const char *id, char name[static APP_NAME_MAX]) MUST_CHECK;

#endif
