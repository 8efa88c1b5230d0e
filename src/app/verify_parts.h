/* SPDX-License-Identifier: EUPL-1.2 */
/* What verify.c and repair.c share. Private to app/. */
#ifndef SLB_APP_VERIFY_PARTS_H
#define SLB_APP_VERIFY_PARTS_H

#include "app/verify.h"

/* Every record against its edits: counts into `out`. `mend`: writes those that differ again; in a transaction then.
 * ERR_DAMAGED with a sentence: batches are damaged, and nothing can be said. */
enum err verify_records(struct errctx *ec, struct app *app, bool mend, struct verify_view *out) MUST_CHECK;

#endif
