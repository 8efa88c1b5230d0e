/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The tally as people use it: a coordinator plans, circles look and contribute, tellers count and combine, everybody
 * reads the summary. Each step is a record in the neighbourhood's space; others see it after a sync.
 *
 * `period` is "2026Q3", or NULL for the newest plan (summary: the newest release). Texts in the answers belong to the
 * answer's pool; free each answer with the function beside it, also after an error.
 */
#ifndef SLB_APP_TALLY_H
#define SLB_APP_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/pool.h"
#include "app/session.h"
#include "base/err.h"

/* --- tables as people see them --- */

struct grid_key {
	const char *id; /* "total" for the margin */
	const char *nl;
	const char *en;
};

struct grid_dim {
	const char *name;
	const char *nl;
	const char *en;
	struct grid_key *key; /* the margin comes last */
	size_t keys;
};

struct grid_cell {
	bool hidden;
	uint64_t count;  /* 0 where hidden */
	uint64_t capped; /* preview only: what it counts for at most */
};

struct grid {
	const char *name;
	const char *nl;
	const char *en;
	const char *level;
	const char *level_nl;
	const char *level_en;
	struct grid_dim dim[2];
	struct grid_cell *cell; /* dim[0].keys rows of dim[1].keys */
};

/* --- plan: ERR_REFUSED unless a coordinator asks; ERR_REFUSED for a second plan of a quarter, a teller who is a
 * coordinator or has not the role, a number below a minimum --- */

struct tally_ask {
	const char *period;
	const char *tellers; /* names or ids of members, divided by commas; NULL: all members with the role, by name */
	const char *threshold; /* NULL: 2 */
	const char *floor;     /* NULL: 5 */
};

struct tally_planned {
	struct pool pool;
	const char *id;
	const char *period;
	int64_t opens;
	const char **teller;
	size_t tellers;
	uint32_t threshold;
	uint32_t floor;
};
enum err app_tally_plan(struct errctx *ec, struct app *app, const struct tally_ask *ask,
                        struct tally_planned *out) MUST_CHECK;
void app_tally_planned_free(struct tally_planned *p);

/* --- what a circle would contribute, does contribute, or does not --- */

struct tally_preview {
	struct pool pool;
	const char *period;
	const char *circle;
	int64_t opens; /* nothing can be contributed before this day; the counts may change until then */
	uint64_t referrals;
	uint32_t cap; /* T */
	struct grid *grid;
	size_t grids;
};
enum err app_tally_preview(struct errctx *ec, struct app *app, const char *period, const char *circle,
                           struct tally_preview *out) MUST_CHECK;
/* As the preview says; writes the contribution. ERR_LATER before the tally opens or while a teller's key is missing;
 * ERR_REFUSED for a coordinator, for a circle that has contributed or skipped, after the counting began. */
enum err app_tally_contribute(struct errctx *ec, struct app *app, const char *period, const char *circle,
                              struct tally_preview *out) MUST_CHECK;
/* The circle takes no part. Refused as above; allowed at any time. `out` has no grids. */
enum err app_tally_skip(struct errctx *ec, struct app *app, const char *period, const char *circle,
                        struct tally_preview *out) MUST_CHECK;
void app_tally_preview_free(struct tally_preview *p);

/* --- tellers --- */

struct tally_counted {
	struct pool pool;
	const char *period;
	uint64_t circles;
	bool viewed;       /* this call said which contributions this teller holds */
	bool signed_it;    /* this call signed the manifest */
	bool summed;       /* this call gave the sum and destroyed the key */
	bool done;         /* the sum is given, by this call or before */
	const char *waits; /* names of the tellers that must do something first; NULL: nobody */
	uint64_t spoiled;  /* contributions that cannot be opened, and are left out */
	uint64_t doubled;  /* further contributions of a circle, left out */
};
/* The next steps that are possible. ERR_LATER when none is and somebody else must act first; ERR_REFUSED below the
 * floor, for who is no teller of this plan, or when the tellers can no longer agree. */
enum err app_tally_count(struct errctx *ec, struct app *app, const char *period, struct tally_counted *out) MUST_CHECK;
void app_tally_counted_free(struct tally_counted *c);

struct tally_combined {
	struct pool pool;
	const char *id;
	const char *period;
	const char *level; /* NULL: no level shows enough, the release says so */
	bool checked;
	const char *wrong; /* names of the tellers whose sum did not fit; NULL: none */
};
/* Makes and publishes the release. ERR_LATER with too few sums; ERR_REFUSED for who is no teller or where the audit
 * fails or a release is out. */
enum err app_tally_combine(struct errctx *ec, struct app *app, const char *period,
                           struct tally_combined *out) MUST_CHECK;
void app_tally_combined_free(struct tally_combined *c);

/* --- for all --- */

struct tally_teller_status {
	const char *name;
	bool key;
	bool manifest;
	bool sum;
};

struct tally_status {
	struct pool pool;
	const char *period;
	const char *step; /* keys, waiting, open, counting, combining, released */
	int64_t opens;
	struct tally_teller_status *teller;
	size_t tellers;
	uint64_t circles;    /* how many circles have contributed */
	const char **circle; /* their names, for coordinators; else NULL */
	uint64_t doubled;    /* contributions beyond the first of a circle */
	uint32_t threshold;
	uint32_t floor;
};
enum err app_tally_status(struct errctx *ec, struct app *app, const char *period, struct tally_status *out) MUST_CHECK;
void app_tally_status_free(struct tally_status *s);

struct summary {
	struct pool pool;
	const char *period;
	bool public_view;
	struct grid *grid; /* none where no level shows enough */
	size_t grids;
	const char *audit[4]; /* A to D: "passed" or "not_run" */
	uint32_t shown;       /* thousandths of the count */
	uint32_t band[2];     /* number of circles; band[1] is 0 where it has no end */
	bool checked;
	const char *method;
};
/* From the release record alone. ERR_LATER when a plan is there and its release is not, ERR_NOT_FOUND without a plan.
 */
enum err app_summary(struct errctx *ec, struct app *app, const char *period, bool public_view,
                     struct summary *out) MUST_CHECK;
void app_summary_free(struct summary *s);

/* What a sync does after it has taken in what was new: where this device is a teller of a plan that has no answer yet,
 * its period key is written. *written counts records that should go out with this sync. */
enum err app_tally_after_sync(struct errctx *ec, struct app *app, size_t *written) MUST_CHECK;

#endif
