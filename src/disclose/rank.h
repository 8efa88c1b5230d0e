/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Which hidden cells a reader can work out by sums alone, whatever the counts: elimination modulo a prime, exact but
 * for a chance of about 1 in 2^31 for each zero that is none. It says nothing of bounds; it spares the
 * solver trials in large systems, and gives a second pattern to begin with.
 *
 * Source: Langsrud, "Secondary cell suppression by Gaussian elimination: an algorithm suitable for handling issues with
 * zeros and singletons", Privacy in Statistical Databases 2024, doi 10.1007/978-3-031-69651-0_6. There cells are shown
 * one by one and what they span is kept; here it is what is still free that is kept, which is the smaller of the two
 * when much is shown.
 *
 * Internal to disclose/.
 */
#ifndef SLB_DISCLOSE_RANK_H
#define SLB_DISCLOSE_RANK_H

#include "disclose/problem.h"

struct rank;

/* Everything is hidden at first. *out is NULL where the system is too large for this. */
enum err rank_new(const struct sdc_problem *p, struct rank **out, struct errctx *ec) MUST_CHECK;
void rank_free(struct rank *r); /* accepts NULL */

/* Is the cell determined by what is shown? */
bool rank_exact(const struct rank *r, uint32_t cell);
/* Are the two cells tied: is each a fixed multiple of the other, apart from what is shown? Showing one gives the other
 * away. */
bool rank_tied(const struct rank *r, uint32_t a, uint32_t b);
/* Would showing `cell` make a primary exact that is not so yet? */
bool rank_gives_away(const struct rank *r, const enum sdc_state *state, uint32_t cell);
/* Shows a cell. */
void rank_show(struct rank *r, uint32_t cell);

#endif
