/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Backups: one encrypted file with everything that can be read here, and none of the keys that open what others write
 * (docs/FORMAT.md, "Backup"). It opens with the passphrase that the home has when it is made.
 */
#ifndef SLB_APP_BACKUP_H
#define SLB_APP_BACKUP_H

#include "app/session.h"

/* A folder in the home in which a backup is prepared and tried. */
#define BACKUP_PART "backup.part"

struct backup_counts {
	uint64_t contacts;
	uint64_t edits;
};

struct backup_view {
	uint64_t bytes;
	struct backup_counts holds;
	char at[APP_UTC_LEN];
};

/* Writes a backup of the open home to `fd`, an empty regular file open for reading and writing, syncs it, reads it back
 * and restores it beside the home to see whether it is whole; only then ERR_OK. `name` is for sentences. Takes as much
 * room in the home's folder as the vault, and more than once while it works. On failure what stands in `fd` is of no
 * use, and the home is as it was. ERR_DAMAGED: the vault itself is damaged. */
enum err app_backup(struct errctx *ec, struct app *app, int fd, const char *name, struct backup_view *out) MUST_CHECK;

/* Removes what a backup that was cut off left in a home; best effort. */
void backup_clear(const char *home);

struct vault;
/* Everything there is in a vault is read: its pages, its log of edits, its records. ERR_DAMAGED with a sentence. The
 * schema is brought up to date on the way. */
enum err backup_look(struct errctx *ec, struct vault *vault, struct backup_counts *out) MUST_CHECK;

#endif
