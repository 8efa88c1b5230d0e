// SPDX-License-Identifier: EUPL-1.2
// verify --repair (V5): a new vault is made beside the damaged one, out of everything that can still be read and what
// can be fetched again, and takes its place whole. Until that moment nothing is changed; the damaged files are kept.
#include "app/courier_job.h"
#include "app/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/fetch_again.h"
#include "app/verify_parts.h"
#include "app/within.h"
#include "base/file.h"
#include "base/tree.h"
#include "batch/batch.h"
#include "crypto/secret.h"
#include "store/salvage.h"
#include "store/store.h"
#include "sync/rebuild.h"
#include "vault/keyfile.h"
#include "vault/pages.h"
#include "vault/swap.h"
#include "vault/vault.h"

struct repair {
	struct errctx *ec;
	struct app *app;
	const uint8_t *master;
	struct repair_view *view;
	struct vault_pages *pages; /* of the damaged vault; holds its lock */
	struct salvage old;
	struct vault *vault; /* the new one */
	struct store *store;
	struct received received;
	struct rebuilt rebuilt;
	struct shown_files shown;
	bool asked; /* every repository was, and answered to the end */
};

static struct sync sync_of(struct repair *r)
{
	return (struct sync){ .store = r->store, .zip = r->app->zip, .rng = r->app->rng, .clock = r->app->clock };
}

/* ---- Fetching ---- */

/* Could the newest batches of this device be among what is lost without a trace? */
static bool uncertain(const struct pages_report *p)
{
	return p->log_cut || p->mark_missing || p->bad_pages > 1;
}

static enum err fetch_one(struct repair *r, const struct space_row *neighbourhood, const char *remote, bool cache,
                          bool *whole, char why[static 240])
{
	struct sync y = sync_of(r);
	struct fetch_again f = { .y = &y,
		                 .neighbourhood = neighbourhood->n,
		                 .remote = remote,
		                 .received = &r->received,
		                 .shown = cache ? NULL : &r->shown };
	uint64_t before = r->received.batches;
	enum err e = fetch_again(r->ec, r->app, &f);

	r->view->fetched += r->received.batches - before;
	*whole = f.whole;
	snprintf(why, 240, "%s", f.why);
	return e;
}

static enum err unreachable(struct repair *r, const struct space_row *s, uint64_t missing, const char *why)
{
	char n[24];

	snprintf(n, sizeof(n), "%" PRIu64, missing);
	if (missing == 0)
		return err_set(r->ec, ERR_LATER,
		               "Only the repository of %1 can tell whether something misses, and it cannot be reached: "
		               "%2 Nothing was changed. Try again when it is there.",
		               s->name, why, NULL);
	return err_set(r->ec, ERR_LATER,
	               "What misses here must be fetched from the repository of %1, and it cannot be reached: %2 "
	               "Missing: %3. Nothing was changed. Try again when it is there.",
	               s->name, why, n);
}

/* What the courier keeps here first; then the repository itself, if that does not do. */
static enum err fetch_neighbourhood(struct repair *r, const struct space_row *s)
{
	struct sync y = sync_of(r);
	char why[240] = "";
	char *cache = NULL;
	bool whole = false;
	uint64_t missing = 0;
	enum err e = courier_cache_of(r->ec, r->app, s->n, &cache);

	if (e == ERR_OK && file_exists(cache))
		e = fetch_one(r, s, cache, true, &whole, why);
	if (e == ERR_OK)
		e = rebuild_gaps(r->ec, &y, &r->old, &missing);
	free(cache);
	if (e != ERR_OK || (whole && missing == 0)) {
		r->asked = false;
		return e;
	}
	e = fetch_one(r, s, s->remote, false, &whole, why);
	if (e == ERR_OK && !whole)
		e = rebuild_gaps(r->ec, &y, &r->old, &missing);
	return e == ERR_OK && !whole ? unreachable(r, s, missing, why) : e;
}

static enum err fetch_all(struct repair *r)
{
	struct sync y = sync_of(r);
	struct space_row *list = NULL;
	uint64_t missing = 0;
	size_t n = 0;
	enum err e = rebuild_gaps(r->ec, &y, &r->old, &missing);

	r->asked = false;
	if (e != ERR_OK || (missing == 0 && !uncertain(&r->old.report)))
		return e;
	r->asked = true;
	e = store_space_list(r->ec, r->store, &list, &n);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		if (list[i].kind == SPACE_NEIGHBOURHOOD && list[i].remote[0] != '\0')
			e = fetch_neighbourhood(r, &list[i]);
	}
	free(list);
	return e;
}

/* ---- The new vault ---- */

static enum err built_check(struct repair *r)
{
	struct app whole = *r->app;
	struct verify_view v = { 0 };
	enum err e = vault_checkpoint(r->vault, r->ec, true);

