/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a courier's report says of branches on which the repository is not as it was (S5): told, kept as evidence, and
 * healed. Private to app/: a sync hands the lines over as they come.
 */
#ifndef SLB_APP_LIES_H
#define SLB_APP_LIES_H

#include "app/noticed.h"
#include "app/syncing.h"
#include "courier/job.h"
#include "sync/handed.h"
#include "sync/inbox.h"
#include "sync/lost.h"

/* A branch of which this exchange said something. */
struct lie {
	char ref[REF_MAX + 1];
	enum noticed_what what;
	char had[NOTICED_MARK];
	char shown[NOTICED_MARK];
	bool own;
	bool forked;    /* what is shown does not follow on what was there */
	bool ahead;     /* own: something that this device did not make */
	bool adopted;   /* what is shown, to its end, is what one goes on from */
	bool strange;   /* own: batches of this very device are in it that are not here */
	bool held;      /* and of one of them it cannot be told yet whether a copy of this device made it */
	bool lost;      /* own: handed over again */
	bool restored;  /* others': pushed back */
	size_t bad;     /* files in it that were set aside, now or before */
	size_t useless; /* new files in it that were set aside */
	size_t useful;  /* files that were not */
	size_t batches; /* of these, new batches */
	uint64_t top;   /* of others: the highest number of a batch of that device in it */
};

/* Something on a branch that is to be pushed over where it still stands there; or an own branch that is to be told from
 * its beginning. */
struct over {
	char ref[REF_MAX + 1];
	char oid[NOTICED_MARK]; /* "": the latter */
};

typedef bool (*ref_own_fn)(struct app *app, const char *ref);

struct lies {
	struct app *app;
	int64_t neighbourhood;
	ref_own_fn own;
	struct branch_row *have; /* what this exchange began with */
	size_t haves;
	struct lie *lie;
	size_t n;
	struct over *over; /* asked for in this exchange */
	size_t overs;
	struct over *next; /* and in the next one */
	size_t nexts;
	char ref[REF_MAX + 1]; /* of which files were reported last, and which ones are of use */
	struct names shown;
	struct awaited_batch *awaited; /* what this exchange began with: a later look at an honest host shows it */
	size_t awaits;
	struct lost_list lost; /* others' branches that are missing */
	bool again;            /* another exchange has something to heal */
};

/* Keeps what the next exchange is to push over, and forgets the rest. */
void lies_next(struct lies *l);
void lies_free(struct lies *l);
/* Adds `have`, `own`, `restore` of every branch that is known, and `over` of what an earlier exchange found useless. */
enum err lies_job(struct errctx *ec, struct lies *l, struct job *job) MUST_CHECK;
/* A line that is not about this is left alone. */
enum err lies_line(struct errctx *ec, struct lies *l, const struct report_line *line, struct sync_view *v) MUST_CHECK;
/* Is something to be said of this branch? Then its files are taken in one by one. */
bool lies_knows(const struct lies *l, const char *ref);
/* A file is about to be taken in: what is to be watched for. */
void lies_watch(const struct lies *l, const struct report_line *line, struct received *r);
/* A file was taken in. `before` is what had been received until then. */
enum err lies_file(struct lies *l, const struct inbox_item *file, const struct received *before,
                   const struct received *now) MUST_CHECK;
/* May this tip be noted as what one goes on from? */
bool lies_tip(struct lies *l, const struct report_line *line);
/* It is being noted, in this transaction. What this device had sent there and what is shown does not hold goes out
 * again, where all of the branch was shown. */
enum err lies_adopt(struct errctx *ec, struct lies *l, const struct report_line *line) MUST_CHECK;
/* The exchange is over. Writes down what was noticed and what is put right; decides what the next one pushes over. In a
 * transaction of its own. */
struct lies_end {
	bool whole;  /* nothing of it failed */
	bool copies; /* what lay on own branches was a copy's, and this home goes on under another id */
	bool *stuck; /* set: something is a person's to look at */
};
enum err lies_end(struct errctx *ec, struct lies *l, const struct lies_end *end, struct sync_view *v) MUST_CHECK;

#endif
