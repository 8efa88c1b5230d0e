/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Records and lists as calm text for people, in their language. What somebody typed is printed without control
 * characters, so that a note cannot play tricks on a terminal.
 */
#ifndef SLB_RENDER_TEXT_H
#define SLB_RENDER_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include "app/contacts.h"
#include "app/finding.h"
#include "app/referrals.h"
#include "app/residents.h"
#include "app/services.h"
#include "app/today.h"
#include "app/versions.h"
#include "render/lang.h"

struct text {
	FILE *out;
	enum lang lang;
	bool bold; /* a terminal: what matters stands out */
};

/* The translation of `msg` (an English literal in TR()) with %1 %2 %3 filled in; no line end. Arguments are cleaned of
 * control characters and may be NULL. */
void text_say(const struct text *t, const char *msg, const char *a1, const char *a2, const char *a3);
/* The same with a line end. */
void text_line(const struct text *t, const char *msg, const char *a1, const char *a2, const char *a3);
/* As it was typed, without control characters but line ends, which are followed by `indent` blanks. */
void text_typed(const struct text *t, const char *typed, int indent);
/* How many columns of a terminal a text takes, as long as each character takes one. */
int text_width(const char *typed);
/* As text_typed() on one line, followed by blanks up to `width` columns and two more. */
void text_column(const struct text *t, const char *typed, int width);
/* "Label: value" on a line of its own; nothing where there is no value. `name` is an English literal in TR(). */
void text_field(const struct text *t, const char *name, const char *value);
void text_day_field(const struct text *t, const char *name, int64_t day);

void text_contacts(const struct text *t, const struct contact_list *list);
void text_contact(const struct text *t, const struct contact *c);
void text_referrals(const struct text *t, const struct referral_list *list);
void text_referral(const struct text *t, const struct referral *r);
void text_residents(const struct text *t, const struct resident_list *list);
void text_resident(const struct text *t, const struct resident *r);
void text_services(const struct text *t, const struct service_list *list);
void text_service(const struct text *t, const struct service *s);
void text_found(const struct text *t, const struct found_list *list);
/* "Conversation" for "contact"; to be translated. */
const char *text_kind(const char *kind);
/* What is older than the rule of one circle; nothing where nothing is. */
void text_retention(const struct text *t, const struct retention_row *r);
void text_today(const struct text *t, const struct today *today);
void text_two_versions(const struct text *t, const struct two_versions_list *list);
void text_import(const struct text *t, const struct import_counts *counts, const struct directory_import *import);

#endif
