// SPDX-License-Identifier: EUPL-1.2
// What batches say of membership, and what follows from it here (K1, K4, M1): the registry of devices, and which edits
// stand in the log without counting.
#include "sync/membership.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "model/wire.h"
#include "sync/acts.h"
#include "sync/box_keys.h"
#include "sync/refold.h"
#include "sync/space.h"

/* ---- Loading ---- */

/* What was told, while it is gathered; acts, epochs, bundles and keys are parts of one list of batches. */
struct gather {
	struct membership *m;
	struct space_id space;
	const struct vv *upto; /* NULL: everything that is here */
	struct act *act;
	size_t acts;
};

/* Of every first batch it is kept what its author had seen, also where it says nothing (ACT_ENTER). */
static enum err gather_enter(struct gather *g, const struct moment *first)
{
	struct act act = { .type = ACT_ENTER, .at = *first };
	enum err e = array_grow(&g->act, g->acts, sizeof(*g->act));

	act.at.order = UINT64_MAX;
	if (e == ERR_OK)
		g->act[g->acts++] = act;
	return e;
}

static enum err gather_act(struct gather *g, const struct told *t, const struct moment *at)
{
	struct act act = { .type = (enum act_type)t->type, .at = *at, .person = t->person, .roles = t->roles };
	enum err e = array_grow(&g->act, g->acts, sizeof(*g->act));

	act.device = t->device;
	if (t->type == TOLD_FORK) {
		act.type = ACT_CUT;
		act.proven = true;
	}
	if ((t->type == TOLD_ADMIT || t->type == TOLD_GOES_ON) && e == ERR_OK) {
		act.type = ACT_ADMIT;
		act.device = device_id_make(g->space, t->bundle.sign, t->bundle.incarnation);
		if (t->type == TOLD_GOES_ON)
			act.goes_on = t->device;
		act.fresh = t->type == TOLD_ADMIT && device_cmp(t->person.dev, at->author) == 0 &&
		            t->order == TOLD_EDITS_FROM + t->person.counter;
		e = array_grow(&g->m->bundle, g->m->bundles, sizeof(*g->m->bundle));
		if (e == ERR_OK)
			g->m->bundle[g->m->bundles++] = (struct admitted){ *at, t->bundle, act.device };
	}
	if (e == ERR_OK)
		g->act[g->acts++] = act;
	g->m->removals += act.type == ACT_CUT || act.type == ACT_TAKE;
	return e;
}

static enum err gather_fork(struct membership *m, const struct told *t)
{
	size_t i = 0;
	enum err e = ERR_OK;

	while (i < m->forks && device_cmp(m->forked[i].dev, t->device) != 0)
		i++;
	if (i == m->forks) {
		e = array_grow(&m->forked, m->forks, sizeof(*m->forked));
		if (e == ERR_OK)
			m->forked[m->forks++] = (struct forked_device){ .dev = t->device, .from = t->from };
	} else if (t->from < m->forked[i].from) {
		m->forked[i].from = t->from;
	}
	return e;
}

static enum err gather_one(struct gather *g, const struct told *t, const struct moment *at)
{
	struct membership *m = g->m;
	enum err e = ERR_OK;

	switch (t->type) {
	case TOLD_EPOCH:
		e = array_grow(&m->epoch, m->epochs, sizeof(*m->epoch));
		if (e == ERR_OK)
			m->epoch[m->epochs++] = (struct epoch_begun){ t->epoch, *at };
		return e;
	case TOLD_BOX_KEY:
		e = array_grow(&m->box, m->boxes, sizeof(*m->box));
		if (e == ERR_OK) {
			m->box[m->boxes] = (struct box_told){ .at = *at };
			memcpy(m->box[m->boxes++].key, t->key, BOX_PUBLIC_LEN);
		}
		return e;
	case TOLD_FORK:
		e = gather_fork(m, t);
		return e == ERR_OK ? gather_act(g, t, at) : e;
	case TOLD_REBOX:
		e = array_grow(&m->rebox, m->reboxes, sizeof(*m->rebox));
		if (e == ERR_OK) {
			struct reboxed *r = &m->rebox[m->reboxes++];

			*r = (struct reboxed){
				*at, device_id_make(g->space, t->bundle.sign, t->bundle.incarnation), t->number, { 0 }
			};
			memcpy(r->key, t->bundle.box, BOX_PUBLIC_LEN);
		}
		return e;
	case TOLD_SNAPSHOT:
		e = array_grow(&m->vote, m->votes, sizeof(*m->vote));
		if (e == ERR_OK) {
			m->vote[m->votes] = (struct vote){ .at = *at };
			e = vote_get(t->raw, &m->vote[m->votes++]);
		}
		return e;
	case TOLD_DONE:
		e = array_grow(&m->done, m->dones, sizeof(*m->done));
		if (e == ERR_OK) {
			struct wire_in in = wire_in(t->raw);

			m->done[m->dones] = (struct done_told){ .at = *at };
			e = wire_get_exact(&in, m->done[m->dones++].hash, HASH_LEN);
		}
		return e;
	default:
		return gather_act(g, t, at);
	}
}

