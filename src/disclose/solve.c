// SPDX-License-Identifier: EUPL-1.2
// Chooses the cells to hide besides the primaries: a first pattern, lighter ones where there is time, and the witnesses
// of the best one for the audit. Weights and ties come from positions and the plan (D1 to D4).
#include "disclose/rank.h"
#include "disclose/seeker.h"

#include <stdlib.h>
#include <string.h>

#define ATTEMPTS 5    /* patterns made from the primaries, each with other noise on the prices */
#define PROGRAMS 3000 /* linear programs after which no lighter pattern is looked for */

/* The primaries that were published before: nothing can hide them any more. */
static bool too_late(const struct sdc_problem *p, const enum sdc_state *state)
{
	bool late = false;

	for (size_t c = 0; c < p->cells; c++)
		late |= state[c] == SDC_PRIMARY && p->given[c] == SDC_KNOWN;
	return late;
}

enum err seeker_complete(struct seeker *s, enum sdc_state *state, bool *possible, struct errctx *ec)
{
	enum err e = prover_pattern_set(s->pr, state, ec);

	*possible = true;
	if (e == ERR_OK)
		e = prover_claims_add(s->pr, SDC_AUDIT_A | SDC_AUDIT_B, ec);
	if (e == ERR_OK)
		e = seeker_meet(s, state, possible, ec);
	/* a zero that gets hidden unties cells that were one, so that there are more claims to make */
	s->zero_hidden = s->p->rules.insider;
	while (e == ERR_OK && *possible && s->zero_hidden) {
		s->zero_hidden = false;
		prover_insiders_drop(s->pr);
		e = prover_claims_add(s->pr, SDC_AUDIT_C, ec);
		if (e == ERR_OK)
			e = seeker_meet(s, state, possible, ec);
	}
	if (e == ERR_OK && *possible)
		e = seeker_tidy(s, state, ec);
	return e;
}

uint64_t seeker_weight(const struct sdc_problem *p, const enum sdc_state *state)
{
	uint64_t w = 0;

	for (size_t c = 0; c < p->cells; c++)
		w += state[c] == SDC_SECONDARY ? p->weight[c] : 0;
	return w;
}

static bool enough_tried(const struct seeker *s)
{
	size_t most = s->p->limits.programs == 0 ? PROGRAMS : s->p->limits.programs;

	return s->p->cells >= LARGE_CELLS || s->programs + s->pr->solved > most;
}

enum err seeker_compete(struct seeker *s, enum sdc_state *trial, enum sdc_state *best, uint64_t *best_weight,
                        struct errctx *ec)
{
	bool possible;
	enum err e = seeker_complete(s, trial, &possible, ec);

	if (e == ERR_OK && possible && seeker_weight(s->p, trial) < *best_weight) {
		memcpy(best, trial, s->p->cells * sizeof *best);
		*best_weight = seeker_weight(s->p, trial);
	}
	return e;
}

/* Other patterns: from the primaries with noise on the prices, then from the best one without one of its cells. */
static enum err improve(struct seeker *s, enum sdc_state *best, struct errctx *ec)
{
	const struct sdc_problem *p = s->p;
	enum sdc_state *trial = calloc(p->cells, sizeof *trial);
	uint64_t best_weight = seeker_weight(p, best);
	enum err e = ERR_OK;

	if (trial == NULL)
		return no_memory(ec);
	for (s->noise = 1; e == ERR_OK && best_weight > 0 && s->noise < ATTEMPTS && !enough_tried(s); s->noise++) {
		sdc_primaries(p, trial);
		e = seeker_compete(s, trial, best, &best_weight, ec);
	}
	s->noise = 0;
	for (uint32_t c = 0; e == ERR_OK && c < p->cells && !enough_tried(s); c++) {
		if (best[c] != SDC_SECONDARY || p->given[c] == SDC_HIDDEN_BEFORE)
			continue;
		memcpy(trial, best, p->cells * sizeof *trial);
		trial[c] = SDC_OPEN;
		s->banned[c] = 1;
		e = seeker_compete(s, trial, best, &best_weight, ec);
		s->banned[c] = 0;
	}
	free(trial);
	return e;
}

