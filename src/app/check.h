/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What people may type into a field: text that can be read, in bounds, without a burgerservicenummer; an id of the
 * field's list; a date. `field` is the name of the field as people type it ("domain"); it stands in the error text.
 */
#ifndef SLB_APP_CHECK_H
#define SLB_APP_CHECK_H

#include <stdbool.h>

#include "app/pool.h"
#include "base/err.h"
#include "model/schema.h"

#define TEXT_MAX (64 * 1024) /* bytes of a long text */
#define LINE_MAX_LEN 1000    /* bytes of one line */

enum check_bsn { BSN_REFUSED, BSN_FINE };

/* ERR_INPUT: not UTF-8, too long, or a number that can be a BSN. */
enum err check_text(struct errctx *ec, const char *field, const char *text, enum check_bsn bsn) MUST_CHECK;
/* The same for one line: also ERR_INPUT for a line end or another control character. */
enum err check_line(struct errctx *ec, const char *field, const char *text, enum check_bsn bsn) MUST_CHECK;
/* ERR_INPUT, naming the ids that do exist. */
enum err check_id(struct errctx *ec, const char *field, enum list list, const char *id) MUST_CHECK;

/* "a,b, c" as its parts, without blanks around them, empty ones left out, doubles dropped. The array and its texts
 * are the pool's. */
struct words {
	const char **word;
	size_t n;
};
enum err words_split(struct pool *pool, const char *text, struct words *out) MUST_CHECK;
bool words_have(const struct words *w, const char *word);

#endif