static enum err gather_batch(struct gather *g, struct device_id dev, uint64_t seq, const struct vv *context,
                             const struct told_list *list)
{
	struct membership *m = g->m;
	struct vv *seen = NULL;
	enum err e = array_grow(&m->seen, m->seen_count, sizeof(struct vv *));

	if (e == ERR_OK) {
		seen = calloc(1, sizeof(*seen));
		e = seen == NULL ? ERR_NO_MEMORY : ERR_OK;
	}
	if (e != ERR_OK)
		return e;
	m->seen[m->seen_count++] = seen;
	e = vv_copy(context, seen);
	if (e == ERR_OK && seq == 1)
		e = gather_enter(g, &(struct moment){ dev, seq, 0, seen });
	for (size_t i = 0; e == ERR_OK && i < list->n; i++) {
		struct moment at = { dev, seq, list->item[i].order, seen };

		e = gather_one(g, &list->item[i], &at);
	}
	return e;
}

static enum err gather_kept(void *arg, struct device_id dev, uint64_t seq, const struct vv *context, struct bytes acts)
{
	struct told_list list = { 0 };
	const struct gather *g = arg;
	const struct vv_entry *upto = g->upto == NULL ? NULL : vv_get(g->upto, dev);
	enum err e = ERR_OK;

	if (g->upto != NULL && (upto == NULL || seq > upto->seq))
		return ERR_OK;
	e = told_get(acts, &list);
	if (e == ERR_OK)
		e = gather_batch(arg, dev, seq, context, &list);
	told_free(&list);
	return e;
}

static void gather_free(struct gather *g)
{
	free(g->act);
}

/* The device that the space's id commits to. */
static enum err founder_get(struct errctx *ec, struct sync *y, const struct space_row *space, struct device_id *out)
{
	struct buf genesis = { 0 };
	struct wire_in in;
	uint8_t sign[SIGN_PUBLIC_LEN];
	uint64_t kind = 0;
	size_t n = 0;
	enum err e = store_kept_get(ec, y->store, space->n, "genesis", &genesis);

	in = wire_in(buf_bytes(&genesis));
	if (e == ERR_OK && ((e = wire_get_array(&in, &n)) != ERR_OK || (e = wire_get_uint(&in, &kind)) != ERR_OK))
		goto done;
	if (e == ERR_OK)
		e = wire_get_exact(&in, sign, sizeof(sign));
	if (e == ERR_OK)
		*out = device_id_make(space->id, sign, 0);
done:
	buf_free(&genesis);
	return e == ERR_NOT_FOUND ? ERR_DAMAGED : e;
}

/* Nothing that the person wrote goes from the own screen, whoever removed this device. */
static void own_stays(struct membership *m, const struct space_row *space)
{
	for (size_t i = 0; i < m->members.devices; i++) {
		struct standing *s = &m->members.device[i];

		if (device_cmp(s->device, space->me) != 0 || s->keep == UINT64_MAX)
			continue;
		m->removed = s->in;
		s->keep = UINT64_MAX;
	}
}

/* The last edit of a device up to a batch of it; UINT64_MAX: all. */
static enum err counter_at(struct errctx *ec, struct sync *y, struct device_id dev, uint64_t seq, uint64_t *out)
{
	uint8_t hash[HASH_LEN];
	enum err e = ERR_NOT_FOUND;

	*out = seq == UINT64_MAX ? seq : 0;
	if (seq != UINT64_MAX && seq > 0)
		e = store_batch_get(ec, y->store, dev, seq, out, hash);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* What follows for what they wrote, once it is settled who is in. */
static enum err forks_fill(struct errctx *ec, struct sync *y, struct membership *m)
{
	enum err e = store_fork_any(ec, y->store, &m->lines);

