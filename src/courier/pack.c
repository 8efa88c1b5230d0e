// SPDX-License-Identifier: EUPL-1.2
// Joins packs: list, write and fsync the new one, then delete exactly what was listed. A kill in between leaves objects
// twice, never not at all (S3); packs that others add meanwhile are not on the list and stay.
#include "courier/pack.h"

#include <dirent.h>
#include <errno.h>
#include <git2/odb_backend.h>
#include <git2/sys/odb_backend.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "courier/giterr.h"
#include "courier/loose.h"
#include "courier/watchdog.h"

#define OBJECTS_MAX 200000u /* in one joined pack: what fits into the watchdog's minute of work several times over */
#define JUNK_AGE_S 3600

struct old_pack {
	char *stem; /* path without .pack or .idx */
	off_t size;
};

struct packing {
	const struct bare *b;
	git_packbuilder *pack;
	struct old_pack *old;
	size_t count, cap;
	struct oids loose;
	size_t objects;
};

// ---- What is there ----

static char *objects_dir(const struct bare *b)
{
	return file_join(b->path, "objects");
}

static enum err old_put(struct errctx *ec, struct packing *p, const char *name)
{
	size_t len = strlen(name) - strlen(".idx");
	struct stat st;
	char *path = NULL;

	if (p->count == p->cap) {
		size_t cap = p->cap == 0 ? 64 : p->cap * 2;
		struct old_pack *grown = reallocarray(p->old, cap, sizeof(*grown));

		if (grown == NULL)
			return err_errno(ec, ENOMEM, p->b->path);
		p->old = grown;
		p->cap = cap;
	}
	if (asprintf(&path, "%s/%.*s.keep", p->b->pack_dir, (int)len, name) < 0)
		return err_errno(ec, ENOMEM, p->b->path);
	if (file_exists(path)) {
		free(path);
		return ERR_OK;
	}
	strcpy(path + strlen(path) - 4, "pack");
	p->old[p->count].size = stat(path, &st) == 0 ? st.st_size : 0;
	path[strlen(path) - 5] = '\0';
	p->old[p->count++].stem = path;
	return ERR_OK;
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), s = strlen(suffix);

	return n > s && strcmp(name + n - s, suffix) == 0;
}

static enum err list_packs(struct errctx *ec, struct packing *p)
{
	DIR *dir = opendir(p->b->pack_dir);
	const struct dirent *entry = NULL;
	enum err e = ERR_OK;

	if (dir == NULL)
		return err_errno(ec, errno, p->b->pack_dir);
	while (e == ERR_OK && (entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, "pack-", 5) == 0 && has_suffix(entry->d_name, ".idx"))
			e = old_put(ec, p, entry->d_name);
	}
	closedir(dir);
	return e;
}

static int by_size(const void *a, const void *b)
{
	const struct old_pack *x = a, *y = b;

	return x->size < y->size ? -1 : x->size > y->size;
}

/* Keeps on the list the packs to be joined: the smaller ones, up to the first that outweighs all before it. Twenty are
 * joined in any case. */
static void choose(struct packing *p)
{
	off_t sum = 0;
	size_t keep = 0;

	if (p->count > 0)
		qsort(p->old, p->count, sizeof(*p->old), by_size);
	while (keep < p->count && (keep < 20 || p->old[keep].size <= sum))
		sum += p->old[keep++].size;
	for (size_t i = keep; i < p->count; i++)
		free(p->old[i].stem);
	p->count = keep;
}

// ---- The new pack ----

static int put_object(const git_oid *id, void *arg)
{
	struct packing *p = arg;

	watchdog_kick();
	if (++p->objects > OBJECTS_MAX)
		return GIT_EUSER;
	return git_packbuilder_insert(p->pack, id, NULL);
}

static int put_loose(const git_oid *id, void *arg)
{
	struct packing *p = arg;

	if (!loose_sound(p->b->path, id))
		return GIT_EUSER; /* packing would read it */
	if (oids_put(&p->loose, id) != ERR_OK)
		return -1;
	return put_object(id, arg);
}

/* Every object of one backend, which takes its ownership. */
static int put_all(git_odb_backend *backend, git_odb_foreach_cb each, struct packing *p)
{
	git_odb *odb = NULL;
	int rc = git_odb_new(&odb);

	if (rc == 0)
		rc = git_odb_add_backend(odb, backend, 1);
	else
		backend->free(backend);
	if (rc == 0)
		rc = git_odb_foreach(odb, each, p);
	git_odb_free(odb);
	return rc;
}

static int put_pack(const char *stem, struct packing *p)
{
	git_odb_backend *backend = NULL;
	char *path = NULL;
	int rc = asprintf(&path, "%s.pack", stem) < 0 ? -1 : 0;

	if (rc == 0 && !file_exists(path)) {
		free(path);
		return 0;
	}
	if (rc == 0) {
		strcpy(path + strlen(path) - 4, "idx");
		rc = git_odb_backend_one_pack(&backend, path);
	}
	if (rc == 0)
		rc = put_all(backend, put_object, p);
	free(path);
	return rc;
}

