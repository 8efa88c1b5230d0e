// SPDX-License-Identifier: EUPL-1.2
// One sync: seal what is one's own, let the courier fetch and push, take in what came, mark as sent what the remote
// was seen to hold (S2). Every step is a transaction; killed anywhere and run again it ends the same (S3).
#include "app/syncing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/again.h"
#include "app/compact.h"
#include "app/courier_job.h"
#include "app/courier_run.h"
#include "app/fetch_again.h"
#include "app/lies.h"
#include "app/moving.h"
#include "app/old_branches.h"
#include "app/standing.h"
#include "app/sync_of.h"
#include "app/tally.h"
#include "app/watch.h"
#include "app/within.h"
#include "base/codec.h"
#include "base/file.h"
#include "base/tr.h"
#include "base/tree.h"
#include "batch/batch.h"
#include "store/store.h"
#include "sync/bundled.h"
#include "sync/closing.h"
#include "sync/inbox.h"
#include "sync/join.h"
#include "sync/outbox.h"
#include "sync/paper.h"
#include "sync/rebox.h"

#define ROUNDS 4

struct round {
	struct errctx *ec;
	struct app *app;
	struct sync sync;
	struct sync_view *view;
	struct received received;
	int64_t neighbourhood;
	enum grade worst;
	bool stuck;        /* the host holds what a copy of this device may have made, and that cannot be told */
	bool damaged;      /* the courier found something that does not fit: perhaps its own cache */
	struct lies *lies; /* branches on which the host is not as it was */
	char held_up[REF_MAX + 1]; /* a branch of which a file found no room: its tip is not noted, so it comes again */
	struct file_row *out;      /* what was handed over */
	size_t out_count;
	bool *confirmed; /* of each: the remote was seen to hold it, which is noted with the tip that it stands under */
	/* what came and is to be taken in at once; owned */
	struct gathered {
		char ref[REF_MAX + 1];
		char name[FILE_NAME_MAX + 1];
		char *path;
		struct buf file;
	} * came;
	size_t came_count;
	size_t came_bytes;
};

/* --- before --- */

static enum err seal_all(struct errctx *ec, struct app *app, int64_t neighbourhood)
{
	struct sync y = sync_of(app);
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_begin(ec, app->store);

	if (e != ERR_OK)
		return e;
	e = invites_tend(ec, &y);
	if (e == ERR_OK)
		e = store_space_list(ec, app->store, &list, &n);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		size_t closed = 0;
		bool away = false;

		if (list[i].neighbourhood != neighbourhood || list[i].state != SPACE_MEMBER)
			continue;
		e = again_away(ec, app->store, list[i].n, &away);
		if (e == ERR_OK && !away)
			e = compact_before_seal(ec, &y, &list[i]);
		if (e == ERR_OK && !away)
			e = epochs_tend(ec, &y, &list[i], &closed);
		if (e == ERR_OK && !away)
			e = paper_tend(ec, &y, &list[i]);
		if (e == ERR_OK && !away)
			e = outbox_seal(ec, &y, &list[i]);
	}
	free(list);
	e = within_end(ec, app, e);
	return e == ERR_OK ? store_forget(ec, app->store) : e; /* of keys that were destroyed nothing stays */
}

/* For this run of the courier alone: what was sealed stays in the vault until it was seen at the remote, and is spooled
 * anew by the next sync. So nothing here needs to be durable. */
static enum err spool_put(struct errctx *ec, const char *dir, const struct file_row *f, char **path)
{
	char name[FILE_NAME_MAX + 24];
	enum err e = ERR_OK;
	int fd = -1;

