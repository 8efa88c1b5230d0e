/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The one seam behind which remotes differ: list branches, fetch commits into the local repository, push branches with
 * compare-and-swap. Whoever adds a kind of remote adds a file with these functions and a line in transport_open().
 */
#ifndef SLB_COURIER_TRANSPORT_H
#define SLB_COURIER_TRANSPORT_H

#include "base/err.h"
#include "courier/bare.h"
#include "courier/copy.h"
#include "courier/job.h"

enum push_result { PUSH_FAILED, PUSH_LOST, PUSH_DONE, PUSH_WAITING /* inside a push only */ };

/* A branch to push: `copy.base` is what the remote is believed to hold (none: the branch is missing there), copy.tip
 * what it shall hold. PUSH_LOST: the remote's branch stands elsewhere by now. PUSH_FAILED: copy.err says why the local
 * commits could not be carried, or else err why the branch could not be moved. */
struct push_item {
	struct copy_item copy;
	enum push_result result;
	enum err err;
	struct errctx ec;
};

struct transport;

struct transport_ops {
	/* As bare_list(), of the remote as it stands now. */
	enum err (*list)(struct errctx *ec, struct transport *t, const char *const *prefix, size_t prefixes,
	                 struct branch_refs *out);
	/* Brings the commits up to copy_item.tip into the local repository; `base` is ignored: what the local
	 * repository holds is not brought again. Each item says how far it got. */
	enum err (*fetch)(struct errctx *ec, struct transport *t, struct copy_item *items, size_t count);
	enum err (*push)(struct errctx *ec, struct transport *t, struct push_item *items, size_t count);
	/* Can this commit, its tree and files be read there? Where a remote cannot tell, its listing is all there is.
	 */
	enum err (*confirm)(struct errctx *ec, struct transport *t, const git_oid *commit);
	/* Packs the remote where it is ours to pack and has grown. */
	enum err (*pack)(struct errctx *ec, struct transport *t);
	/* Is it still there at all? Asked after a failure. */
	bool (*reachable)(struct transport *t);
	/* What the last failure of the others was, more closely than its error says: a grade and a word of the report.
	 * NULL, or false: the error says it all. */
	bool (*grade)(struct transport *t, enum grade *grade, const char **code);
	void (*close)(struct transport *t);
	/* Removes a branch that stands at `id`. NULL: not by this transport. */
	enum err (*drop)(struct errctx *ec, struct transport *t, const char *name, const git_oid *id, bool *lost);
};

struct transport {
	const struct transport_ops *ops;
	struct bare *local; /* borrowed; outlives the transport */
};

/* What kind of address this is. */
enum transport_kind { TRANSPORT_NONE, TRANSPORT_PATH, TRANSPORT_SSH, TRANSPORT_HTTPS };
enum transport_kind transport_kind(const char *url);
/* The path that an address of TRANSPORT_PATH names, as fresh memory. NULL: it is none, or out of memory. */
char *transport_path(const char *url);

/* The job's remote, with what the job says of how to come in there. ERR_USAGE: no transport for such an address;
 * ERR_NOT_FOUND: no such repository now. A host is not asked before the first listing. */
enum err transport_open(struct errctx *ec, const struct job *job, struct bare *local,
                        struct transport **out) MUST_CHECK;
/* `path` as file systems know it. */
enum err path_transport_open(struct errctx *ec, const char *path, bool create, struct bare *local,
                             struct transport **out) MUST_CHECK;
/* ssh://, user@host:path or https://. The job outlives the transport. */
enum err net_transport_open(struct errctx *ec, const struct job *job, struct bare *local,
                            struct transport **out) MUST_CHECK;

#endif
