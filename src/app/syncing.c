// SPDX-License-Identifier: EUPL-1.2
// One sync: seal what is one's own, let the courier fetch and push, take in what came, mark as sent what the remote
// was seen to hold (S2). Every step is a transaction; killed anywhere and run again it ends the same (S3).
#include "app/syncing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/again.h"
#include "app/courier_job.h"
#include "app/courier_run.h"
#include "app/fetch_again.h"
#include "app/moving.h"
#include "app/tally.h"
#include "app/watch.h"
#include "app/within.h"
#include "base/codec.h"
#include "base/file.h"
#include "base/tr.h"
#include "base/tree.h"
#include "batch/batch.h"
#include "store/store.h"
#include "sync/closing.h"
#include "sync/inbox.h"
#include "sync/join.h"
#include "sync/outbox.h"
#include "sync/paper.h"

#define ROUNDS 4

struct round {
	struct errctx *ec;
	struct app *app;
	struct sync sync;
	struct sync_view *view;
	struct received received;
	int64_t neighbourhood;
	enum grade worst;
	bool damaged;              /* the courier found something that does not fit: perhaps its own cache */
	bool ahead;                /* the host holds work of this device that is not here */
	char own[REF_MAX + 1];     /* the branch of which that was said last */
	bool lacks;                /* and it lacks what was sent, or a copy of this device wrote there */
	char held_up[REF_MAX + 1]; /* a branch of which a file found no room: its tip is not noted, so it comes again */
	struct file_row *out;      /* what was handed over */
	size_t out_count;
};

static struct sync sync_of(struct app *app)
{
	return (struct sync){ app->store, app->zip, app->rng, app->clock };
}

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

static enum err spool_put(struct errctx *ec, const char *dir, const struct file_row *f, char **path)
{
	char name[FILE_NAME_MAX + 24];

	snprintf(name, sizeof(name), "%lld-%s", (long long)f->n, f->name);
	*path = file_join(dir, name);
	return *path == NULL ? ERR_NO_MEMORY : file_replace(ec, *path, buf_bytes(&f->file));
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

static enum err job_haves(struct errctx *ec, struct app *app, int64_t neighbourhood, struct job *job)
{
	struct branch_row *list = NULL;
	size_t n = 0;
	enum err e = store_branch_list(ec, app->store, neighbourhood, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		e = job_add(ec, job, JOB_HAVE, list[i].ref, list[i].oid, NULL);
		/* a branch that the host lost is pushed back: one's own as own, others' from the cache (S5) */
		if (e == ERR_OK)
			e = job_add(ec, job, ref_is_own(app, list[i].ref) ? JOB_OWN : JOB_RESTORE, list[i].ref, NULL,
			            NULL);
	}
	free(list);
	return e;
}

static enum err job_puts(struct round *r, int64_t neighbourhood, const char *dir, struct job *job)
{
	enum err e = store_outgoing_list(r->ec, r->app->store, &r->out, &r->out_count);

	for (size_t i = 0; e == ERR_OK && i < r->out_count; i++) {
		struct space_row space;
		char *path = NULL;

		e = store_space_get(r->ec, r->app->store, r->out[i].space, &space);
		if (e != ERR_OK || space.neighbourhood != neighbourhood)
			continue;
		e = spool_put(r->ec, dir, &r->out[i], &path);
		if (e == ERR_OK)
			e = job_add(r->ec, job, JOB_PUT, r->out[i].ref, r->out[i].name, path);
		free(path);
	}
	return e;
}

/* --- while the courier works --- */

static enum err on_file(struct round *r, const struct report_line *line)
{
	struct buf file = { 0 };
	uint64_t refused = r->received.refused;
	uint64_t strange = r->received.strange;
	enum err e = file_read(r->ec, line->field[3], FILE_MAX, &file);

	if (e == ERR_OK)
		e = inbox_file(r->ec, &r->sync, line->field[0], line->field[2], buf_bytes(&file), &r->received);
	if (r->received.strange > strange && strcmp(line->field[0], r->own) == 0)
		r->lacks = true;
	if (r->received.refused > refused)
		snprintf(r->held_up, sizeof(r->held_up), "%s", line->field[0]);
	if (e == ERR_OK)
		unlink(line->field[3]);
	buf_free(&file);
	return e;
}

static enum err on_tip(struct round *r, const struct report_line *line)
{
	enum err e = ERR_OK;

