// SPDX-License-Identifier: EUPL-1.2
// Is everything as the model has it, and in the end the same for all who are still in?
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/must.h"
#include "sim/world_inside.h"
#include "sync/keys.h"

static void tell_difference(const struct buf *is, const struct buf *should)
{
	size_t at = 0;

	while (at < is->len && at < should->len && is->data[at] == should->data[at])
		at++;
	fprintf(stderr, "# the dumps (%zu and %zu bytes) differ from byte %zu on\n#   is:     ", is->len, should->len,
	        at);
	at = at < 24 ? 0 : at - 24;
	for (size_t i = at; i < at + 64 && i < is->len; i++)
		fprintf(stderr, "%02x", is->data[i]);
	fprintf(stderr, "\n#   should: ");
	for (size_t i = at; i < at + 64 && i < should->len; i++)
		fprintf(stderr, "%02x", should->data[i]);
	fprintf(stderr, "\n");
}

/* Batches that it keeps beside the line of a device that forked, and their edits: others may have applied those. */
static void beside_of(struct player *p, const struct space_row *space, size_t s, struct set *batches, struct set *edits)
{
	struct fork_row *list = NULL;
	size_t n = 0;

	must(store_fork_list(NULL, p->app->store, space->n, &list, &n) == ERR_OK, "forks cannot be listed");
	for (size_t i = 0; i < n; i++) {
		struct buf part = { 0 };
		struct buf body = { 0 };
		int b = 0;

		must(store_fork_parts(NULL, p->app->store, &list[i], &part, NULL) == ERR_OK &&
		         batch_peek(p->app->zip, buf_bytes(&part), &body) == ERR_OK,
		     "a batch of a fork cannot be read");
		b = model_batch_find(p->w->model, s, list[i].dev.b, list[i].seq, buf_bytes(&body));
		if (b >= 0)
			set_add(batches, (size_t)b);
		buf_free(&part);
		buf_free(&body);
	}
	model_edits_of(p->w->model, s, batches, edits);
	free(list);
}

static void check_dump(struct player *p, const struct space_row *space)
{
	size_t s = model_space(p->w->model, space->id.b);
	struct holding *h = world_holding(p, s);
	struct set batches = { 0 };
	struct set beside = { 0 };
	struct buf is = { 0 };
	struct buf should = { 0 };
	size_t twice = 0;

	beside_of(p, space, s, &batches, &beside);
	if (!model_closed(p->w->model, s, &h->has, &beside))
		must_fail("device %u holds an edit without its causes in %s", p->number, space->name);
	if (model_doubled(p->w->model, s, &h->has, &h->batches, h->cut, &twice)) {
		model_tell(p->w->model, s, twice);
		must_fail("device %u holds something twice in %s, under two names (S7)", p->number, space->name);
	}
	must(store_dump(NULL, p->app->store, space->n, &is) == ERR_OK, "a dump cannot be made");
	model_dump(p->w->model, s, &h->has, &h->batches, h->cut, &should);
	if (bytes_cmp(buf_bytes(&is), buf_bytes(&should)) != 0) {
		tell_difference(&is, &should);
		must_fail("device %u: %s is not what the model says (M1, M2)", p->number, space->name);
	}
	free(is.data);
	free(should.data);
}

