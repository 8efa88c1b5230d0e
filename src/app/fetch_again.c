// SPDX-License-Identifier: EUPL-1.2
// A fetch from the beginning, past every note of what was taken in already, through a cache of its own: what is damaged
// here may be the other one. Nothing is pushed (V5).
#include "app/fetch_again.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/courier_job.h"
#include "app/courier_run.h"
#include "base/file.h"
#include "base/tree.h"

#define CACHE "repo-again"

struct again {
	struct errctx *ec;
	struct fetch_again *f;
	bool failed;
};

static enum err shown_add(struct shown_files *list, const char *ref, const char *name)
{
	if (strlen(ref) > REF_MAX || strlen(name) > FILE_NAME_MAX)
		return ERR_OK;
	if (list->n == list->cap) {
		size_t cap = list->cap == 0 ? 64 : 2 * list->cap;
		struct shown_file *grown = realloc(list->file, cap * sizeof(*grown));

		if (grown == NULL)
			return ERR_NO_MEMORY;
		list->file = grown;
		list->cap = cap;
	}
	strcpy(list->file[list->n].ref, ref);
	strcpy(list->file[list->n++].name, name);
	return ERR_OK;
}

static enum err on_file(struct again *a, const struct report_line *line)
{
	struct buf file = { 0 };
	enum err e = file_read(a->ec, line->field[3], FILE_MAX, &file);

	if (e == ERR_OK)
		e = inbox_file(a->ec, a->f->y, line->field[0], line->field[2], buf_bytes(&file), a->f->received);
	if (e == ERR_OK && a->f->shown != NULL)
		e = shown_add(a->f->shown, line->field[0], line->field[2]);
	unlink(line->field[3]);
	buf_free(&file);
	return e;
}

/* Letters about joining are looked at by the next sync, which may answer them. */
static enum err on_tip(struct again *a, const struct report_line *line)
{
	enum err e = ERR_OK;

	if (a->f->shown == NULL || strlen(line->field[0]) > REF_MAX ||
	    strncmp(line->field[0], "refs/heads/join/", strlen("refs/heads/join/")) == 0)
		return ERR_OK;
	e = store_begin(a->ec, a->f->y->store);
	if (e != ERR_OK)
		return e;
	e = store_branch_put(a->ec, a->f->y->store, a->f->neighbourhood, line->field[0], line->field[1]);
	if (e == ERR_OK)
		return store_commit(a->ec, a->f->y->store);
	store_rollback(a->f->y->store);
	return e;
}

static enum err on_line(void *arg, const struct report_line *line)
{
	struct again *a = arg;

	switch (line->kind) {
	case REPORT_FILE:
		return on_file(a, line);
	case REPORT_TIP:
		return on_tip(a, line);
	case REPORT_FAIL:
		if (!a->failed)
			snprintf(a->f->why, sizeof(a->f->why), "%s", line->field[2]);
		a->failed = true;
		return ERR_OK;
	default:
		return ERR_OK;
	}
}

enum err fetch_again(struct errctx *ec, struct app *app, struct fetch_again *f)
{
	struct again a = { .ec = ec, .f = f };
	struct job job = { 0 };
	char *cache = NULL;
	char *in = NULL;
	enum err e = courier_cache(ec, app, CACHE, &cache);

	if (e == ERR_OK)
		e = courier_spool(ec, app, "in", &in);
	f->whole = false;
	f->why[0] = '\0';
	if (e == ERR_OK) {
		(void)!tree_remove(NULL, cache);
		e = job_add(ec, &job, JOB_REPO, cache, NULL, NULL);
	}
	if (e == ERR_OK)
		e = courier_remote(ec, app, f->remote, &job);
	if (e == ERR_OK)
		e = job_add(ec, &job, JOB_IN, in, NULL, NULL);
	if (e == ERR_OK)
		e = courier_wants(ec, f->y->store, f->neighbourhood, &job);
	if (e == ERR_OK)
		e = courier_run(ec, app->courier, &job, on_line, &a);
	if (e == ERR_LATER || e == ERR_NOT_FOUND) { /* the courier died, or there is none */
		snprintf(f->why, sizeof(f->why), "%s", ec != NULL && ec->msg != NULL ? ec->msg : "");
		err_clear(ec);
		a.failed = true;
		e = ERR_OK;
	}
	if (e == ERR_OK)
		e = inbox_retry(ec, f->y, f->received);
	f->whole = e == ERR_OK && !a.failed;
	if (cache != NULL)
		(void)!tree_remove(NULL, cache);
	job_free(&job);
	free(cache);
	free(in);
	return e;
}
