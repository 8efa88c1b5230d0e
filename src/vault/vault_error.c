// SPDX-License-Identifier: EUPL-1.2
// What SQLite and the VFS report, as one of our errors with a sentence. A change that did not reach the disk is
// never called anything but not saved (V6).
#include "vault/vault_over.h"

#include <errno.h>
#include <stdio.h>

static enum err damage_error(const struct vfs_damage *d, struct errctx *ec)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", d->number);
	switch (d->kind) {
	case DAMAGE_PAGE:
		return err_set(
		    ec, ERR_DAMAGED,
		    "Page %1 of the vault is damaged and was not read. Make it whole again with: verify --repair",
		    number, NULL, NULL);
	case DAMAGE_PAGE_MISSING:
		return err_set(ec, ERR_DAMAGED,
		               "The vault is cut off: page %1 is missing. Make it whole again with: verify --repair",
		               number, NULL, NULL);
	case DAMAGE_FRAME:
		return err_set(ec, ERR_DAMAGED,
		               "The vault's log of recent edits is damaged at place %1, in what was saved before. "
		               "Nothing was changed. Make it whole again with: verify --repair",
		               number, NULL, NULL);
	case DAMAGE_LOG_SHORT:
		return err_set(ec, ERR_DAMAGED,
		               "The vault's log of recent edits is missing or cut off. "
		               "Nothing was changed. Make it whole again with: verify --repair",
		               NULL, NULL, NULL);
	case DAMAGE_LOG_HEADER:
		return err_set(ec, ERR_DAMAGED,
		               "The vault's log of recent edits is damaged at its beginning. "
		               "Nothing was changed. Make it whole again with: verify --repair",
		               NULL, NULL, NULL);
	case DAMAGE_LOG_AHEAD:
		return err_set(ec, ERR_DAMAGED,
		               "An older copy of vault.mark was put back: it does not fit the log of recent edits. "
		               "Nothing was changed. Make it whole again with: verify --repair",
		               NULL, NULL, NULL);
	case DAMAGE_NONE:
		break;
	}
	return err_set(ec, ERR_DAMAGED, "The vault is damaged. Make it whole again with: verify --repair", NULL, NULL,
	               NULL);
}

static enum err io_error(struct errctx *ec, int failed)
{
	if (failed == ENOSPC || failed == EDQUOT || failed == EFBIG)
		return err_set(ec, ERR_NO_SPACE,
		               "The disk is full: the last change was not saved. Make room and try again.", NULL, NULL,
		               NULL);
	return err_set(ec, ERR_IO,
	               "The disk failed to read or write the vault: the last change was not saved. "
	               "Check the disk, then close the program and open it again.",
	               NULL, NULL, NULL);
}

enum err vault_result(const struct vault *v, struct errctx *ec, int rc)
{
	int failed = v->vfs == NULL ? v->build_errno : v->vfs->failed_errno;
	static const struct vfs_damage none = { DAMAGE_NONE, 0 };

	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return ERR_OK;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return damage_error(v->vfs == NULL ? &none : &v->vfs->damage, ec);
	case SQLITE_FULL:
		return io_error(ec, ENOSPC);
	case SQLITE_NOMEM:
		return err_errno(ec, ENOMEM, "");
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(ec, ERR_LATER, "Another program has the vault open. Close it there, or wait.", NULL,
		               NULL, NULL);
	case SQLITE_IOERR:
		if (rc == SQLITE_IOERR_DATA)
			return damage_error(v->vfs == NULL ? &none : &v->vfs->damage, ec);
		if (rc == SQLITE_IOERR_NOMEM)
			return err_errno(ec, ENOMEM, "");
		return io_error(ec, failed);
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
		return io_error(ec, failed);
	default:
		return err_set(ec, ERR_IO, "The vault could not do what was asked: %1.", sqlite3_errstr(rc), NULL,
		               NULL);
	}
}

enum err vault_sqlite_error(struct vault *v, struct errctx *ec)
{
	return vault_result(v, ec, sqlite3_extended_errcode(v->db));
}