/* The devices of a space, whose they are and whether they are in, are as the batches say. */
static void check_members(struct player *p, const struct space_row *space)
{
	sqlite3_stmt *st = world_prepare(
	    p, "SELECT d.state, o.id, d.member & 1099511627775 FROM device d "
	       "LEFT JOIN device o ON d.member <> 0 AND o.n = d.member >> 40 WHERE d.space = ?1 AND d.id = ?2");
	size_t s = model_space(p->w->model, space->id.b);
	struct model_devices should = { 0 };

	model_members(p->w->model, s, &world_holding(p, s)->batches, &should);
	for (size_t i = 0; i < should.n; i++) {
		const struct model_device *d = &should.d[i];
		const void *person = NULL;
		int state = 0;

		sqlite3_reset(st);
		sqlite3_bind_int64(st, 1, space->n);
		sqlite3_bind_blob(st, 2, d->id, 8, SQLITE_STATIC);
		if (sqlite3_step(st) != SQLITE_ROW)
			must_fail("device %u: a device of %s is missing", p->number, space->name);
		state = sqlite3_column_int(st, 0);
		if ((state == DEVICE_ACTIVE) != d->in || (!d->in && state != DEVICE_REMOVED))
			must_fail("device %u: a device of %s is %s, and has state %d", p->number, space->name,
			          d->in ? "in" : "out", state);
		person = sqlite3_column_blob(st, 1);
		if (d->person_counter != 0 && (person == NULL || memcmp(person, d->person, 8) != 0 ||
		                               (uint64_t)sqlite3_column_int64(st, 2) != d->person_counter))
			must_fail("device %u: a device of %s is somebody else's", p->number, space->name);
	}
	sqlite3_finalize(st);
	free(should.d);
}

/* S2: what is called sent was at the host. */
static void check_sent(struct player *p)
{
	sqlite3_stmt *st = world_prepare(p, "SELECT ref, name FROM outgoing WHERE state = 1");

	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(st, 1);

		if (!host_held(p->w->hosts, (const char *)sqlite3_column_text(st, 0), name))
			must_fail("device %u calls %s sent, and the host never had it (S2)", p->number, name);
	}
	sqlite3_finalize(st);
}

/* S4: what is set aside was forged, or asked with an invitation that had come to nothing, or answers one. */
static void check_aside(struct player *p)
{
	sqlite3_stmt *st = world_prepare(p, "SELECT what, why, file FROM set_aside");

	while (sqlite3_step(st) == SQLITE_ROW) {
		struct bytes file = world_column(st, 2);

		if (p->w->refusals && file.len > 5 && file.data[5] == FILE_JOIN_REQUEST)
			continue;
		/* whoever forged goes on under another name, and answers under that one in vain */
		if (p->w->forged && file.len > 5 && file.data[5] == FILE_JOIN_ANSWER)
			continue;
		/* so did two copies of one home, perhaps, before they knew of each other */
		if (p->w->copies && strcmp((const char *)sqlite3_column_text(st, 1),
		                           "A device sent two different batches with the same number.") == 0)
			continue;
		if (!p->w->forged || !host_forged(p->w->hosts, file))
			must_fail("device %u set aside what a device made: %s: %s", p->number,
			          (const char *)sqlite3_column_text(st, 0), (const char *)sqlite3_column_text(st, 1));
	}
	sqlite3_finalize(st);
}

void world_check(struct player *p)
{
	size_t n = 0;
	struct space_row *list = world_spaces(p, &n);

	p->w->checks++;
	for (size_t i = 0; i < n; i++) {
		if (list[i].state != SPACE_MEMBER)
			continue;
		if (world_is_in(p, &list[i]))
			check_dump(p, &list[i]);
		check_members(p, &list[i]);
	}
	check_sent(p);
	check_aside(p);
	free(list);
}

// ---- The end ----

/* Who is still in a space, by all that those know together. */
struct circle {
	size_t space;
	bool in[WORLD_DEVICES];
	struct set batches;
	struct set edits;
};

static void circle_of(struct world *w, size_t s, struct circle *out)
{
	bool again = true;
	struct space_row row[WORLD_DEVICES];

	*out = (struct circle){ .space = s };
	for (size_t i = 0; i < w->players; i++)
		out->in[i] = !world_given_up(&w->player[i]) && world_space_of(&w->player[i], s, &row[i]) &&
		             row[i].state == SPACE_MEMBER && !world_away(&w->player[i], &row[i]);
	while (again) {
		again = false;
		out->batches = (struct set){ 0 };
		out->edits = (struct set){ 0 };
		for (size_t i = 0; i < w->players; i++) {
			if (!out->in[i])
				continue;
			set_join(&out->batches, &world_holding(&w->player[i], s)->batches);
			set_join(&out->edits, &world_holding(&w->player[i], s)->has);
		}
		for (size_t i = 0; i < w->players; i++) {
			if (out->in[i] && !model_is_in(w->model, s, &out->batches, row[i].me.b)) {
				out->in[i] = false;
				again = true;
			}
		}
	}
}

