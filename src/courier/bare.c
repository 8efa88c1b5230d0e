// SPDX-License-Identifier: EUPL-1.2
// Bare repositories, opened with nothing but their objects and branches. Everything that changes one is atomic and
// durable, and what a kill leaves behind (a lock, a half-made folder) is cleared by the next run (S3).
#include "courier/bare.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <git2/odb_backend.h>
#include <git2/sys/repository.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/tree.h"
#include "courier/giterr.h"
#include "courier/watchdog.h"

#define PACKED_REFS_MAX (16u << 20)
#define LOCK_WAIT_MS 10000
#define STALE_LOCK_MS 1000
#define POLL_MS 20

static enum err no_memory(struct errctx *ec)
{
	return err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.", NULL, NULL,
	               NULL);
}

enum err bare_start(struct errctx *ec)
{
	static const int levels[] = { GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
		                      GIT_CONFIG_LEVEL_GLOBAL };
	int rc = git_libgit2_init();

	for (size_t i = 0; rc >= 0 && i < sizeof(levels) / sizeof(levels[0]); i++)
		rc = git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
	if (rc >= 0)
		rc = git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
	if (rc >= 0)
		rc = git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	if (rc >= 0)
		rc = git_libgit2_opts(GIT_OPT_ENABLE_CACHING, 0);
	if (rc >= 0)
		rc = git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, (size_t)(8 << 20));
	if (rc >= 0)
		rc = git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, (size_t)(64 << 20));
	if (rc >= 0)
		rc = git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECTS, (size_t)4000000);
	return rc >= 0 ? ERR_OK : giterr_set(ec, rc, "libgit2");
}

void bare_stop(void)
{
	git_libgit2_shutdown();
}

// ---- Open, create, close ----

/* A real folder, no link to one. */
static bool plain_dir(const char *dir, const char *name)
{
	char *path = file_join(dir, name);
	struct stat st;
	bool fine = path != NULL && lstat(path, &st) == 0 && S_ISDIR(st.st_mode);

	free(path);
	return fine;
}

/* Objects from the repository's own folder and nowhere else: libgit2 itself would follow objects/info/alternates. */
static int own_objects(struct bare *b)
{
	char *dir = file_join(b->path, "objects");
	git_odb_backend *loose = NULL, *packed = NULL;
	int rc = dir == NULL ? -1 : git_odb_new(&b->odb);

	if (rc == 0)
		rc = git_odb_backend_loose(&loose, dir, -1, 1, 0, 0);
	if (rc == 0)
		rc = git_odb_add_backend(b->odb, loose, 1);
	if (rc == 0)
		rc = git_odb_backend_pack(&packed, dir);
	if (rc == 0)
		rc = git_odb_add_backend(b->odb, packed, 2);
	if (rc == 0)
		rc = git_repository_set_odb(b->repo, b->odb);
	free(dir);
	return rc;
}

/* And those of another one, for reading. */
static int borrow_objects(struct bare *b, const struct bare *other)
{
	char *dir = file_join(other->path, "objects");
	git_odb_backend *loose = NULL, *packed = NULL;
	int rc = dir == NULL ? -1 : git_odb_backend_loose(&loose, dir, -1, 1, 0, 0);

	if (rc == 0)
		rc = git_odb_add_alternate(b->odb, loose, 1);
	if (rc == 0)
		rc = git_odb_backend_pack(&packed, dir);
	if (rc == 0)
		rc = git_odb_add_alternate(b->odb, packed, 2);
	free(dir);
	return rc;
}

enum err bare_open(struct errctx *ec, const char *path, struct bare *out)
{
	git_config *config = NULL;
	struct stat st;
	int rc = 0;

