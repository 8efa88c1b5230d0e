// SPDX-License-Identifier: EUPL-1.2
// Some commands ask for the passphrase although the vault is open: whoever sits down at an open laptop must not be able
// to let others in.
#include "app/unlocking.h"

#include <stdlib.h>

#include "base/file.h"
#include "crypto/secret.h"
#include "vault/keyfile.h"

enum err app_passphrase_check(struct errctx *ec, struct app *app, struct bytes passphrase)
{
	uint8_t *master = secret_new(MASTER_KEY_LEN);
	char *keys = file_join(app->home, "keys");
	enum err e = ERR_NO_MEMORY;

	if (master != NULL && keys != NULL)
		e = keyfile_unlock(ec, keys, passphrase, master);
	secret_free(master);
	free(keys);
	return e;
}
