/* SPDX-License-Identifier: EUPL-1.2 */
/* The two ways in which a struct io reaches its caller: directly, or over the socket. Only cli/ includes this. */
#ifndef SLB_CLI_IO_OPS_H
#define SLB_CLI_IO_OPS_H

#include "cli/files.h"
#include "cli/io.h"
#include "cli/passphrase.h"

/* Everything gives 0 or an errno; ECANCELED where the caller has gone. */
struct io_ops {
	int (*open)(void *self, const char *path, enum files_kind kind, int *fd, bool *is_dir);
	int (*make_dir)(void *self, const char *path);
	int (*write_begin)(void *self, const char *path, enum io_write_flags flags, int *fd, int *token);
	int (*write_commit)(void *self, int token);
	void (*write_abort)(void *self, int token);
	int (*dir_begin)(void *self, const char *path);
	int (*dir_commit)(void *self);
	void (*dir_abort)(void *self);
	/* As passphrase_fetch(). */
	struct passphrase_result (*passphrase)(void *self, const struct passphrase_ask *ask, struct secret_text *out);
	/* Waits until fd can be read; false where the caller has gone. */
	bool (*wait_input)(void *self, int fd);
	bool (*gone)(void *self);
};

/* In the process that was typed. */
struct passphrase_result passphrase_fetch(const struct passphrase_ask *ask, struct secret_text *out);

/* Leads the files of a direct `io` over the wire of `h`; the rest of it stays. */
struct handed;
void io_through(struct io *io, struct handed *h);

#endif