	*out = BARE_CLOSED;
	if (stat(path, &st) != 0)
		return err_errno(ec, errno, path);
	if (!S_ISDIR(st.st_mode) || !plain_dir(path, "objects") || !plain_dir(path, "objects/pack") ||
	    !plain_dir(path, "refs"))
		return err_set(ec, ERR_DAMAGED, "%1 is not a bare git repository.", path, NULL, NULL);
	out->path = strdup(path);
	out->pack_dir = file_join(path, "objects/pack");
	if (out->path == NULL || out->pack_dir == NULL) {
		bare_close(out);
		return no_memory(ec);
	}
	rc = git_repository_open_bare(&out->repo, path);
	if (rc == 0)
		rc = git_config_new(&config);
	if (rc == 0)
		rc = git_repository_set_config(out->repo, config);
	if (rc == 0)
		rc = own_objects(out);
	git_config_free(config);
	if (rc != 0) {
		enum err e = giterr_set(ec, rc, path);

		bare_close(out);
		return e;
	}
	return ERR_OK;
}

/* Everything below a new folder; it happens once in a repository's life. */
static enum err sync_whole(struct errctx *ec, const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum err e = fd < 0 || syncfs(fd) != 0 ? err_errno(ec, errno, dir) : ERR_OK;

	if (fd >= 0)
		close(fd);
	return e;
}

/* Into a folder that nobody uses yet, so neither atomic nor synced one by one. */
static enum err write_plain(struct errctx *ec, const char *dir, const char *name, const char *text)
{
	char *path = file_join(dir, name);
	int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
	enum err e = path == NULL ? no_memory(ec) : ERR_OK;

	if (e == ERR_OK && fd < 0)
		e = err_errno(ec, errno, path);
	if (e == ERR_OK)
		e = file_write_fd(ec, fd, path, text, strlen(text));
	if (fd >= 0 && close(fd) != 0 && e == ERR_OK)
		e = err_errno(ec, errno, path);
	free(path);
	return e;
}

/* What git needs to know a repository by, and no more. Whatever an earlier, killed attempt left is taken over. */
static enum err fill(struct errctx *ec, const char *dir)
{
	static const char *const folder[] = { "", "objects", "objects/info", "objects/pack", "refs", "refs/heads" };
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < sizeof(folder) / sizeof(folder[0]); i++) {
		char *path = file_join(dir, folder[i]);

		if (path == NULL)
			e = no_memory(ec);
		else if (mkdir(path, 0777) != 0 && errno != EEXIST)
			e = err_errno(ec, errno, path);
		free(path);
	}
	if (e == ERR_OK)
		e = write_plain(ec, dir, "HEAD", "ref: refs/heads/main\n");
	if (e == ERR_OK)
		e = write_plain(ec, dir, "config", "[core]\n\trepositoryformatversion = 0\n\tbare = true\n");
	return e;
}

enum err bare_create(struct errctx *ec, const char *path)
{
	char *made = NULL;
	enum err e = ERR_OK;

	if (asprintf(&made, "%s" BARE_NEW, path) < 0)
		return no_memory(ec);
	e = fill(ec, made);
	if (e == ERR_OK)
		e = sync_whole(ec, made);
	if (e == ERR_OK && rename(made, path) != 0)
		e = err_errno(ec, errno, path);
	if (e == ERR_OK)
		e = file_sync_parent(ec, path);
	free(made);
	return e;
}

void bare_close(struct bare *b)
{
	bare_unlock(b);
	git_odb_free(b->odb);
	git_repository_free(b->repo);
	free(b->pack_dir);
	free(b->path);
	*b = BARE_CLOSED;
}

// ---- For one exchange ----

#define SCRATCH "incoming"

enum err bare_scratch(struct errctx *ec, const struct bare *home, struct bare *out)
{
	char *path = file_join(home->path, SCRATCH);
	enum err e = path == NULL ? no_memory(ec) : ERR_OK;
	int rc = 0;

	*out = BARE_CLOSED;
	if (e == ERR_OK && file_exists(path))
		e = tree_remove(ec, path);
	if (e == ERR_OK)
		e = fill(ec, path);
	if (e == ERR_OK)
		e = bare_open(ec, path, out);
	if (e == ERR_OK)
		rc = borrow_objects(out, home);
	if (rc != 0) {
		e = giterr_set(ec, rc, path);
		bare_scratch_end(out);
	}
	free(path);
	return e;
}

enum err bare_scratch_refs(struct errctx *ec, const struct bare *scratch, const struct branch_ref *refs, size_t count)
{
	struct buf text = { 0 };
	enum err e = buf_put_str(&text, "# pack-refs with: peeled fully-peeled sorted \n");

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		char hex[GIT_OID_HEXSZ + 1];

