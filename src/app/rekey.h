/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Another master key for a home (V4, V5, V6): a whole new vault under it, in the place of the old one. After that a
 * copy of the old key file opens nothing here, whatever passphrase somebody knows.
 *
 * The order: the vault is checked whole; a copy is made beside it under the new key, with the chain over the edits made
 * anew; the copy is opened, checked, and held against the original row by row; it waits as `next` (vault/swap.h); then
 * the key file is replaced, which decides; then the copy is moved into place by opening it. Whatever fails before the
 * deciding moment leaves the old key in force and nothing behind; whatever fails after it is finished by the next
 * opening, and until then not called done.
 */
#ifndef SLB_APP_REKEY_H
#define SLB_APP_REKEY_H

#include "app/session.h"

struct keychange;

enum rekey_step { REKEY_CHECKING, REKEY_COPYING, REKEY_LINKING, REKEY_COMPARING, REKEY_REPLACING };

/* Told now and then how far a step has come, in `done` of `of` (0: not known). False stops the work, as long as nothing
 * was decided: ERR_LATER. NULL: nobody is told. */
typedef bool (*rekey_told_fn)(void *arg, enum rekey_step step, uint64_t done, uint64_t of);
struct rekey_told {
	rekey_told_fn told;
	void *arg;
};

struct rekey_view {
	uint64_t pages;
	uint64_t edits;
	uint32_t sheet; /* number of the recovery sheet, which opens the new key too; 0: none */
};

/* `passphrase` is that of the home, typed again; it stays the same. `app` is open, and open afterwards with the new
 * vault. ERR_LOCKED: not the passphrase. ERR_DAMAGED: the vault is not whole; nothing was changed. ERR_LATER: another
 * change is under way. ERR_REFUSED: see keychange_master_key(), app_sheet_is_newest().
 * After a failure app_is_open() tells whether the vault could be opened again; where not, only app_close() is allowed.
 */
enum err app_rekey(struct errctx *ec, struct app *app, struct bytes passphrase, const struct rekey_told *told,
                   struct rekey_view *out) MUST_CHECK;

/* The second half, for harnesses: `kc` holds the new master key and who opens it. */
enum err app_rekey_with(struct errctx *ec, struct app *app, struct keychange *kc, const struct rekey_told *told,
                        struct rekey_view *out) MUST_CHECK;

#endif
