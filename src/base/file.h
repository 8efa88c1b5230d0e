/* SPDX-License-Identifier: EUPL-1.2 */
/* Files as a whole: read, replace atomically, make durable. Private by default: 0600 files, 0700 directories. */
#ifndef SLB_BASE_FILE_H
#define SLB_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends the content to `out`. ERR_INPUT where it is larger than `max` bytes. */
enum err file_read(struct errctx *ec, const char *path, size_t max, struct buf *out) MUST_CHECK;
/* The same from an open descriptor, which stays open. `name` is for the error text. */
enum err file_read_fd(struct errctx *ec, int fd, const char *name, size_t max, struct buf *out) MUST_CHECK;
/* Appends up to `len` bytes, fewer only where it ends. */
enum err file_read_some(struct errctx *ec, int fd, const char *name, size_t len, struct buf *out) MUST_CHECK;
/* Writes all of it or fails; EINTR and short writes are handled. */
enum err file_write_fd(struct errctx *ec, int fd, const char *name, const void *data, size_t len) MUST_CHECK;
/* Replaces `path` by way of `path`.new, fsync, rename and fsync of the directory: at every instant either the
 * old or the new content is there whole. The left-over of a crash is overwritten by the next call. */
enum err file_replace(struct errctx *ec, const char *path, struct bytes content) MUST_CHECK;
/* fsync of the directory that holds `path`. */
enum err file_sync_parent(struct errctx *ec, const char *path) MUST_CHECK;
/* Makes one directory, mode 0700; an existing directory is fine. */
enum err file_make_dir(struct errctx *ec, const char *path) MUST_CHECK;
/* Removes the files that stand in a directory; directories in it stay. */
enum err file_clear_dir(struct errctx *ec, const char *path) MUST_CHECK;
/* Whether something bears that name. An error where the disk does not tell: then nothing may be made or removed there.
 */
enum err file_look(struct errctx *ec, const char *path, bool *there) MUST_CHECK;
bool file_exists(const char *path);
/* "a/b" in fresh memory (free() it), NULL when out of memory. */
char *file_join(const char *dir, const char *name);

#endif
