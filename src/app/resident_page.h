/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Everything that is here about one resident, for the resident: what was written, by whom and when, which organisation
 * was told with which consent, and what was hidden or erased. Also of a resident who was erased: then it says what
 * happened. What is gone for good and named nobody any more cannot be told.
 */
#ifndef SLB_APP_RESIDENT_PAGE_H
#define SLB_APP_RESIDENT_PAGE_H

#include "app/contacts.h"
#include "app/erase.h"
#include "app/referrals.h"
#include "app/residents.h"

/* Who wrote a record, and who changed it last. */
struct page_note {
	const char *by;
	const char *last_by;
	int64_t last_day;
};

struct resident_page {
	struct pool pool;
	const char *id;
	const char *circle; /* NULL: the own space */
	const char *me;     /* who hands it over */
	int64_t today;
	struct resident_list who; /* one; none: erased */
	struct page_note who_note;
	struct contact_list talks; /* oldest first, as the rest */
	struct page_note *talk_note;
	struct referral_list referrals;
	struct page_note *referral_note;
	struct erase_list erases;      /* of all; `gone` points into it */
	const struct erase_row **gone; /* what was erased and named this resident; the resident's own card first */
	size_t gone_n;
	const struct erase_space *progress; /* of the circle; NULL: nothing was taken away yet */
};

/* `id` whole or a start that only one has. ERR_NOT_FOUND: no resident. Free with resident_page_free(), also after a
 * failure. */
enum err resident_page(struct errctx *ec, struct app *app, const char *id, struct resident_page *out) MUST_CHECK;
void resident_page_free(struct resident_page *page);

#endif
