/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One period's tally as this device knows it: the plan and every record that answers it and may count. Private to app/.
 *
 * What its author had no right to write is passed over here (K4): plans of others than coordinators, keys, views,
 * manifests and sums of others than the device that the plan names, contributions of coordinators. Only what a
 * record's creating edit wrote counts, so nothing that was answered can change.
 */
#ifndef SLB_APP_TALLY_CASE_H
#define SLB_APP_TALLY_CASE_H

#include "app/pool.h"
#include "app/session.h"
#include "store/store.h"
#include "tally/contribution.h"
#include "tally/decide.h"
#include "tally/key.h"
#include "tally/manifest.h"
#include "tally/plan.h"
#include "tally/release.h"
#include "tally/sum.h"

struct tally_author {
	struct dot member;
	bool coordinator;
	bool teller;
};
/* Who is behind a device of the neighbourhood; false when nobody known is. */
bool tally_author(struct app *app, int64_t space, struct device_id device, struct tally_author *out);

struct tally_case {
	struct space_row space;
	struct tally_author mine;
	struct dot plan_id;
	struct plan plan;
	uint32_t me; /* which teller this device is, or UINT32_MAX */
	struct teller_key key[PLAN_TELLERS_MAX];
	bool has_key[PLAN_TELLERS_MAX];
	struct contribution *contribution; /* no hash twice */
	struct held *held;                 /* the same ones, doubles marked, none opened */
	size_t contributions;
	size_t circles;
	struct view *view;
	size_t views;
	struct manifest *manifest;
	size_t manifests;
	struct teller_sum *sum;
	size_t sums;
	struct release release;
	struct dot release_id; /* no counter: there is none */
	struct pool pool;
};

/* ERR_NOT_FOUND when there is no plan for the period (NULL: any plan; then the newest), ERR_INPUT when it is none. */
enum err tally_case_load(struct errctx *ec, struct app *app, const char *period, struct tally_case *out) MUST_CHECK;
/* The same in a neighbourhood that is named. */
enum err tally_case_load_in(struct errctx *ec, struct app *app, const struct space_row *space, const char *period,
                            struct tally_case *out) MUST_CHECK;
void tally_case_free(struct tally_case *c);

/* Every plan that counts, in no order; for after_sync. free() the list. */
struct tally_found {
	struct dot id;
	struct plan plan;
};
enum err tally_plans(struct errctx *ec, struct app *app, const struct space_row *space, struct tally_found **out,
                     size_t *count) MUST_CHECK;

/* The neighbourhood that is worked in. */
enum err tally_space(struct errctx *ec, struct app *app, struct space_row *out) MUST_CHECK;

/* What a device remembers for ever, by period: which plan it answered as a teller or for a circle. */
#define TALLY_KEPT_LEN 40
void tally_kept(const char *what, struct quarter period, char out[static TALLY_KEPT_LEN]);

/* A new record of the tally: `tags` are its reference to the plan (0: none) and its body. */
struct tally_record {
	uint32_t kind;
	uint32_t plan_tag;
	uint32_t body_tag;
	struct bytes body;
};
enum err tally_write(struct errctx *ec, struct app *app, const struct tally_case *c, const struct tally_record *r,
                     struct dot *id) MUST_CHECK;

/* Names of the tellers that are marked, divided by commas; NULL when none is. */
const char *tally_names(struct pool *pool, struct app *app, const struct plan *plan, const bool *marked);
/* The name of a member, "?" when it has none. */
const char *tally_member_name(struct pool *pool, struct app *app, struct dot member);

#endif
