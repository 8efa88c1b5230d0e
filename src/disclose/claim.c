// SPDX-License-Identifier: EUPL-1.2
// Which claims a pattern must prove: D1 and D2 for every hidden cell, the group rule, and D3 for every hidden 1.
#include "disclose/prover.h"

#include <stdlib.h>

enum err prover_claim(struct prover *pr, enum claim_kind kind, uint32_t a, uint32_t b, struct errctx *ec)
{
	if (pr->claims == pr->claim_room) {
		size_t room = pr->claim_room == 0 ? 64 : 2 * pr->claim_room;
		struct claim *more;

		if (room > (size_t)1 << 24)
			return err_set(ec, ERR_REFUSED,
			               "These tables take too long to protect. Use coarser values or fewer tables.",
			               NULL, NULL, NULL);
		more = realloc(pr->claim, room * sizeof *more);
		if (more == NULL)
			return no_memory(ec);
		pr->claim = more;
		pr->claim_room = room;
	}
	pr->claim[pr->claims++] = (struct claim){ (uint8_t)kind, a, b, -1 };
	return ERR_OK;
}

/* A margin and its one part that is not a shown zero are the same people: who knows one knows the other from the zeros
 * alone. tie[] gets one number for all cells tied to each other. */
static void ties_find(const struct prover *pr, uint32_t *tie)
{
	const struct sdc_problem *p = pr->p;

	for (uint32_t c = 0; c < p->cells; c++)
		tie[c] = c;
	for (size_t s = 0; s < p->sums; s++) {
		uint32_t from = p->sum[s].start, only = UINT32_MAX;
		size_t others = 0;

		for (uint32_t k = from + 1; k < p->sum[s + 1].start; k++) {
			if (count_n(p, p->sum_cell[k]) > 0 || pr->hidden[p->sum_cell[k]]) {
				only = p->sum_cell[k];
				others++;
			}
		}
		if (others == 1)
			tie[tree_root(tie, only)] = tree_root(tie, p->sum_cell[from]);
	}
	for (uint32_t c = 0; c < p->cells; c++)
		tie[c] = tree_root(tie, c);
}

static enum err insider_claims(struct prover *pr, struct errctx *ec)
{
	const struct sdc_problem *p = pr->p;
	uint32_t *tie = calloc(p->cells, sizeof *tie);
	enum sdc_state *primary = calloc(p->cells, sizeof *primary);
	enum err e = ERR_OK;

	if (tie == NULL || primary == NULL) {
		e = no_memory(ec);
		goto done;
	}
	ties_find(pr, tie);
	sdc_primaries(p, primary);
	for (uint32_t s = 0; s < p->cells; s++) {
		if (!pr->hidden[s] || count_n(p, s) != 1)
			continue;
		for (uint32_t q = 0; e == ERR_OK && q < p->cells; q++) {
			if (q != s && pr->hidden[q] && primary[q] == SDC_PRIMARY && tie[q] != tie[s])
				e = prover_claim(pr, CLAIM_INSIDER, s, q, ec);
		}
	}
done:
	free(tie);
	free(primary);
	return e;
}

void prover_insiders_drop(struct prover *pr)
{
	size_t kept = 0;

	for (size_t k = 0; k < pr->claims; k++) {
		if (pr->claim[k].kind != CLAIM_INSIDER)
			pr->claim[kept++] = pr->claim[k];
	}
	pr->claims = kept;
}

enum err prover_claims_add(struct prover *pr, unsigned which, struct errctx *ec)
{
	const struct sdc_problem *p = pr->p;
	enum err e = ERR_OK;

	for (uint32_t c = 0; e == ERR_OK && (which & SDC_AUDIT_B) && c < p->cells; c++) {
		if (pr->hidden[c] && small_cell(p, c))
			e = prover_claim(pr, CLAIM_RAISE, c, 0, ec);
	}
	for (uint32_t g = 0; e == ERR_OK && (which & SDC_AUDIT_B) && g < p->groups; g++)
		e = prover_claim(pr, CLAIM_GROUP, g, 0, ec);
	for (uint32_t c = 0; e == ERR_OK && (which & SDC_AUDIT_A) && c < p->cells; c++) {
		if (pr->hidden[c])
			e = prover_claim(pr, CLAIM_MOVE, c, 0, ec);
	}
	if (e == ERR_OK && (which & SDC_AUDIT_C))
		e = insider_claims(pr, ec);
	return e;
}
