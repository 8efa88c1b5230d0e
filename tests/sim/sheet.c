// SPDX-License-Identifier: EUPL-1.2
// Recovery sheets: a home makes one, is lost, and comes back as another from its words and the repository alone (V4).
#include <string.h>

#include "app/comeback.h"
#include "sim/act.h"
#include "sim/must.h"
#include "sim/world_inside.h"
#include "sync/keys.h"
#include "sync/paper.h"

bool act_sheet(struct player *p)
{
	struct sync y = { p->app->store, p->app->zip, p->app->rng, p->app->clock };
	struct errctx ec = { 0 };
	struct paper *paper = NULL;
	enum err e = ERR_OK;

	if (p->has_sheet || p->twin || p->busy)
		return false;
	rng_fill(p->app->rng, p->sheet, sizeof(p->sheet));
	paper = paper_make(p->sheet, 1, 20000);
	must(paper != NULL, "out of memory");
	p->busy = true;
	world_say(p->w, "device %u makes a recovery sheet", p->number);
	e = store_begin(&ec, p->app->store);
	if (e == ERR_OK)
		e = paper_put(&ec, &y, paper);
	if (e == ERR_OK)
		e = store_commit(&ec, p->app->store);
	else
		store_rollback(p->app->store);
	paper_free(paper);
	p->has_sheet = act_end(p, e) == ERR_OK;
	return p->has_sheet;
}

static void words_put(const uint8_t *secret, struct buf *out)
{
	struct sheet_words w;

	sheet_words_put(secret, &w);
	for (int i = 0; i < SHEET_WORDS; i++)
		must(buf_put(out, w.word[i], WORD_LEN) == ERR_OK && buf_put(out, " ", 1) == ERR_OK, "out of memory");
}

bool act_comeback(struct player *lost, struct player *p, const char *remote)
{
	struct world *w = lost->w;
	struct app_options o = { .clock = NULL };
	struct errctx ec = { 0 };
	struct comeback *c = NULL;
	struct comeback_view v = { 0 };
	struct buf words = { 0 };
	enum err e = ERR_OK;

	p->twin =
	    true; /* it is looked at more often: it goes on as the sheet, and then as somebody fresh, in one call */
	o = (struct app_options){ .home = p->home, .courier = p->courier, .clock = &p->clock, .rng = &p->rng };
	words_put(lost->sheet, &words);
	p->busy = true;
	e = comeback_fetch(&ec, &o, buf_bytes(&words), remote, &c);
	world_say(w, "device %u is lost; device %u looks for its sheet: %d", lost->number, p->number, (int)e);
	if (e == ERR_OK) {
		if (!lost->lost)
			world_lose(lost);
		p->from_sheet = lost;
		e = comeback_into(&ec, p->app, c, &v);
		world_say(w, "  it comes back with %zu spaces: %d", v.count, (int)e);
	}
	if ((e == ERR_DAMAGED || e == ERR_NO_MEMORY) && !disk_dead(p->disk) && !w->forged)
		must_fail("device %u cannot come back from its sheet: error %d", p->number, (int)e);
	comeback_view_free(&v);
	comeback_free(c);
	buf_free(&words);
	return act_end(p, e) == ERR_OK;
}

/* Did it call this file sent? */
static bool called_sent(struct player *p, const char *name)
{
	sqlite3_stmt *st = world_prepare(p, "SELECT 1 FROM outgoing WHERE state = 1 AND name = ?1");
	bool sent = false;

	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	sent = sqlite3_step(st) == SQLITE_ROW;
	sqlite3_finalize(st);
	return sent;
}

void world_came_back(struct player *p)
{
	struct player *lost = p->from_sheet;

	for (size_t i = 0; i < lost->holds; i++) {
		const struct holding *h = &lost->hold[i];
		struct space_row there;
		struct space_row space;

		if (!world_space_of(p, h->space, &space) || space.state != SPACE_MEMBER ||
		    !world_space_of(lost, h->space, &there) || !world_is_in(p, &space) ||
		    !model_is_in(p->w->model, h->space, world_batches(p, h->space), there.me.b))
			continue;
		for (size_t k = 0; k < p->w->files; k++) {
			const struct sealed_file *f = &p->w->file[k];

			if (f->player == lost->number && f->space == h->space && called_sent(lost, f->name) &&
			    !set_has(world_batches(p, h->space), f->batch))
				must_fail("device %u lost %s, which device %u had sent (V4)", p->number, f->name,
				          lost->number);
		}
	}
}
