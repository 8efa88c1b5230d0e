// SPDX-License-Identifier: EUPL-1.2
// Audits any pattern at D1 to D4: passed only when every claim has a witness in whole numbers. Hints of
// where a witness may be are checked like any other.
#include "disclose/prover.h"

#include <math.h>
#include <stdlib.h>

int64_t sdc_deadline(const struct sdc_problem *p)
{
	if (p->limits.clock == NULL || p->limits.time_ms <= 0)
		return 0;
	return clock_now(p->limits.clock) + p->limits.time_ms;
}

enum err sdc_in_time(const struct sdc_problem *p, int64_t deadline_ms, struct errctx *ec)
{
	if (deadline_ms == 0 || p->limits.clock == NULL || clock_now(p->limits.clock) < deadline_ms)
		return ERR_OK;
	return err_set(ec, ERR_REFUSED, "These tables take too long to protect. Use coarser values or fewer tables.",
	               NULL, NULL, NULL);
}

bool sdc_audit_passed(const struct sdc_audit *a)
{
	return a->a.check == SDC_PASSED && a->b.check != SDC_FAILED && a->c.check != SDC_FAILED &&
	       a->d.check != SDC_FAILED;
}

/* What the attacker does not know: hidden, and not published elsewhere before. */
static uint8_t *unknown_cells(const struct sdc_problem *p, const enum sdc_state *state)
{
	uint8_t *u = calloc(p->cells, 1);

	for (size_t c = 0; u != NULL && c < p->cells; c++)
		u[c] = state[c] != SDC_OPEN && p->given[c] != SDC_KNOWN;
	return u;
}

static void verdict_fail(const struct sdc_problem *p, const struct claim *c, struct sdc_verdict *v)
{
	v->check = SDC_FAILED;
	v->cell = c->kind == CLAIM_GROUP ? p->group[c->a].part : c->kind == CLAIM_INSIDER ? c->b : c->a;
	v->known = c->kind == CLAIM_INSIDER ? c->a : SDC_NO_CELL;
}

/* One prover for all claims of `which`, against an ordinary reader or one who knows the rules. */
static enum err run(const struct sdc_problem *p, const uint8_t *unknown, unsigned which, bool knows_rules,
                    int64_t deadline, struct sdc_verdict *v, struct errctx *ec)
{
	struct prover *pr = NULL;
	size_t failed = SIZE_MAX;
	enum err e = prover_new(p, unknown, deadline, &pr, ec);

	if (e != ERR_OK)
		return e;
	pr->knows_rules = knows_rules;
	for (uint32_t c = 0; e == ERR_OK && c < p->cells; c++) {
		if (unknown[c])
			e = prover_hide(pr, c, ec);
	}
	if (e == ERR_OK)
		e = prover_claims_add(pr, which, ec);
	if (e == ERR_OK)
		e = prover_hints_try(pr, p->hints, ec);
	if (e == ERR_OK)
		e = prover_run(pr, &failed, ec);
	if (e == ERR_OK) {
		if (failed == SIZE_MAX)
			v->check = SDC_PASSED;
		else
			verdict_fail(p, &pr->claim[failed], v);
	}
	prover_free(pr);
	return e;
}

/* A primary that is shown, or that another release has given away. */
static size_t primary_shown(const struct sdc_problem *p, const uint8_t *unknown, struct errctx *ec, enum err *e)
{
	enum sdc_state *want = calloc(p->cells, sizeof *want);
	size_t found = SDC_NO_CELL;

	if (want == NULL) {
		*e = no_memory(ec);
		return SDC_NO_CELL;
	}
	sdc_primaries(p, want);
	for (size_t c = 0; found == SDC_NO_CELL && c < p->cells; c++) {
		if (want[c] == SDC_PRIMARY && !unknown[c])
			found = c;
	}
	free(want);
	return found;
}

/* The same in a network: exact. */
static enum err bounds_flow(const struct sdc_problem *p, struct flow *f, const uint8_t *unknown, int64_t deadline,
                            struct sdc_bounds *out, struct errctx *ec)
{
	int64_t *y = calloc(p->cells, sizeof *y);
	enum err e = y == NULL ? no_memory(ec) : ERR_OK;

	for (uint32_t c = 0; c < p->cells; c++) {
		out[c] = (struct sdc_bounds){ count_n(p, c), count_n(p, c) };
		if (unknown[c])
			flow_room_set(f, c, FLOW_FAR, (int64_t)count_n(p, c));
	}
	for (uint32_t c = 0; e == ERR_OK && c < p->cells; c++) {
		struct flow_ask a = { .cell = c, .group = FLOW_NONE, .dir = 1, .fixed = FLOW_NONE, .most = FLOW_FAR };
		int64_t up;

		if (!unknown[c])
			continue;
		up = flow_push(f, &a, y);
		out[c].hi = up >= FLOW_FAR ? SDC_NO_BOUND : count_n(p, c) + (uint64_t)up;
		a.dir = -1;
		out[c].lo = count_n(p, c) - (uint64_t)flow_push(f, &a, y);
		e = sdc_in_time(p, deadline, ec);
	}
	free(y);
	return e;
}

/* The exact range of each unknown cell with nothing believed but n >= 0. */
static enum err bounds_lp(const struct sdc_problem *p, const uint8_t *unknown, int64_t deadline, struct sdc_bounds *out,
                          struct errctx *ec)
{
	struct moves_model m = { 0 };
	struct lp *lp = NULL;
	int32_t *col_of = calloc(p->cells, sizeof *col_of);
	double *x = calloc(p->cells + p->groups + 1, sizeof *x);
	size_t cols = 0, last = 0;
	enum err e = ERR_OK;