void world_together(struct world *w, size_t s, struct set *batches)
{
	struct circle *c = must_calloc(1, sizeof(*c));

	circle_of(w, s, c);
	*batches = c->batches;
	free(c);
}

/* Is this the tag of a home that is out by all that those who are in know together? One may not have heard of it. */
static bool is_outside(struct world *w, const struct circle *c, struct tag tag)
{
	for (size_t i = 0; i < w->players; i++) {
		struct space_row row;

		if (!c->in[i] && world_space_of(&w->player[i], c->space, &row) &&
		    memcmp(row.my_tag.b, tag.b, TAG_LEN) == 0)
			return !model_is_in(w->model, c->space, &c->batches, row.me.b);
	}
	return false;
}

/* A batch by a device that is out, under an epoch that it began without this one: that may wait for good. */
static bool from_outside(struct player *p, const struct space_row *space, const struct circle *c, struct bytes file)
{
	struct sync y = { p->app->store, p->app->zip, p->app->rng, p->app->clock };
	struct device_row *list = NULL;
	struct file_header h;
	struct epoch_secret secret;
	size_t n = 0;
	bool out = false;

	if (file_header_get(file, &h) != ERR_OK ||
	    (h.type != FILE_BATCH && h.type != FILE_CARRY && h.type != FILE_SNAPSHOT) ||
	    epoch_key_load(NULL, &y, space->n, h.epoch, &secret) == ERR_OK)
		return false;
	must(store_device_list(NULL, p->app->store, space->n, &list, &n) == ERR_OK, "devices cannot be listed");
	for (size_t i = 0; i < n; i++)
		out = out || (list[i].state == DEVICE_REMOVED && memcmp(list[i].tag.b, h.device.b, TAG_LEN) == 0);
	free(list);
	return out || is_outside(p->w, c, h.device);
}

/* Is it a branch of an epoch that is closed here? What was written under that goes out again under another, and nobody
 * pushes the branch back (docs/SYNC.md). */
static bool is_over(struct player *p, const struct space_row *space, const char *ref)
{
	struct epoch_row *list = NULL;
	char branch[REF_MAX + 1];
	size_t n = 0;
	bool over = false;

	must(store_epoch_list(NULL, p->app->store, space->n, &list, &n) == ERR_OK, "epochs cannot be listed");
	for (size_t i = 0; i < n && !over; i++) {
		branch_name(space->tag, list[i].id, space->my_tag, branch);
		over = list[i].state == EPOCH_CLOSED && strncmp(branch, ref, strlen(branch) - TAG_TEXT_LEN + 1) == 0;
	}
	free(list);
	return over;
}

