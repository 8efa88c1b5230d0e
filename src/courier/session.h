/* SPDX-License-Identifier: EUPL-1.2 */
/* One job carried out: what main() calls, and what its steps share. */
#ifndef SLB_COURIER_SESSION_H
#define SLB_COURIER_SESSION_H

#include "courier/bare.h"
#include "courier/report.h"
#include "courier/transport.h"

/* One `put` line and the commit that holds it. */
struct put {
	const struct job_item *item;
	bool placed;
	git_oid commit;
};

/* One branch of the job or the remote. */
struct branch {
	char *name;
	bool wanted, own, restore;
	bool has_have, has_local, has_remote, has_over;
	git_oid have, local, remote, over;
	bool broken; /* at the remote: a file that names no commit */
	/* How far the remote's commits are in the local repository, and why no further. */
	bool has_got;
	git_oid got;
	enum err fetch_err;
	struct errctx fetch_ec;
	/* Nothing more to do for it. */
	bool settled;
	/* Own branches: what the remote shall hold. */
	bool has_tip;
	git_oid tip;
};

struct session {
	const struct job *job;
	struct report *report;
	struct bare local;
	struct transport *remote;
	const char **prefix; /* borrowed from the job: the wanted ones, then single branches */
	size_t wants, prefixes;
	struct branch *branch; /* ascending by name */
	size_t count, cap;
	struct put *put; /* in the job's order */
	size_t puts;
	size_t files;   /* written so far: numbers the files in `in` */
	bool local_bad; /* the cache turned out damaged: make it anew and start again */
};

/* Does everything but the "done" line; every failure has been reported when it returns. */
void session_run(const struct job *job, struct report *report);

/* NULL where the table has no such branch. */
struct branch *session_find(const struct session *s, const char *name);
/* Reads anew where the branches of the table stand at the remote. */
enum err session_list(struct errctx *ec, struct session *s) MUST_CHECK;
/* Brings what the remote shows and the local repository lacks. */
enum err session_fetch(struct errctx *ec, struct session *s) MUST_CHECK;
/* True where a failure concerns the local cache, which is then made anew; else the failure is reported. */
void session_branch_failed(struct session *s, enum err e, const struct errctx *ec);

/* Reports a failure; where the remote is not there any more (a stick pulled out), as just that. */
void session_fail(struct session *s, enum err e, const struct errctx *ec);

/* Reports what is new on a branch since its `have`: file, tip, rewound, gone. */
enum err export_branch(struct errctx *ec, struct session *s, struct branch *b) MUST_CHECK;

/* The same for all of it, whatever its `have` is, without a tip. */
enum err export_whole(struct errctx *ec, struct session *s, struct branch *b) MUST_CHECK;
/* What the remote shows of this branch is not of our shape, or cannot be read there. */
bool branch_unfit(const struct branch *b);
/* Was just this at the remote looked at, and found to be of no use? */
bool branch_is_over(const struct branch *b);

/* Own branches: puts, pushes, bringing back, sent; and `restore` of others'. */
enum err own_run(struct errctx *ec, struct session *s) MUST_CHECK;

#endif