	if (col_of == NULL || x == NULL)
		e = no_memory(ec);
	for (size_t c = 0; e == ERR_OK && c < p->cells; c++) {
		out[c] = (struct sdc_bounds){ count_n(p, c), count_n(p, c) };
		col_of[c] = unknown[c] ? (int32_t)cols++ : -1;
	}
	if (e == ERR_OK)
		e = moves_model_make(p, col_of, cols, false, &m, ec);
	for (size_t c = 0; e == ERR_OK && c < p->cells; c++) {
		if (unknown[c]) {
			m.lower[col_of[c]] = -(double)count_n(p, c);
			m.upper[col_of[c]] = LP_INFINITY;
		}
	}
	if (e == ERR_OK)
		e = lp_open(&m.lp, &p->limits, deadline, &lp, ec);
	for (size_t c = 0; e == ERR_OK && c < p->cells; c++) {
		for (int side = 0; e == ERR_OK && unknown[c] && side < 2; side++) {
			size_t col = (size_t)col_of[c];
			const struct lp_change ch[2] = {
				{ (uint32_t)last, 0, m.lower[last], LP_INFINITY, 0.0 },
				{ (uint32_t)col, 0, m.lower[col], LP_INFINITY, side == 0 ? 1.0 : -1.0 },
			};
			enum lp_status status;

			last = col;
			e = lp_solve(lp, ch, 2, &status, x, ec);
			if (e == ERR_OK && status == LP_OPTIMAL && side == 0)
				out[c].lo = (uint64_t)((int64_t)count_n(p, c) + (int64_t)ceil(x[col] - 1e-6));
			else if (e == ERR_OK && status == LP_OPTIMAL)
				out[c].hi = (uint64_t)((int64_t)count_n(p, c) + (int64_t)floor(x[col] + 1e-6));
			else if (e == ERR_OK && side == 1 && status == LP_UNBOUNDED)
				out[c].hi = SDC_NO_BOUND;
			else if (e == ERR_OK)
				e = err_set(ec, ERR_REFUSED, "The tables could not be checked: the solver gave up.",
				            NULL, NULL, NULL);
		}
	}
	lp_close(lp);
	moves_model_clear(&m);
	free(col_of);
	free(x);
	return e;
}

static enum err bounds_find(const struct sdc_problem *p, const uint8_t *unknown, int64_t deadline,
                            struct sdc_bounds *out, struct errctx *ec)
{
	struct flow *f = NULL;
	enum err e = flow_new(p, &f, ec);

	if (e != ERR_OK)
		return e;
	e = f != NULL ? bounds_flow(p, f, unknown, deadline, out, ec) : bounds_lp(p, unknown, deadline, out, ec);
	flow_free(f);
	return e;
}

enum err sdc_audit(const struct sdc_problem *p, const enum sdc_state *state, unsigned which, struct sdc_audit *out,
                   struct sdc_bounds *bounds, struct errctx *ec)
{
	const struct sdc_verdict blank = { SDC_NOT_RUN, SDC_NO_CELL, SDC_NO_CELL };
	int64_t deadline = sdc_deadline(p);
	uint8_t *unknown = NULL;
	size_t shown;
	enum err e = ERR_OK;

	*out = (struct sdc_audit){ blank, blank, blank, blank };
	if (!p->closed)
		return err_set(ec, ERR_USAGE, "The tables are not complete yet.", NULL, NULL, NULL);
	unknown = unknown_cells(p, state);
	if (unknown == NULL)
		return no_memory(ec);
	shown = primary_shown(p, unknown, ec, &e);
	/* the reader who knows the rules first: a witness against him holds against everybody */
	if (e == ERR_OK && (which & SDC_AUDIT_D))
		e = run(p, unknown, SDC_AUDIT_A | SDC_AUDIT_B | (which & SDC_AUDIT_C), true, deadline, &out->d, ec);
	if (e == ERR_OK && (which & SDC_AUDIT_A))
		out->a.check = out->d.check;
	if (e == ERR_OK && (which & SDC_AUDIT_B))
		out->b.check = out->d.check;
	if (e == ERR_OK && (which & SDC_AUDIT_C))
		out->c.check = out->d.check;
	if (e == ERR_OK && out->d.check != SDC_PASSED && (which & SDC_AUDIT_A))
		e = run(p, unknown, SDC_AUDIT_A, false, deadline, &out->a, ec);
	if (e == ERR_OK && out->d.check != SDC_PASSED && (which & SDC_AUDIT_B))
		e = run(p, unknown, SDC_AUDIT_B, false, deadline, &out->b, ec);
	if (e == ERR_OK && out->d.check != SDC_PASSED && (which & SDC_AUDIT_C))
		e = run(p, unknown, SDC_AUDIT_C, false, deadline, &out->c, ec);
	if (e == ERR_OK && shown != SDC_NO_CELL) {
		const struct sdc_verdict fail = { SDC_FAILED, shown, SDC_NO_CELL };

		out->a = which & SDC_AUDIT_A ? fail : out->a;
		out->b = which & SDC_AUDIT_B ? fail : out->b;
		out->d = which & SDC_AUDIT_D ? fail : out->d;
	}
	if (e == ERR_OK && bounds != NULL)
		e = bounds_find(p, unknown, deadline, bounds, ec);
	free(unknown);
	return e;
}
