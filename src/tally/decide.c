// SPDX-License-Identifier: EUPL-1.2
// The teller's rules. One manifest for ever and a quorum that any two sets would have to share: so there is never a
// second set (T2). Views first, so that tellers who hold different contributions, or cannot open one, find the set on
// which q of them agree before anybody is bound (T3).
#include "tally/decide.h"

#include <stdlib.h>
#include <string.h>

size_t held_mark_doubles(struct held *held, size_t count)
{
	size_t circles = 0;

	for (size_t i = 0; i < count; i++) {
		held[i].doubled = false;
		for (size_t k = 0; !held[i].doubled && k < count; k++) {
			held[i].doubled = k != i && memcmp(held[i].circle, held[k].circle, SIGN_PUBLIC_LEN) == 0 &&
			                  memcmp(held[k].hash, held[i].hash, HASH_LEN) < 0;
		}
		circles += !held[i].doubled;
	}
	return circles;
}

void teller_decision_free(struct teller_decision *d)
{
	hash_set_free(&d->set);
	hash_set_free(&d->spoiled);
	*d = (struct teller_decision){ 0 };
}

uint32_t manifest_signers(const struct plan *p, const struct manifest *manifests, size_t count,
                          const struct hash_set *set, bool *signers)
{
	uint32_t found = 0;

	for (uint32_t k = 0; k < p->n; k++) {
		bool same = false;
		bool other = false;

		for (size_t i = 0; i < count; i++) {
			if (manifests[i].teller != k)
				continue;
			if (hash_set_same(&manifests[i].set, set))
				same = true;
			else
				other = true;
		}
		signers[k] = same && !other;
		found += signers[k];
	}
	return found;
}

const struct hash_set *manifest_agreed(const struct plan *p, const struct manifest *manifests, size_t count)
{
	bool signers[PLAN_TELLERS_MAX];

	for (size_t i = 0; i < count; i++) {
		if (manifest_signers(p, manifests, count, &manifests[i].set, signers) >= plan_quorum(p))
			return &manifests[i].set;
	}
	return NULL;
}

/* Can any set still be signed by q? Those who have signed something else are lost to it. */
static bool agreement_possible(const struct plan *p, const struct manifest *manifests, size_t count)
{
	uint32_t unsigned_yet = 0;
	uint32_t most = 0;
	bool signers[PLAN_TELLERS_MAX];

	for (uint32_t k = 0; k < p->n; k++) {
		bool any = false;

		for (size_t i = 0; i < count; i++)
			any = any || manifests[i].teller == k;
		unsigned_yet += !any;
	}
	for (size_t i = 0; i < count; i++) {
		uint32_t found = manifest_signers(p, manifests, count, &manifests[i].set, signers);

		most = found > most ? found : most;
	}
	return most + unsigned_yet >= plan_quorum(p);
}

/* Would I count this set: do I hold all of it, does it open, is no circle in it twice, is it large enough? */
static bool supported(const struct teller_knows *k, const struct hash_set *set)
{
	size_t found = 0;

	if (set->n < k->plan->floor)
		return false;
	for (size_t i = 0; i < k->held_count; i++) {
		const struct held *h = &k->held[i];

		if (!hash_set_has(set, h->hash))
			continue;
		if (!h->opens)
			return false;
		for (size_t j = 0; j < i; j++) {
			if (memcmp(k->held[j].circle, h->circle, SIGN_PUBLIC_LEN) == 0 &&
			    hash_set_has(set, k->held[j].hash))
				return false;
		}
		found++;
	}
	return found == set->n;
}

/* How many tellers ever gave this view; `gave` says which. */
static uint32_t view_givers(const struct teller_knows *k, const struct hash_set *set, bool *gave)
{
	uint32_t found = 0;

	memset(gave, 0, PLAN_TELLERS_MAX * sizeof(*gave));
	for (size_t i = 0; i < k->view_count; i++) {
		uint32_t teller = k->views[i].teller;

		if (!gave[teller] && hash_set_same(&k->views[i].chosen, set)) {
			gave[teller] = true;
			found++;
		}
	}
	return found;
}

/* The set to sign: given as a view by q tellers, myself among them. One that somebody has signed goes first, then the
 * larger one, then the one that sorts first; so tellers who know the same choose the same. */
