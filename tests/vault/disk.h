/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A disk that can be looked at and made to fail: a VFS beneath the vault's, over SQLite's own.
 *
 * It keeps for every file what is durable and what was written since the last sync. A crash state is the durable
 * content with some of the later writes applied, each whole, in part (512-byte sectors) or not at all: lost,
 * reordered and torn writes. It shares no code with what it tests.
 *
 * It can fail the n-th call of a kind, once or from then on.
 */
#ifndef SLB_TESTS_VAULT_DISK_H
#define SLB_TESTS_VAULT_DISK_H

#include "vault/kit.h"

#define DISK_FILES 8
#define DISK_OPS 4096
#define SECTOR 512

enum disk_op_kind { DISK_WRITE, DISK_TRUNCATE, DISK_DELETE };

struct disk_op {
	enum disk_op_kind kind;
	sqlite3_int64 at; /* offset, or the new size */
	size_t len;
	uint8_t *data;
};

struct disk_content {
	bool exists;
	struct buf bytes;
};

struct disk_file_state {
	char name[32];
	struct disk_content durable;
	struct disk_op op[DISK_OPS]; /* since the last sync */
	size_t op_count;
};

/* Which calls fail. */
enum disk_fault {
	FAULT_READ = 1,
	FAULT_WRITE = 2,
	FAULT_SYNC = 4,
	FAULT_TRUNCATE = 8,
	FAULT_DELETE = 16,
	FAULT_OPEN = 32,
	FAULT_SIZE = 64,
	FAULT_OPENED = 128, /* an opening that fails with the file open: whoever asked for it closes it */
};

struct disk {
	sqlite3_vfs base;
	sqlite3_vfs *real;
	struct disk_file_state file[DISK_FILES];
	size_t file_count;
	struct disk_file *opened[DISK_FILES]; /* those with a name */
	unsigned files;                       /* open now */
	const char *moved;                    /* see disk_move() */
	bool recording;

	unsigned fault_kinds; /* of enum disk_fault; 0: none */
	unsigned fault_after; /* calls of these kinds that still succeed */
	bool fault_sticky;
	bool fault_partial; /* a failing write leaves its first half */
	int fault_rc;
	unsigned fault_hits;

	/* called with every write, those to temporary files too */
	void (*on_bytes)(void *self, const uint8_t *data, size_t len);
	void *on_bytes_self;
	unsigned temp_writes; /* to files without a name */

	/* called with every write before it is done; `name` without its folder, "" for a temporary file */
	void (*on_write)(void *self, const char *name, sqlite3_int64 at, const uint8_t *data, size_t len);
	void *on_write_self;

	/* called after every change to a file, while recording */
	void (*on_change)(void *self);
	void *on_change_self;
};

struct disk_file {
	sqlite3_file base;
	struct disk *disk;
	struct disk_file_state *state;
	sqlite3_file *real;
	int flags;
};

static inline void content_resize(struct buf *b, size_t len)
{
	if (len > b->len) {
		size_t more = len - b->len;

		assert_int_equal(buf_reserve(b, more), ERR_OK);
		memset(b->data + b->len, 0, more);
	}
	b->len = len;
}

static inline void content_write(struct buf *b, size_t at, const uint8_t *data, size_t len)
{
	if (at + len > b->len)
		content_resize(b, at + len);
	memcpy(b->data + at, data, len);
}

static inline struct disk_file_state *disk_state(struct disk *d, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;

	for (size_t i = 0; i < d->file_count; i++)
		if (strcmp(d->file[i].name, name) == 0)
			return &d->file[i];
	assert_true(d->file_count < DISK_FILES);
	snprintf(d->file[d->file_count].name, sizeof(d->file[0].name), "%s", name);
	return &d->file[d->file_count++];
}

static inline void disk_ops_clear(struct disk_file_state *s)
{
	for (size_t i = 0; i < s->op_count; i++)
		free(s->op[i].data);
	s->op_count = 0;
}

