/* SPDX-License-Identifier: EUPL-1.2 */
/* Contacts: conversations with residents, and whom still to call back. */
#ifndef SLB_APP_CONTACTS_H
#define SLB_APP_CONTACTS_H

#include <stdbool.h>

#include "app/pool.h"
#include "app/reading.h"
#include "app/session.h"
#include "app/shown.h"

/* As typed; NULL: not given, "": take it away. */
struct contact_fields {
	const char *date; /* of the conversation; today where a new one has none */
	const char *channel;
	const char *who;
	const char *from_service; /* id of a directory entry; makes `who` dienst */
	const char *domains;      /* ids divided by commas */
	const char *did;
	const char *resident; /* nickname; a new one makes a new resident */
	const char *text;
	const char *follow_up;  /* a date as in app/dates.h, "none" (no longer planned) or "done" (called) */
	const char *follows;    /* id of an earlier contact, of which the follow-up is done by this one */
	struct reading reading; /* with which an existing one was read (app/reading.h) */
	const char *draft;      /* of an unfinished text (app/drafts.h) that this takes the place of */
};

struct contact {
	const char *id;
	int64_t date;
	const char *channel;
	const char *who;
	const char *from_service;
	struct words domains; /* ids of another version are there as they are */
	struct words did;
	const char *resident; /* nickname */
	const char *resident_id;
	bool resident_never;  /* asked not to be reached */
	bool resident_erased; /* there was one, whose record was erased */
	bool follows_erased;  /* so was the contact that it follows */
	const char *text;
	int64_t follow_up; /* NO_DAY: none */
	bool follow_up_done;
	const char *follows;
	const char *circle; /* name; NULL in the own space */
	size_t two;         /* fields with two versions */
	struct versions versions;
};

struct contact_list {
	struct pool pool;
	struct contact *item;
	size_t n;
};

/* One transaction: the contact, a resident who is new, the earlier follow-up that it closes. */
enum err contact_add(struct errctx *ec, struct app *app, const char *circle, const struct contact_fields *f,
                     char out[static ID_TEXT_LEN]) MUST_CHECK;
enum err contact_edit(struct errctx *ec, struct app *app, const char *id, const struct contact_fields *f,
                      char out[static ID_TEXT_LEN]) MUST_CHECK;
/* A list of one. Free lists with contact_list_free(), also after a failure. */
enum err contact_show(struct errctx *ec, struct app *app, const char *id, struct contact_list *out) MUST_CHECK;

struct contact_query {
	const char *circle; /* NULL: all */
	const char *since;  /* a date, NULL: all */
	bool open;          /* only with a follow-up that is not done */
};
/* Newest first. */
enum err contact_list_some(struct errctx *ec, struct app *app, const struct contact_query *q,
                           struct contact_list *out) MUST_CHECK;
void contact_list_free(struct contact_list *list);

/* --- within app/ --- */

struct dots;
/* Makes one inside the caller's transaction. */
struct dot;
enum err contact_make(struct errctx *ec, struct app *app, int64_t space, const struct contact_fields *f,
                      struct dot *out) MUST_CHECK;
/* These records, in this order; what is erased or of another kind is left out. */
enum err contact_list_of(struct errctx *ec, struct app *app, const struct dots *ids,
                         struct contact_list *out) MUST_CHECK;

#endif
