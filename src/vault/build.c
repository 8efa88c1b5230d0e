// SPDX-License-Identifier: EUPL-1.2
// A new vault: its first page is written beside the place, made durable, and moved there last; so a vault.db that
// exists is always whole.
#include "vault/vault_over.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

static const char BUILD_SQL[] = "PRAGMA locking_mode=EXCLUSIVE;"
                                "PRAGMA page_size=4096;"
                                "PRAGMA journal_mode=MEMORY;"
                                "PRAGMA synchronous=FULL;"
                                "PRAGMA temp_store=MEMORY;"
                                "PRAGMA application_id=1397506891;" /* "SLBK" */
                                "PRAGMA journal_mode=WAL;";

/* No journal: a copy that does not come to its end is removed. */
static const char COPY_SQL[] = "PRAGMA locking_mode=EXCLUSIVE;"
                               "PRAGMA page_size=4096;"
                               "PRAGMA journal_mode=OFF;"
                               "PRAGMA synchronous=FULL;"
                               "PRAGMA temp_store=MEMORY;";

#define COPY_PAGES 256

/* Every page of the source, its header included, as SQLite's own backup copies them. */
static int pages_copy(sqlite3 *from, sqlite3 *to)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
	int rc = SQLITE_OK;

	if (b == NULL)
		return sqlite3_extended_errcode(to);
	do {
		rc = sqlite3_backup_step(b, COPY_PAGES);
	} while (rc == SQLITE_OK);
	if (rc == SQLITE_DONE)
		return sqlite3_backup_finish(b);
	(void)sqlite3_backup_finish(b);
	return rc;
}

static enum err first_pages(struct vault *v, struct errctx *ec, const struct vfs *vfs, struct vault *source)
{
	sqlite3 *db = NULL;
	int reserve = PAGE_RESERVE;
	int rc = sqlite3_open_v2(v->new_path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, vfs->name);

	if (rc == SQLITE_OK)
		rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, source == NULL ? BUILD_SQL : COPY_SQL, NULL, NULL, NULL);
	if (rc == SQLITE_OK && source != NULL)
		rc = pages_copy(source->db, db);
	else if (rc != SQLITE_OK && db != NULL)
		rc = sqlite3_extended_errcode(db);
	if (sqlite3_close(db) != SQLITE_OK && rc == SQLITE_OK)
		rc = SQLITE_IOERR;
	/* Damage was met by the source's VFS, a full disk by this one. */
	if (source != NULL && source->vfs->damage.kind != DAMAGE_NONE)
		return vault_result(source, ec, rc);
	v->build_errno = vfs->failed_errno;
	return vault_result(v, ec, rc);
}

/* The sum over what was just written. */
static enum err first_ledger(struct vault *v, struct errctx *ec)
{
	uint8_t page[VAULT_PAGE_SIZE];
	uint64_t sum[SUM_LANES] = { 0 };
	uint32_t pages = 0;
	ssize_t n = 0;
	int fd = open(v->new_path, O_RDONLY | O_CLOEXEC);
	enum err e = fd < 0 ? err_errno(ec, errno, v->new_path) : ERR_OK;

	while (e == ERR_OK) {
		n = read(fd, page, sizeof(page));
		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(page))
			break;
		ledger_sum(v->ring, ++pages, page + sizeof(page) - PAGE_RESERVE, true, sum);
	}
	if (e == ERR_OK && (n != 0 || pages == 0))
		e = err_errno(ec, n < 0 ? errno : EIO, v->new_path);
	if (e == ERR_OK && fsync(fd) != 0)
		e = err_errno(ec, errno, v->new_path);
	if (e == ERR_OK)
		e = vault_result(v, ec, ledger_create(&v->ledger, pages, sum));
	if (fd >= 0)
		close(fd);
	return e;
}

enum err vault_build(struct vault *v, struct errctx *ec, const uint8_t master[static 32], struct vault *source)
{
	uint8_t id[FILE_ID_LEN];
	struct vfs_config c = {
		.under = v->under, .policy = VFS_BUILD, .rng = v->rng, .master = master, .file_id = id
	};
	struct vfs *vfs = NULL;
	char name[40];
	int fd = -1;
	enum err e = ERR_OK;

	rng_fill(v->rng, id, sizeof(id));
	snprintf(name, sizeof(name), "sleutelbos-build-%p", (void *)v);
	c.name = name;
	v->ring = keyring_new(master, id);
	vfs = vfs_new(&c);
	if (v->ring == NULL || vfs == NULL) {
		e = err_errno(ec, ENOMEM, v->new_path);
		goto done;
	}
	v->ledger.ring = v->ring;
	if (unlink(v->new_path) != 0 && errno != ENOENT) {
		e = err_errno(ec, errno, v->new_path);
		goto done;
	}
	fd = open(v->new_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		e = err_errno(ec, errno, v->new_path);
		goto done;
	}
	close(fd);
	e = first_pages(v, ec, vfs, source);
	if (e == ERR_OK)
		e = first_ledger(v, ec);
	if (e == ERR_OK && rename(v->new_path, v->db_path) != 0)
		e = err_errno(ec, errno, v->db_path);
	if (e == ERR_OK)
		e = file_sync_parent(ec, v->db_path);
done:
	vfs_free(vfs);
	if (e != ERR_OK)
		unlink(v->new_path);
	return e;
}
