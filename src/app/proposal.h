/* SPDX-License-Identifier: EUPL-1.2 */
/* What a person may want to save where texts were changed apart: all changes put together (model/merge3.h). */
#ifndef SLB_APP_PROPOSAL_H
#define SLB_APP_PROPOSAL_H

#include <stdbool.h>
#include <stdint.h>

#include "app/session.h"
#include "base/buf.h"

struct record;

/* For a TEXT field with several versions, each of one text: appends the proposal to `out` and sets *there, where all of
 * them go back to one text and their changes go together; else *there is false. *base receives the text that they
 * started from (appended). The versions may have been changed more than once on the way: the record's log of edits
 * tells. */
enum err proposal_make(struct errctx *ec, struct app *app, const struct record *r, uint32_t tag, struct buf *out,
                       struct buf *base, bool *there) MUST_CHECK;

#endif
