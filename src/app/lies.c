// SPDX-License-Identifier: EUPL-1.2
// Branches on which a repository is not as it was (S5). What a host took away is pushed back by the courier, from its
// own cache; what it put in the place of something is looked at first, because a copy of this device may have made it
// (S7), and pushed over where it is of no use; what nobody's cache has any more is handed over again from the vault.
// Absence at the host is never deletion here.
#include "app/lies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/old_branches.h"
#include "app/sync_of.h"
#include "app/within.h"
#include "base/array.h"
#include "base/codec.h"
#include "base/tr.h"
#include "sync/space.h"

#define NONE "0000000000000000000000000000000000000000"

void lies_next(struct lies *l)
{
	free(l->have);
	free(l->awaited);
	free(l->lie);
	free(l->over);
	lost_free(&l->lost);
	names_free(&l->shown);
	*l = (struct lies){ l->app, l->neighbourhood, l->own, .over = l->next, .overs = l->nexts };
}

void lies_free(struct lies *l)
{
	free(l->next);
	l->next = NULL;
	l->nexts = 0;
	lies_next(l);
}

static struct lie *find(const struct lies *l, const char *ref)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->lie[i].ref, ref) == 0)
			return &l->lie[i];
	return NULL;
}

static bool is_told_whole(const struct lies *l, const char *ref)
{
	for (size_t i = 0; i < l->overs; i++)
		if (l->over[i].oid[0] == '\0' && strcmp(l->over[i].ref, ref) == 0)
			return true;
	return false;
}

static const char *have_of(const struct lies *l, const char *ref)
{
	if (is_told_whole(l, ref))
		return "";
	for (size_t i = 0; i < l->haves; i++)
		if (strcmp(l->have[i].ref, ref) == 0)
			return l->have[i].oid;
	return "";
}

/* NULL: no memory, or nothing of ours has such a name. */
static struct lie *find_or_add(struct lies *l, const char *ref)
{
	struct lie *lie = find(l, ref);

	if (lie != NULL || strlen(ref) > REF_MAX)
		return lie;
	lie = array_grown(l->lie, l->n, sizeof(*lie));
	if (lie == NULL)
		return NULL;
	l->lie = lie;
	lie = &l->lie[l->n++];
	*lie = (struct lie){ .what = NOTICED_BACK, .own = l->own(l->app, ref) };
	strcpy(lie->ref, ref);
	snprintf(lie->had, sizeof(lie->had), "%.40s", have_of(l, ref));
	return lie;
}

enum err lies_job(struct errctx *ec, struct lies *l, struct job *job)
{
	struct old_branches old = { 0 };
	struct sync y = sync_of(l->app);
	enum err e = store_branch_list(ec, l->app->store, l->neighbourhood, &l->have, &l->haves);

	if (e == ERR_OK)
		e = old_branches_load(ec, l->app, l->neighbourhood, &old);
	if (e == ERR_OK)
		e = store_awaited_batches(ec, l->app->store, &l->awaited, &l->awaits);
	if (e == ERR_OK)
		e = lost_load(ec, &y, l->neighbourhood, &l->lost);
	for (size_t i = 0; e == ERR_OK && i < l->haves; i++) {
		const struct branch_row *b = &l->have[i];
		const struct old_epoch *past = old_branches_find(&old, b->ref);

		if (!is_told_whole(l, b->ref))
			e = job_add(ec, job, JOB_HAVE, b->ref, b->oid, NULL);
		if (e == ERR_OK && past != NULL && past->go)
			e = job_add(ec, job, JOB_DROP, b->ref, b->oid, NULL);
		if (past != NULL) /* nobody pushes it back */
			continue;
		/* a branch that the host lost is pushed back: one's own as own, others' from the cache (S5) */
		if (e == ERR_OK)
			e = job_add(ec, job, l->own(l->app, b->ref) ? JOB_OWN : JOB_RESTORE, b->ref, NULL, NULL);
	}
	for (size_t i = 0; e == ERR_OK && i < l->overs; i++)
		if (l->over[i].oid[0] != '\0' && old_branches_find(&old, l->over[i].ref) == NULL)
			e = job_add(ec, job, JOB_OVER, l->over[i].ref, l->over[i].oid, NULL);
	old_branches_free(&old);
	return e;
}

/* ---- While it lasts ---- */