	whole.vault = r->vault;
	whole.store = r->store;
	if (e == ERR_OK)
		e = app_verify(r->ec, &whole, &v);
	r->view->records_again = v.records;
	return e;
}

static enum err build(struct repair *r, const char *side)
{
	struct sync y = { 0 };
	enum err e = vault_open(r->ec, side, r->master, VAULT_CREATE, r->app->rng, &r->vault);

	if (e == ERR_OK)
		e = store_open(r->ec, r->vault, &r->store);
	y = sync_of(r);
	r->received.rebuilding = true;
	if (e == ERR_OK)
		e = rebuild_begin(r->ec, &y, &r->old);
	if (e == ERR_OK)
		e = rebuild_local(r->ec, &y, &r->old, &r->received, &r->rebuilt);
	if (e == ERR_OK)
		e = fetch_all(r);
	if (e == ERR_OK)
		e = rebuild_end(r->ec, &y, &r->old, r->asked ? &r->shown : NULL, &r->rebuilt);
	if (e == ERR_OK)
		e = built_check(r);
	store_close(r->store);
	vault_close(r->vault);
	r->store = NULL;
	r->vault = NULL;
	return e;
}

/* ---- The damaged files are kept ---- */

static enum err copy_file(struct errctx *ec, const char *from, const char *to)
{
	uint8_t block[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t n = 0;
	enum err e = in < 0 || out < 0 ? err_errno(ec, errno, in < 0 ? from : to) : ERR_OK;

	while (e == ERR_OK && (n = read(in, block, sizeof(block))) > 0)
		e = file_write_fd(ec, out, to, block, (size_t)n);
	if (e == ERR_OK && (n < 0 || fsync(out) != 0))
		e = err_errno(ec, errno, to);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return e;
}

/* A second name for the same file where the file system has such a thing. */
static enum err keep_file(struct errctx *ec, const char *home, const char *folder, const char *name)
{
	char *from = file_join(home, name);
	char *to = file_join(folder, name);
	enum err e = from == NULL || to == NULL ? ERR_NO_MEMORY : ERR_OK;

	if (e == ERR_OK && file_exists(from) && link(from, to) != 0)
		e = copy_file(ec, from, to);
	free(from);
	free(to);
	return e;
}

static enum err keep_damaged(struct repair *r)
{
	static const char *const names[] = { "vault.db", "vault.db-wal", "vault.mark" };
	time_t t = (time_t)(app_now_ms(r->app) / 1000);
	struct tm tm;
	char day[16];
	char *folder = NULL;
	enum err e = ERR_OK;

	gmtime_r(&t, &tm);
	strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	for (unsigned i = 1; folder == NULL || file_exists(folder); i++) {
		free(folder);
		if (i == 1)
			snprintf(r->view->kept, sizeof(r->view->kept), "damaged-%s", day);
		else
			snprintf(r->view->kept, sizeof(r->view->kept), "damaged-%s-%u", day, i);
		folder = file_join(r->app->home, r->view->kept);
		if (folder == NULL)
			return ERR_NO_MEMORY;
	}
	e = file_make_dir(r->ec, folder);
	for (size_t i = 0; e == ERR_OK && i < sizeof(names) / sizeof(names[0]); i++)
		e = keep_file(r->ec, r->app->home, folder, names[i]);
	if (e == ERR_OK)
		e = file_sync_parent(r->ec, folder);
	if (e != ERR_OK) {
		(void)!tree_remove(NULL, folder);
		r->view->kept[0] = '\0';
	}
	free(folder);
	return e;
}

static void drop_kept(struct repair *r)
{
	char *folder = r->view->kept[0] == '\0' ? NULL : file_join(r->app->home, r->view->kept);

	if (folder != NULL)
		(void)!tree_remove(NULL, folder);
	free(folder);
	r->view->kept[0] = '\0';
}

/* ---- One after the other ---- */

static void count_up(struct repair *r)
{
	struct repair_view *v = r->view;

	v->edits_kept = r->rebuilt.edits;
	v->edits_restored = r->rebuilt.restored;
	v->edits_lost = r->rebuilt.lost_edits;
	v->batches_lost = r->rebuilt.lost_batches;
	v->found.pages = r->old.report.pages;
	v->found.bad_pages = r->old.report.bad_pages + r->old.report.bad_frames;
	v->found.frames = r->old.report.frames;
	v->found.replaced = r->old.report.sum_known && !r->old.report.sum_matches && r->old.report.bad_pages == 0;
	if (v->found.edits == 0)
		v->found.edits = r->old.edit.n;
}

/* From the damaged vault, closed, to a whole one in its place. */
static enum err renew(struct repair *r)
{
	char *side = NULL;
	enum err e = vault_pages_open(r->ec, r->app->home, r->master, r->app->rng, &r->pages);