/* Of one space of a device that is in it. */
static bool short_in(struct player *p, const struct space_row *space, const struct circle *c, bool wholly,
                     char out[static 256])
{
	struct holding *h = world_holding(p, c->space);
	struct set batches = h->batches;
	struct set edits = { 0 };
	size_t here = 0;
	size_t all = set_size(&c->edits);
	uint64_t unsealed = 0;
	sqlite3_stmt *st = NULL;
	bool some = false;

	must(store_unsealed_count(NULL, p->app->store, space->n, &unsealed) == ERR_OK, "the store fails");
	beside_of(p, space, c->space, &batches, &edits);
	set_join(&edits, &h->has);
	for (size_t i = 0; i < MODEL_EDITS / 64; i++) { /* what is beside need not be held by anybody */
		edits.w[i] &= c->edits.w[i];
		batches.w[i] &= c->batches.w[i];
	}
	here = set_size(&edits);
	some = here != all || (wholly && set_size(&batches) != set_size(&c->batches)) ||
	       (unsealed > 0 && space->neighbourhood != 0);
	if (some)
		snprintf(out, 256, "device %u holds %zu of %zu edits of %s, %zu of %zu batches, %llu edits unsealed",
		         p->number, here, all, space->name, set_size(&batches), set_size(&c->batches),
		         (unsigned long long)unsealed);
	for (size_t i = 0; some && p->w->trace && i < model_batches(p->w->model, c->space); i++) {
		uint8_t dev[DEVICE_ID_LEN];
		uint64_t seq = model_batch_by(p->w->model, c->space, i, dev);

		if (set_has(&c->batches, i) && !set_has(&h->batches, i))
			world_say(p->w, "device %u lacks batch %zu: %02x%02x-%llu", p->number, i, dev[0], dev[1],
			          (unsigned long long)seq);
	}
	st = world_prepare(p, "SELECT w.name, a.what, hex(a.id), a.seq FROM awaits a JOIN waiting w ON w.n = a.file");
	while (some && p->w->trace && sqlite3_step(st) == SQLITE_ROW)
		world_say(p->w, "device %u lets %s wait for %d %s %d", p->number,
		          (const char *)sqlite3_column_text(st, 0), sqlite3_column_int(st, 1),
		          (const char *)sqlite3_column_text(st, 2), sqlite3_column_int(st, 3));
	sqlite3_finalize(st);
	st = world_prepare(p, "SELECT ref, name, state FROM outgoing WHERE space = ?1");
	sqlite3_bind_int64(st, 1, space->n);
	while (!some && space->neighbourhood != 0 && sqlite3_step(st) == SQLITE_ROW) {
		const char *ref = (const char *)sqlite3_column_text(st, 0);
		const char *name = (const char *)sqlite3_column_text(st, 1);
		bool sent = sqlite3_column_int(st, 2) == 1;

		some = !sent || (!host_holds(p->w->hosts, ref, name) && !is_over(p, space, ref));
		snprintf(out, 256,
		         sent ? "what device %u sent, %s, is no longer at the host (S5)" : "device %u has not sent %s",
		         p->number, name);
	}
	sqlite3_finalize(st);
	st = world_prepare(p, "SELECT name, file FROM waiting WHERE space = ?1");
	sqlite3_bind_int64(st, 1, space->n);
	while (!some && sqlite3_step(st) == SQLITE_ROW) {
		some =
		    !host_forged(p->w->hosts, world_column(st, 1)) && !from_outside(p, space, c, world_column(st, 1));
		snprintf(out, 256, "device %u lets %s wait", p->number, (const char *)sqlite3_column_text(st, 0));
	}
	sqlite3_finalize(st);
	return some;
}

/* How a device falls short of the end, as a sentence; NULL: it does not. Where it was removed, nothing is asked of it.
 */
static const char *shortfall(struct player *p, bool wholly, char out[static 256])
{
	size_t n = 0;
	struct space_row *list = world_spaces(p, &n);
	struct circle *c = must_calloc(1, sizeof(*c));
	bool some = false;

	for (size_t i = 0; i < n && !some && !world_given_up(p); i++) {
		if (list[i].state != SPACE_MEMBER)
			continue;
		circle_of(p->w, model_space(p->w->model, list[i].id.b), c);
		some = c->in[p->number] && short_in(p, &list[i], c, wholly, out);
	}
	free(c);
	free(list);
	return some ? out : NULL;
}

bool world_is_settled(struct world *w, bool wholly)
{
	char text[256];

	for (size_t i = 0; i < w->players; i++) {
		if (shortfall(&w->player[i], wholly, text) != NULL)
			return false;
	}
	return true;
}

void world_settled(struct world *w)
{
	char text[256];

	for (size_t i = 0; i < w->players; i++) {
		if (shortfall(&w->player[i], true, text) != NULL)
			must_fail("%s", text);
		if (w->player[i].from_sheet != NULL && !world_given_up(&w->player[i]))
			world_came_back(&w->player[i]);
		if (!world_given_up(&w->player[i]))
			world_check(&w->player[i]);
	}
	world_secrets(w);
}