	if (strlen(line->field[0]) > REF_MAX || strcmp(line->field[0], r->held_up) == 0)
		return ERR_OK; /* nothing of ours has such a name */
	/* What was sent is still missing there, and this device did not come so far: noting it would end the warning
	 * and make the next batch follow on somebody else's (S5, S7). Mere rubbish on top is no reason to stop. */
	if (r->lacks && strcmp(line->field[0], r->own) == 0)
		return ERR_OK;
	e = store_begin(r->ec, r->app->store);
	if (e != ERR_OK)
		return e;
	e = store_branch_put(r->ec, r->app->store, r->neighbourhood, line->field[0], line->field[1]);
	return within_end(r->ec, r->app, e);
}

static enum err on_sent(struct round *r, const struct report_line *line)
{
	enum err e = store_begin(r->ec, r->app->store);

	if (e != ERR_OK)
		return e;
	e = store_outgoing_sent(r->ec, r->app->store, line->field[0], line->field[1]);
	for (size_t i = 0; e == ERR_OK && i < r->out_count; i++) {
		if (strcmp(r->out[i].ref, line->field[0]) == 0 && strcmp(r->out[i].name, line->field[1]) == 0)
			r->view->sent += r->out[i].edits;
	}
	return within_end(r->ec, r->app, e);
}

static void note(char *out, size_t size, const char *text)
{
	if (out[0] == '\0')
		snprintf(out, size, "%s", text);
}

static enum err on_line(void *arg, const struct report_line *line)
{
	struct round *r = arg;
	struct sync_view *v = r->view;
	enum grade g = GRADE_NONE;

	switch (line->kind) {
	case REPORT_FILE:
		return on_file(r, line);
	case REPORT_TIP:
		return on_tip(r, line);
	case REPORT_SENT:
		return on_sent(r, line);
	case REPORT_REWOUND:
		r->lacks = r->lacks || strcmp(line->field[0], r->own) == 0;
		note(v->notice, sizeof(v->notice),
		     TR("The host went back to an older state. What was here is pushed back."));
		return ERR_OK;
	case REPORT_GONE:
		note(v->notice, sizeof(v->notice), TR("The host no longer shows something it had. It is pushed back."));
		return ERR_OK;
	case REPORT_RESTORED:
		v->healed++;
		return ERR_OK;
	case REPORT_AHEAD:
		r->ahead = true;
		r->lacks = false;
		snprintf(r->own, sizeof(r->own), "%s", line->field[0]);
		return ERR_OK;
	case REPORT_FAIL:
		g = grade_parse(line->field[0]);
		r->worst = g > r->worst ? g : r->worst;
		r->damaged = r->damaged || strcmp(line->field[1], "damaged") == 0;
		note(v->why, sizeof(v->why), line->field[2]);
		return ERR_OK;
	default:
		return ERR_OK;
	}
}

/* Each neighbourhood has a cache of its own: nothing of one may ever reach the repository of another. */
static enum err job_start(struct errctx *ec, struct app *app, int64_t neighbourhood, const char *remote,
                          struct job *job, char **in)
{
	char name[40];
	char *repo = NULL;
	enum err e = ERR_OK;

	snprintf(name, sizeof(name), "repo-%lld", (long long)neighbourhood);
	repo = file_join(app->home, name);
	e = repo == NULL ? ERR_NO_MEMORY : courier_spool(ec, app, "in", in);
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
		e = job_haves(r->ec, r->app, neighbourhood->n, &job);
	if (e == ERR_OK)
		e = job_puts(r, neighbourhood->n, out, &job);
	if (e == ERR_OK)
		e = job_add(r->ec, &job, JOB_PACK, NULL, NULL, NULL);
	if (e == ERR_OK)
		e = courier_run(r->ec, r->app->courier, &job, on_line, r);
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
	r->out = NULL;
	r->out_count = 0;
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
	v->carried += r->carried;
	v->admitted += r->admitted;
}

/* --- two versions: what stands in them now and did not before --- */

struct side_by_side {
	struct dots records;
	size_t *fields; /* in two versions, of each record */
};

static void standing_free(struct side_by_side *s)
{
	dots_free(&s->records);
	free(s->fields);
	*s = (struct side_by_side){ 0 };
}

static enum err standing_load(struct errctx *ec, struct app *app, struct side_by_side *out)
{
	enum err e = store_two_versions(ec, app->store, &out->records);

