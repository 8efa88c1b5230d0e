// SPDX-License-Identifier: EUPL-1.2
// Disks in memory: names, contents, and what of them is durable.
#include "sim/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "sim/must.h"

#define FD_FIRST (1 << 20)
#define FDS_MAX 256
#define SECTOR 512

/* A write or a cut since the last sync. */
struct change {
	size_t at; /* offset, or the new size */
	size_t len;
	size_t data; /* where its bytes stand in `pending` */
	bool cut;
};

struct inode {
	struct inode *next;
	uint64_t number;
	struct buf now;
	struct buf durable;
	struct change *change;
	size_t changes;
	size_t change_cap;
	struct buf pending;
	unsigned opened;
	int locked_by; /* a descriptor, -1: none */
	bool marked;
};

struct name {
	char path[DISK_PATH];
	struct inode *inode; /* NULL: a folder */
};

struct names {
	struct name *n;
	size_t count;
	size_t cap;
};

/* A change of names since folders were last synced. */
enum rename_kind { NAME_MADE, NAME_GONE, NAME_MOVED };
struct renamed {
	enum rename_kind kind;
	char path[DISK_PATH];
	char to[DISK_PATH];
	struct inode *inode;
};

struct disk {
	unsigned number;
	struct names now;
	struct names durable;
	struct renamed *renamed;
	size_t renames;
	size_t rename_cap;
	struct inode *inodes;
	uint64_t next_inode;
	uint64_t steps;
	uint64_t die_at;
	uint64_t full_at;
	bool dead;
	bool was_full;
};

struct open_file {
	struct disk *disk; /* NULL: free */
	struct inode *inode;
	size_t pos;
	char path[DISK_PATH];
};

static struct disk *disks[DISKS_MAX];
static struct open_file files[FDS_MAX];

// ---- Steps ----

bool disk_step(struct disk *d)
{
	if (d->dead)
		return false;
	d->steps++;
	if (d->die_at != 0 && d->steps >= d->die_at)
		d->dead = true;
	return !d->dead;
}

/* A step of the disk itself, which may be full. */
static int change_step(struct disk *d)
{
	if (!disk_step(d))
		return EIO;
	if (d->full_at != 0 && d->steps >= d->full_at) {
		d->full_at = 0;
		d->was_full = true;
		return ENOSPC;
	}
	return 0;
}

void disk_die_after(struct disk *d, uint64_t n)
{
	d->die_at = n == 0 ? 0 : d->steps + n;
}

void disk_full_after(struct disk *d, uint64_t n)
{
	d->full_at = n == 0 ? 0 : d->steps + n;
	d->was_full = false;
}

bool disk_dead(const struct disk *d)
{
	return d->dead;
}

bool disk_was_full(const struct disk *d)
{
	return d->was_full;
}

uint64_t disk_steps(const struct disk *d)
{
	return d->steps;
}

// ---- Names ----

struct disk *disk_of(const char *path)
{
	unsigned long n = 0;

	if (path == NULL || strncmp(path, "/sim/", 5) != 0)
		return NULL;
	n = strtoul(path + 5, NULL, 10);
	return n < DISKS_MAX ? disks[n] : NULL;
}

static struct name *name_find(struct names *list, const char *path)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->n[i].path, path) == 0)
			return &list->n[i];
	}
	return NULL;
}

static void name_drop(struct names *list, const char *path)
{
	struct name *n = name_find(list, path);

	if (n != NULL)
		*n = list->n[--list->count];
}

static void name_set(struct names *list, const char *path, struct inode *inode)
{
	struct name *n = name_find(list, path);

	if (n == NULL) {
		if (list->count == list->cap) {
			list->cap = list->cap == 0 ? 16 : 2 * list->cap;
			list->n = must_realloc(list->n, list->cap * sizeof(*list->n));
		}
		n = &list->n[list->count++];
		must(strlen(path) < DISK_PATH, "a path of the disk is too long");
		strcpy(n->path, path);
	}
	n->inode = inode;
}

static void renamed_apply(struct names *list, const struct renamed *r)
{
	switch (r->kind) {
	case NAME_MADE:
		name_set(list, r->path, r->inode);
		break;
	case NAME_GONE:
		name_drop(list, r->path);
		break;
	case NAME_MOVED:
		name_drop(list, r->path);
		name_set(list, r->to, r->inode);
		break;
	}
}

