/* SPDX-License-Identifier: EUPL-1.2 */
/* The shape of the tables that scripts/gen-lang makes from schema/lang/NAME.po. */
#ifndef SLB_RENDER_LANG_TABLE_H
#define SLB_RENDER_LANG_TABLE_H

#include <stddef.h>

#define LANG_FORMS 6 /* Arabic has the most */

/* One message: form[0] alone, or one text per plural form of the language; what is absent is NULL. A table is
 * sorted by id as strcmp() sorts. */
struct lang_entry {
	const char *id;
	const char *form[LANG_FORMS];
};

#endif
