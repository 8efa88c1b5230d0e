// SPDX-License-Identifier: EUPL-1.2
// One change of the keys of a home in a process of its own, for tests that kill it or make its disk fail. The key file
// is opened by the secret of its sheet, so that nothing has to be derived; everything else is what the released program
// does.
//
// usage: driver HOME SECRET rekey         another master key; "DONE" is said when that is so
//        driver HOME SECRET sheet FILE    a new sheet, its words in FILE; "OPENS n" is said when sheet n is in force
//
// SECRET is in hex. The exit status is that of the released program, and the sentence on standard error too.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/recovery.h"
#include "app/rekey.h"
#include "base/codec.h"
#include "base/file.h"
#include "crypto/secret.h"
#include "vault/keychange.h"

struct change {
	struct errctx *ec;
	struct app_options o;
	struct keychange *kc;
	const char *file;
};

static enum err rekey(struct change *c)
{
	struct app *app = NULL;
	struct rekey_view v;
	enum err e = app_open_with_key(c->ec, &c->o, keychange_master(c->kc), false, NULL, &app);

	if (e == ERR_OK)
		e = keychange_master_key(c->kc, c->ec);
	if (e == ERR_OK)
		e = app_rekey_with(c->ec, app, c->kc, NULL, &v);
	if (e == ERR_OK)
		dprintf(1, "DONE\n");
	app_close(app);
	return e;
}

static enum err sheet_write(void *arg, struct errctx *ec, const struct sheet_view *sheet)
{
	struct change *c = arg;
	struct buf b = { 0 };
	enum err e = ERR_OK;

	for (int i = 0; i < SHEET_WORD_COUNT && e == ERR_OK; i++) {
		e = buf_put_str(&b, sheet->word[i]);
		if (e == ERR_OK)
			e = buf_put_str(&b, " ");
	}
	if (e == ERR_OK)
		e = file_replace(ec, c->file, buf_bytes(&b));
	buf_free(&b);
	return e;
}

static enum err sheet(struct change *c)
{
	struct sheet_issued issued;
	enum err e = app_sheet_issue_with(c->ec, c->kc, 20000, sheet_write, c, NULL, &issued);

	if (issued.fate == SHEET_USELESS)
		unlink(c->file);
	if (e == ERR_OK)
		dprintf(1, "OPENS %u\n", issued.number);
	return e;
}

int main(int argc, char **argv)
{
	struct errctx ec = { 0 };
	struct change c = { .ec = &ec };
	uint8_t secret[SHEET_SECRET_LEN];
	char text[1024];
	char *keys = NULL;
	uint32_t replaced = 0;
	enum err e = ERR_USAGE;

	if (argc > 3 && hex_get(argv[2], strlen(argv[2]), secret, sizeof(secret))) {
		c.o.home = argv[1];
		c.file = argv[4];
		keys = file_join(argv[1], "keys");
		e = app_start();
	}
	if (e == ERR_OK)
		e = keychange_by_sheet(&ec, keys, secret, &crypto_rng, &replaced, &c.kc);
	if (e == ERR_OK)
		e = strcmp(argv[3], "rekey") == 0 ? rekey(&c) : sheet(&c);
	keychange_free(c.kc);
	free(keys);
	if (e != ERR_OK)
		fprintf(stderr, "%s\n", ec.code == ERR_OK ? "" : err_text(&ec, NULL, text, sizeof(text)));
	return err_exit_status(e);
}