/* Neither host nor cache has what was sent: from the vault, in one step with where the branch goes on. */
static enum err hand_over(struct errctx *ec, struct lies *l, struct lie *lie, const char *oid)
{
	struct app *app = l->app;
	struct sync y = { app->store, app->zip, app->rng, app->clock };
	const struct names none = { 0 };
	size_t again = 0;
	enum err e = store_begin(ec, app->store);

	if (e != ERR_OK)
		return e;
	e = handed_again(ec, &y, lie->ref, strcmp(l->ref, lie->ref) == 0 ? &l->shown : &none, &again);
	if (e == ERR_OK && strcmp(oid, NONE) != 0)
		e = store_branch_put(ec, app->store, l->neighbourhood, lie->ref, oid);
	else if (e == ERR_OK)
		e = store_branch_delete(ec, app->store, l->neighbourhood, lie->ref);
	lie->what = NOTICED_LOST;
	lie->lost = true;
	l->again = true;
	return within_end(ec, app, e);
}

static void say(struct sync_view *v, const char *text)
{
	if (v->notice[0] == '\0')
		snprintf(v->notice, sizeof(v->notice), "%s", text);
}

/* The courier pushed it back from its cache. */
static enum err pushed_back(struct errctx *ec, struct lies *l, struct lie *lie, struct sync_view *v)
{
	struct sync y = sync_of(l->app);
	enum err e = store_begin(ec, l->app->store);

	lie->restored = true;
	v->healed++;
	return e != ERR_OK ? e : within_end(ec, l->app, lost_back(ec, &y, lie->ref, &l->lost));
}

enum err lies_line(struct errctx *ec, struct lies *l, const struct report_line *line, struct sync_view *v)
{
	struct lie *lie = NULL;
	struct sync y = sync_of(l->app);
	const char *oid = line->field[1];

	if (line->kind != REPORT_GONE && line->kind != REPORT_REWOUND && line->kind != REPORT_AHEAD &&
	    line->kind != REPORT_LOST && line->kind != REPORT_RESTORED)
		return ERR_OK;
	lie = find_or_add(l, line->field[0]);
	if (lie == NULL)
		return strlen(line->field[0]) > REF_MAX ? ERR_OK : ERR_NO_MEMORY;
	if (oid != NULL && line->kind != REPORT_RESTORED && line->kind != REPORT_LOST)
		snprintf(lie->shown, sizeof(lie->shown), "%.40s", oid);
	switch (line->kind) {
	case REPORT_GONE:
		lie->what = NOTICED_GONE;
		say(v, TR("The host no longer shows something it had. It is pushed back."));
		break;
	case REPORT_REWOUND:
		lie->forked = lie->ahead;
		if (!lie->ahead)
			say(v, TR("The host went back to an older state. What was here is pushed back."));
		break;
	case REPORT_AHEAD:
		lie->what = NOTICED_OTHER;
		lie->own = lie->ahead = true;
		break;
	case REPORT_LOST:
		lie->own = true;
		say(v, TR("The host lost what this device sent, and the copy of it here was gone, too. It is sent "
		          "again."));
		return hand_over(ec, l, lie, oid);
	default:
		return pushed_back(ec, l, lie, v);
	}
	return lie->own ? ERR_OK : lost_add(ec, &y, lie->ref, &l->lost);
}

bool lies_knows(const struct lies *l, const char *ref)
{
	return find(l, ref) != NULL;
}

void lies_watch(const struct lies *l, const struct report_line *line, struct received *r)
{
	const struct lie *lie = find(l, line->field[0]);
	const char *last = strrchr(line->field[0], '/');

	r->watch[0] = '\0';
	if (lie == NULL || lie->own || last == NULL || strlen(last + 1) >= sizeof(r->watch))
		return;
	strcpy(r->watch, last + 1);
	r->top = lie->top;
}

enum err lies_file(struct lies *l, const struct inbox_item *file, const struct received *before,
                   const struct received *now)
{
	struct lie *lie = find(l, file->ref);

	if (strcmp(l->ref, file->ref) != 0) {
		if (strlen(file->ref) > REF_MAX)
			return ERR_OK;
		strcpy(l->ref, file->ref);
		names_free(&l->shown);
	}
	if (lie != NULL) {
		lie->what = lie->what == NOTICED_BACK ? NOTICED_OTHER : lie->what;
		lie->useless += now->set_aside > before->set_aside;
		lie->bad += now->useless;
		lie->useful += !now->useless;
		lie->batches += now->batches > before->batches;
		lie->top = now->watch[0] != '\0' ? now->top : lie->top;
		lie->strange = lie->strange || now->strange > before->strange;
		lie->held = lie->held || (now->strange > before->strange && now->waits);
	}
	return now->useless || now->waits ? ERR_OK : names_add(&l->shown, file->ref, file->name, file->file);
}

