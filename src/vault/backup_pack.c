// SPDX-License-Identifier: EUPL-1.2
// Writing and reading a backup. What was read is authenticated before anything opens it (V2); what was written is
// synced before it is called written (V6).
#include "vault/backup_pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "vault/copy.h"
#include "vault/keyfile.h"
#include "vault/vault_over.h"

/* ---- The vault behind it ---- */

enum err backup_copy(struct vault *v, struct errctx *ec, const char *dir)
{
	return vault_copy(v, ec, dir, v->vfs->master);
}

enum err backup_open_like(struct vault *v, struct errctx *ec, const char *dir, struct vault **out)
{
	return vault_open_over(ec, dir, v->vfs->master, VAULT_OPEN, v->rng, v->under, out);
}

struct backup_keys *backup_keys_of(const struct vault *v)
{
	return backup_keys_new(v->vfs->master);
}

enum err backup_key_file_check(const struct vault *v, struct errctx *ec, const char *keys_path)
{
	return keyfile_check(ec, keys_path, v->vfs->master);
}

/* ---- Writing ---- */

struct packing {
	struct errctx *ec;
	int fd;
	const char *name;
	struct backup_sum *sum;
	uint8_t *room; /* BACKUP_BLOCK bytes */
};

static enum err put(struct packing *p, struct bytes bytes)
{
	backup_sum_add(p->sum, bytes);
	return file_write_fd(p->ec, p->fd, p->name, bytes.data, bytes.len);
}

static enum err put_file(struct packing *p, const char *path, uint64_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum err e = fd < 0 ? err_errno(p->ec, errno, path) : ERR_OK;

	while (e == ERR_OK && len > 0) {
		ssize_t n = read(fd, p->room, len < BACKUP_BLOCK ? (size_t)len : BACKUP_BLOCK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			e = err_errno(p->ec, n < 0 ? errno : EIO, path);
		else
			e = put(p, (struct bytes){ p->room, (size_t)n });
		len -= n > 0 ? (uint64_t)n : 0;
	}
	if (fd >= 0)
		close(fd);
	return e;
}

static enum err put_filling(struct packing *p, const struct rng *rng, uint64_t len)
{
	enum err e = ERR_OK;

	while (e == ERR_OK && len > 0) {
		size_t n = len < BACKUP_BLOCK ? (size_t)len : BACKUP_BLOCK;

		rng_fill(rng, p->room, n);
		e = put(p, (struct bytes){ p->room, n });
		len -= n;
	}
	return e;
}

static enum err length_of(struct errctx *ec, const char *path, uint64_t *out)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return err_errno(ec, errno, path);
	*out = (uint64_t)st.st_size;
	return ERR_OK;
}

static enum err put_parts(struct packing *p, const struct backup_keys *keys, const struct backup_parts *parts,
                          const struct rng *rng, const char *db, const char *mark)
{
	uint8_t nonce[AEAD_NONCE_LEN];
	uint8_t sealed[BACKUP_LIST_SEALED];
	uint8_t trailer[BACKUP_TRAILER_LEN];
	uint64_t db_len = 0;
	uint64_t mark_len = 0;
	struct backup_list list = { 0 };
	struct buf head = { 0 };
	enum err e = length_of(p->ec, db, &db_len);

	if (e == ERR_OK)
		e = length_of(p->ec, mark, &mark_len);
	list = backup_list_of((uint32_t)parts->key_file.len, db_len, mark_len, parts->made_ms);
	if (e == ERR_OK && buf_reserve(&head, BACKUP_HEAD_LEN + parts->key_file.len) != ERR_OK)
		e = err_errno(p->ec, ENOMEM, p->name);
	if (e == ERR_OK) {
		backup_head_put((uint32_t)parts->key_file.len, head.data);
		memcpy(head.data + BACKUP_HEAD_LEN, parts->key_file.data, parts->key_file.len);
		head.len = BACKUP_HEAD_LEN + parts->key_file.len;
		rng_fill(rng, nonce, sizeof(nonce));
		backup_list_seal(keys, buf_bytes(&head), &list, nonce, sealed);
		e = put(p, buf_bytes(&head));
	}
	if (e == ERR_OK)
		e = put(p, (struct bytes){ sealed, sizeof(sealed) });
	if (e == ERR_OK)
		e = put_file(p, mark, mark_len);
	if (e == ERR_OK)
		e = put_file(p, db, db_len);
	if (e == ERR_OK)
		e = put_filling(p, rng, list.total - BACKUP_TRAILER_LEN - p->sum->total);
	if (e == ERR_OK) {
		backup_sum_end(p->sum, trailer);
		e = file_write_fd(p->ec, p->fd, p->name, trailer, sizeof(trailer));
	}
	if (e == ERR_OK && fsync(p->fd) != 0)
		e = err_errno(p->ec, errno, p->name);
	buf_free(&head);
	return e;
}