static inline void disk_record(struct disk *d, struct disk_file_state *s, enum disk_op_kind kind, sqlite3_int64 at,
                               const void *data, size_t len)
{
	struct disk_op *op = &s->op[s->op_count];

	if (!d->recording)
		return;
	assert_true(s->op_count < DISK_OPS);
	op->kind = kind;
	op->at = at;
	op->len = len;
	op->data = malloc(len + 1);
	assert_non_null(op->data);
	if (len > 0)
		memcpy(op->data, data, len);
	s->op_count++;
	if (d->on_change != NULL)
		d->on_change(d->on_change_self);
}

static inline void disk_apply(struct disk_content *c, const struct disk_op *op)
{
	switch (op->kind) {
	case DISK_WRITE:
		c->exists = true;
		content_write(&c->bytes, (size_t)op->at, op->data, op->len);
		break;
	case DISK_TRUNCATE:
		c->exists = true;
		content_resize(&c->bytes, (size_t)op->at);
		break;
	case DISK_DELETE:
		c->exists = false;
		c->bytes.len = 0;
		break;
	}
}

static inline void disk_synced(struct disk *d, struct disk_file_state *s)
{
	if (!d->recording)
		return;
	for (size_t i = 0; i < s->op_count; i++)
		disk_apply(&s->durable, &s->op[i]);
	disk_ops_clear(s);
}

/* What is in `dir` now counts as durable; from here on everything is recorded. */
static inline void disk_start(struct disk *d, const char *dir)
{
	for (size_t i = 0; i < d->file_count; i++) {
		struct disk_file_state *s = &d->file[i];
		char *path = file_join(dir, s->name);

		disk_ops_clear(s);
		buf_free(&s->durable.bytes);
		s->durable.exists = file_exists(path);
		s->durable.bytes = kit_read(dir, s->name);
		free(path);
	}
	d->recording = true;
}

/* Writes one crash state into `dir`. Per file one of: all pending writes, none, a prefix, or any subset, torn. */
static inline void disk_crash(struct disk *d, struct seed *seed, const char *dir)
{
	for (size_t i = 0; i < d->file_count; i++) {
		struct disk_file_state *s = &d->file[i];
		struct disk_content c = { s->durable.exists, { 0 } };
		unsigned style = seed_below(seed, 5);
		size_t prefix = s->op_count == 0 ? 0 : seed_below(seed, (unsigned)s->op_count + 1);

		if (s->durable.bytes.len > 0)
			content_write(&c.bytes, 0, s->durable.bytes.data, s->durable.bytes.len);
		for (size_t k = 0; k < s->op_count; k++) {
			struct disk_op op = s->op[k];
			bool keep =
			    style == 0 || (style == 2 && k < prefix) || (style >= 3 && seed_below(seed, 2) == 0);

			if (!keep && op.kind == DISK_DELETE)
				break; /* what follows went to another inode */
			if (!keep)
				continue;
			if (op.kind != DISK_WRITE || style != 4 || seed_below(seed, 3) != 0) {
				disk_apply(&c, &op);
				continue;
			}
			for (size_t at = 0; at < op.len;) {
				size_t end = ((size_t)op.at + at) / SECTOR * SECTOR + SECTOR - (size_t)op.at;

				end = end > op.len ? op.len : end;
				if (seed_below(seed, 2) == 0)
					content_write(&c.bytes, (size_t)op.at + at, op.data + at, end - at);
				at = end;
			}
			c.exists = true;
		}
		kit_write(dir, s->name, c.exists ? (c.bytes.data == NULL ? (const uint8_t *)"" : c.bytes.data) : NULL,
		          c.bytes.len);
		buf_free(&c.bytes);
	}
}

/* ---- The VFS ---- */

static inline bool disk_fails(struct disk *d, enum disk_fault kind)
{
	if ((d->fault_kinds & kind) == 0)
		return false;
	if (d->fault_after > 0) {
		d->fault_after--;
		return false;
	}
	if (!d->fault_sticky && d->fault_hits > 0)
		return false;
	d->fault_hits++;
	return true;
}

