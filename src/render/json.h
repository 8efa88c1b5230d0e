/* SPDX-License-Identifier: EUPL-1.2 */
/* Records and lists as JSON, in the shapes that docs/CLI.md promises. Each adds one value to a document; what is not
 * known is null. Ids of value lists stand as they are, dates as ISO 8601. */
#ifndef SLB_RENDER_JSON_H
#define SLB_RENDER_JSON_H

#include "app/contacts.h"
#include "app/finding.h"
#include "app/referrals.h"
#include "app/residents.h"
#include "app/services.h"
#include "app/spaces.h"
#include "app/today.h"
#include "app/versions.h"
#include "render/doc.h"

/* How much of a record: a list's row, or everything with the versions that stand side by side. */
enum json_detail { JSON_ROW, JSON_WHOLE };

void json_words(struct doc *d, const char *key, const struct words *w);
void json_contact(struct doc *d, const char *key, const struct contact *c, enum json_detail detail);
void json_referral(struct doc *d, const char *key, const struct referral *r, enum json_detail detail);
void json_resident(struct doc *d, const char *key, const struct resident *r, enum json_detail detail);
void json_service(struct doc *d, const char *key, const struct service *s, enum json_detail detail);
/* With the six words of its fingerprint. */
void json_member(struct doc *d, const char *key, const struct member_view *m);
void json_found(struct doc *d, const char *key, const struct found_list *list);
void json_today(struct doc *d, const char *key, const struct today *t);
void json_two_versions(struct doc *d, const char *key, const struct two_versions_list *list);
/* The reasons in `lang` (render/lang.h) would differ from run to run of one script, so they are English here. */
void json_import(struct doc *d, const char *key, const struct import_counts *counts,
                 const struct directory_import *import);

#endif
