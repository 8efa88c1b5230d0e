/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Putting a backup back, as a home of its own. It is tried in a folder beside the place, HOME.part, and takes its name
 * when everything in it was read and is durable: killed at any moment there is no home, or a whole one.
 *
 * The home is not the device it was (sync/restored.h).
 */
#ifndef SLB_APP_RESTORE_H
#define SLB_APP_RESTORE_H

#include "app/backup.h"

struct restoring;

struct restored_view {
	struct backup_counts holds;
	char at[APP_UTC_LEN]; /* when the backup was made */
};

/* Looks at the place and at the beginning of the file; the passphrase is asked after this. `o` and `name` are borrowed;
 * `fd` stays the caller's and stands at the beginning. ERR_REFUSED: the place holds a home or something else.
 * ERR_DAMAGED: not a backup, or cut off. */
enum err app_restore_begin(struct errctx *ec, const struct app_options *o, int fd, const char *name,
                           struct restoring **out) MUST_CHECK;
/* ERR_LOCKED: not the passphrase of the day on which it was made. ERR_DAMAGED: the file is damaged, cut or put together
 * from others. Once only. */
enum err app_restore_finish(struct errctx *ec, struct restoring *r, struct bytes passphrase,
                            struct restored_view *out) MUST_CHECK;
/* The same by whatever else opens a key file; `master` is guarded memory of 32 bytes. */
typedef enum err (*restore_unlock_fn)(void *ctx, struct errctx *ec, const char *key_file, uint8_t *master);
enum err app_restore_finish_by(struct errctx *ec, struct restoring *r, restore_unlock_fn unlock, void *ctx,
                               struct restored_view *out) MUST_CHECK;
/* Leaves nothing but a home that was finished; accepts NULL. */
void app_restore_free(struct restoring *r);

#endif