enum err backup_pack(struct errctx *ec, int fd, const char *name, const struct backup_keys *keys,
                     const struct backup_parts *parts, const struct rng *rng, uint64_t *bytes)
{
	struct packing p = { ec, fd, name, malloc(sizeof(*p.sum)), malloc(BACKUP_BLOCK) };
	char *db = file_join(parts->dir, "vault.db");
	char *mark = file_join(parts->dir, "vault.mark");
	enum err e = ERR_OK;

	if (p.sum == NULL || p.room == NULL || db == NULL || mark == NULL)
		e = err_errno(ec, ENOMEM, name);
	else if (parts->key_file.len == 0 || parts->key_file.len > BACKUP_KEY_FILE_MAX)
		e = err_errno(ec, EINVAL, name);
	if (e == ERR_OK) {
		backup_sum_start(p.sum, keys);
		e = put_parts(&p, keys, parts, rng, db, mark);
		*bytes = p.sum->total + BACKUP_TRAILER_LEN;
	}
	free(p.sum);
	free(p.room);
	free(db);
	free(mark);
	return e;
}

/* ---- Reading ---- */

static enum err cut_off(struct errctx *ec, const char *name)
{
	return err_set(ec, ERR_DAMAGED,
	               "%1 is cut off or not a backup: a part of it is missing. Use another copy of it. Nothing was "
	               "changed.",
	               name, NULL, NULL);
}

static enum err changed(struct errctx *ec, const char *name)
{
	return err_set(ec, ERR_DAMAGED,
	               "%1 was damaged or changed since the backup was made. Use another copy of it. Nothing was "
	               "changed.",
	               name, NULL, NULL);
}

/* Exactly `len` bytes; ERR_DAMAGED where the file ends before. */
static enum err get(struct errctx *ec, int fd, const char *name, uint8_t *out, size_t len)
{
	while (len > 0) {
		ssize_t n = read(fd, out, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(ec, errno, name);
		if (n == 0)
			return cut_off(ec, name);
		out += n;
		len -= (size_t)n;
	}
	return ERR_OK;
}

enum err backup_begin(struct errctx *ec, int fd, const char *name, struct buf *head)
{
	struct stat st;
	uint32_t len = 0;
	enum err e = buf_reserve(head, BACKUP_HEAD_LEN + BACKUP_KEY_FILE_MAX);

	if (e != ERR_OK)
		return err_errno(ec, ENOMEM, name);
	if (fstat(fd, &st) != 0)
		return err_errno(ec, errno, name);
	e = get(ec, fd, name, head->data, BACKUP_HEAD_LEN);
	if (e == ERR_OK && backup_head_get(head->data, &len) != ERR_OK)
		e = err_set(ec, ERR_DAMAGED,
		            "%1 is not a backup, or its beginning is damaged. Give the name of a file that the command "
		            "backup made.",
		            name, NULL, NULL);
	if (e == ERR_OK && S_ISREG(st.st_mode) && !backup_size_possible((uint64_t)st.st_size))
		e = cut_off(ec, name);
	if (e == ERR_OK)
		e = get(ec, fd, name, head->data + BACKUP_HEAD_LEN, len);
	head->len = e == ERR_OK ? BACKUP_HEAD_LEN + len : 0;
	return e;
}

struct bytes backup_key_file(const struct buf *head)
{
	return (struct bytes){ head->data + BACKUP_HEAD_LEN, head->len - BACKUP_HEAD_LEN };
}

struct unpacking {
	struct errctx *ec;
	int fd;
	const char *name;
	struct backup_sum *sum;
	uint8_t *room;
};

static enum err take(struct unpacking *u, size_t len)
{
	enum err e = get(u->ec, u->fd, u->name, u->room, len);

