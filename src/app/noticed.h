/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a repository was noticed to do that an honest one does not (S5), branch by branch: since when, with what stood
 * there and what stands there now as evidence, and whether it was put right. A line stays until it was, and 30 days
 * more.
 */
#ifndef SLB_APP_NOTICED_H
#define SLB_APP_NOTICED_H

#include "app/session.h"
#include "store/store.h"

enum noticed_what {
	NOTICED_GONE = 1,     /* a branch that was there is not shown any more */
	NOTICED_BACK = 2,     /* an older state of it */
	NOTICED_OTHER = 3,    /* something else in its place */
	NOTICED_LOST = 4,     /* gone or back, and this computer's cache has it neither: handed over again */
	NOTICED_WITHHELD = 5, /* what somebody has seen of a device there is not shown here */
	NOTICED_WORLDS = 6,   /* it shows two people different things */
};

#define NOTICED_MARK 41 /* id of a commit, or "batch N " and the start of its hash */

struct noticed {
	int64_t neighbourhood;
	char ref[REF_MAX + 1]; /* the branch; of the last two "device/" and its id */
	enum noticed_what what;
	int64_t since_ms;
	int64_t last_ms;
	int64_t healed_ms; /* 0: not yet */
	char had[NOTICED_MARK];
	char shown[NOTICED_MARK]; /* "": nothing */
};

/* Private to app/, within a transaction. Notes it; what is noted already keeps its beginning. */
enum err noticed_put(struct errctx *ec, struct app *app, const struct noticed *n) MUST_CHECK;
enum err noticed_healed(struct errctx *ec, struct app *app, int64_t neighbourhood, const char *ref) MUST_CHECK;
/* The branch went on from what it shows: where that was something else, it is what counts from now on. */
enum err noticed_moved(struct errctx *ec, struct app *app, int64_t neighbourhood, const char *ref) MUST_CHECK;
/* A whole exchange went by without a word about this branch or device. `still` says which are not quiet. */
typedef bool (*noticed_still_fn)(void *arg, const struct noticed *n);
enum err noticed_quiet(struct errctx *ec, struct app *app, int64_t neighbourhood, noticed_still_fn still,
                       void *arg) MUST_CHECK;

/* "device/" and its id; "batch N " and the start of its hash, where it is here. */
void noticed_device(struct device_id dev, char ref[static REF_MAX + 1]);
void noticed_batch(struct app *app, struct device_id dev, uint64_t seq, char out[static NOTICED_MARK]);

/* For those who look. */
struct noticed_view {
	struct noticed n;
	bool own;        /* this device's own branch */
	char who[128];   /* whose device; "" where that is not known, or for letters about joining */
	char space[128]; /* "" for letters about joining */
	char since[24];  /* ISO 8601 UTC */
	char healed[24]; /* the same, "" for not yet */
};
/* What is not put right yet, and what was noticed or put right since `from_ms`. free() the list. */
enum err app_noticed(struct errctx *ec, struct app *app, int64_t from_ms, struct noticed_view **out,
                     size_t *count) MUST_CHECK;
/* The sentence for it, the key of its translation: %1 is who, %2 the space. */
const char *noticed_sentence(enum noticed_what what);
const char *noticed_word(enum noticed_what what);

#endif
