/* SPDX-License-Identifier: EUPL-1.2 */
/* A resident's page of everything about them, as text or as one page of HTML for print: nothing in it asks for anything
 * from outside, and it has no script. It says u to the resident. */
#ifndef SLB_RENDER_RESIDENT_PAGE_H
#define SLB_RENDER_RESIDENT_PAGE_H

#include <stdio.h>

#include "app/resident_page.h"
#include "render/doc.h"
#include "render/lang.h"

/* The language of the page: what the resident's card says, where all words have a translation; else Dutch. */
enum lang resident_page_lang(const struct resident_page *page);

void resident_page_print(const struct resident_page *page, enum lang lang, bool html, FILE *out);
void resident_page_doc(struct doc *d, const char *key, const struct resident_page *page);

#endif