		e = buf_put_str(&text, git_oid_tostr(hex, sizeof(hex), &refs[i].id));
		if (e == ERR_OK)
			e = buf_put_byte(&text, ' ');
		if (e == ERR_OK)
			e = buf_put_str(&text, refs[i].name);
		if (e == ERR_OK)
			e = buf_put_byte(&text, '\n');
	}
	if (e == ERR_OK)
		e = buf_terminate(&text);
	if (e == ERR_OK)
		e = write_plain(ec, scratch->path, "packed-refs", (const char *)text.data);
	buf_free(&text);
	return e;
}

void bare_scratch_end(struct bare *scratch)
{
	char *path = scratch->path == NULL ? NULL : strdup(scratch->path);

	bare_close(scratch);
	if (path != NULL)
		(void)!tree_remove(NULL, path);
	free(path);
}

bool bare_holds(const struct bare *b, const git_oid *id)
{
	return git_odb_exists_ext(b->odb, id, GIT_ODB_LOOKUP_NO_REFRESH) == 1;
}

// ---- One writer at a time ----

static void sleep_ms(long ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

enum err bare_lock(struct errctx *ec, struct bare *b)
{
	char *path = file_join(b->path, "sleutelbos.lock");
	enum err e = ERR_OK;

	if (path == NULL)
		return no_memory(ec);
	b->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	/* Another user made it: a lock needs no more than a look. */
	if (b->lock < 0 && errno == EACCES)
		b->lock = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (b->lock < 0)
		e = err_errno(ec, errno, path);
	for (int waited = 0; e == ERR_OK && flock(b->lock, LOCK_EX | LOCK_NB) != 0; waited += POLL_MS) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			break;
		if (waited >= LOCK_WAIT_MS)
			e = err_set(ec, ERR_LATER, "%1 is in use by another program. Try again later.", b->path, NULL,
			            NULL);
		else
			sleep_ms(POLL_MS);
	}
	if (e != ERR_OK)
		bare_unlock(b);
	free(path);
	return e;
}

void bare_unlock(struct bare *b)
{
	if (b->lock >= 0)
		close(b->lock);
	b->lock = -1;
}

// ---- Branches ----

struct branch_ref *branch_refs_find(const struct branch_refs *refs, const char *name)
{
	size_t low = 0, high = refs->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(refs->ref[mid].name, name);

