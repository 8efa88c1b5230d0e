/* SPDX-License-Identifier: EUPL-1.2 */
/* Text in a page of HTML. */
#ifndef SLB_RENDER_HTML_H
#define SLB_RENDER_HTML_H

#include <stdio.h>

/* Writes what somebody typed so that it is text and nothing else, also between double quotes. Controls have no place in
 * a page. Its direction is not set apart here: put it in a <bdi>, or in a block with dir="auto". */
void html_put(FILE *out, const char *text);

#endif
