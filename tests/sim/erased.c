// SPDX-License-Identifier: EUPL-1.2
// K3: when a home says that a compaction is done there, no key in it opens any object that the host ever held with
// something that was erased below the cut; and the program gets there.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "batch/zip.h"
#include "sim/must.h"
#include "sim/world_inside.h"
#include "sync/box_keys.h"
#include "sync/closing.h"
#include "sync/compaction.h"
#include "sync/snapshot.h"

#define KEYS_MAX 256

/* A key of an epoch, as a home may have it. */
struct known_key {
	struct epoch_id epoch;
	bool has;
	struct epoch_secret secret;
};

struct trying {
	struct player *p;
	struct sync y;
	const struct space_row *space;
	size_t s;
	int cut;
	struct known_key key[KEYS_MAX];
	size_t keys;
	struct bytes box; /* being tried */
	struct epoch_secret out;
};

static enum err box_opens(void *arg, const uint8_t public[static BOX_PUBLIC_LEN],
                          const uint8_t secret[static BOX_SECRET_LEN])
{
	struct trying *t = arg;

	return boxes_unseal(t->box, t->space->id, public, secret, &t->out);
}

/* Held, or out of any box that the host ever had. */
static const struct known_key *key_for(struct trying *t, struct epoch_id epoch)
{
	struct known_key *k = NULL;
	const char *name = NULL;

	for (size_t i = 0; i < t->keys; i++) {
		if (memcmp(t->key[i].epoch.b, epoch.b, EPOCH_ID_LEN) == 0)
			return &t->key[i];
	}
	must(t->keys < KEYS_MAX, "too many epochs");
	k = &t->key[t->keys++];
	*k = (struct known_key){ .epoch = epoch };
	k->has = epoch_key_load(NULL, &t->y, t->space->n, epoch, &k->secret) == ERR_OK;
	for (size_t i = 0; !k->has && (name = host_file(t->p->w->hosts, i, &t->box)) != NULL; i++) {
		if (t->box.len > 64 && t->box.data[5] == FILE_BOXES &&
		    memcmp(t->box.data + 18, epoch.b, EPOCH_ID_LEN) == 0 &&
		    box_pairs_try(NULL, &t->y, t->space, box_opens, t) == ERR_OK) {
			k->has = true;
			k->secret = t->out;
		}
	}
	return k;
}

/* Nothing that this batch says is gone. */
static void batch_try(struct trying *t, struct bytes signed_part, const char *file)
{
	struct model *m = t->p->w->model;
	struct buf body = { 0 };
	struct set one = { 0 };
	struct set edits = { 0 };
	int batch = MODEL_DAMAGED;

	if (batch_peek(t->p->app->zip, signed_part, &body) == ERR_OK)
		batch = model_batch_body(m, t->s, buf_bytes(&body));
	buf_free(&body);
	if (batch < 0 || !set_has(model_cut_batches(m, t->s, t->cut), (size_t)batch))
		return;
	set_add(&one, (size_t)batch);
	model_edits_of(m, t->s, &one, &edits);
	for (size_t i = 0; i < model_count(m, t->s); i++) {
		if (!set_has(&edits, i) || !model_cut_gone(m, t->s, t->cut, i))
			continue;
		model_tell(m, t->s, i);
		must_fail("device %u is done, and opens %s, which has what was erased (K3)", t->p->number, file);
	}
}

static void carry_try(struct trying *t, struct bytes items, const char *file)
{
	const size_t head = DEVICE_ID_LEN + TAG_LEN + 12;

	while (items.len >= head) {
		size_t len = be32_get(items.data + head - 4);

		must(len <= items.len - head, "a carried file cannot be read");
		batch_try(t, (struct bytes){ items.data + head, len }, file);
		items = (struct bytes){ items.data + head + len, items.len - head - len };
	}
}

/* Of an earlier snapshot: what was not erased for good there, and is now. */
static void snapshot_try(struct trying *t, struct bytes plain, const char *file)
{
	struct model *m = t->p->w->model;
	const struct set *edits = NULL;
	int cut = MODEL_UNCUT;

	must(plain.len > HASH_LEN, "a snapshot cannot be read");
	cut = model_cut_find(m, t->s, plain.data);
	if (cut == MODEL_UNCUT || cut == t->cut)
		return;
	edits = model_cut_edits(m, t->s, cut);
	for (size_t i = 0; i < model_count(m, t->s); i++) {
		if (set_has(edits, i) && model_cut_gone(m, t->s, t->cut, i) && !model_cut_gone(m, t->s, cut, i))
			must_fail("device %u is done, and opens %s, an earlier snapshot with what was erased (K3)",
			          t->p->number, file);
	}
}