	for (size_t i = 0; e == ERR_OK && i < m->forks; i++) {
		struct forked_device *f = &m->forked[i];
		const struct standing *s = members_find(&m->members, f->dev);

		e = counter_at(ec, y, f->dev, f->from - 1, &f->before);
		if (e == ERR_OK)
			e = counter_at(ec, y, f->dev, s == NULL ? 0 : s->keep, &f->kept);
	}
	return e;
}

static enum err membership_settle(struct errctx *ec, struct sync *y, const struct space_row *space, struct gather *g)
{
	struct membership *m = g->m;
	enum err e = ERR_OK;

	m->members = (struct members){ .kind = space->kind, .act = g->act, .acts = g->acts };
	g->act = NULL;
	e = founder_get(ec, y, space, &m->members.founder);
	if (e == ERR_OK)
		e = members_settle(&m->members);
	if (e == ERR_OK && g->upto == NULL)
		own_stays(m, space);
	return e == ERR_OK ? forks_fill(ec, y, m) : e;
}

void membership_free(struct membership *m)
{
	members_free(&m->members);
	free(m->members.act);
	free(m->epoch);
	free(m->box);
	free(m->rebox);
	free(m->bundle);
	free(m->forked);
	free(m->done);
	for (size_t i = 0; i < m->votes; i++)
		vv_free(&m->vote[i].upto);
	free(m->vote);
	for (size_t i = 0; i < m->seen_count; i++) {
		vv_free(m->seen[i]);
		free(m->seen[i]);
	}
	free(m->seen);
	*m = (struct membership){ 0 };
}

/* With `more`, what this batch says is taken as known too. */
static enum err load(struct errctx *ec, struct sync *y, const struct space_row *space, const struct batch_told *batch,
                     const struct told_list *more, struct gather *g)
{
	enum err e = store_acts_each(ec, y->store, space->n, gather_kept, g);

	if (e == ERR_OK && more != NULL)
		e = gather_batch(g, batch->author, batch->seq, batch->seen, more);
	return e == ERR_OK ? membership_settle(ec, y, space, g) : e;
}

enum err membership_load_upto(struct errctx *ec, struct sync *y, const struct space_row *space, const struct vv *upto,
                              struct membership *out)
{
	struct gather g = { .m = out, .space = space->id, .upto = upto };
	enum err e = ERR_OK;