	snprintf(name, sizeof(name), "%lld-%s", (long long)f->n, f->name);
	*path = file_join(dir, name);
	if (*path == NULL)
		return ERR_NO_MEMORY;
	fd = open(*path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(ec, errno, *path);
	e = file_write_fd(ec, fd, *path, f->file.data, f->file.len);
	if (close(fd) != 0 && e == ERR_OK)
		e = err_errno(ec, errno, *path);
	return e;
}

/* Is this branch one that only this device writes? */
static bool ref_is_own(struct app *app, const char *ref)
{
	struct space_row *list = NULL;
	struct buf mailbox = { 0 };
	char tag[TAG_TEXT_LEN];
	char tail[TAG_TEXT_LEN + 2];
	size_t len = strlen(ref);
	bool own = false;
	size_t n = 0;

	if (store_space_list(NULL, app->store, &list, &n) != ERR_OK)
		return false;
	for (size_t i = 0; i < n && !own; i++) {
		struct tag box;

		tag_text(list[i].my_tag, tag);
		snprintf(tail, sizeof(tail), "/%s", tag);
		own = len > strlen(tail) && strcmp(ref + len - strlen(tail), tail) == 0;
		buf_reset(&mailbox);
		if (!own && store_kept_get(NULL, app->store, list[i].n, "mailbox", &mailbox) == ERR_OK &&
		    mailbox.len == TAG_LEN) {
			memcpy(box.b, mailbox.data, TAG_LEN);
			tag_text(box, tag);
			own = strncmp(ref, "refs/heads/join/", 16) == 0 && strcmp(ref + 16, tag) == 0;
		}
	}
	buf_free(&mailbox);
	free(list);
	return own;
}

/* What was sealed before a backup was made stays here until this home is let in again, and goes then if nobody had it
 * (S7); letters alone go out meanwhile. */
static enum err is_held(struct round *r, const struct file_row *f, bool *held)
{
	*held = false;
	return strncmp(f->ref, "refs/heads/join/", 16) == 0 ? ERR_OK : again_away(r->ec, r->app->store, f->space, held);
}

static enum err job_puts(struct round *r, int64_t neighbourhood, const char *dir, struct job *job)
{
	enum err e = store_outgoing_list(r->ec, r->app->store, &r->out, &r->out_count);

	r->confirmed = calloc(r->out_count + 1, sizeof(*r->confirmed));
	if (e == ERR_OK && r->confirmed == NULL)
		e = ERR_NO_MEMORY;
	for (size_t i = 0; e == ERR_OK && i < r->out_count; i++) {
		struct space_row space;
		char *path = NULL;
		bool held = false;

		e = store_space_get(r->ec, r->app->store, r->out[i].space, &space);
		if (e == ERR_OK)
			e = is_held(r, &r->out[i], &held);
		if (e != ERR_OK || held || space.neighbourhood != neighbourhood)
			continue;
		e = spool_put(r->ec, dir, &r->out[i], &path);
		if (e == ERR_OK)
			e = job_add(r->ec, job, JOB_PUT, r->out[i].ref, r->out[i].name, path);
		free(path);
	}
	return e;
}

/* --- while the courier works --- */

/* One by one: whatever is to be said of a branch is said of the file it was about. */
static enum err take_one(struct round *r, const struct inbox_item *item)
{
	const struct report_line line = { .kind = REPORT_FILE, .field = { item->ref, "", item->name } };
	struct received before = r->received;
	enum err e = ERR_OK;

	lies_watch(r->lies, &line, &r->received);
	e = inbox_file(r->ec, &r->sync, item->ref, item->name, item->file, &r->received);
	if (e == ERR_OK)
		e = lies_file(r->lies, item, &before, &r->received);
	if (r->received.refused > before.refused)
		snprintf(r->held_up, sizeof(r->held_up), "%s", item->ref);
	return e;
}

/* Several at once, on branches of which nothing is to be said: all of them were of use. */
static enum err take_many(struct round *r, const struct inbox_item *items, size_t n, size_t *taken)
{
	enum err e = inbox_files(r->ec, &r->sync, items, n, &r->received, taken);