static void rename_note(struct disk *d, enum rename_kind kind, const char *path, const char *to, struct inode *inode)
{
	struct renamed *r = NULL;

	if (d->renames == d->rename_cap) {
		d->rename_cap = d->rename_cap == 0 ? 16 : 2 * d->rename_cap;
		d->renamed = must_realloc(d->renamed, d->rename_cap * sizeof(*d->renamed));
	}
	r = &d->renamed[d->renames++];
	r->kind = kind;
	r->inode = inode;
	strcpy(r->path, path);
	strcpy(r->to, to == NULL ? "" : to);
	renamed_apply(&d->now, r);
}

static void names_sync(struct disk *d)
{
	for (size_t i = 0; i < d->renames; i++)
		renamed_apply(&d->durable, &d->renamed[i]);
	d->renames = 0;
}

// ---- Contents ----

static void content_resize(struct buf *b, size_t len)
{
	if (len > b->len) {
		size_t more = len - b->len;

		must(buf_reserve(b, more) == ERR_OK, "out of memory");
		memset(b->data + b->len, 0, more);
	}
	b->len = len;
}

static void content_write(struct buf *b, size_t at, const void *data, size_t len)
{
	if (at + len > b->len)
		content_resize(b, at + len);
	if (len > 0)
		memcpy(b->data + at, data, len);
}

static struct inode *inode_new(struct disk *d)
{
	struct inode *i = must_calloc(1, sizeof(*i));

	i->number = ++d->next_inode;
	i->locked_by = -1;
	i->next = d->inodes;
	d->inodes = i;
	return i;
}

static void inode_free(struct inode *i)
{
	free(i->now.data);
	free(i->durable.data);
	free(i->pending.data);
	free(i->change);
	free(i);
}

static void change_note(struct inode *i, bool cut, size_t at, const void *data, size_t len)
{
	if (i->changes == i->change_cap) {
		i->change_cap = i->change_cap == 0 ? 8 : 2 * i->change_cap;
		i->change = must_realloc(i->change, i->change_cap * sizeof(*i->change));
	}
	i->change[i->changes++] = (struct change){ at, len, i->pending.len, cut };
	if (len > 0)
		must(buf_put(&i->pending, data, len) == ERR_OK, "out of memory");
	if (cut)
		content_resize(&i->now, at);
	else
		content_write(&i->now, at, data, len);
}

static void inode_sync(struct inode *i)
{
	for (size_t k = 0; k < i->changes; k++) {
		const struct change *c = &i->change[k];

		if (c->cut)
			content_resize(&i->durable, c->at);
		else
			content_write(&i->durable, c->at, i->pending.data + c->data, c->len);
	}
	i->changes = 0;
	i->pending.len = 0;
}

/* Files that no name and no descriptor leads to any more. */
static void sweep(struct disk *d)
{
	struct inode **at = &d->inodes;

	for (struct inode *i = d->inodes; i != NULL; i = i->next)
		i->marked = i->opened > 0;
	for (size_t k = 0; k < d->now.count; k++) {
		if (d->now.n[k].inode != NULL)
			d->now.n[k].inode->marked = true;
	}
	for (size_t k = 0; k < d->durable.count; k++) {
		if (d->durable.n[k].inode != NULL)
			d->durable.n[k].inode->marked = true;
	}
	for (size_t k = 0; k < d->renames; k++) {
		if (d->renamed[k].inode != NULL)
			d->renamed[k].inode->marked = true;
	}
	while (*at != NULL) {
		struct inode *i = *at;

		if (i->marked) {
			at = &i->next;
		} else {
			*at = i->next;
			inode_free(i);
		}
	}
}

// ---- A whole disk ----

struct disk *disk_new(unsigned number)
{
	struct disk *d = must_calloc(1, sizeof(*d));
	char path[DISK_PATH];

	must(number < DISKS_MAX && disks[number] == NULL, "a disk number is in use");
	d->number = number;
	snprintf(path, sizeof(path), "/sim/%u", number);
	name_set(&d->now, path, NULL);
	name_set(&d->durable, path, NULL);
	disks[number] = d;
	return d;
}

