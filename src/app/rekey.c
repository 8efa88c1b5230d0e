// SPDX-License-Identifier: EUPL-1.2
// Rekey (V6): "done" is said when the new key is in force and the old one opens nothing, and in no other case. The
// steps and what each failure leaves stand in the header.
#include "app/rekey.h"

#include <errno.h>
#include <stdlib.h>

#include "app/recovery.h"
#include "base/file.h"
#include "store/store.h"
#include "vault/copy.h"
#include "vault/keychange.h"
#include "vault/swap.h"
#include "vault/vault.h"

struct work {
	struct app *app;
	const uint8_t *master; /* the new one */
	const struct rekey_told *told;
	enum rekey_step step;
	struct rekey_view *out;
	uint64_t of;
	struct vault *vault; /* the copy, while it is open */
	struct store *store;
};

static bool tell(struct work *w, enum rekey_step step, uint64_t done, uint64_t of)
{
	w->step = step;
	w->of = of;
	return w->told == NULL || w->told->told == NULL || w->told->told(w->told->arg, step, done, of);
}

static bool on_step(void *arg, uint64_t done)
{
	struct work *w = arg;

	return tell(w, w->step, done, w->of);
}

static enum err stopped(struct errctx *ec)
{
	return err_set(ec, ERR_LATER, "It was stopped. Nothing was changed.", NULL, NULL, NULL);
}

/* Reads all of a vault and its log. ERR_DAMAGED without text. */
static enum err whole(struct errctx *ec, struct vault *v, struct store *s, uint64_t *pages, uint64_t *edits)
{
	struct vault_report report;
	struct errctx own = { .code = ERR_OK };
	uint64_t bad = 0;
	enum err e = vault_verify(v, &own, &report);

	*pages = report.pages;
	if (e == ERR_OK)
		e = store_verify(&own, s, edits, &bad);
	if (e == ERR_OK && bad > 0)
		e = ERR_DAMAGED;
	if (e != ERR_OK && e != ERR_DAMAGED && ec != NULL)
		*ec = own;
	return e;
}

static enum err source_check(struct errctx *ec, struct work *w)
{
	enum err e = tell(w, REKEY_CHECKING, 0, 0) ? ERR_OK : stopped(ec);

	if (e == ERR_OK)
		e = whole(ec, w->app->vault, w->app->store, &w->out->pages, &w->out->edits);
	if (e == ERR_DAMAGED)
		return err_set(ec, e,
		               "The vault is not whole, so its key was not changed: the damage would come along. First "
		               "type: sleutelbos verify --repair",
		               NULL, NULL, NULL);
	return e;
}

static enum err copy_open(struct errctx *ec, struct work *w, const char *dir)
{
	enum err e = vault_open(ec, dir, w->master, VAULT_OPEN, w->app->rng, &w->vault);

	return e == ERR_OK ? store_open(ec, w->vault, &w->store) : e;
}

static void copy_close(struct work *w)
{
	store_close(w->store);
	vault_close(w->vault);
	w->store = NULL;
	w->vault = NULL;
}

static enum err copy_make(struct errctx *ec, struct work *w, const char *dir)
{
	enum err e = tell(w, REKEY_COPYING, 0, 0) ? ERR_OK : stopped(ec);

	if (e == ERR_OK)
		e = vault_copy(w->app->vault, ec, dir, w->master);
	if (e == ERR_OK)
		e = copy_open(ec, w, dir);
	if (e == ERR_OK && !tell(w, REKEY_LINKING, 0, w->out->edits))
		e = stopped(ec);
	if (e == ERR_OK)
		e = store_rechain(ec, w->store, on_step, w);
	/* All of it in vault.db: the log of a vault does not move with it. */
	return e == ERR_OK ? vault_checkpoint(w->vault, ec, true) : e;
}

/* Opened anew, so that what is compared is what the next opening will find. */
static enum err copy_check(struct errctx *ec, struct work *w, const char *dir)
{
	uint64_t pages = 0;
	uint64_t edits = 0;
	enum err e = ERR_OK;

	copy_close(w);
	if (!tell(w, REKEY_COMPARING, 0, 0))
		return stopped(ec);
	e = copy_open(ec, w, dir);
	if (e == ERR_OK)
		e = whole(ec, w->vault, w->store, &pages, &edits);
	if (e == ERR_DAMAGED || (e == ERR_OK && edits != w->out->edits))
		return err_set(ec, ERR_DAMAGED,
		               "The copy of the vault is not the same as the vault. Nothing was changed. Check the "
		               "disk, then try again.",
		               NULL, NULL, NULL);
	if (e == ERR_OK)
		e = store_same(ec, w->app->store, w->store, on_step, w);
	if (e == ERR_OK)
		e = vault_checkpoint(w->vault, ec, true);
	copy_close(w);
	return e;
}

