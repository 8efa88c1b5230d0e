/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A key file that is about to be replaced: another passphrase, a new recovery sheet, another master key.
 *
 * The new file is made in memory; keychange_commit() puts it in the place of the old one at once. Until then the file
 * on disk is the old one, afterwards the new one, at every instant whole. From opening to keychange_free() nobody else
 * can change the file. Slots of types that this version does not know are kept as they are.
 */
#ifndef SLB_VAULT_KEYCHANGE_H
#define SLB_VAULT_KEYCHANGE_H

#include "crypto/sheet.h"
#include "vault/keyfile.h"

struct keychange;

/* Opens the file by a passphrase: one derivation. Errors as keyfile_unlock(), and ERR_LATER while another change is
 * under way. `rng` is borrowed. On failure *out is NULL. */
enum err keychange_by_passphrase(struct errctx *ec, const char *path, struct bytes passphrase, const struct rng *rng,
                                 struct keychange **out) MUST_CHECK;
/* Opens it by the secret of a sheet: no derivation. ERR_LOCKED without text: not the sheet of this file; *replaced is
 * its number where it was, else 0. ERR_DAMAGED: also where the file was written by somebody who had neither the sheet
 * nor a master key of its home, however whole it is. */
enum err keychange_by_sheet(struct errctx *ec, const char *path, const uint8_t secret[static SHEET_SECRET_LEN],
                            const struct rng *rng, uint32_t *replaced, struct keychange **out) MUST_CHECK;
/* Accepts NULL. */
void keychange_free(struct keychange *kc);

/* The master key that the file will hold; guarded, lives as long as `kc`. */
const uint8_t *keychange_master(const struct keychange *kc);

/* The file will have this passphrase and no other. ERR_INPUT where it is empty. */
enum err keychange_passphrase(struct keychange *kc, struct errctx *ec, struct bytes passphrase,
                              const struct clock *clock) MUST_CHECK;

/* The file will have a new sheet of this day, in the place of an earlier one; `secret` is drawn, and lives in guarded
 * memory of the caller. */
enum err keychange_sheet(struct keychange *kc, struct errctx *ec, int64_t day, uint8_t secret[static SHEET_SECRET_LEN],
                         struct keyfile_sheet *out) MUST_CHECK;

/* The file will have a sheet that is on paper already: of a home that was lost. */
enum err keychange_sheet_again(struct keychange *kc, struct errctx *ec, const struct keyfile_sheet *which,
                               const uint8_t secret[static SHEET_SECRET_LEN]) MUST_CHECK;

/* Its number is to be a later one than this too, whatever the file says: the file may be an older one. Before
 * keychange_sheet(). */
void keychange_sheet_after(struct keychange *kc, uint32_t number);

/* The file will hold another, random master key under a new key id. The sheet's slot is sealed anew; a passphrase must
 * be given again with keychange_passphrase(), because the old slot is dropped. ERR_REFUSED where the file has slots of
 * an unknown type: they could not follow. ERR_DAMAGED where the sheet's slot was not written with the master key. */
enum err keychange_master_key(struct keychange *kc, struct errctx *ec) MUST_CHECK;

/* Which of the two the file is now. KEYS_UNKNOWN: it could not be read again, or its name may go back to the old one
 * when the power fails. */
enum keys_now { KEYS_OLD, KEYS_NEW, KEYS_UNKNOWN };
/* Replaces the file; durable when this returns ERR_OK, and then *now is KEYS_NEW. */
enum err keychange_commit(struct keychange *kc, struct errctx *ec, enum keys_now *now) MUST_CHECK;

#endif