	*out = (struct membership){ 0 };
	e = load(ec, y, space, NULL, NULL, &g);
	gather_free(&g);
	if (e != ERR_OK)
		membership_free(out);
	return e;
}

enum err membership_load(struct errctx *ec, struct sync *y, const struct space_row *space, struct membership *out)
{
	return membership_load_upto(ec, y, space, NULL, out);
}

bool membership_is_paper(const struct membership *m, struct device_id dev)
{
	for (size_t i = 0; i < m->bundles; i++)
		if (device_cmp(m->bundle[i].device, dev) == 0)
			return (m->bundle[i].bundle.incarnation & INCARNATION_PAPER) != 0;
	return false;
}

/* ---- The registry ---- */

/* The bundle by which a device was first let in, of those that count and bind it; else of all that count; else of all.
 */
static const struct admitted *first_bundle(const struct gather *g, struct device_id dev)
{
	const struct members *m = &g->m->members;
	const struct admitted *found = NULL;

	for (size_t pass = 0; pass < 3 && found == NULL; pass++) {
		for (size_t i = 0; i < m->acts && found == NULL; i++) {
			const struct act *a = &m->act[i];

			if (a->type != ACT_ADMIT || device_cmp(a->device, dev) != 0 || (pass < 2 && !a->counts) ||
			    (pass == 0 && !a->binds))
				continue;
			for (size_t k = 0; k < g->m->bundles; k++) {
				const struct admitted *b = &g->m->bundle[k];

				if (device_cmp(b->device, dev) == 0 && b->at.seq == a->at.seq &&
				    device_cmp(b->at.author, a->at.author) == 0) {
					found = b;
					break;
				}
			}
		}
	}
	return found;
}

/* The newest that others told of it, where it named none in a batch of its own since; what a removal leaves out tells
 * none. Of several with one number it is the same for everybody, whichever came first. NULL: none. */
static const uint8_t *told_box(const struct membership *m, const struct standing *s, const struct box_told *own)
{
	const struct reboxed *last = NULL;

	for (size_t i = 0; i < m->reboxes; i++) {
		const struct reboxed *r = &m->rebox[i];

		if (device_cmp(r->device, s->device) != 0 || (own != NULL && own->at.seq > r->number) ||
		    members_void(&m->members, r->at.author, r->at.seq))
			continue;
		if (last == NULL || r->number > last->number ||
		    (r->number == last->number && memcmp(r->key, last->key, BOX_PUBLIC_LEN) > 0))
			last = r;
	}
	return last == NULL ? NULL : last->key;
}

/* The box key that a device named last; what it sealed beyond a removal names none. */
static const uint8_t *last_box(const struct gather *g, const struct standing *s)
{
	const struct box_told *last = NULL;
	const uint8_t *told = NULL;

	for (size_t i = 0; i < g->m->boxes; i++) {
		const struct box_told *box = &g->m->box[i];

		if (device_cmp(box->at.author, s->device) == 0 && box->at.seq <= s->keep &&
		    (last == NULL || box->at.seq >= last->at.seq)) /* of one batch: the last in it */
			last = box;
	}
	told = told_box(g->m, s, last);
	return told != NULL || last == NULL ? told : last->key;
}

static enum err register_one(struct errctx *ec, struct sync *y, const struct space_row *space, const struct gather *g,
                             const struct standing *s)
{
	const struct admitted *b = first_bundle(g, s->device);
	const uint8_t *box = last_box(g, s);
	bool me = device_cmp(s->device, space->me) == 0;
	bool gone = me ? g->m->removed || !s->in : s->keep != UINT64_MAX;
	struct device_row row;
	struct device_row was;
	enum err e = store_device_by_id(ec, y->store, s->device, &was);

	if ((e == ERR_NOT_FOUND || (e == ERR_OK && was.state == DEVICE_NAMED)) && b != NULL) {
		e = device_register(ec, y, space, &b->bundle, s->person);
		if (e == ERR_OK)
			e = store_device_by_id(ec, y->store, s->device, &was);
	}
	if (e == ERR_NOT_FOUND || (e == ERR_OK && (was.state == DEVICE_NAMED || was.space != space->n)))
		return ERR_OK; /* removed before it was ever let in; or a name that two spaces share */
	if (e != ERR_OK)
		return e;
	row = was;
	row.state = gone ? DEVICE_REMOVED : DEVICE_ACTIVE;
	if (!dot_is_none(s->person))
		row.member = s->person;
	if (b != NULL) {
		row.tag = b->bundle.tag;
		memcpy(row.box, b->bundle.box, BOX_PUBLIC_LEN);
	}
	if (box != NULL)
		memcpy(row.box, box, BOX_PUBLIC_LEN);
	if (row.state == was.state && dot_cmp(row.member, was.member) == 0 &&
	    memcmp(row.box, was.box, BOX_PUBLIC_LEN) == 0 && memcmp(row.tag.b, was.tag.b, TAG_LEN) == 0)
		return ERR_OK;
	return store_device_stand(ec, y->store, &row);
}

/* ---- Edits that do not count ---- */

struct turned {
	struct dot dot;
	struct dot record;
	bool is_void;
};

struct judging {
	struct errctx *ec;
	struct sync *y;
	const struct space_row *space;
	const struct membership *m;
	struct refold *refold;
	struct turned *turned;
	size_t n;
};

/* Fields of a directory entry that anybody may write: that it was found right, or wrong. */
static bool marks_only(const struct edit *edit)
{
	for (size_t i = 0; i < edit->write_count; i++) {
		uint32_t tag = edit->writes[i].tag;

		if (tag != F_service_checked_on && tag != F_service_wrong && tag != F_service_note)
			return false;
	}
	return edit->kind == KIND_none;
}

/* Does a write to a set add anything? */
static bool adds(const struct write *w)
{
	struct wire_in in = wire_in(w->value);
	size_t n = 0;

	return wire_get_array(&in, &n) == ERR_OK && wire_get_array(&in, &n) == ERR_OK && n > 0;
}

/* Does it grant a role that means something? */
static bool adds_role(const struct write *w)
{
	struct wire_in in = wire_in(w->value);
	struct bytes id = { 0 };
	size_t n = 0;

	if (wire_get_array(&in, &n) != ERR_OK || wire_get_array(&in, &n) != ERR_OK)
		return false;
	for (size_t i = 0; i < n; i++)
		if (wire_get_text(&in, &id) != ERR_OK || role_of(id) != 0)
			return true;
	return false;
}

static unsigned member_needs(enum space_kind space, const struct edit *edit, bool own)
{
	bool made = edit->kind != KIND_none;
	unsigned needs = 0;

	for (size_t i = 0; i < edit->write_count; i++) {
		const struct write *w = &edit->writes[i];

		if (w->tag == F_member_devices && adds(w) && !made && !own)
			return ROLE_NOBODY;
		if (space != SPACE_NEIGHBOURHOOD || w->tag == F_member_met)
			continue;
		if (w->tag == F_member_role ? adds_role(w) || (!made && !own) : !made && !own)
			needs = ROLE_COORDINATOR;
	}
	return needs;
}

unsigned edit_needs(enum space_kind space, uint32_t kind, const struct edit *edit, bool own)
{
	if (kind == KIND_member)
		return member_needs(space, edit, own);
	if (space != SPACE_NEIGHBOURHOOD)
		return 0;
	switch (kind) {
	case KIND_service:
		return marks_only(edit) ? 0 : ROLE_COORDINATOR;
	case KIND_plan:
	case KIND_setting:
		return ROLE_COORDINATOR;
	case KIND_teller_key:
	case KIND_manifest:
	case KIND_tally_sum:
		return ROLE_TELLER;
	case KIND_release:
		return ROLE_TELLER | ROLE_COORDINATOR;
	default:
		return 0;
	}
}

/* Is it about a record of a device that forked, on another line than the one that counts? Others had another record
 * under that id. */
static bool is_off_line(const struct membership *m, const struct moment *at, const struct edit *edit)
{
	const struct vv_entry *seen = vv_get(at->seen, edit->target.dev);

	if (!m->lines || edit->kind != KIND_none || device_cmp(edit->target.dev, at->author) == 0)
		return false;
	for (size_t i = 0; i < m->forks; i++) {
		const struct forked_device *f = &m->forked[i];

		if (device_cmp(edit->target.dev, f->dev) == 0 && edit->target.counter > f->before &&
		    edit->target.counter > f->kept)
			return true;
	}
	return seen == NULL || edit->target.counter > seen->counter;
}

static bool counts(const struct membership *m, const struct moment *at, const struct edit *edit, uint32_t kind)
{
	if (members_void(&m->members, at->author, at->seq) || is_off_line(m, at, edit))
		return false;
	if (m->members.kind != SPACE_NEIGHBOURHOOD && kind != KIND_member)
		return true;
	return members_may(&m->members, at,
	                   edit_needs(m->members.kind, kind, edit, members_is(&m->members, at, edit->target)));
}

static bool writes_devices(const struct edit *edit)
{
	for (size_t i = 0; i < edit->write_count; i++)
		if (edit->writes[i].tag == F_member_devices)
			return true;
	return false;
}

static enum err judge_logged(void *arg, struct dot dot, const struct space_edit *logged)
{
	struct judging *j = arg;
	struct vv seen = { 0 };
	struct moment at = { dot.dev, logged->seq, 0, &seen };
	struct edit edit;
	struct body pool;
	uint32_t kind = KIND_none;
	bool good = true;
	enum err e = edit_parse(logged->bytes, &edit, &pool);