static inline struct disk_file *disk_file(sqlite3_file *f)
{
	return (struct disk_file *)f;
}

static inline int d_close(sqlite3_file *f)
{
	struct disk_file *d = disk_file(f);

	for (size_t i = 0; i < DISK_FILES; i++)
		if (d->disk->opened[i] == d)
			d->disk->opened[i] = NULL;
	d->disk->files--;
	return d->real->pMethods->xClose(d->real);
}

static inline int d_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	struct disk_file *d = disk_file(f);

	if (disk_fails(d->disk, FAULT_READ))
		return SQLITE_IOERR_READ;
	return d->real->pMethods->xRead(d->real, p, n, at);
}

static inline int d_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	struct disk_file *d = disk_file(f);
	int rc = SQLITE_OK;

	d->disk->temp_writes += d->state == NULL;
	if (d->disk->on_bytes != NULL)
		d->disk->on_bytes(d->disk->on_bytes_self, p, (size_t)n);
	if (d->disk->on_write != NULL)
		d->disk->on_write(d->disk->on_write_self, d->state == NULL ? "" : d->state->name, at, p, (size_t)n);
	if (disk_fails(d->disk, FAULT_WRITE)) {
		if (d->disk->fault_partial)
			(void)d->real->pMethods->xWrite(d->real, p, n / 2, at);
		return d->disk->fault_rc;
	}
	rc = d->real->pMethods->xWrite(d->real, p, n, at);
	if (rc == SQLITE_OK && d->state != NULL)
		disk_record(d->disk, d->state, DISK_WRITE, at, p, (size_t)n);
	return rc;
}

static inline int d_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct disk_file *d = disk_file(f);
	int rc = SQLITE_OK;

	if (disk_fails(d->disk, FAULT_TRUNCATE))
		return SQLITE_IOERR_TRUNCATE;
	rc = d->real->pMethods->xTruncate(d->real, size);
	if (rc == SQLITE_OK && d->state != NULL)
		disk_record(d->disk, d->state, DISK_TRUNCATE, size, NULL, 0);
	return rc;
}

static inline int d_sync(sqlite3_file *f, int flags)
{
	struct disk_file *d = disk_file(f);
	int rc = SQLITE_OK;

	if (disk_fails(d->disk, FAULT_SYNC))
		return SQLITE_IOERR_FSYNC;
	rc = d->real->pMethods->xSync(d->real, flags);
	if (rc == SQLITE_OK && d->state != NULL)
		disk_synced(d->disk, d->state);
	return rc;
}

static inline int d_size(sqlite3_file *f, sqlite3_int64 *out)
{
	if (disk_fails(disk_file(f)->disk, FAULT_SIZE))
		return SQLITE_IOERR_FSTAT;
	return disk_file(f)->real->pMethods->xFileSize(disk_file(f)->real, out);
}

static inline int d_lock(sqlite3_file *f, int level)
{
	return disk_file(f)->real->pMethods->xLock(disk_file(f)->real, level);
}

static inline int d_unlock(sqlite3_file *f, int level)
{
	return disk_file(f)->real->pMethods->xUnlock(disk_file(f)->real, level);
}

static inline int d_reserved(sqlite3_file *f, int *out)
{
	return disk_file(f)->real->pMethods->xCheckReservedLock(disk_file(f)->real, out);
}

static inline int d_control(sqlite3_file *f, int op, void *arg)
{
	return disk_file(f)->real->pMethods->xFileControl(disk_file(f)->real, op, arg);
}

static inline int d_sector(sqlite3_file *f)
{
	return disk_file(f)->real->pMethods->xSectorSize(disk_file(f)->real);
}

static inline int d_device(sqlite3_file *f)
{
	return disk_file(f)->real->pMethods->xDeviceCharacteristics(disk_file(f)->real);
}

static const sqlite3_io_methods disk_methods = {
	.iVersion = 1,
	.xClose = d_close,
	.xRead = d_read,
	.xWrite = d_write,
	.xTruncate = d_truncate,
	.xSync = d_sync,
	.xFileSize = d_size,
	.xLock = d_lock,
	.xUnlock = d_unlock,
	.xCheckReservedLock = d_reserved,
	.xFileControl = d_control,
	.xSectorSize = d_sector,
	.xDeviceCharacteristics = d_device,
};