	r->received.useless = r->received.waits = false;
	for (size_t i = 0; e == ERR_OK && i < *taken; i++)
		e = lies_file(r->lies, &items[i], &r->received, &r->received);
	return e;
}

static void came_clear(struct round *r)
{
	for (size_t i = 0; i < r->came_count; i++) {
		buf_free(&r->came[i].file);
		free(r->came[i].path);
	}
	r->came_count = 0;
	r->came_bytes = 0;
}

/* Takes in what was gathered: before anything that a branch's tip, or the end of the report, tells. */
static enum err came_take(struct round *r)
{
	struct inbox_item items[INBOX_GROUP];
	size_t at = 0;
	enum err e = ERR_OK;

	for (size_t i = 0; i < r->came_count; i++)
		items[i] = (struct inbox_item){ r->came[i].ref, r->came[i].name, buf_bytes(&r->came[i].file) };
	while (e == ERR_OK && at < r->came_count) {
		size_t taken = 0;

		if (r->came_count - at > 1)
			e = take_many(r, items + at, r->came_count - at, &taken);
		if (e == ERR_OK && taken == 0) {
			e = take_one(r, &items[at]);
			taken = 1;
		}
		at += taken;
	}
	for (size_t i = 0; e == ERR_OK && i < r->came_count; i++)
		unlink(r->came[i].path);
	came_clear(r);
	return e;
}

static enum err on_file(struct round *r, const struct report_line *line)
{
	struct gathered *g = NULL;
	bool alone = lies_knows(r->lies, line->field[0]);
	enum err e = ERR_OK;

	if (strlen(line->field[0]) > REF_MAX || strlen(line->field[2]) > FILE_NAME_MAX) {
		unlink(line->field[3]); /* nothing of ours has such a name */
		return ERR_OK;
	}
	if (alone)
		e = came_take(r);
	if (e == ERR_OK && r->came == NULL) {
		r->came = calloc(INBOX_GROUP, sizeof(*r->came));
		e = r->came == NULL ? ERR_NO_MEMORY : ERR_OK;
	}
	if (e != ERR_OK)
		return e;
	g = &r->came[r->came_count];
	*g = (struct gathered){ .path = strdup(line->field[3]) };
	snprintf(g->ref, sizeof(g->ref), "%s", line->field[0]);
	snprintf(g->name, sizeof(g->name), "%s", line->field[2]);
	r->came_count++;
	e = g->path == NULL ? ERR_NO_MEMORY : file_read(r->ec, line->field[3], FILE_MAX, &g->file);
	r->came_bytes += g->file.len;
	if (e == ERR_OK && (alone || r->came_count == INBOX_GROUP || r->came_bytes >= INBOX_GROUP_BYTES))
		e = came_take(r);
	return e;
}

/* In the transaction that is open: what the remote was seen to hold of this branch (S2). */
static enum err sent_note(struct round *r, const char *ref)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < r->out_count; i++) {
		if (!r->confirmed[i] || strcmp(r->out[i].ref, ref) != 0)
			continue;
		e = store_outgoing_sent(r->ec, r->app->store, r->out[i].ref, r->out[i].name);
		r->view->sent += e == ERR_OK ? r->out[i].edits : 0;
		r->confirmed[i] = false;
	}
	return e;
}

static enum err on_tip(struct round *r, const struct report_line *line)
{
	bool noted = true;
	enum err e = ERR_OK;

	if (strlen(line->field[0]) > REF_MAX)
		return ERR_OK; /* nothing of ours has such a name */
	/* Noting it would make the next batch follow on somebody else's (S5, S7). */
	noted = strcmp(line->field[0], r->held_up) != 0 && lies_tip(r->lies, line);
	e = store_begin(r->ec, r->app->store);
	if (e != ERR_OK)
		return e;
	/* in one: a file that is called sent, under no tip, would be missed by nobody if the branch went */
	e = sent_note(r, line->field[0]);
	if (e == ERR_OK && noted)
		e = store_branch_put(r->ec, r->app->store, r->neighbourhood, line->field[0], line->field[1]);
	if (e == ERR_OK && noted)
		e = lies_adopt(r->ec, r->lies, line);
	if (e == ERR_OK && noted)
		e = noticed_moved(r->ec, r->app, r->neighbourhood, line->field[0]);
	return within_end(r->ec, r->app, e);
}

