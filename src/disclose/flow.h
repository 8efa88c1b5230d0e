/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Systems that are networks. Where every cell stands in at most two of the sums that matter, once as a part and once
 * as a whole (after some sums are taken with the other sign), sums are nodes and cells are arcs; a table that fits
 * what is shown differs from the real one by a circulation. So it is with tables of two dimensions, one of them a
 * hierarchy, and with such tables that share one dimension. What an attacker can be sure of is then a maximum flow:
 * in whole numbers, exact, without a solver.
 *
 * Sources: Gusfield, "A graph theoretic approach to statistical data security", SIAM J. Comput. 17 (1988); Cox,
 * "Network models for complementary cell suppression", JASA 90 (1995). Flows by Dinic, prices by successive shortest
 * paths (Ahuja, Magnanti, Orlin, "Network flows", 1993).
 *
 * Internal to disclose/.
 */
#ifndef SLB_DISCLOSE_FLOW_H
#define SLB_DISCLOSE_FLOW_H

#include "disclose/problem.h"

#define FLOW_FAR (INT64_C(1) << 46) /* room without an end; twice that fits many times into a sum */
#define FLOW_NONE UINT32_MAX

struct flow;

/* What is pushed: a cell up (dir 1) or down (dir -1), with another one that may not move; or what moves beside the
 * part of a group, up. */
struct flow_ask {
	uint32_t cell;  /* or FLOW_NONE, and then */
	uint32_t group; /* index of a group */
	int dir;
	uint32_t fixed; /* or FLOW_NONE */
	int64_t most;   /* no more than this is pushed */
};

/* *out is NULL where the system is no network. `p` must stay. */
enum err flow_new(const struct sdc_problem *p, struct flow **out, struct errctx *ec) MUST_CHECK;
void flow_free(struct flow *f); /* accepts NULL */

/* How far each cell can move, per cell; all 0 at first. 0 both ways: shown. */
void flow_room_set(struct flow *f, uint32_t cell, int64_t up, int64_t down);

/* False for a group in a sum that follows from others: it has no node here. */
bool flow_can_ask(const struct flow *f, const struct flow_ask *a);
/* The most that can be pushed; y[] per cell gets the moves, the pushed one's own too (for cells that do not move 0). */
int64_t flow_push(struct flow *f, const struct flow_ask *a, int64_t *y);
/* After flow_push() that fell short: would a unit more of room in this cell, up or down, help? It is a place where the
 * smallest cut is crossed. */
bool flow_crosses(const struct flow *f, uint32_t cell, bool up);

/* Pushes `most`, or nothing at all, by the moves that cost least: price[] per cell for each unit, 0 or more. False:
 * cannot be done. */
bool flow_cheapest(struct flow *f, const struct flow_ask *a, const double *price, int64_t *y);

#endif