	if (e == ERR_OK)
		backup_sum_add(u->sum, (struct bytes){ u->room, len });
	return e;
}

/* The next `len` bytes go into a new file; `path` NULL: nowhere. */
static enum err take_file(struct unpacking *u, const char *path, uint64_t len)
{
	int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	enum err e = path != NULL && fd < 0 ? err_errno(u->ec, errno, path) : ERR_OK;

	while (e == ERR_OK && len > 0) {
		size_t n = len < BACKUP_BLOCK ? (size_t)len : BACKUP_BLOCK;

		e = take(u, n);
		if (e == ERR_OK && fd >= 0)
			e = file_write_fd(u->ec, fd, path, u->room, n);
		len -= n;
	}
	if (e == ERR_OK && fd >= 0 && fsync(fd) != 0)
		e = err_errno(u->ec, errno, path);
	if (fd >= 0)
		close(fd);
	return e;
}

/* The trailer, and nothing after it. */
static enum err take_end(struct unpacking *u)
{
	uint8_t want[BACKUP_TRAILER_LEN];
	uint8_t is[BACKUP_TRAILER_LEN];
	ssize_t n = 0;
	enum err e = get(u->ec, u->fd, u->name, is, sizeof(is));

	if (e != ERR_OK)
		return e;
	backup_sum_end(u->sum, want);
	do {
		n = read(u->fd, u->room, 1);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(u->ec, errno, u->name);
	return n == 0 && hash_equal(want, is, sizeof(is)) ? ERR_OK : changed(u->ec, u->name);
}

static enum err take_parts(struct unpacking *u, const struct backup_keys *keys, struct bytes head, const char *db,
                           const char *mark, struct backup_list *out)
{
	enum err e = ERR_OK;

	backup_sum_start(u->sum, keys);
	backup_sum_add(u->sum, head);
	e = take(u, BACKUP_LIST_SEALED);
	if (e == ERR_OK && backup_list_unseal(keys, head, u->room, out) != ERR_OK)
		e = changed(u->ec, u->name);
	if (e == ERR_OK)
		e = take_file(u, mark, out->mark_len);
	if (e == ERR_OK)
		e = take_file(u, db, out->db_len);
	if (e == ERR_OK)
		e = take_file(u, NULL, out->total - BACKUP_TRAILER_LEN - u->sum->total);
	return e == ERR_OK ? take_end(u) : e;
}

enum err backup_unpack(struct errctx *ec, int fd, const char *name, const struct backup_keys *keys, struct bytes head,
                       const char *dir, struct backup_list *out)
{
	struct unpacking u = { ec, fd, name, malloc(sizeof(*u.sum)), malloc(BACKUP_BLOCK) };
	char *db = file_join(dir, "vault.db");
	char *mark = file_join(dir, "vault.mark");
	enum err e = ERR_OK;

	if (u.sum == NULL || u.room == NULL || db == NULL || mark == NULL)
		e = err_errno(ec, ENOMEM, name);
	else
		e = take_parts(&u, keys, head, db, mark, out);
	if (e == ERR_OK)
		e = file_sync_parent(ec, db);
	if (e != ERR_OK && db != NULL && mark != NULL) {
		unlink(db);
		unlink(mark);
	}
	free(u.sum);
	free(u.room);
	free(db);
	free(mark);
	return e;
}
