// SPDX-License-Identifier: EUPL-1.2
// libgit2's failures in our terms. It reports a class and a sentence; whether the disk is full only errno knows.
#include "courier/giterr.h"

#include <errno.h>
#include <git2.h>

enum err giterr_set(struct errctx *ec, int rc, const char *where)
{
	int saved = errno;
	const git_error *last = git_error_last();
	const char *text = last != NULL && last->message != NULL ? last->message : "no reason was given";
	int klass = last != NULL ? last->klass : GIT_ERROR_NONE;

	if (klass == GIT_ERROR_NOMEMORY)
		return err_errno(ec, ENOMEM, where);
	if (rc == GIT_ELOCKED)
		return err_set(ec, ERR_LATER, "%1 is in use by another program: %2. Try again later.", where, text,
		               NULL);
	if (klass == GIT_ERROR_OS || klass == GIT_ERROR_FILESYSTEM) {
		switch (saved) {
		case ENOSPC:
		case EDQUOT:
		case EFBIG:
		case ENOMEM:
			return err_errno(ec, saved, where);
		default:
			return err_set(ec, ERR_IO, "%1 could not be read or written: %2.", where, text, NULL);
		}
	}
	return err_set(ec, ERR_DAMAGED, "The repository %1 is damaged: %2.", where, text, NULL);
}
