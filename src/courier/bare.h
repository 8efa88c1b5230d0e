/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A bare repository on disk, the courier's own cache or a remote reached by path, opened so that nothing but its own
 * objects and branches is ever used: no configuration of the user, the system or the repository itself, no alternates,
 * no hooks, no links in place of its folders. It may belong to somebody else (a stick, a shared folder): nothing in it
 * is executed.
 */
#ifndef SLB_COURIER_BARE_H
#define SLB_COURIER_BARE_H

#include <git2.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "courier/job.h"
#include "courier/oids.h"

#define REFS_MAX 20000u
/* Where bare_create() prepares what gets the name before it. */
#define BARE_NEW ".sleutelbos-new"

struct bare {
	char *path;
	char *pack_dir;
	git_repository *repo;
	git_odb *odb;
	int lock; /* descriptor, -1 while not locked */
};

#define BARE_CLOSED ((struct bare){ .lock = -1 })

/* A branch as it stands; `broken` where its file holds no commit id. */
struct branch_ref {
	char *name;
	git_oid id;
	bool broken;
};

/* In ascending order of name, each name once. */
struct branch_refs {
	struct branch_ref *ref;
	size_t count;
	size_t cap;
};

/* libgit2 as the courier wants it: no configuration files, fsync on, nothing cached (what is confirmed was read from
 * the disk). Once per process. */
enum err bare_start(struct errctx *ec) MUST_CHECK;
void bare_stop(void);

/* Opens what is there. ERR_NOT_FOUND: no such path; ERR_DAMAGED: something else than a repository we can use. */
enum err bare_open(struct errctx *ec, const char *path, struct bare *out) MUST_CHECK;
/* Makes a new one where nothing, or an empty folder, is: at every instant it is there whole or not at all. The parent
 * must exist. */
enum err bare_create(struct errctx *ec, const char *path) MUST_CHECK;
void bare_close(struct bare *b); /* unlocks too; accepts BARE_CLOSED */

/* A repository for one exchange with a host, in a folder of `home`, emptied of what a killed run left: what the host
 * sends lands here and is looked at before any of it is kept. It also reads what `home` holds, and lists as its own the
 * branches that bare_scratch_refs() names. Nothing of it is durable. */
enum err bare_scratch(struct errctx *ec, const struct bare *home, struct bare *out) MUST_CHECK;
enum err bare_scratch_refs(struct errctx *ec, const struct bare *scratch, const struct branch_ref *refs,
                           size_t count) MUST_CHECK;
/* Closes and removes it; accepts BARE_CLOSED. */
void bare_scratch_end(struct bare *scratch);

/* One courier at a time writes here. Waits up to ten seconds; ERR_LATER then. A file system without locks is taken
 * for one that has a single user. */
enum err bare_lock(struct errctx *ec, struct bare *b) MUST_CHECK;
void bare_unlock(struct bare *b);

/* The branches whose names lie below one of the prefixes ("/" at the end) or equal it. ERR_REFUSED beyond REFS_MAX.
 * Names that are no branch of ours are passed over. */
enum err bare_list(struct errctx *ec, const struct bare *b, const char *const *prefix, size_t prefixes,
                   struct branch_refs *out) MUST_CHECK;
struct branch_ref *branch_refs_find(const struct branch_refs *refs, const char *name);
void branch_refs_free(struct branch_refs *refs);

/* Moves a branch from `old` (NULL: it must not exist) to `id`, durably. Where it stands elsewhere by now, *lost is
 * true and nothing changed. The branch's lock that a killed courier left is removed: hold bare_lock(). */
enum err bare_set(struct errctx *ec, const struct bare *b, const char *name, const git_oid *old, const git_oid *id,
                  bool *lost) MUST_CHECK;

/* Is the object there, without looking at the disk anew for packs that others wrote meanwhile? */
/* Removes a branch that stands at `id`. *lost: it stands elsewhere, or is not there; nothing changed then. */
enum err bare_drop(struct errctx *ec, const struct bare *b, const char *name, const git_oid *id, bool *lost) MUST_CHECK;
bool bare_holds(const struct bare *b, const git_oid *id);

#endif