static void on_sent(struct round *r, const struct report_line *line)
{
	for (size_t i = 0; i < r->out_count; i++)
		if (strcmp(r->out[i].ref, line->field[0]) == 0 && strcmp(r->out[i].name, line->field[1]) == 0)
			r->confirmed[i] = true;
}

static void note(char *out, size_t size, const char *text)
{
	if (out[0] == '\0')
		snprintf(out, size, "%s", text);
}

/* A branch of an epoch that is closed here is missed by nobody. */
static bool is_past(struct round *r, const char *ref)
{
	struct old_branches old = { 0 };
	bool past =
	    old_branches_load(NULL, r->app, r->neighbourhood, &old) == ERR_OK && old_branches_find(&old, ref) != NULL;

	old_branches_free(&old);
	return past;
}

static enum err on_dropped(struct round *r, const char *ref)
{
	enum err e = store_begin(r->ec, r->app->store);

	if (e != ERR_OK)
		return e;
	e = store_branch_delete(r->ec, r->app->store, r->neighbourhood, ref);
	return within_end(r->ec, r->app, e);
}

static enum err on_line(void *arg, const struct report_line *line)
{
	struct round *r = arg;
	struct sync_view *v = r->view;
	enum grade g = GRADE_NONE;

	if (line->kind != REPORT_FILE) {
		enum err e = came_take(r);

		if (e != ERR_OK)
			return e;
	}
	switch (line->kind) {
	case REPORT_FILE:
		return on_file(r, line);
	case REPORT_TIP:
		return on_tip(r, line);
	case REPORT_SENT:
		on_sent(r, line);
		return ERR_OK;
	case REPORT_DROPPED:
		return on_dropped(r, line->field[0]);
	case REPORT_GONE:
	case REPORT_REWOUND:
		if (is_past(r, line->field[0])) /* missed by nobody */
			return line->kind == REPORT_GONE ? on_dropped(r, line->field[0]) : ERR_OK;
		return lies_line(r->ec, r->lies, line, v);
	case REPORT_FAIL:
		g = grade_parse(line->field[0]);
		r->worst = g > r->worst ? g : r->worst;
		r->damaged = r->damaged || strcmp(line->field[1], "damaged") == 0;
		note(v->why, sizeof(v->why), line->field[2]);
		return ERR_OK;
	default:
		return lies_line(r->ec, r->lies, line, v);
	}
}

/* Each neighbourhood has a cache of its own: nothing of one may ever reach the repository of another. */
static enum err job_start(struct errctx *ec, struct app *app, int64_t neighbourhood, const char *remote,
                          struct job *job, char **in)
{
	char *repo = NULL;
	enum err e = courier_cache_of(ec, app, neighbourhood, &repo);

	if (e == ERR_OK)
		e = courier_spool(ec, app, "in", in);
	if (e == ERR_OK)
		e = job_add(ec, job, JOB_REPO, repo, NULL, NULL);
	if (e == ERR_OK)
		e = courier_remote(ec, app, remote, job);
	if (e == ERR_OK)
		e = job_add(ec, job, JOB_IN, *in, NULL, NULL);
	free(repo);
	return e;
}

/* One run of the courier, with what it brings taken in as it comes. */
static enum err one_round(struct round *r, const struct space_row *neighbourhood)
{
	struct job job = { 0 };
	char *in = NULL;
	char *out = NULL;
	enum err e = seal_all(r->ec, r->app, neighbourhood->n);