static void names_clear(struct disk *d)
{
	d->now.count = 0;
	d->durable.count = 0;
	d->renames = 0;
}

void disk_free(struct disk *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < FDS_MAX; i++)
		must(files[i].disk != d, "a file was left open");
	names_clear(d);
	sweep(d);
	free(d->now.n);
	free(d->durable.n);
	free(d->renamed);
	disks[d->number] = NULL;
	free(d);
}

void disk_copy(struct disk *to, const struct disk *from)
{
	char prefix[DISK_PATH];
	size_t len = 0;

	names_clear(to);
	sweep(to);
	snprintf(prefix, sizeof(prefix), "/sim/%u", from->number);
	len = strlen(prefix);
	for (size_t i = 0; i < from->now.count; i++) {
		const struct name *n = &from->now.n[i];
		struct inode *made = n->inode == NULL ? NULL : inode_new(to);
		char path[DISK_PATH];

		snprintf(path, sizeof(path), "/sim/%u%.120s", to->number, n->path + len);
		if (made != NULL) {
			content_write(&made->now, 0, n->inode->now.data, n->inode->now.len);
			content_write(&made->durable, 0, n->inode->now.data, n->inode->now.len);
		}
		name_set(&to->now, path, made);
		name_set(&to->durable, path, made);
	}
}

void disk_put(struct disk *d, const char *path, struct bytes content)
{
	struct inode *i = inode_new(d);

	change_note(i, false, 0, content.data, content.len);
	rename_note(d, NAME_MADE, path, NULL, i);
}

bool disk_get(struct disk *d, const char *path, struct buf *out)
{
	struct name *n = name_find(&d->now, path);

	if (n == NULL || n->inode == NULL)
		return false;
	must(buf_put(out, n->inode->now.data, n->inode->now.len) == ERR_OK, "out of memory");
	return true;
}

// ---- After a crash ----

/* The durable content with some of the later writes. */
static void inode_lose(struct inode *i, struct random *loss)
{
	uint64_t style = random_below(loss, 4); /* all, a prefix, any, any and torn */
	size_t prefix = random_below(loss, i->changes + 1);

	for (size_t k = 0; k < i->changes; k++) {
		const struct change *c = &i->change[k];
		const uint8_t *data = i->pending.data + c->data;
		bool keep = style == 0 || (style == 1 ? k < prefix : random_chance(loss, 50));

		if (keep && c->cut) {
			content_resize(&i->durable, c->at);
		} else if (keep && style < 3) {
			content_write(&i->durable, c->at, data, c->len);
		} else if (keep) {
			for (size_t at = 0; at < c->len;) {
				size_t end = (c->at + at) / SECTOR * SECTOR + SECTOR - c->at;

				end = end > c->len ? c->len : end;
				if (random_chance(loss, 60))
					content_write(&i->durable, c->at + at, data + at, end - at);
				at = end;
			}
		}
	}
	i->changes = 0;
	i->pending.len = 0;
	i->now.len = 0;
	content_write(&i->now, 0, i->durable.data, i->durable.len);
}

void disk_revive(struct disk *d, struct random *loss)
{
	d->dead = false;
	d->die_at = 0;
	d->full_at = 0;
	d->was_full = false;
	for (size_t i = 0; i < FDS_MAX; i++)
		must(files[i].disk != d, "a file was left open");
	if (loss != NULL) {
		size_t kept = random_below(loss, d->renames + 1);

		for (size_t i = 0; i < kept; i++)
			renamed_apply(&d->durable, &d->renamed[i]);
		d->renames = 0;
		for (struct inode *i = d->inodes; i != NULL; i = i->next)
			inode_lose(i, loss);
		d->now.count = 0;
		for (size_t i = 0; i < d->durable.count; i++)
			name_set(&d->now, d->durable.n[i].path, d->durable.n[i].inode);
	}
	sweep(d);
}

// ---- Calls of the C library ----

static struct open_file *file_of(int fd)
{
	int i = fd - FD_FIRST;

	return i >= 0 && i < FDS_MAX && files[i].disk != NULL ? &files[i] : NULL;
}

bool disk_fd(int fd)
{
	return fd >= FD_FIRST && fd < FD_FIRST + FDS_MAX;
}