	if (e != ERR_OK)
		return e;
	if (logged->seq == 0) { /* the own, not sealed yet: judged when it is */
		body_free(&pool);
		return ERR_OK;
	}
	at.order = TOLD_EDITS_FROM + dot.counter;
	if (j->space->kind == SPACE_NEIGHBOURHOOD || writes_devices(&edit) || j->m->lines) {
		e = refold_context(j->refold, dot.dev, logged->seq, &seen);
		if (e == ERR_OK)
			e = record_kind(j->ec, j->y, logged->record, &kind);
	}
	good = counts(j->m, &at, &edit, kind);
	vv_free(&seen);
	body_free(&pool);
	if (e != ERR_OK || good == !logged->is_void)
		return e;
	e = array_grow(&j->turned, j->n, sizeof(*j->turned));
	if (e == ERR_OK)
		j->turned[j->n++] = (struct turned){ dot, logged->record, !good };
	return e;
}

static int record_order(const void *a, const void *b)
{
	return dot_cmp(((const struct turned *)a)->record, ((const struct turned *)b)->record);
}

/* Every edit of the space is judged again; the records of those that turned are folded again. */
static enum err judge_again(struct errctx *ec, struct sync *y, const struct space_row *space,
                            const struct membership *m)
{
	struct judging j = { .ec = ec, .y = y, .space = space, .m = m };
	enum err e = refold_open(ec, y, space, &j.refold);

	if (e == ERR_OK)
		e = store_space_edits(ec, y->store, space->n, judge_logged, &j);
	for (size_t i = 0; e == ERR_OK && i < j.n; i++)
		e = store_void_set(ec, y->store, j.turned[i].dot, j.turned[i].is_void);
	if (e == ERR_OK && j.n > 0)
		qsort(j.turned, j.n, sizeof(*j.turned), record_order);
	for (size_t i = 0; e == ERR_OK && i < j.n; i++)
		if (i == 0 || dot_cmp(j.turned[i - 1].record, j.turned[i].record) != 0)
			e = refold_write(ec, j.refold, j.turned[i].record);
	refold_close(j.refold);
	free(j.turned);
	return e;
}

/* ---- A batch ---- */

/* Does anything that was known already come to something else now? */
static bool outcome_differs(const struct members *before, const struct members *now)
{
	for (size_t i = 0; i < before->devices; i++) {
		const struct standing *s = members_find(now, before->device[i].device);

		if (s == NULL || s->keep != before->device[i].keep)
			return true;
	}
	for (size_t i = 0, k = 0; i < before->acts; i++, k++) {
		const struct act *a = &before->act[i];

		while (k < now->acts &&
		       (device_cmp(now->act[k].at.author, a->at.author) != 0 || now->act[k].at.seq != a->at.seq ||
		        now->act[k].at.order != a->at.order || now->act[k].type != a->type))
			k++;
		if (k == now->acts || now->act[k].counts != a->counts)
			return true;
	}
	/* a removal that is new: of someone who was in, or of a role */
	return now->acts != before->acts;
}

static enum err note(struct errctx *ec, struct sync *y, const struct batch_told *batch, const struct told_list *told)
{
	const struct space_row *space = batch->space;
	struct membership before = { 0 };
	struct membership now = { 0 };
	struct gather g = { .m = &now, .space = space->id };
	struct buf bytes = { 0 };
	enum err e = load(ec, y, space, batch, told, &g);

