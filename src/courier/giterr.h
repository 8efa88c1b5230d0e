/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SLB_COURIER_GITERR_H
#define SLB_COURIER_GITERR_H

#include "base/err.h"

/* What libgit2's last failure means for us; call it at once, while errno and its message stand. `where` is the path of
 * the repository. Never ERR_OK. A missing or misshapen object is ERR_DAMAGED, a lock that is held ERR_LATER. */
enum err giterr_set(struct errctx *ec, int rc, const char *where);

#endif