	out->fields = calloc(out->records.n + 1, sizeof(*out->fields));
	if (e == ERR_OK && out->fields == NULL)
		e = ERR_NO_MEMORY;
	for (size_t i = 0; e == ERR_OK && i < out->records.n; i++) {
		struct loaded l;

		e = store_load(ec, app->store, out->records.d[i], &l);
		if (e == ERR_OK)
			out->fields[i] = record_two_versions(&l.record);
		store_loaded_free(&l);
	}
	return e;
}

static uint64_t standing_new(const struct side_by_side *before, const struct side_by_side *after)
{
	uint64_t n = 0;

	for (size_t i = 0; i < after->records.n; i++) {
		size_t was = 0;

		for (size_t k = 0; k < before->records.n; k++) {
			if (dot_cmp(before->records.d[k], after->records.d[i]) == 0)
				was = before->fields[k];
		}
		n += after->fields[i] > was ? after->fields[i] - was : 0;
	}
	return n;
}

/* The courier's cache holds nothing that is not here or at the remote: without it the next round makes it anew. */
static void cache_drop(struct app *app, int64_t neighbourhood, struct sync_view *view)
{
	char name[40];
	char *path = NULL;

	snprintf(name, sizeof(name), "repo-%lld", (long long)neighbourhood);
	path = file_join(app->home, name);
	if (path != NULL)
		(void)!tree_remove(NULL, path);
	free(path);
	view->why[0] = '\0';
}

/* The host holds work of this device that is not here: a copy did it, and where that was read, this home goes on under
 * another id. What nobody can read is a person's to look at. */
static void ahead(struct round *r)
{
	struct sync_view *v = r->view;

	if (r->received.copies > 0) {
		r->ahead = false;
		note(
		    v->notice, sizeof(v->notice),
		    TR("There is another copy of this home, and it wrote too. From now on this is a device of its own, "
		       "beside that one. Nothing is lost."));
	} else if (r->ahead) {
		v->result = SYNC_PERSON;
		note(v->notice, sizeof(v->notice),
		     TR("The host holds work of this device that is not here. Was an old copy of this home put back?"));
	}
}

static enum err sync_one(struct errctx *ec, struct app *app, const struct space_row *neighbourhood,
                         struct sync_view *view)
{
	bool more = true;
	bool dropped = false;
	enum err e = ERR_OK;

	for (int i = 0; e == ERR_OK && more && i < ROUNDS; i++) {
		struct round r = {
			.ec = ec, .app = app, .sync = sync_of(app), .view = view, .neighbourhood = neighbourhood->n
		};
		size_t written = 0;
		bool again = false;

		e = one_round(&r, neighbourhood);
		ahead(&r);
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
		if (e == ERR_OK && r.worst == GRADE_NONE)
			e = more_to_send(ec, app, neighbourhood->n, &more);
		if (e == ERR_OK && r.worst == GRADE_NONE && !more && !r.ahead &&
		    (e = sheet_letter(ec, app, neighbourhood->n)) == ERR_OK)
			e = more_to_send(ec, app, neighbourhood->n, &more);
		more = e == ERR_OK && r.worst == GRADE_NONE && !r.ahead &&
		       (more || again || r.received.joined + r.received.carried > 0);
	}
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

enum err app_asking(struct errctx *ec, struct app *app, uint64_t *out)
{
	struct sync y = sync_of(app);
	struct request_row *list = NULL;
	size_t n = 0;
	enum err e = request_list(ec, &y, &list, &n);

	*out = n;
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

	*out = (struct sync_view){ 0 };
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
	if (e == ERR_OK && out->result == SYNC_DONE)
		e = save_success(ec, app);
	standing_free(&before);
	standing_free(&after);
	return e;
}
