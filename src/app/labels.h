/* SPDX-License-Identifier: EUPL-1.2 */
/* What people read in place of an id of a value list. */
#ifndef SLB_APP_LABELS_H
#define SLB_APP_LABELS_H

/* `list` as in schema/lists.def ("domain"); `lang` "nl", else English. An id that this version does not know is its own
 * label (M3). NULL stays NULL. */
const char *label(const char *list, const char *id, const char *lang);

#endif