static bool asked_over(const struct lies *l, const char *ref)
{
	for (size_t i = 0; i < l->overs; i++)
		if (strcmp(l->over[i].ref, ref) == 0)
			return true;
	return false;
}

/* Junk in the place of what somebody else sent, and not a second time: whoever keeps showing it is not fought with. */
static bool is_junk(const struct lies *l, const struct lie *lie)
{
	return !lie->own && lie->what == NOTICED_OTHER && lie->useless > 0 && lie->useful == 0 &&
	       !asked_over(l, lie->ref);
}

/* Rubbish on top of what this device is known to have sent may stand in the place of more: that shows when all of the
 * branch is looked at. */
static bool is_doubtful(const struct lie *lie)
{
	return lie->own && lie->ahead && !lie->forked && !lie->strange && lie->bad > 0 && lie->had[0] != '\0';
}

bool lies_tip(struct lies *l, const struct report_line *line)
{
	struct lie *lie = find(l, line->field[0]);

	if (lie == NULL)
		return true;
	/* An own branch goes on from what this device sent, and from nothing else; mere rubbish on top of that does no
	 * harm. */
	if (lie->own ? lie->ahead && (lie->forked || lie->strange || is_doubtful(lie))
	             : is_junk(l, lie) || asked_over(l, lie->ref))
		return false;
	lie->adopted = strcmp(lie->shown, line->field[1]) == 0;
	return true;
}

enum err lies_adopt(struct errctx *ec, struct lies *l, const struct report_line *line)
{
	const struct lie *lie = find(l, line->field[0]);
	struct sync y = { l->app->store, l->app->zip, l->app->rng, l->app->clock };
	const struct names none = { 0 };
	size_t again = 0;

	if (lie == NULL || !lie->own || !lie->ahead || lie->had[0] != '\0')
		return ERR_OK;
	return handed_again(ec, &y, lie->ref, strcmp(l->ref, lie->ref) == 0 ? &l->shown : &none, &again);
}

/* ---- At its end ---- */

static enum err push_over(struct lies *l, const struct lie *lie, const char *oid)
{
	struct over *o = array_grown(l->next, l->nexts, sizeof(*o));

	if (o == NULL)
		return ERR_NO_MEMORY;
	l->next = o;
	o = &l->next[l->nexts++];
	strcpy(o->ref, lie->ref);
	strcpy(o->oid, oid);
	l->again = true;
	return ERR_OK;
}

/* The number of the newest batch here of the device whose branch it is; 0: none. */
static enum err head_of(struct errctx *ec, struct app *app, const char *ref, uint64_t *seq)
{
	struct sync y = sync_of(app);
	struct space_row space;
	struct vv now = { 0 };
	enum err e = space_by_branch(ec, &y, ref, &space);

	*seq = 0;
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	e = store_vector(ec, app->store, space.n, &now);
	for (size_t k = 0; e == ERR_OK && k < now.n; k++) {
		struct device_row device;

		e = store_device_by_id(ec, app->store, now.e[k].dev, &device);
		if (e == ERR_OK && branch_is_of(ref, device.tag))
			*seq = now.e[k].seq;
	}
	vv_free(&now);
	return e;
}

static enum err lie_end(struct errctx *ec, struct lies *l, struct lie *lie, bool whole, struct sync_view *v)
{
	struct noticed n = { .neighbourhood = l->neighbourhood, .what = lie->what };
	bool doubtful = is_doubtful(lie) && !lie->held;
	bool over =
	    lie->own ? lie->ahead && !lie->adopted && !lie->held && !doubtful : is_junk(l, lie) && !lie->restored;
	/* the courier pushed back what was merely missing; what it had to leave was said */
	bool healed = lie->own ? whole && !lie->lost && (!lie->ahead || lie->adopted)
	                       : lie->restored || (lie->what == NOTICED_OTHER && lie->batches > 0);
	uint64_t head = 0;
	enum err e = lie->own || healed ? ERR_OK : head_of(ec, l->app, lie->ref, &head);

