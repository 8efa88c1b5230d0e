/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One JSON document (RFC 8259), built from the outside in and printed whole on one line.
 *
 *   struct doc *d = doc_new();
 *   doc_object(d, NULL); doc_text(d, "id", id); doc_array(d, "domains"); doc_text(d, NULL, "geld"); doc_end(d);
 *   doc_end(d);
 *   e = doc_print(ec, d, out);     // frees d
 *
 * `key` is a static or borrowed string inside an object and NULL inside an array or for the outermost value. Failures
 * (no memory, text that is not UTF-8) stick and are told by doc_print(); a NULL document is such a failure too.
 */
#ifndef SLB_RENDER_DOC_H
#define SLB_RENDER_DOC_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

struct doc;

struct doc *doc_new(void);
void doc_free(struct doc *d);

void doc_object(struct doc *d, const char *key);
void doc_array(struct doc *d, const char *key);
void doc_end(struct doc *d); /* of the object or array opened last */

void doc_text(struct doc *d, const char *key, const char *text); /* NULL: null */
void doc_int(struct doc *d, const char *key, int64_t v);
void doc_real(struct doc *d, const char *key, double v);
void doc_bool(struct doc *d, const char *key, bool v);
void doc_null(struct doc *d, const char *key);
void doc_day(struct doc *d, const char *key, int64_t day); /* ISO 8601 date; null for NO_DAY (app/dates.h) */
void doc_time(struct doc *d, const char *key, int64_t ms); /* ISO 8601 UTC, to the second; null for 0 */

/* Prints the document and a newline, and frees it. */
enum err doc_print(struct errctx *ec, struct doc *d, FILE *out) MUST_CHECK;

#endif