	if (e == ERR_OK)
		e = job_start(r->ec, r->app, neighbourhood->n, neighbourhood->remote, &job, &in);
	if (e == ERR_OK)
		e = courier_spool(r->ec, r->app, "out", &out);
	if (e == ERR_OK)
		e = courier_wants(r->ec, r->app->store, neighbourhood->n, &job);
	if (e == ERR_OK)
		e = lies_job(r->ec, r->lies, &job);
	if (e == ERR_OK)
		e = job_puts(r, neighbourhood->n, out, &job);
	if (e == ERR_OK)
		e = job_add(r->ec, &job, JOB_PACK, NULL, NULL, NULL);
	if (e == ERR_OK)
		e = courier_run(r->ec, r->app->courier, &job, on_line, r);
	if (e == ERR_OK)
		e = came_take(r);
	came_clear(r);
	free(r->came);
	r->came = NULL;
	if (e == ERR_OK)
		e = inbox_retry(r->ec, &r->sync, &r->received);
	for (size_t i = 0; out != NULL && i < r->out_count; i++) {
		char *path = NULL;
		char name[FILE_NAME_MAX + 24];

		snprintf(name, sizeof(name), "%lld-%s", (long long)r->out[i].n, r->out[i].name);
		path = file_join(out, name);
		if (path != NULL)
			unlink(path);
		free(path);
	}
	job_free(&job);
	free(in);
	free(out);
	store_files_free(r->out, r->out_count);
	free(r->confirmed);
	r->out = NULL;
	r->out_count = 0;
	r->confirmed = NULL;
	return e;
}

/* All of this neighbourhood was sent: what the recovery sheet must know of it may follow. */
static enum err sheet_letter(struct errctx *ec, struct app *app, int64_t neighbourhood)
{
	struct sync y = sync_of(app);
	enum err e = store_begin(ec, app->store);

	if (e != ERR_OK)
		return e;
	e = paper_letter(ec, &y, neighbourhood);
	return within_end(ec, app, e);
}

/* Is there something that another round would send? */
static enum err more_to_send(struct errctx *ec, struct app *app, int64_t neighbourhood, bool *out)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, app->store, &list, &n);

	*out = false;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		uint64_t files = 0;
		uint64_t edits = 0;
		uint64_t unsealed = 0;
		bool away = false;

		if (list[i].neighbourhood != neighbourhood || list[i].state != SPACE_MEMBER)
			continue;
		e = again_away(ec, app->store, list[i].n, &away);
		if (e != ERR_OK || away)
			continue;
		e = store_outgoing_count(ec, app->store, list[i].n, &files, &edits);
		if (e == ERR_OK)
			e = store_unsealed_count(ec, app->store, list[i].n, &unsealed);
		*out = *out || files > 0 || unsealed > 0;
	}
	free(list);
	return e;
}

static void add_up(struct sync_view *v, const struct received *r)
{
	v->received += r->batches;
	v->fresh += r->records;
	v->changed += r->changed;
	v->set_aside += r->set_aside;
	v->joined += r->joined;
	v->keyed += r->keyed;
	v->carried += r->carried;
	v->admitted += r->admitted;
}

/* The courier's cache holds nothing that is not here or at the remote: without it the next round makes it anew. */
static void cache_drop(struct app *app, int64_t neighbourhood, struct sync_view *view)
{
	char *path = NULL;

	if (courier_cache_of(NULL, app, neighbourhood, &path) == ERR_OK)
		(void)!tree_remove(NULL, path);
	free(path);
	view->why[0] = '\0';
}

/* The host holds work of this device that is not here: a copy did it, and where that was read, this home goes on under
 * another id. What cannot be told yet is a person's to look at; what no copy did is pushed over. */
static enum err round_end(struct round *r, bool *again)
{
	struct sync_view *v = r->view;
	bool stuck = false;
	struct lies_end end = { r->worst == GRADE_NONE, r->received.copies > 0, &stuck };
	enum err e = lies_end(r->ec, r->lies, &end, v);

	if (r->received.copies > 0)
		note(
		    v->notice, sizeof(v->notice),
		    TR("There is another copy of this home, and it wrote too. From now on this is a device of its own, "
		       "beside that one. Nothing is lost."));
	else if (stuck) {
		v->result = SYNC_PERSON;
		note(v->notice, sizeof(v->notice),
		     TR("The host holds work of this device that is not here. Was an old copy of this home put back?"));
	}
	*again = r->lies->again && !stuck;
	r->stuck = stuck;
	return e;
}