	if (e == ERR_OK)
		e = salvage_read(r->ec, r->pages, &r->old);
	if (e == ERR_OK)
		e = swap_begin(r->ec, r->app->home, &side);
	if (e == ERR_OK)
		e = build(r, side);
	if (e == ERR_OK)
		e = keep_damaged(r);
	if (e == ERR_OK)
		e = swap_ready(r->ec, r->app->home);
	if (e != ERR_OK && side != NULL) {
		swap_give_up(r->app->home);
		drop_kept(r);
	}
	count_up(r);
	vault_pages_close(r->pages);
	salvage_free(&r->old);
	free(r->shown.file);
	free(side);
	return e;
}

/* Nothing is damaged, and only what is kept apart about the vault was lost. */
static bool only_the_mark(const struct app *app, const struct verify_view *v)
{
	return vault_notice(app->vault).mark_missing && v->bad_pages == 0 && v->bad_edits == 0 && v->log_whole &&
	       !v->replaced;
}

static bool pages_sound(const struct pages_report *p)
{
	return p->bad_pages == 0 && p->bad_frames == 0 && !p->log_cut && (p->sum_matches || !p->sum_known);
}

/* Looks at a closed home before SQLite does: that would go on writing after an older page that was put back. */
static enum err look_closed(struct errctx *ec, struct app *app, const uint8_t master[static 32])
{
	struct vault_pages *pages = NULL;
	struct pages_report report = { 0 };
	enum err e = vault_pages_open(ec, app->home, master, app->rng, &pages);

	if (e == ERR_OK)
		e = vault_pages_report(pages, &report);
	vault_pages_close(pages);
	return e == ERR_OK && !pages_sound(&report) ? ERR_DAMAGED : e;
}

/* All pages and the log are whole: only what is derived from it is not. */
static bool only_derived(const struct app *app, const struct verify_view *v)
{
	return !vault_notice(app->vault).mark_missing && v->bad_pages == 0 && !v->replaced && v->bad_edits == 0 &&
	       v->sum_known;
}

static enum err mend(struct errctx *ec, struct app *app, struct repair_view *out)
{
	struct verify_view now = { 0 };
	enum err e = store_begin(ec, app->store);

	if (e != ERR_OK)
		return e;
	e = verify_records(ec, app, true, &now);
	if (e == ERR_OK)
		e = store_project_again(ec, app->store);
	e = within_end(ec, app, e);
	out->records_again = now.bad_records;
	free(app->watch);
	app->watch = NULL;
	return e == ERR_OK ? app_verify(ec, app, &now) : e;
}

/* What is wrong; ERR_OK: nothing. Only damage goes on to be repaired. */
static enum err look(struct errctx *ec, struct app *app, const uint8_t master[static 32], struct verify_view *out)
{
	struct errctx said = { 0 };
	enum err e = ERR_OK;

	if (app->vault == NULL) {
		e = look_closed(&said, app, master);
		if (e == ERR_OK)
			e = app_vault_reopen(&said, app, master);
	}
	if (e == ERR_OK)
		e = app_verify(&said, app, out);
	if (e != ERR_OK && e != ERR_DAMAGED && ec != NULL && ec->code == ERR_OK)
		*ec = said;
	return e;
}

enum err app_repair(struct errctx *ec, struct app *app, const uint8_t master[static 32], struct repair_view *out)
{
	struct repair r = { .ec = ec, .app = app, .master = master, .view = out };
	enum err e = ERR_OK;

	*out = (struct repair_view){ 0 };
	e = look(ec, app, master, &out->found);
	if (e != ERR_DAMAGED)
		return e;
	out->needed = true;
	if (app->vault != NULL && only_the_mark(app, &out->found)) {
		e = vault_accept(app->vault, ec);
		free(app->watch);
		app->watch = NULL;
		out->repaired = e == ERR_OK;
		return e;
	}
	if (app->vault != NULL && only_derived(app, &out->found) && mend(NULL, app, out) == ERR_OK) {
		out->repaired = true;
		return ERR_OK;
	}
	app_vault_close(app);
	e = renew(&r);
	if (e == ERR_OK) {
		e = app_vault_reopen(ec, app, master);
		out->repaired = e == ERR_OK;
	} else {
		(void)!app_vault_reopen(NULL, app, master);
	}
	return e;
}

enum err app_repair_unlock(struct errctx *ec, struct app *app, struct bytes passphrase, struct repair_view *out)
{
	uint8_t *master = secret_new(MASTER_KEY_LEN);
	char *keys = file_join(app->home, "keys");
	enum err e = master == NULL || keys == NULL ? ERR_NO_MEMORY : ERR_OK;

	*out = (struct repair_view){ 0 };
	if (e == ERR_OK)
		e = keyfile_unlock(ec, keys, passphrase, master);
	if (e == ERR_OK)
		e = app_repair(ec, app, master, out);
	secret_free(master);
	free(keys);
	return e;
}