static const struct hash_set *set_to_sign(const struct teller_knows *k)
{
	const struct hash_set *best = NULL;
	bool best_signed = false;
	bool who[PLAN_TELLERS_MAX];

	for (size_t i = 0; i < k->view_count; i++) {
		const struct hash_set *s = &k->views[i].chosen;
		bool is_signed = false;

		if (view_givers(k, s, who) < plan_quorum(k->plan) || !who[k->me] || !supported(k, s))
			continue;
		is_signed = manifest_signers(k->plan, k->manifests, k->manifest_count, s, who) > 0;
		if (best == NULL || (is_signed && !best_signed) ||
		    (is_signed == best_signed &&
		     (s->n > best->n || (s->n == best->n && s->n > 0 && memcmp(s->h, best->h, s->n * HASH_LEN) < 0)))) {
			best = s;
			best_signed = is_signed;
		}
	}
	return best;
}

static bool spoiled_for_somebody(const struct teller_knows *k, const uint8_t *hash)
{
	for (size_t i = 0; i < k->view_count; i++) {
		if (hash_set_has(&k->views[i].spoiled, hash))
			return true;
	}
	return false;
}

/* What I would count now. */
static enum err own_view(const struct teller_knows *k, struct hash_set *chosen, struct hash_set *spoiled)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < k->held_count; i++) {
		const struct held *h = &k->held[i];

		if (!h->opens)
			e = hash_set_add(spoiled, h->hash);
		else if (!h->doubled && !spoiled_for_somebody(k, h->hash))
			e = hash_set_add(chosen, h->hash);
	}
	return e;
}

static const struct view *last_own_view(const struct teller_knows *k)
{
	const struct view *last = NULL;

	for (size_t i = 0; i < k->view_count; i++) {
		if (k->views[i].teller == k->me)
			last = &k->views[i];
	}
	return last;
}

static void wait_for(const struct teller_knows *k, const bool *have, struct teller_decision *d)
{
	for (uint32_t t = 0; t < k->plan->n; t++)
		d->waits[t] = !have[t];
}

static enum err before_signing(const struct teller_knows *k, struct teller_decision *d)
{
	const struct hash_set *agreed = set_to_sign(k);
	const struct view *last = last_own_view(k);
	bool who[PLAN_TELLERS_MAX];
	enum err e = ERR_OK;

	if (agreed != NULL) {
		d->step = STEP_SIGN;
		return hash_set_copy(agreed, &d->set);
	}
	e = own_view(k, &d->set, &d->spoiled);
	if (e != ERR_OK)
		return e;
	if (last != NULL && hash_set_same(&last->chosen, &d->set) && hash_set_same(&last->spoiled, &d->spoiled)) {
		d->step = d->set.n < k->plan->floor ? STEP_BELOW_FLOOR : STEP_WAIT_VIEWS;
		view_givers(k, &d->set, who);
		wait_for(k, who, d);
	} else if (d->set.n < k->plan->floor && d->spoiled.n == 0) {
		d->step = STEP_BELOW_FLOOR;
	} else {
		d->step = STEP_VIEW; /* below the floor too where something is spoiled: others must hear of it */
	}
	return ERR_OK;
}

enum err teller_decide(const struct teller_knows *knows, struct teller_decision *out)
{
	struct teller_decision d = { 0 };
	bool who[PLAN_TELLERS_MAX] = { false };
	enum err e = ERR_OK;

	if (knows->summed) {
		d.step = STEP_DONE;
	} else if (!agreement_possible(knows->plan, knows->manifests, knows->manifest_count)) {
		d.step = STEP_CANNOT;
	} else if (knows->signed_set == NULL) {
		e = before_signing(knows, &d);
	} else {
		uint32_t same =
		    manifest_signers(knows->plan, knows->manifests, knows->manifest_count, knows->signed_set, who);

		d.step = same >= plan_quorum(knows->plan) ? STEP_SUM : STEP_WAIT_MANIFEST;
		if (d.step == STEP_SUM && !supported(knows, knows->signed_set))
			d.step = STEP_CANNOT;
		wait_for(knows, who, &d);
		e = hash_set_copy(knows->signed_set, &d.set);
	}
	if (e == ERR_OK)
		*out = d;
	else
		teller_decision_free(&d);
	return e;
}