	/* without removals nothing that was known can come to something else */
	if (e == ERR_OK && now.removals > 0)
		e = membership_load(ec, y, space, &before);
	if (e == ERR_OK)
		e = told_put(told, &bytes);
	if (e == ERR_OK)
		e = store_acts_put(ec, y->store, space->n, batch->author, batch->seq, batch->seen, buf_bytes(&bytes));
	for (size_t i = 0; e == ERR_OK && i < now.members.devices; i++)
		e = register_one(ec, y, space, &g, &now.members.device[i]);
	if (e == ERR_OK && now.removals > 0 && outcome_differs(&before.members, &now.members))
		e = judge_again(ec, y, space, &now);
	buf_free(&bytes);
	gather_free(&g);
	membership_free(&now);
	membership_free(&before);
	return e;
}

enum err membership_renew(struct errctx *ec, struct sync *y, const struct space_row *space)
{
	struct membership m = { 0 };
	struct gather g = { .m = &m, .space = space->id };
	enum err e = load(ec, y, space, NULL, NULL, &g);

	for (size_t i = 0; e == ERR_OK && i < m.members.devices; i++)
		e = register_one(ec, y, space, &g, &m.members.device[i]);
	if (e == ERR_OK)
		e = judge_again(ec, y, space, &m);
	gather_free(&g);
	membership_free(&m);
	return e;
}

enum err membership_note(struct errctx *ec, struct sync *y, const struct batch_told *batch)
{
	struct told_list told = { 0 };
	enum err e = told_from_batch(ec, y, batch, &told);

	if (e == ERR_OK && (told.n > 0 || batch->seq == 1))
		e = note(ec, y, batch, &told);
	for (size_t i = 0; e == ERR_OK && i < told.n; i++)
		if (told.item[i].type == TOLD_GOES_ON && device_cmp(told.item[i].device, batch->space->me) == 0)
			e = box_key_copied(ec, y, batch->space);
	told_free(&told);
	return e;
}

/* ---- Judging a batch ---- */

static enum err needs_any(struct errctx *ec, struct sync *y, const struct batch_told *batch, bool *any)
{
	enum err e = ERR_OK;