struct handing {
	struct errctx *ec;
	struct app *app;
	int64_t neighbourhood;
};

/* Somebody saw it at the repository, and it is not shown here. */
static enum err not_shown(void *arg, const struct not_shown *what)
{
	const struct handing *h = arg;
	struct noticed n = { .neighbourhood = h->neighbourhood, .what = NOTICED_WITHHELD };

	if (what->viewed < what->from)
		return ERR_OK; /* it came from hand to hand, and nobody sent it yet */
	noticed_device(what->dev, n.ref);
	noticed_batch(h->app, what->dev, what->viewed < what->to ? what->viewed : what->to, n.had);
	noticed_batch(h->app, what->dev, what->from - 1, n.shown);
	return noticed_put(h->ec, h->app, &n);
}

/* What came by bundle and is not at the repository goes there from here. */
static enum err hand_on(struct errctx *ec, struct app *app, int64_t neighbourhood)
{
	struct sync y = sync_of(app);
	struct handing h = { ec, app, neighbourhood };
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_begin(ec, app->store);

	if (e != ERR_OK)
		return e;
	e = store_space_list(ec, app->store, &list, &n);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		bool away = false;

		if (list[i].neighbourhood != neighbourhood || list[i].state != SPACE_MEMBER)
			continue;
		e = again_away(ec, app->store, list[i].n, &away);
		if (e == ERR_OK && !away)
			e = bundled_hand_on(ec, &y, &list[i], not_shown, &h);
	}
	free(list);
	return within_end(ec, app, e);
}

static enum err sync_one(struct errctx *ec, struct app *app, const struct space_row *neighbourhood,
                         struct sync_view *view)
{
	struct lies lies = { .app = app, .neighbourhood = neighbourhood->n, .own = ref_is_own };
	bool more = true;
	bool heals = false;
	bool dropped = false;
	enum err e = ERR_OK;

	for (int i = 0; e == ERR_OK && (more || heals) && i < ROUNDS; i++) {
		struct round r = { .ec = ec,
			           .app = app,
			           .sync = sync_of(app),
			           .view = view,
			           .neighbourhood = neighbourhood->n,
			           .lies = &lies };
		size_t written = 0;
		bool again = false;

		lies_next(&lies);
		r.received.lost = &lies.lost;
		e = one_round(&r, neighbourhood);
		if (e == ERR_OK)
			e = round_end(&r, &heals);
		heals = heals && r.worst == GRADE_NONE; /* else the next sync goes on with it */
		if (e == ERR_OK && r.worst == GRADE_NONE)
			e = again_after_round(ec, app, &again);
		if (e == ERR_OK && r.worst == GRADE_NONE && within_not_restored(NULL, app) == ERR_OK)
			e = app_tally_after_sync(ec, app, &written);
		add_up(view, &r.received);
		if (e == ERR_OK && r.worst == GRADE_PERSON && r.damaged && !dropped) {
			dropped = true;
			cache_drop(app, neighbourhood->n, view);
			continue;
		}
		if (r.worst == GRADE_PERSON)
			view->result = SYNC_PERSON;
		else if (r.worst != GRADE_NONE && view->result == SYNC_DONE)
			view->result = SYNC_LATER;
		if (e == ERR_OK && r.worst == GRADE_NONE && !r.stuck && within_not_restored(NULL, app) == ERR_OK)
			e = compact_step(ec, app, neighbourhood->n, true);
		if (e == ERR_OK && r.worst == GRADE_NONE && !r.stuck)
			e = hand_on(ec, app, neighbourhood->n);
		if (e == ERR_OK && r.worst == GRADE_NONE)
			e = more_to_send(ec, app, neighbourhood->n, &more);
		if (e == ERR_OK && r.worst == GRADE_NONE && !more && !heals && !r.stuck &&
		    (e = sheet_letter(ec, app, neighbourhood->n)) == ERR_OK)
			e = more_to_send(ec, app, neighbourhood->n, &more);
		more =
		    e == ERR_OK && r.worst == GRADE_NONE && !r.stuck &&
		    (more || again ||
		     r.received.joined + r.received.carried + r.received.keyed + r.received.lines + r.received.doubts >
		         0);
	}
	if (e == ERR_OK && heals && view->result != SYNC_PERSON) {
		view->result = SYNC_PERSON;
		note(view->why, sizeof(view->why),
		     TR("The repository keeps showing something else in place of what this device sent."));
	}
	lies_free(&lies);
	return e;
}