static void file_try(struct trying *t, struct bytes file, const char *name)
{
	const struct known_key *k = NULL;
	struct buf plain = { 0 };
	struct file_header h;

	if (file_header_get(file, &h) != ERR_OK || memcmp(h.space.b, t->space->tag.b, TAG_LEN) != 0 ||
	    (h.type != FILE_BATCH && h.type != FILE_CARRY && h.type != FILE_SNAPSHOT))
		return;
	k = key_for(t, h.epoch);
	if (!k->has)
		return;
	if (h.type == FILE_BATCH && batch_unseal(file, k->secret.key, &plain) == ERR_OK)
		batch_try(t, buf_bytes(&plain), name);
	else if (h.type == FILE_CARRY && carry_unseal(file, k->secret.key, &plain) == ERR_OK)
		carry_try(t, buf_bytes(&plain), name);
	else if (h.type == FILE_SNAPSHOT && snapshot_unseal(file, k->secret.key, &plain) == ERR_OK)
		snapshot_try(t, buf_bytes(&plain), name);
	buf_free(&plain);
}

/* Does this home say that its newest cut is done? */
static bool says_done(struct player *p, const struct space_row *space)
{
	struct base base = { 0 };
	struct buf told = { 0 };
	bool done = store_base(NULL, p->app->store, space->n, &base) == ERR_OK && base.is &&
	            store_kept_get(NULL, p->app->store, space->n, "told-done", &told) == ERR_OK &&
	            told.len == HASH_LEN && memcmp(told.data, base.hash, HASH_LEN) == 0;

	vv_free(&base.at);
	buf_free(&told);
	return done;
}

void world_erased(struct world *w)
{
	struct trying *t = must_calloc(1, sizeof(*t));

	for (size_t i = 0; i < w->players; i++) {
		struct player *p = &w->player[i];
		struct space_row *list = NULL;
		size_t n = 0;

		if (p->app == NULL || disk_dead(p->disk))
			continue;
		list = world_spaces(p, &n);
		for (size_t k = 0; k < n; k++) {
			struct bytes file = { 0 };
			const char *name = NULL;

			if (!says_done(p, &list[k]))
				continue;
			*t = (struct trying){ .p = p, .space = &list[k], .s = model_space(w->model, list[k].id.b) };
			t->y = (struct sync){ p->app->store, p->app->zip, p->app->rng, p->app->clock };
			t->cut = world_holding(p, t->s)->cut;
			must(t->cut != MODEL_UNCUT, "done, and not cut");
			w->tried++;
			for (size_t f = 0; (name = host_file(w->hosts, f, &file)) != NULL; f++)
				file_try(t, file, name);
		}
		free(list);
	}
	free(t);
}

/* How a home stands with it, for people. */
static void compaction_tell_me(struct player *p, struct sync *y, const struct space_row *space)
{
	struct membership m = { 0 };
	struct base base = { 0 };
	struct vv upto = { 0 };
	enum compaction_wait wait = COMPACTION_GOES_ON;
	uint64_t waiting = 0;
	bool boxes = false;

	must(membership_load(NULL, y, space, &m) == ERR_OK &&
	         compaction_choose(NULL, y, space, &upto, &wait) == ERR_OK &&
	         store_waiting_of(NULL, y->store, space->n, &waiting) == ERR_OK &&
	         store_base(NULL, y->store, space->n, &base) == ERR_OK &&
	         old_boxes_any(NULL, y, space, &boxes) == ERR_OK,
	     "a compaction cannot be looked at");
	world_say(p->w, "device %u in %s: round %llu, why not %d, %llu files wait, %zu removals, old boxes %d; votes:",
	          p->number, space->name, (unsigned long long)base.round, (int)wait, (unsigned long long)waiting,
	          m.removals, boxes);
	for (size_t i = 0; i < m.votes; i++)
		world_say(p->w, "  %02x%02x-%llu for round %llu %02x%02x", m.vote[i].at.author.b[0],
		          m.vote[i].at.author.b[1], (unsigned long long)m.vote[i].at.seq,
		          (unsigned long long)m.vote[i].round, m.vote[i].hash[0], m.vote[i].hash[1]);
	for (size_t i = 0; i < m.members.devices; i++) {
		const struct standing *s = &m.members.device[i];
		bool waited = false;

		must(device_is_waited_for(NULL, y, space, &m, s, &waited) == ERR_OK, "a device cannot be judged");
		world_say(p->w, "  device %02x%02x: %s%s", s->device.b[0], s->device.b[1],
		          standing_in(s) ? "in" : "out", waited ? ", waited for" : "");
	}
	membership_free(&m);
	vv_free(&base.at);
	vv_free(&upto);
}

const char *world_uncompacted(struct player *p, const struct space_row *space, char out[static 256])
{
	struct sync y = { p->app->store, p->app->zip, p->app->rng, p->app->clock };
	struct compaction_progress progress;
	struct erasure *list = NULL;
	size_t n = 0;
	size_t due = 0;

	must(erasures_list(NULL, &y, space, &list, &n) == ERR_OK &&
	         compaction_progress(NULL, &y, space, &progress) == ERR_OK,
	     "a compaction cannot be looked at");
	for (size_t i = 0; i < n; i++)
		due += list[i].state == ERASURE_DUE;
	free(list);
	if (due == 0 && (!progress.any || progress.active == 0))
		return NULL;
	if (p->w->trace)
		compaction_tell_me(p, &y, space);
	snprintf(out, 256, "device %u: in %s %zu erases are due, done on %zu devices, not on %zu", p->number,
	         space->name, due, progress.done, progress.active);
	return out;
}