	*any = false;
	for (size_t i = 0; e == ERR_OK && i < batch->body->edit_count && !*any; i++) {
		const struct edit *edit = &batch->body->edits[i];
		uint32_t kind = KIND_none;

		if (batch->space->kind != SPACE_NEIGHBOURHOOD && !writes_devices(edit))
			continue;
		e = target_kind(ec, y, batch, edit, &kind);
		*any = e == ERR_OK && edit_needs(batch->space->kind, kind, edit, false) != 0;
	}
	return e;
}

enum err judge_make(struct errctx *ec, struct sync *y, const struct batch_told *batch, struct judge *out)
{
	struct device_row author;
	bool any = false;
	bool forks = false;
	enum err e = store_device_by_id(ec, y->store, batch->author, &author);

	*out = (struct judge){ .at = { batch->author, batch->seq, TOLD_EDITS_FROM, batch->seen } };
	if (e == ERR_OK)
		e = needs_any(ec, y, batch, &any);
	if (e == ERR_OK)
		e = store_fork_any(ec, y->store, &forks);
	if (e != ERR_OK)
		return e;
	out->all = author.state == DEVICE_ACTIVE && !any && !forks;
	return out->all ? ERR_OK : membership_load(ec, y, batch->space, &out->known);
}

bool judge_counts(const struct judge *j, const struct edit *edit, uint32_t kind)
{
	struct moment at = j->at;

	at.order = TOLD_EDITS_FROM + edit->dot.counter;
	return j->all || counts(&j->known, &at, edit, kind);
}

void judge_free(struct judge *j)
{
	membership_free(&j->known);
}

enum err membership_admitted(struct errctx *ec, struct sync *y, const struct batch_told *batch)
{
	struct membership m = { 0 };
	struct gather g = { .m = &m, .space = batch->space->id };
	struct told_list told = { 0 };
	/* it may have let itself in, as a device that goes on: controls come before edits */
	struct moment at = { batch->author, batch->seq, TOLD_EDITS_FROM, batch->seen };
	enum err e = told_from_batch(ec, y, batch, &told);

	for (size_t i = 0; i < told.n; i++)
		if (told.item[i].type != TOLD_GOES_ON)
			told.item[i--] = told.item[--told.n];
	if (e == ERR_OK)
		e = load(ec, y, batch->space, batch, &told, &g);
	gather_free(&g);
	told_free(&told);
	if (e != ERR_OK) {
		membership_free(&m);
		return e;
	}
	if (device_cmp(batch->author, m.members.founder) != 0 && !members_let_in(&m.members, &at))
		e = ERR_NOT_FOUND;
	membership_free(&m);
	return e;
}

/* Edits of one's own that do not count: taken out of their records. */
static enum err sealed_judge(struct errctx *ec, struct sync *y, const struct batch_told *batch, const struct judge *j)
{
	struct refold *refold = NULL;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < batch->body->edit_count; i++) {
		const struct edit *edit = &batch->body->edits[i];
		uint32_t kind = KIND_none;

		e = target_kind(ec, y, batch, edit, &kind);
		if (e != ERR_OK || judge_counts(j, edit, kind))
			continue;
		e = store_void_set(ec, y->store, edit->dot, true);
		if (e == ERR_OK && refold == NULL)
			e = refold_open(ec, y, batch->space, &refold);
		if (e == ERR_OK)
			e = refold_write(ec, refold, edit->target);
	}
	refold_close(refold);
	return e;
}

enum err membership_sealed(struct errctx *ec, struct sync *y, const struct batch_told *batch)
{
	struct judge j = { 0 };
	enum err e = membership_note(ec, y, batch);

	if (e == ERR_OK)
		e = judge_make(ec, y, batch, &j);
	if (e == ERR_OK && !j.all)
		e = sealed_judge(ec, y, batch, &j);
	judge_free(&j);
	return e;
}

enum err membership_removed(struct errctx *ec, struct sync *y, const struct space_row *space, bool *out)
{
	struct device_row me;
	enum err e = store_device_by_id(ec, y->store, space->me, &me);

	*out = e == ERR_OK && me.state == DEVICE_REMOVED;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}
