// SPDX-License-Identifier: EUPL-1.2
// Cutting a log (K3): nothing is taken away before every device that is waited for has signed for the same snapshot.
#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "sync/compaction_inside.h"
#include "sync/refold.h"

/* Sealed files of one's own that nobody needs any more, since they lie below: they would hold what was erased until
 * they are sent, and a space of one device may never be. */
static enum err unsent_drop(struct council *v, const struct vv *at)
{
	const struct vv_entry *mine = vv_get(at, v->space->me);
	char tag[TAG_TEXT_LEN];
	uint64_t files = 0;
	uint64_t edits = 0;
	enum err e = store_outgoing_count(v->ec, v->y->store, v->space->n, &files, &edits);

	tag_text(v->space->my_tag, tag);
	for (uint64_t seq = 1; e == ERR_OK && files > 0 && mine != NULL && seq <= mine->seq; seq++) {
		char name[FILE_NAME_MAX + 1];

		snprintf(name, sizeof(name), "%s-%llu", tag, (unsigned long long)seq);
		e = store_outgoing_drop_one(v->ec, v->y->store, v->space->n, name);
	}
	return e;
}

static enum err cut_at(struct council *v, const struct vote *x, const struct snapshot *s)
{
	struct base base = { .is = true, .round = x->round, .at = s->at };
	struct refold *f = NULL;
	struct refolded out = { 0 };
	uint8_t now[8];
	enum err e = ERR_OK;

	memcpy(base.hash, s->hash, HASH_LEN);
	be64_put(now, (uint64_t)clock_now(v->y->clock));
	TRY(store_kept_put(v->ec, v->y->store, v->space->n, KEPT_PARENT, (struct bytes){ v->base.hash, HASH_LEN }));
	TRY(store_kept_put(v->ec, v->y->store, v->space->n, KEPT_CUT_AT, (struct bytes){ now, sizeof(now) }));
	TRY(store_compact(v->ec, v->y->store, v->space->n, &base, s->item, s->n));
	TRY(unsent_drop(v, &s->at));
	/* a contest of something that is final now counts no more, wherever it came from */
	TRY(refold_open(v->ec, v->y, v->space, &f));
	TRY(refold_space(v->ec, f, true, &out));
	if (out.damaged > 0)
		e = err_set(v->ec, ERR_DAMAGED, "The vault holds something that cannot be right. Run verify.", NULL,
		            NULL, NULL);
done:
	refold_close(f);
	return e;
}

/* Everybody voted for what this device voted for last: the log is cut there. */
enum err cut_agreed(struct council *v, bool *cut)
{
	const struct vote *mine = council_last_vote(v, v->space->me);
	struct snapshot s = { 0 };
	bool same = false;
	enum err e = ERR_OK;

	if (mine == NULL || !council_others_agree(v, mine))
		return ERR_OK;
	e = council_make_same(v, mine, &s, &same);
	if (e == ERR_OK && same)
		e = cut_at(v, mine, &s);
	*cut = e == ERR_OK && same;
	snapshot_free(&s);
	return e;
}
