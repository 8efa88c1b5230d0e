/* SPDX-License-Identifier: EUPL-1.2 */
/* What people read in place of an id of a value list, and what they may write for one. */
#ifndef SLB_APP_LABELS_H
#define SLB_APP_LABELS_H

#include <stdbool.h>
#include <stddef.h>

/* `list` as in schema/lists.def ("domain"); `lang` "nl", else English. An id that this version does not know is its own
 * label (M3). NULL stays NULL. */
const char *label(const char *list, const char *id, const char *lang);

/* The n-th id of a list, from 0; NULL past its end. */
const char *label_id(const char *list, size_t n);

/* Does the text begin with an item of the list, by its id or its Dutch or English label? Capitals do not count, an
 * underscore is a blank. Behind it stands nothing but blanks or, with `several`, a comma or semicolon; of several that
 * fit (labels have commas of their own) the longest counts. */
struct label_found {
	size_t n;   /* its place in the list */
	size_t len; /* bytes of the text */
};
bool label_find(const char *list, const char *text, bool several, struct label_found *out);

#endif