/* The lightest pattern, or as near to it as the budget of linear programs goes. */
static enum err lighten(struct seeker *s, enum sdc_state *best, struct errctx *ec)
{
	size_t most = s->p->limits.programs == 0 ? PROGRAMS : s->p->limits.programs;
	const struct optimum_limits l = { .programs = most, .deadline_ms = s->pr->deadline_ms };
	bool proven = false;
	enum err e = ERR_OK;

	if (seeker_weight(s->p, best) == 0 || s->p->cells >= LARGE_CELLS)
		return ERR_OK;
	e = seeker_optimum(s, best, &l, &proven, ec);
	return e == ERR_OK && !proven ? improve(s, best, ec) : e;
}

/* Proves the chosen pattern once more and leaves the witnesses for the audit. */
static enum err hints_leave(struct seeker *s, const enum sdc_state *state, bool *possible, struct errctx *ec)
{
	unsigned which = SDC_AUDIT_A | SDC_AUDIT_B | (s->p->rules.insider ? SDC_AUDIT_C : 0);
	size_t failed = SIZE_MAX;
	enum err e = prover_pattern_set(s->pr, state, ec);

	if (e == ERR_OK)
		e = prover_claims_add(s->pr, which, ec);
	if (e == ERR_OK)
		e = prover_run(s->pr, &failed, ec);
	*possible = failed == SIZE_MAX;
	if (e == ERR_OK && *possible)
		e = prover_hints_take(s->pr, s->p->hints, ec);
	return e;
}

/* A second way to begin, where hiding claim by claim led nowhere: everything is hidden, and then shown again, the
 * dearest first, as long as no primary becomes a sum of what is shown. */
static enum err begin_by_rank(const struct sdc_problem *p, const uint8_t *may_hide, enum sdc_state *state,
                              struct errctx *ec)
{
	uint32_t *order = calloc(p->cells + 1, sizeof *order);
	struct rank *r = NULL;
	size_t count = 0;
	enum err e = order == NULL ? no_memory(ec) : rank_new(p, &r, ec);

	for (uint32_t c = 0; e == ERR_OK && r != NULL && c < p->cells; c++) {
		if (!may_hide[c] || (state[c] == SDC_OPEN && count_n(p, c) == 0))
			rank_show(r, c);
		else if (state[c] == SDC_OPEN)
			order[count++] = c;
	}
	seeker_dearest_first(p, order, count);
	for (size_t k = 0; k < count; k++) {
		if (rank_gives_away(r, state, order[k]))
			state[order[k]] = SDC_SECONDARY;
		else
			rank_show(r, order[k]);
	}
	rank_free(r);
	free(order);
	return e;
}

enum err sdc_solve_try(const struct sdc_problem *p, enum sdc_state *state, bool *possible, struct errctx *ec)
{
	struct seeker s = { 0 };
	uint8_t *may_hide = NULL;
	enum err e = ERR_OK;

	*possible = false;
	if (!p->closed)
		return err_set(ec, ERR_USAGE, "The tables are not complete yet.", NULL, NULL, NULL);
	sdc_primaries(p, state);
	if (too_late(p, state))
		return ERR_OK;
	may_hide = calloc(p->cells, 1);
	if (may_hide == NULL)
		return no_memory(ec);
	for (uint32_t c = 0; c < p->cells; c++)
		may_hide[c] = p->given[c] != SDC_KNOWN && (count_n(p, c) > 0 || p->rules.group);
	e = seeker_init(&s, p, may_hide, sdc_deadline(p), ec);
	if (e == ERR_OK)
		e = seeker_complete(&s, state, possible, ec);
	if (e == ERR_OK && !*possible) {
		sdc_primaries(p, state);
		e = begin_by_rank(p, may_hide, state, ec);
		if (e == ERR_OK)
			e = seeker_complete(&s, state, possible, ec);
	}
	if (e == ERR_OK && *possible)
		e = lighten(&s, state, ec);
	if (e == ERR_OK && *possible)
		e = hints_leave(&s, state, possible, ec);
	seeker_clear(&s);
	free(may_hide);
	return e;
}

enum err sdc_solve(const struct sdc_problem *p, enum sdc_state *state, struct errctx *ec)
{
	bool possible;
	enum err e = sdc_solve_try(p, state, &possible, ec);

	if (e == ERR_OK && !possible)
		e = err_set(ec, ERR_REFUSED, "These tables cannot be protected: too little in them can be hidden.",
		            NULL, NULL, NULL);
	return e;
}
