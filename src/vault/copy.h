/* SPDX-License-Identifier: EUPL-1.2 */
/* A copy of an open vault under another file id and, if wanted, another master key. */
#ifndef SLB_VAULT_COPY_H
#define SLB_VAULT_COPY_H

#include <stdint.h>

#include "base/err.h"

struct vault;

/* Makes a vault in `dir`, which exists and holds none, with all that `v` held at its last commit: vault.db and
 * vault.mark, durable when this returns, no log. Every page is read through v's seal and sealed anew under `master` and
 * a fresh file id, so no page of one can stand in for one of the other. Call it between transactions; `v` stays as it
 * is. ERR_DAMAGED: a page of `v` does not open (*out of the copy is removed). The keyed chain over the edits depends on
 * the master key: with another one, whoever keeps the chain makes its links anew.
 */
enum err vault_copy(struct vault *v, struct errctx *ec, const char *dir, const uint8_t master[static 32]) MUST_CHECK;

#endif