/* From the copy that waits to the vault that is open. */
static enum err replace(struct errctx *ec, struct work *w, struct keychange *kc)
{
	enum keys_now now = KEYS_OLD;
	enum err e = keychange_commit(kc, ec, &now);

	if (now == KEYS_OLD) {
		swap_give_up(w->app->home);
		return e;
	}
	/* From here on the old vault may be the one that is thrown away: nothing more is written to it. */
	if (e != ERR_OK) {
		app_vault_close(w->app);
		err_clear(ec);
		return err_set(ec, ERR_IO,
		               "The disk failed while the key was replaced, so that is not certain. Nothing is lost. "
		               "Check the disk, lock and unlock, then type again: sleutelbos rekey",
		               NULL, NULL, NULL);
	}
	e = app_vault_reopen(ec, w->app, w->master);
	if (e == ERR_OK)
		return e;
	err_clear(ec);
	return err_set(ec, ERR_IO,
	               "The key was replaced, but the old vault could not be cleared away: the disk failed. Nothing is "
	               "lost. Check the disk, then lock and unlock: that finishes it.",
	               NULL, NULL, NULL);
}

/* Before anything was decided. What the disk says of the copy would read as if something of the home was not saved. */
static enum err given_up(struct errctx *ec, const struct app *app, enum err e)
{
	swap_give_up(app->home);
	if (e != ERR_NO_SPACE && e != ERR_IO)
		return e;
	err_clear(ec);
	if (e == ERR_NO_SPACE)
		return err_set(
		    ec, e,
		    "The disk is full, so the key was not changed. A new key takes as much room as the vault, "
		    "for a while. Make room and try again.",
		    NULL, NULL, NULL);
	return err_set(ec, e, "The disk failed, so the key was not changed. Check the disk and try again.", NULL, NULL,
	               NULL);
}

enum err app_rekey_with(struct errctx *ec, struct app *app, struct keychange *kc, const struct rekey_told *told,
                        struct rekey_view *out)
{
	struct work w = { .app = app, .master = keychange_master(kc), .told = told, .out = out };
	struct keyfile_sheet sheet = { 0, 0 };
	char *keys = file_join(app->home, "keys");
	char *dir = NULL;
	enum err e = keys == NULL ? err_errno(ec, ENOMEM, app->home) : ERR_OK;

	*out = (struct rekey_view){ 0 };
	if (e == ERR_OK)
		e = keyfile_sheet(ec, keys, &sheet);
	if (e == ERR_OK)
		e = source_check(ec, &w);
	if (e == ERR_OK)
		e = swap_begin(ec, app->home, &dir);
	if (dir != NULL) {
		e = copy_make(ec, &w, dir);
		if (e == ERR_OK)
			e = copy_check(ec, &w, dir);
		copy_close(&w);
		if (e == ERR_OK && !tell(&w, REKEY_REPLACING, 0, 0))
			e = stopped(ec);
		if (e == ERR_OK)
			e = swap_ready(ec, app->home);
		if (e == ERR_OK)
			e = replace(ec, &w, kc);
		else
			e = given_up(ec, app, e);
	}
	out->sheet = sheet.number;
	free(dir);
	free(keys);
	return e;
}

enum err app_rekey(struct errctx *ec, struct app *app, struct bytes passphrase, const struct rekey_told *told,
                   struct rekey_view *out)
{
	struct keychange *kc = NULL;
	char *keys = file_join(app->home, "keys");
	enum err e = keys == NULL ? err_errno(ec, ENOMEM, app->home) : ERR_OK;

	*out = (struct rekey_view){ 0 };
	if (e == ERR_OK)
		e = app_sheet_is_newest(ec, app);
	if (e == ERR_OK)
		e = keychange_by_passphrase(ec, keys, passphrase, app->rng, &kc);
	if (e == ERR_OK)
		e = keychange_master_key(kc, ec);
	if (e == ERR_OK)
		e = keychange_passphrase(kc, ec, passphrase, app->clock);
	if (e == ERR_OK)
		e = app_rekey_with(ec, app, kc, told, out);
	keychange_free(kc);
	free(keys);
	return e;
}