static int on_write(const git_indexer_progress *stats, void *arg)
{
	watchdog_kick();
	return 0;
}

static int write_joined(struct packing *p)
{
	git_odb_backend *loose = NULL;
	char *dir = objects_dir(p->b);
	int rc = dir == NULL ? -1 : git_packbuilder_new(&p->pack, p->b->repo);

	if (rc == 0)
		git_packbuilder_set_threads(p->pack, 1);
	if (rc == 0)
		rc = git_odb_backend_loose(&loose, dir, -1, 1, 0, 0);
	if (rc == 0)
		rc = put_all(loose, put_loose, p);
	for (size_t i = 0; rc == 0 && i < p->count; i++)
		rc = put_pack(p->old[i].stem, p);
	if (rc == 0)
		rc = git_packbuilder_write(p->pack, p->b->pack_dir, 0, on_write, NULL);
	free(dir);
	return rc;
}

// ---- The old files ----

static void remove_pack(const char *stem)
{
	static const char *const suffix[] = { ".pack", ".rev", ".bitmap", ".idx" };

	for (size_t i = 0; i < sizeof(suffix) / sizeof(suffix[0]); i++) {
		char *path = NULL;

		if (asprintf(&path, "%s%s", stem, suffix[i]) >= 0)
			unlink(path);
		free(path);
	}
}

static void remove_loose(const struct bare *b, const git_oid *id)
{
	char hex[GIT_OID_HEXSZ + 1], *path = NULL;

	git_oid_tostr(hex, sizeof(hex), id);
	if (asprintf(&path, "%s/objects/%.2s/%s", b->path, hex, hex + 2) >= 0)
		unlink(path);
	free(path);
}

/* Half-written packs of killed couriers: an hour older than the pack just written, by the same disk's clock. */
static void remove_junk(const struct bare *b, const char *newest)
{
	DIR *dir = opendir(b->pack_dir);
	const struct dirent *entry = NULL;
	struct stat now, st;

	if (dir == NULL)
		return;
	while (stat(newest, &now) == 0 && (entry = readdir(dir)) != NULL) {
		char *path = strncmp(entry->d_name, "pack_", 5) == 0 ? file_join(b->pack_dir, entry->d_name) : NULL;

		if (path != NULL && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
		    now.st_mtim.tv_sec - st.st_mtim.tv_sec > JUNK_AGE_S)
			unlink(path);
		free(path);
	}
	closedir(dir);
}

static enum err remove_old(struct errctx *ec, const struct packing *p)
{
	const char *name = git_packbuilder_name(p->pack);
	char *stem = NULL, *file = NULL;
	enum err e = ERR_OK;

	if (asprintf(&stem, "%s/pack-%s", p->b->pack_dir, name) < 0 || asprintf(&file, "%s.pack", stem) < 0) {
		e = err_errno(ec, ENOMEM, p->b->path);
		goto done;
	}
	for (size_t i = 0; i < p->count; i++) {
		if (strcmp(p->old[i].stem, stem) != 0)
			remove_pack(p->old[i].stem);
		watchdog_kick();
	}
	for (size_t i = 0; i < p->loose.count; i++)
		remove_loose(p->b, &p->loose.id[i]);
	remove_junk(p->b, file);
done:
	free(stem);
	free(file);
	return e;
}

static size_t count_loose(const struct bare *b)
{
	size_t count = 0;

	for (unsigned i = 0; i < 256 && count <= LOOSE_MAX; i++) {
		char *path = NULL;
		DIR *dir = asprintf(&path, "%s/objects/%02x", b->path, i) < 0 ? NULL : opendir(path);
		const struct dirent *entry = NULL;

		while (dir != NULL && (entry = readdir(dir)) != NULL)
			count += entry->d_name[0] != '.';
		if (dir != NULL)
			closedir(dir);
		free(path);
	}
	return count;
}

bool pack_needed(const struct bare *b)
{
	char *index = file_join(b->pack_dir, "multi-pack-index");
	bool others = index == NULL || file_exists(index);
	DIR *dir = opendir(b->pack_dir);
	const struct dirent *entry = NULL;
	size_t packs = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		packs += has_suffix(entry->d_name, ".idx");
	if (dir != NULL)
		closedir(dir);
	free(index);
	return !others && (packs > PACKS_MAX || count_loose(b) > LOOSE_MAX);
}

enum err pack_run(struct errctx *ec, const struct bare *b)
{
	struct packing p = { .b = b };
	enum err e = list_packs(ec, &p);
	int rc = 0;

	if (e != ERR_OK)
		goto done;
	choose(&p);
	rc = write_joined(&p);
	/* Too much for one go: it stays as it is, which costs time and loses nothing. */
	if (rc != 0 && rc != GIT_EUSER)
		e = giterr_set(ec, rc, b->path);
	if (rc == 0)
		e = remove_old(ec, &p);
done:
	for (size_t i = 0; i < p.count; i++)
		free(p.old[i].stem);
	free(p.old);
	oids_free(&p.loose);
	git_packbuilder_free(p.pack);
	return e;
}