		if (order == 0)
			return &refs->ref[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

void branch_refs_free(struct branch_refs *refs)
{
	for (size_t i = 0; i < refs->count; i++)
		free(refs->ref[i].name);
	free(refs->ref);
	*refs = (struct branch_refs){ 0 };
}

static enum err refs_put(struct errctx *ec, struct branch_refs *refs, const char *name)
{
	if (refs->count == REFS_MAX)
		return err_set(ec, ERR_REFUSED,
		               "The repository has too many branches. Whoever looks after it should split it.", NULL,
		               NULL, NULL);
	if (refs->count == refs->cap) {
		size_t cap = refs->cap == 0 ? 64 : refs->cap * 2;
		struct branch_ref *grown = reallocarray(refs->ref, cap, sizeof(*grown));

		if (grown == NULL)
			return no_memory(ec);
		refs->ref = grown;
		refs->cap = cap;
	}
	refs->ref[refs->count] = (struct branch_ref){ .name = strdup(name) };
	if (refs->ref[refs->count].name == NULL)
		return no_memory(ec);
	refs->count++;
	return ERR_OK;
}

/* libgit2 calls a branch file that is not plain text "not found". */
static bool ref_file_exists(const struct bare *b, const char *name)
{
	char *path = file_join(b->path, name);
	struct stat st;
	bool yes = path != NULL && lstat(path, &st) == 0 && !S_ISDIR(st.st_mode);

	free(path);
	return yes;
}

/* Reads what a branch points to. A symbolic one is broken: it could name any other. */
static enum err ref_read(struct errctx *ec, const struct bare *b, struct branch_ref *ref, bool *found)
{
	git_reference *r = NULL;
	int rc = git_reference_lookup(&r, b->repo, ref->name);
	const git_oid *id = rc == 0 ? git_reference_target(r) : NULL;
	const git_error *last = git_error_last();
	enum err e = ERR_OK;

	*found = rc != GIT_ENOTFOUND || ref_file_exists(b, ref->name);
	if (rc != 0 && rc != GIT_ENOTFOUND && last != NULL && last->klass == GIT_ERROR_NOMEMORY)
		e = no_memory(ec);
	ref->broken = *found && id == NULL;
	if (id != NULL)
		ref->id = *id;
	git_reference_free(r);
	watchdog_kick();
	return e;
}

static int compare_refs(const void *a, const void *b)
{
	return strcmp(((const struct branch_ref *)a)->name, ((const struct branch_ref *)b)->name);
}

/* refs/heads/SPACE/EPOCH/DEVICE */
#define REF_DEPTH_MAX 5

/* Files of branches as they lie there. libgit2 passes over one that holds no plain text, and a branch that is damaged
 * must not look like one that is gone. The first `known` of `out` are sorted, and not listed again. */
static enum err list_files(struct errctx *ec, const struct bare *b, const char *below, unsigned depth, size_t known,
                           struct branch_refs *out)
{
	char *folder = file_join(b->path, below);
	DIR *d = folder == NULL ? NULL : opendir(folder);
	struct dirent *entry = NULL;
	enum err e = folder == NULL ? no_memory(ec) : ERR_OK;

	while (e == ERR_OK && d != NULL && (entry = readdir(d)) != NULL) {
		char *name = NULL;

		if (entry->d_name[0] == '.')
			continue;
		if (asprintf(&name, "%s%s", below, entry->d_name) < 0) {
			e = no_memory(ec);
			break;
		}
		if (ref_file_exists(b, name)) {
			struct branch_ref key = { .name = name };

			if (job_ref_valid(name) &&
			    (known == 0 || bsearch(&key, out->ref, known, sizeof(key), compare_refs) == NULL))
				e = refs_put(ec, out, name);
		} else if (depth < REF_DEPTH_MAX) {
			char *deeper = NULL;

			if (asprintf(&deeper, "%s/", name) < 0)
				e = no_memory(ec);
			else
				e = list_files(ec, b, deeper, depth + 1, known, out);
			free(deeper);
		}
		free(name);
	}
	if (d != NULL)
		closedir(d);
	free(folder);
	return e;
}

static enum err list_below(struct errctx *ec, const struct bare *b, const char *prefix, struct branch_refs *out)
{
	git_reference_iterator *iter = NULL;
	const char *name = NULL;
	char *glob = NULL;
	enum err e = ERR_OK;
	int rc = 0;

	if (asprintf(&glob, "%s*", prefix) < 0)
		return no_memory(ec);
	rc = git_reference_iterator_glob_new(&iter, b->repo, glob);
	while (rc == 0 && e == ERR_OK && (rc = git_reference_next_name(&name, iter)) == 0) {
		if (job_ref_valid(name))
			e = refs_put(ec, out, name);
	}
	if (e == ERR_OK && rc != GIT_ITEROVER)
		e = giterr_set(ec, rc, b->path);
	git_reference_iterator_free(iter);
	free(glob);
	return e;
}

/* A file of branches that could not be of an honest repository is not even opened. */
static enum err check_packed_refs(struct errctx *ec, const struct bare *b)
{
	char *path = file_join(b->path, "packed-refs");
	struct stat st;
	enum err e = ERR_OK;

	if (path == NULL)
		return no_memory(ec);
	if (lstat(path, &st) == 0 && (!S_ISREG(st.st_mode) || st.st_size > PACKED_REFS_MAX))
		e = err_set(ec, ERR_REFUSED,
		            "The repository has too many branches. Whoever looks after it should split it.", NULL, NULL,
		            NULL);
	free(path);
	return e;
}

enum err bare_list(struct errctx *ec, const struct bare *b, const char *const *prefix, size_t prefixes,
                   struct branch_refs *out)
{
	enum err e = check_packed_refs(ec, b);
	size_t known = 0;
	size_t kept = 0;

	*out = (struct branch_refs){ 0 };
	for (size_t i = 0; e == ERR_OK && i < prefixes; i++) {
		if (prefix[i][strlen(prefix[i]) - 1] == '/')
			e = list_below(ec, b, prefix[i], out);
		else
			e = refs_put(ec, out, prefix[i]);
	}
	if (out->count > 0)
		qsort(out->ref, out->count, sizeof(*out->ref), compare_refs);
	known = out->count;
	for (size_t i = 0; e == ERR_OK && i < prefixes; i++)
		if (prefix[i][strlen(prefix[i]) - 1] == '/')
			e = list_files(ec, b, prefix[i], 0, known, out);
	if (out->count > 0)
		qsort(out->ref, out->count, sizeof(*out->ref), compare_refs);
	for (size_t i = 0; i < out->count; i++) {
		struct branch_ref *ref = &out->ref[i];
		bool found = kept == 0 || strcmp(out->ref[kept - 1].name, ref->name) != 0;

		if (e == ERR_OK && found)
			e = ref_read(ec, b, ref, &found);
		if (found)
			out->ref[kept++] = *ref;
		else
			free(ref->name);
	}
	out->count = kept;
	return e;
}

/* The lock file of a branch that nobody has touched for a second while we hold bare_lock() is a killed courier's:
 * git holds one for milliseconds. The wait is measured here and not read off the file: clocks of sticks lie. */
static void clear_stale_lock(const struct bare *b, const char *name)
{
	char *path = NULL;
	struct stat first, now;

	if (asprintf(&path, "%s/%s.lock", b->path, name) < 0)
		return;
	if (stat(path, &first) == 0) {
		sleep_ms(STALE_LOCK_MS);
		if (stat(path, &now) == 0 && now.st_ino == first.st_ino && now.st_mtim.tv_sec == first.st_mtim.tv_sec &&
		    now.st_mtim.tv_nsec == first.st_mtim.tv_nsec)
			unlink(path);
	}
	free(path);
}

/* A new branch may have made new folders; each lies in the one above it. */
static enum err sync_folders(struct errctx *ec, const struct bare *b, const char *name)
{
	char *path = file_join(b->path, name), *slash = NULL;
	enum err e = path == NULL ? no_memory(ec) : ERR_OK;

	while (e == ERR_OK && strlen(path) > strlen(b->path) + strlen("/refs/heads")) {
		e = file_sync_parent(ec, path);
		slash = strrchr(path, '/');
		*slash = '\0';
	}
	free(path);
	return e;
}

enum err bare_set(struct errctx *ec, const struct bare *b, const char *name, const git_oid *old, const git_oid *id,
                  bool *lost)
{
	const git_oid none = { { 0 } };
	int rc = GIT_ELOCKED;

	for (int tries = 0; tries < 2 && rc == GIT_ELOCKED; tries++) {
		git_reference *r = NULL;

		if (tries > 0)
			clear_stale_lock(b, name);
		rc = git_reference_create_matching(&r, b->repo, name, id, 1, old == NULL ? &none : old, "");
		git_reference_free(r);
	}
	*lost = rc == GIT_EMODIFIED || rc == GIT_ENOTFOUND || rc == GIT_EEXISTS;
	if (*lost)
		return ERR_OK;
	if (rc != 0)
		return giterr_set(ec, rc, b->path);
	watchdog_kick();
	return old == NULL ? sync_folders(ec, b, name) : ERR_OK;
}

enum err bare_drop(struct errctx *ec, const struct bare *b, const char *name, const git_oid *id, bool *lost)
{
	git_reference *r = NULL;
	int rc = git_reference_lookup(&r, b->repo, name);

	*lost = rc == GIT_ENOTFOUND ||
	        (rc == 0 && (git_reference_target(r) == NULL || !git_oid_equal(git_reference_target(r), id)));
	if (rc == 0 && !*lost)
		rc = git_reference_delete(r); /* not where it has changed since it was looked up */
	git_reference_free(r);
	if (rc == GIT_EMODIFIED)
		*lost = true;
	if (*lost || rc == 0)
		return ERR_OK;
	return giterr_set(ec, rc, b->path);
}