static int failed(int errnum)
{
	errno = errnum;
	return -1;
}

int disk_open(const char *path, int flags)
{
	struct disk *d = disk_of(path);
	struct name *n = NULL;
	struct inode *inode = NULL;
	int i = 0;
	int rc = 0;

	if (d == NULL)
		return failed(ENOENT);
	if (d->dead)
		return failed(EIO);
	n = name_find(&d->now, path);
	if (n == NULL && (flags & O_CREAT) == 0)
		return failed(ENOENT);
	if (n != NULL && (flags & O_CREAT) != 0 && (flags & O_EXCL) != 0)
		return failed(EEXIST);
	if (n != NULL && (n->inode == NULL) != ((flags & O_DIRECTORY) != 0))
		return failed(n->inode == NULL ? EISDIR : ENOTDIR);
	if (n == NULL || ((flags & O_TRUNC) != 0 && n->inode->now.len > 0)) {
		rc = change_step(d);
		if (rc != 0)
			return failed(rc);
	}
	if (n == NULL) {
		inode = inode_new(d);
		rename_note(d, NAME_MADE, path, NULL, inode);
	} else {
		inode = n->inode;
		if ((flags & O_TRUNC) != 0 && inode->now.len > 0)
			change_note(inode, true, 0, NULL, 0);
	}
	while (i < FDS_MAX && files[i].disk != NULL)
		i++;
	must(i < FDS_MAX, "too many files are open");
	files[i] = (struct open_file){ .disk = d, .inode = inode };
	strcpy(files[i].path, path);
	if (inode != NULL)
		inode->opened++;
	return FD_FIRST + i;
}

int disk_close(int fd)
{
	struct open_file *f = file_of(fd);

	if (f == NULL)
		return failed(EBADF);
	if (f->inode != NULL) {
		f->inode->opened--;
		if (f->inode->locked_by == fd)
			f->inode->locked_by = -1;
	}
	f->disk = NULL;
	return 0;
}

ssize_t disk_pread(int fd, void *out, size_t len, int64_t at)
{
	struct open_file *f = file_of(fd);
	size_t there = 0;

	if (f == NULL || f->inode == NULL)
		return failed(EBADF);
	if (f->disk->dead)
		return failed(EIO);
	if ((size_t)at < f->inode->now.len)
		there = f->inode->now.len - (size_t)at;
	if (there > len)
		there = len;
	if (there > 0)
		memcpy(out, f->inode->now.data + at, there);
	return (ssize_t)there;
}

ssize_t disk_read(int fd, void *out, size_t len)
{
	struct open_file *f = file_of(fd);
	ssize_t n = f == NULL ? failed(EBADF) : disk_pread(fd, out, len, (int64_t)f->pos);

	if (n > 0)
		f->pos += (size_t)n;
	return n;
}

static ssize_t change(int fd, bool cut, size_t at, const void *data, size_t len)
{
	struct open_file *f = file_of(fd);
	int rc = 0;

	if (f == NULL || f->inode == NULL)
		return failed(EBADF);
	rc = change_step(f->disk);
	if (rc != 0)
		return failed(rc);
	change_note(f->inode, cut, at, data, len);
	return (ssize_t)len;
}

ssize_t disk_pwrite(int fd, const void *data, size_t len, int64_t at)
{
	return change(fd, false, (size_t)at, data, len);
}

ssize_t disk_write(int fd, const void *data, size_t len)
{
	struct open_file *f = file_of(fd);
	ssize_t n = f == NULL ? failed(EBADF) : change(fd, false, f->pos, data, len);

	if (n > 0)
		f->pos += (size_t)n;
	return n;
}

int disk_cut(int fd, int64_t size)
{
	return change(fd, true, (size_t)size, NULL, 0) < 0 ? -1 : 0;
}

int disk_sync(int fd)
{
	struct open_file *f = file_of(fd);
	int rc = 0;

	if (f == NULL)
		return failed(EBADF);
	rc = change_step(f->disk);
	if (rc != 0)
		return failed(rc);
	if (f->inode == NULL)
		names_sync(f->disk);
	else
		inode_sync(f->inode);
	return 0;
}

