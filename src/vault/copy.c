// SPDX-License-Identifier: EUPL-1.2
// A copy of an open vault: read through one seal, written under another.
#include "vault/copy.h"

#include <errno.h>
#include <unistd.h>

#include "base/file.h"
#include "vault/vault_over.h"

enum err vault_copy(struct vault *v, struct errctx *ec, const char *dir, const uint8_t master[static 32])
{
	struct vault *to = vault_blank(v->rng, v->under);
	enum err e = to == NULL ? err_errno(ec, ENOMEM, dir) : ERR_OK;

	if (e == ERR_OK)
		e = vault_prepare(to, ec, dir, master, VAULT_CREATE);
	if (e == ERR_OK)
		e = vault_build(to, ec, master, v);
	if (e != ERR_OK && to != NULL && to->mark != NULL)
		unlink(to->mark_path);
	vault_close(to);
	return e;
}
