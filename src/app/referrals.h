/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Referrals: from a contact to a service, with one life domain, and what became of it (app/loop.h).
 *
 * A referral begins with an event on its date: "verstuurd", or "plan" on today where the date lies ahead. The name and
 * group of a directory entry are copied, so that a referral stays readable when the entry changes or goes.
 */
#ifndef SLB_APP_REFERRALS_H
#define SLB_APP_REFERRALS_H

#include <stdbool.h>

#include "app/loop.h"
#include "app/pool.h"
#include "app/reading.h"
#include "app/session.h"
#include "app/shown.h"

/* As typed; NULL: not given, "": take it away. */
struct referral_fields {
	const char *service;      /* id of a directory entry, or */
	const char *service_name; /* a name, with a group */
	const char *group;
	const char *kind;
	const char *domain; /* exactly one; NULL for a new one: the contact's only one */
	const char *consent;
	const char *consent_what;
	const char *consent_until;
	const char *date;
	const char *text;
	struct reading reading; /* with which an existing one was read (app/reading.h) */
	const char *draft;      /* of an unfinished text (app/drafts.h) that this takes the place of */
};

struct status_change {
	const char *status;
	const char *reason;  /* with niet_gelukt, and only there */
	const char *date;    /* NULL: today */
	const char *event;   /* with fout: the number of the event, NULL: the last */
	const char *changed; /* with a status that ends the loop: what changed for the resident */
	/* With doorgestuurd the referral that follows (kind `info` where none is given); else only `text`, which then
	 * goes to this referral. `date` of it is not used. */
	struct referral_fields next;
};

struct referral_event {
	size_t n; /* from 1, in the order of the list */
	const char *status;
	int64_t date;
	const char *reason; /* NULL: none */
	const char *author;
};

struct referral {
	const char *id;
	const char *code;
	const char *contact;
	const char *service;
	const char *service_name;
	const char *group;
	const char *kind;
	const char *domain;
	const char *consent;
	const char *consent_what;
	int64_t consent_until;
	int64_t date;
	const char *text;
	const char *changed;
	const char *follows; /* the referral that was sent on */
	const char *resident;
	bool resident_erased; /* there was one, whose record was erased */
	bool contact_erased;
	const char *circle; /* name; NULL in the own space */
	struct loop loop;
	struct referral_event *event;
	size_t events;
	size_t two;
	struct versions versions;
};

struct referral_list {
	struct pool pool;
	struct referral *item;
	size_t n;
};

/* Id and slip code of a referral that was made. */
struct referral_made {
	char id[ID_TEXT_LEN];
	char code[8];
};

/* ERR_USAGE: no or two domains, a name without a group; ERR_REFUSED: the kind needs consent (`aangemeld`: spoken or
 * in writing, `brief`: in writing, neither past its date). */
enum err referral_add(struct errctx *ec, struct app *app, const char *contact, const struct referral_fields *f,
                      struct referral_made *out) MUST_CHECK;
enum err referral_edit(struct errctx *ec, struct app *app, const char *id, const struct referral_fields *f,
                       char out[static ID_TEXT_LEN]) MUST_CHECK;
/* `id` may be the code of a slip. *made is only filled where a next referral was made, else its id is "". */
enum err referral_status(struct errctx *ec, struct app *app, const char *id, const struct status_change *s,
                         char out[static ID_TEXT_LEN], struct referral_made *made) MUST_CHECK;
/* A list of one, by id or code. Free lists with referral_list_free(), also after a failure. */
enum err referral_show(struct errctx *ec, struct app *app, const char *id, struct referral_list *out) MUST_CHECK;

struct referral_query {
	const char *circle; /* NULL: all */
	bool open;
	bool silent;
};
enum err referral_list_some(struct errctx *ec, struct app *app, const struct referral_query *q,
                            struct referral_list *out) MUST_CHECK;
void referral_list_free(struct referral_list *list);

/* --- within app/ --- */

struct dots;
struct loaded;
enum err referral_list_of(struct errctx *ec, struct app *app, const struct dots *ids,
                          struct referral_list *out) MUST_CHECK;
/* Finds by id, the start of one, or slip code. */
enum err referral_load(struct errctx *ec, struct app *app, const char *id, struct loaded *out) MUST_CHECK;
/* May these go together? ERR_REFUSED without the consent that the kind needs; both are ids or NULL. */
enum err referral_consent_rule(struct errctx *ec, const char *kind, const char *consent) MUST_CHECK;
/* Makes a referral inside the caller's transaction; `follows` may be none. */
struct dot;
struct referral_origin {
	const struct loaded *contact; /* NULL: it is gone; then f->domain must be given */
	int64_t space;
	const struct dot *follows; /* NULL: none */
	int64_t day;               /* of the first event */
	bool plan;                 /* still to be sent, although the day has come */
};
enum err referral_make(struct errctx *ec, struct app *app, const struct referral_origin *from,
                       const struct referral_fields *f, struct referral_made *out) MUST_CHECK;

#endif