void disk_sync_names(const char *path)
{
	struct disk *d = disk_of(path);

	if (d != NULL && !d->dead)
		names_sync(d);
}

int disk_lock(int fd, int operation)
{
	struct open_file *f = file_of(fd);

	if (f == NULL || f->inode == NULL)
		return failed(EBADF);
	if ((operation & LOCK_UN) != 0) {
		if (f->inode->locked_by == fd)
			f->inode->locked_by = -1;
		return 0;
	}
	if (f->inode->locked_by >= 0 && f->inode->locked_by != fd)
		return failed(EWOULDBLOCK);
	f->inode->locked_by = fd;
	return 0;
}

int disk_rename(const char *from, const char *to)
{
	struct disk *d = disk_of(from);
	struct name *n = d == NULL ? NULL : name_find(&d->now, from);
	int rc = 0;

	if (n == NULL)
		return failed(d != NULL && d->dead ? EIO : ENOENT);
	must(n->inode != NULL, "the disk moves no folders");
	rc = change_step(d);
	if (rc != 0)
		return failed(rc);
	rename_note(d, NAME_MOVED, from, to, n->inode);
	return 0;
}

int disk_unlink(const char *path)
{
	struct disk *d = disk_of(path);
	struct name *n = d == NULL ? NULL : name_find(&d->now, path);
	int rc = 0;

	if (d != NULL && d->dead)
		return failed(EIO);
	if (n == NULL)
		return failed(ENOENT);
	if (n->inode == NULL)
		return failed(EISDIR);
	rc = change_step(d);
	if (rc != 0)
		return failed(rc);
	rename_note(d, NAME_GONE, path, NULL, n->inode);
	return 0;
}

int disk_mkdir(const char *path)
{
	struct disk *d = disk_of(path);
	int rc = 0;

	if (d == NULL || d->dead)
		return failed(EIO);
	if (name_find(&d->now, path) != NULL)
		return failed(EEXIST);
	rc = change_step(d);
	if (rc != 0)
		return failed(rc);
	rename_note(d, NAME_MADE, path, NULL, NULL);
	return 0;
}

int disk_rmdir(const char *path)
{
	struct disk *d = disk_of(path);
	struct name *n = d == NULL ? NULL : name_find(&d->now, path);
	int rc = 0;

	if (n == NULL || n->inode != NULL)
		return failed(n == NULL ? ENOENT : ENOTDIR);
	rc = change_step(d);
	if (rc != 0)
		return failed(rc);
	rename_note(d, NAME_GONE, path, NULL, NULL);
	return 0;
}

static void stat_fill(const struct disk *d, const struct inode *inode, struct stat *out)
{
	*out = (struct stat){ .st_dev = 1000 + d->number,
		              .st_ino = inode == NULL ? 1 : 100 + inode->number,
		              .st_mode = inode == NULL ? S_IFDIR | 0700 : S_IFREG | 0600,
		              .st_nlink = 1,
		              .st_uid = geteuid(),
		              .st_size = inode == NULL ? 0 : (off_t)inode->now.len };
}

int disk_stat(const char *path, struct stat *out)
{
	struct disk *d = disk_of(path);
	struct name *n = d == NULL ? NULL : name_find(&d->now, path);

	if (d != NULL && d->dead)
		return failed(EIO);
	if (n == NULL)
		return failed(ENOENT);
	stat_fill(d, n->inode, out);
	return 0;
}

int disk_fstat(int fd, struct stat *out)
{
	struct open_file *f = file_of(fd);

	if (f == NULL)
		return failed(EBADF);
	stat_fill(f->disk, f->inode, out);
	return 0;
}

const char *disk_fd_path(int fd)
{
	struct open_file *f = file_of(fd);

	return f == NULL ? "" : f->path;
}

const char *disk_entry(const char *path, size_t n, bool *folder)
{
	struct disk *d = disk_of(path);
	size_t len = strlen(path);

	for (size_t i = 0; d != NULL && i < d->now.count; i++) {
		const char *name = d->now.n[i].path;

		if (strncmp(name, path, len) != 0 || name[len] != '/' || strchr(name + len + 1, '/') != NULL)
			continue;
		if (n-- == 0) {
			*folder = d->now.n[i].inode == NULL;
			return name + len + 1;
		}
	}
	return NULL;
}