/* The name where the file is; sqlite3_free_filename() it. */
static inline sqlite3_filename disk_place(const struct disk *d, const char *name)
{
	const char *slash = strrchr(name, '/');
	char *path = d->moved == NULL ? strdup(name) : file_join(d->moved, slash == NULL ? name : slash + 1);
	sqlite3_filename out = sqlite3_create_filename(path, "", "", 0, NULL);

	assert_non_null(out);
	free(path);
	return out;
}

static inline int d_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
	struct disk *disk = (struct disk *)vfs;
	struct disk_file *d = disk_file(f);
	int rc = SQLITE_OK;

	memset(d, 0, sizeof(*d));
	d->disk = disk;
	d->real = (sqlite3_file *)(d + 1);
	if (disk_fails(disk, FAULT_OPEN))
		return SQLITE_CANTOPEN;
	/* SQLite keeps the name as long as the file; in a child that is until it ends. */
	rc = disk->real->xOpen(disk->real, disk->moved == NULL || name == NULL ? name : disk_place(disk, name), d->real,
	                       flags, out);
	if (rc == SQLITE_OK) {
		d->base.pMethods = &disk_methods;
		disk->files++;
		d->flags = flags;
		if (name != NULL)
			d->state = disk_state(disk, name);
		for (size_t i = 0; i < DISK_FILES && name != NULL; i++)
			if (disk->opened[i] == NULL) {
				disk->opened[i] = d;
				break;
			}
		if (disk_fails(disk, FAULT_OPENED))
			rc = SQLITE_IOERR;
	}
	return rc;
}

static inline int d_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
	struct disk *disk = (struct disk *)vfs;
	sqlite3_filename place = NULL;
	int rc = SQLITE_OK;

	if (disk_fails(disk, FAULT_DELETE))
		return SQLITE_IOERR_DELETE;
	if (disk->moved != NULL)
		place = disk_place(disk, name);
	rc = disk->real->xDelete(disk->real, place == NULL ? name : place, sync_dir);
	sqlite3_free_filename(place);
	if (rc == SQLITE_OK)
		disk_record(disk, disk_state(disk, name), DISK_DELETE, 0, NULL, 0);
	return rc;
}

/* For a child process: what is open goes on in the copies of the files in `dir` (borrowed until it ends). What was
 * opened before stays with the parent. */
static inline void disk_move(struct disk *d, const char *dir)
{
	d->moved = dir;
	for (size_t i = 0; i < DISK_FILES; i++) {
		struct disk_file *f = d->opened[i];

		if (f == NULL)
			continue;
		f->real = calloc(1, (size_t)d->real->szOsFile);
		assert_non_null(f->real);
		assert_int_equal(d->real->xOpen(d->real, disk_place(d, f->state->name), f->real,
		                                f->flags & ~SQLITE_OPEN_EXCLUSIVE, NULL),
		                 SQLITE_OK);
	}
}

static inline struct disk *disk_new(void)
{
	struct disk *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	d->real = sqlite3_vfs_find("unix");
	d->base = *d->real;
	d->base.szOsFile = (int)sizeof(struct disk_file) + d->real->szOsFile;
	d->base.xOpen = d_open;
	d->base.xDelete = d_delete;
	d->fault_rc = SQLITE_IOERR_WRITE;
	return d;
}

static inline void disk_free(struct disk *d)
{
	for (size_t i = 0; i < d->file_count; i++) {
		disk_ops_clear(&d->file[i]);
		buf_free(&d->file[i].durable.bytes);
	}
	free(d);
}

static inline void disk_fault(struct disk *d, unsigned kinds, unsigned after, bool sticky)
{
	d->fault_kinds = kinds;
	d->fault_after = after;
	d->fault_sticky = sticky;
	d->fault_hits = 0;
}

#endif
