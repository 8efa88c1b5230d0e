/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a teller does next: a pure function of what it knows. A teller gives views until q tellers have given the same
 * one, signs that as its one manifest, and gives its sum once q tellers have signed the same (T2, T3).
 */
#ifndef SLB_TALLY_DECIDE_H
#define SLB_TALLY_DECIDE_H

#include "tally/manifest.h"

/* A contribution that this teller holds, by an author who may contribute. */
struct held {
	uint8_t hash[HASH_LEN];
	uint8_t circle[SIGN_PUBLIC_LEN];
	bool opens;   /* its box for this teller is what it should be */
	bool doubled; /* set by held_mark_doubles(): another of the same circle stands */
};

/* Of two contributions of one circle the one with the lower hash stands. Returns how many circles there are. */
size_t held_mark_doubles(struct held *held, size_t count);

struct teller_knows {
	const struct plan *plan;
	uint32_t me;
	const struct held *held; /* marked, no hash twice */
	size_t held_count;
	const struct view *views; /* all that verify, own ones included, each teller's in the order it gave them */
	size_t view_count;
	const struct manifest *manifests; /* all that verify, own one included */
	size_t manifest_count;
	const struct hash_set *signed_set; /* what this teller remembers to have signed; NULL: nothing yet */
	bool summed;                       /* it remembers to have given its sum */
};

enum teller_step {
	STEP_VIEW,          /* give the view in `set` and `spoiled` */
	STEP_SIGN,          /* sign `set` */
	STEP_SUM,           /* give the sum over `set`, then destroy the period's secret */
	STEP_WAIT_VIEWS,    /* `waits[k]`: teller k has not given the same view */
	STEP_WAIT_MANIFEST, /* `waits[k]`: teller k has not signed the same manifest */
	STEP_BELOW_FLOOR,   /* fewer circles than the plan's floor: `set` holds those there are */
	STEP_CANNOT,        /* tellers have signed different manifests, so that no q can agree any more */
	STEP_DONE
};

struct teller_decision {
	enum teller_step step;
	struct hash_set set;
	struct hash_set spoiled;
	bool waits[PLAN_TELLERS_MAX];
};

enum err teller_decide(const struct teller_knows *knows, struct teller_decision *out) MUST_CHECK;
void teller_decision_free(struct teller_decision *d);

/* The set that at least q tellers have signed, or NULL; it borrows from the manifests. One who signed two different
 * sets counts for none. */
const struct hash_set *manifest_agreed(const struct plan *p, const struct manifest *manifests, size_t count);
/* Which tellers signed exactly this set, and no other. Returns how many. */
uint32_t manifest_signers(const struct plan *p, const struct manifest *manifests, size_t count,
                          const struct hash_set *set, bool *signers);

#endif