	/* another line in which nothing is missing: its device made it anew */
	healed = healed || (!lie->own && lie->what == NOTICED_OTHER && head > 0 && lie->top >= head);

	strcpy(n.ref, lie->ref);
	strcpy(n.had, lie->had);
	strcpy(n.shown, lie->shown);
	if (e == ERR_OK && over && lie->own)
		say(v, TR("The host shows something else in place of what this device sent. It is pushed over."));
	if (e == ERR_OK && ((over && lie->shown[0] != '\0') || doubtful))
		e = push_over(l, lie, doubtful ? "" : lie->shown);
	l->again = l->again || (lie->own && lie->adopted);
	if (e == ERR_OK)
		e = noticed_put(ec, l->app, &n);
	if (e == ERR_OK && healed)
		e = noticed_healed(ec, l->app, l->neighbourhood, lie->ref);
	return e;
}

/* Somebody built on a batch that is not shown, although all was looked at once more since that came: it is withheld. */
static enum err withheld(struct errctx *ec, struct lies *l)
{
	struct awaited_batch *now = NULL;
	size_t count = 0;
	enum err e = store_awaited_batches(ec, l->app->store, &now, &count);

	for (size_t i = 0, k = 0; e == ERR_OK && i < l->awaits; i++) {
		const struct awaited_batch *a = &l->awaited[i];
		struct noticed n = { .neighbourhood = l->neighbourhood, .what = NOTICED_WITHHELD };
		struct space_row space;
		struct vv vector = { 0 };
		const struct vv_entry *head = NULL;

		for (k = 0; k < count; k++)
			if (now[k].seq == a->seq && device_cmp(now[k].dev, a->dev) == 0)
				break;
		if (k == count)
			continue;
		e = store_space_get(ec, l->app->store, a->space, &space);
		if (e == ERR_OK && space.neighbourhood != l->neighbourhood)
			continue;
		if (e == ERR_OK)
			e = store_vector(ec, l->app->store, a->space, &vector);
		head = vv_get(&vector, a->dev);
		noticed_device(a->dev, n.ref);
		noticed_batch(l->app, a->dev, a->seq, n.had);
		noticed_batch(l->app, a->dev, head == NULL ? 0 : head->seq, n.shown);
		vv_free(&vector);
		if (e == ERR_OK && find_or_add(l, n.ref) != NULL)
			e = noticed_put(ec, l->app, &n);
	}
	free(now);
	return e;
}

/* Another line of somebody else's branch is settled by that device, not by silence. */
static bool is_still(void *arg, const struct noticed *n)
{
	const struct lies *l = arg;

	return find(l, n->ref) != NULL || (n->what == NOTICED_OTHER && !l->own(l->app, n->ref));
}

/* What nobody's cache had is handed on from the vault; such a branch is missed no more. */
static enum err lost_settle(struct errctx *ec, struct lies *l, bool whole)
{
	struct sync y = sync_of(l->app);
	enum err e = lost_end(ec, &y, &l->lost, whole);

	for (size_t i = 0; e == ERR_OK && i < l->lost.n; i++) {
		const struct lost *lost = &l->lost.lost[i];
		const struct lie *lie = find(l, lost->ref);

		if (!lost->over)
			continue;
		if (lie != NULL && lie->what == NOTICED_GONE)
			e = store_branch_delete(ec, l->app->store, l->neighbourhood, lost->ref);
		if (e == ERR_OK)
			e = noticed_healed(ec, l->app, l->neighbourhood, lost->ref);
	}
	return e;
}

enum err lies_end(struct errctx *ec, struct lies *l, const struct lies_end *end, struct sync_view *v)
{
	enum err e = store_begin(ec, l->app->store);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; e == ERR_OK && i < l->n; i++) {
		if (end->copies && l->lie[i].ahead)
			continue;
		e = lie_end(ec, l, &l->lie[i], end->whole, v);
		*end->stuck = *end->stuck || (l->lie[i].ahead && l->lie[i].held);
	}
	if (e == ERR_OK)
		e = lost_settle(ec, l, end->whole);
	if (e == ERR_OK && end->whole)
		e = withheld(ec, l); /* last: it adds to the list, so that silence does not heal it */
	if (e == ERR_OK && end->whole)
		e = noticed_quiet(ec, l->app, l->neighbourhood, is_still, l);
	return within_end(ec, l->app, e);
}