/* When all was sent and fetched, a coordinator's word may be among it that the repository moved: then this home goes
 * on there at once, with what the new one lacks. */
static enum err sync_and_follow(struct errctx *ec, struct app *app, struct space_row *neighbourhood,
                                struct sync_view *view)
{
	bool moved = false;
	enum err e = sync_one(ec, app, neighbourhood, view);

	if (e == ERR_OK && view->result == SYNC_DONE)
		e = moving_follow(ec, app, neighbourhood->n, &moved);
	if (e != ERR_OK || !moved)
		return e;
	view->notice[0] = '\0';
	note(view->notice, sizeof(view->notice),
	     TR("A coordinator moved the repository to another address. This home followed."));
	e = store_space_get(ec, app->store, neighbourhood->n, neighbourhood);
	return e == ERR_OK ? sync_one(ec, app, neighbourhood, view) : e;
}

/* What could not be read, because its key is not here. */
static enum err keys_lacking(struct errctx *ec, struct app *app, uint64_t *out)
{
	struct sync y = sync_of(app);
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, app->store, &list, &n);

	*out = 0;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		uint64_t files = 0;

		e = rebox_shut_out(ec, &y, &list[i], &files);
		*out += files;
	}
	free(list);
	return e;
}

static enum err save_success(struct errctx *ec, struct app *app)
{
	uint8_t ms[8];
	enum err e = store_begin(ec, app->store);

	if (e != ERR_OK)
		return e;
	be64_put(ms, (uint64_t)app_now_ms(app));
	e = store_meta_put(ec, app->store, META_LAST_SYNC, (struct bytes){ ms, sizeof(ms) });
	return within_end(ec, app, e);
}

enum err app_sync(struct errctx *ec, struct app *app, struct sync_view *out)
{
	struct side_by_side before = { 0 };
	struct side_by_side after = { 0 };
	struct space_row *list = NULL;
	size_t n = 0;
	size_t remotes = 0;
	enum err e = again_may_sync(ec, app);

	*out = (struct sync_view){ .began_ms = app_now_ms(app) };
	if (e == ERR_OK)
		e = store_space_list(ec, app->store, &list, &n);
	if (e == ERR_OK)
		e = app_watch_before_sync(ec, app);
	if (e == ERR_OK)
		e = standing_load(ec, app, &before);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		if (list[i].kind != SPACE_NEIGHBOURHOOD || list[i].remote[0] == '\0')
			continue;
		if (app->neighbourhood != NULL && strcasecmp(app->neighbourhood, list[i].name) != 0 &&
		    list[i].state == SPACE_MEMBER)
			continue;
		remotes++;
		e = sync_and_follow(ec, app, &list[i], out);
	}
	free(list);
	if (e == ERR_OK && remotes == 0)
		e = err_set(ec, ERR_LATER,
		            "There is nothing to sync with yet. Use an invitation: sleutelbos join INVITATION", NULL,
		            NULL, NULL);
	if (e == ERR_OK)
		e = standing_load(ec, app, &after);
	if (e == ERR_OK)
		out->two_versions = standing_new(&before, &after);
	if (e == ERR_OK)
		e = app_asking(ec, app, &out->asking);
	if (e == ERR_OK)
		e = keys_lacking(ec, app, &out->no_key);
	if (e == ERR_OK && out->result == SYNC_DONE)
		e = save_success(ec, app);
	standing_free(&before);
	standing_free(&after);
	return e;
}
