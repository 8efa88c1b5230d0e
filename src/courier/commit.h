/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The one shape of commit that the courier makes and takes: no name, no clock, at most one parent, a flat tree of
 * plain files. Everything else at the remote is refused, before any of it is copied.
 *
 *   commit   "tree " hex40 LF  ["parent " hex40 LF]  COMMIT_TAIL                 (no other byte)
 *   tree     1 to 64 times: "100644 " NAME NUL oid20, names as job_name_valid(), strictly ascending
 *   blob     at most 16 MiB
 *
 * Because of the constant tail the id of a commit follows from its parent, its name and its content alone: what was
 * committed and forgotten (a kill, a lost cache) is made again with the same id.
 */
#ifndef SLB_COURIER_COMMIT_H
#define SLB_COURIER_COMMIT_H

#include <git2.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "courier/job.h"
#include "courier/oids.h"

#define COMMIT_TAIL "author sleutelbos <> 0 +0000\ncommitter sleutelbos <> 0 +0000\n\n"
#define COMMIT_FILES_MAX 64
#define COMMIT_BLOB_MAX (16u << 20)
#define CHAIN_MAX 1000000u /* commits of one branch */

struct commit_file {
	char name[JOB_NAME_MAX + 1];
	git_oid blob;
	size_t size;
};

struct commit {
	git_oid id;
	git_oid tree;
	git_oid parent; /* zero where it is the first of its branch */
	bool first;
	size_t files;
	struct commit_file file[COMMIT_FILES_MAX];
};

/* Pure readers of foreign bytes; false where they are not of the shape above. commit_parse sets tree, parent and
 * first; tree_parse files and file[] but not the sizes. */
bool commit_parse(struct bytes raw, struct commit *out);
bool tree_parse(struct bytes raw, struct commit *out);

/* The commit alone: id, tree, parent, first. ERR_INPUT where its shape is refused, ERR_DAMAGED where it is missing or
 * broken. `where` names the repository in the text. */
enum err commit_head(struct errctx *ec, git_odb *odb, const char *where, const git_oid *id,
                     struct commit *out) MUST_CHECK;
/* The same with tree and sizes. */
enum err commit_read(struct errctx *ec, git_odb *odb, const char *where, const git_oid *id,
                     struct commit *out) MUST_CHECK;
/* The same, and reads every file whole, so that its content is known to match its id. */
enum err commit_verify(struct errctx *ec, git_odb *odb, const char *where, const git_oid *id,
                       struct commit *out) MUST_CHECK;
/* Writes blob, tree and commit, in this order. `parent` is NULL for the first of a branch. */
enum err commit_make(struct errctx *ec, git_odb *odb, const char *where, const git_oid *parent, const char *name,
                     struct bytes content, git_oid *out) MUST_CHECK;

/* Appends the commits from `tip` down to and excluding `stop` (NULL, or never met: to the first), newest first. */
enum err chain_list(struct errctx *ec, git_odb *odb, const char *where, const git_oid *tip, const git_oid *stop,
                    struct oids *out) MUST_CHECK;

enum relation {
	REL_SAME,
	REL_ABOVE, /* a descends from b */
	REL_BELOW, /* b descends from a */
	REL_FORKED /* neither */
};

/* How two commits stand to each other, walking no further than to where they meet. `base` is the newest commit that
 * both descend from, `apart` says that there is none. */
enum err chain_relate(struct errctx *ec, git_odb *odb, const char *where, const git_oid *a, const git_oid *b,
                      enum relation *rel, git_oid *base, bool *apart) MUST_CHECK;

#endif
