/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Everything of mine, record by record, for somebody who writes it down: the circles one is a member of, one's own
 * space, the directory and the members. Keys, epochs, invitations, the courier's files, settings and what tallies keep
 * in the neighbourhood are no part of it, nor is a kind of record that this version does not know: what cannot be
 * named cannot leak.
 */
#ifndef SLB_APP_EXPORT_H
#define SLB_APP_EXPORT_H

#include <stdbool.h>

#include "app/contacts.h"
#include "app/referrals.h"
#include "app/residents.h"
#include "app/services.h"
#include "app/spaces.h"

struct export_space {
	const char *id; /* hexadecimal */
	const char *name;
	const char *kind;          /* "circle", "own", "neighbourhood" */
	const char *neighbourhood; /* the one that a circle belongs to; NULL: none */
	int64_t n;                 /* private to app/ */
};

struct export_spaces {
	struct pool pool;
	struct export_space *item; /* circles, then the own space, then neighbourhoods; those of a kind by name */
	size_t n;
	const char *me; /* how I am called */
};

/* Free with export_spaces_free(), also after a failure. */
enum err export_spaces(struct errctx *ec, struct app *app, struct export_spaces *out) MUST_CHECK;
void export_spaces_free(struct export_spaces *s);

/* One live write in a field. */
struct export_head {
	const char *edit; /* id of the edit that wrote it */
	const char *author;
	int64_t at_ms;
	const char **value; /* one text, or several that were kept together; of an event: status, date, reason */
	size_t values;
	const char *raw;     /* hexadecimal CBOR, where this version cannot read it or it is bytes; else NULL */
	const char *retract; /* of an event that takes another back: the id of that one's edit */
};

struct export_field {
	const char *field; /* name as in schema/records.def; "#17" for one that this version does not know */
	const char *merge; /* "reg", "text", "set", "events" */
	struct export_head *head;
	size_t heads;
};

/* The whole state of a record: every field, every version that stands beside another, every event. */
struct export_whole {
	struct export_field *field;
	size_t fields;
};

enum export_kind { EXPORT_RESIDENTS, EXPORT_CONTACTS, EXPORT_REFERRALS, EXPORT_SERVICES, EXPORT_KINDS };

/* One record; the one member that goes with its kind is set. Valid during the call. */
struct export_row {
	enum export_kind kind;
	const struct export_space *space;
	const struct resident *resident;
	const struct contact *contact;
	const struct referral_list *referrals; /* of a contact */
	const struct referral *referral;
	bool alone; /* a referral of which the contact is not here */
	const struct service *service;
	const struct export_whole *whole;
};

/* ERR_OK goes on; anything else ends the walk and is its result. */
typedef enum err (*export_fn)(void *arg, const struct export_row *row);

/* How many records of a kind a space holds. */
enum err export_count(struct errctx *ec, struct app *app, const struct export_space *space, enum export_kind kind,
                      size_t *out) MUST_CHECK;
/* Is the member with this id one of this space? */
bool export_is_here(struct app *app, const struct export_space *space, const char *member);

/* Calls `each` for every record of a kind in a space: contacts and referrals newest first, the others by name. */
enum err export_each(struct errctx *ec, struct app *app, const struct export_space *space, enum export_kind kind,
                     export_fn each, void *arg) MUST_CHECK;

#endif
