// SPDX-License-Identifier: EUPL-1.2
// A lost home comes back from its sheet and the repository (V4). Nothing is changed before a letter opened; the words
// are in guarded memory and go with it.
#include "app/comeback.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/courier_job.h"
#include "app/courier_run.h"
#include "app/within.h"
#include "base/file.h"
#include "base/tree.h"
#include "crypto/secret.h"
#include "store/store.h"
#include "sync/access.h"
#include "sync/floor.h"
#include "sync/paper.h"
#include "vault/keychange.h"

#define REPO "repo-recover" /* a cache for the letters alone; it goes again */
#define LETTERS_MAX 1000

struct comeback {
	struct paper_reader *reader;
	struct paper_text *text;
	size_t count;
	char *remote;
	struct access *access; /* how to come in there; NULL: nothing was said */
	char name[SPACE_NAME_MAX + 1];
};

void comeback_free(struct comeback *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->count; i++)
		buf_free(&c->text[i].plain);
	free(c->text);
	free(c->remote);
	secret_free(c->reader);
	secret_free(c->access);
	free(c);
}

const char *comeback_name(const struct comeback *c)
{
	return c->name;
}

/* ---- Letters ---- */

struct fetching {
	struct errctx *ec;
	struct comeback *c;
	char why[512];
};

static enum err letter_try(struct comeback *c, struct bytes file)
{
	struct paper_text t;
	struct paper_text *more = NULL;
	enum err e = c->count == LETTERS_MAX ? ERR_NOT_FOUND : paper_open(c->reader, file, &t);

	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	more = realloc(c->text, (c->count + 1) * sizeof(*more));
	if (more == NULL) {
		buf_free(&t.plain);
		return ERR_NO_MEMORY;
	}
	c->text = more;
	c->text[c->count++] = t;
	if (t.own[0] != '\0')
		strcpy(c->name, t.own);
	return ERR_OK;
}

static enum err on_line(void *arg, const struct report_line *line)
{
	struct fetching *f = arg;
	struct buf file = { 0 };
	enum err e = ERR_OK;

	if (line->kind == REPORT_FAIL && f->why[0] == '\0')
		snprintf(f->why, sizeof(f->why), "%s", line->field[2]);
	if (line->kind != REPORT_FILE)
		return ERR_OK;
	e = file_read(f->ec, line->field[3], FILE_MAX, &file);
	if (e == ERR_OK)
		e = letter_try(f->c, buf_bytes(&file));
	unlink(line->field[3]);
	buf_free(&file);
	return e;
}

static enum err letters_fetch(struct errctx *ec, struct app *app, struct comeback *c)
{
	struct fetching f = { .ec = ec, .c = c };
	struct job job = { 0 };
	char *repo = NULL;
	char *in = NULL;
	enum err e = courier_cache(ec, app, REPO, &repo);

	if (e == ERR_OK)
		e = courier_spool(ec, app, "in", &in);
	if (e == ERR_OK)
		e = job_add(ec, &job, JOB_REPO, repo, NULL, NULL);
	if (e == ERR_OK)
		e = courier_remote(ec, app, c->remote, &job);
	if (e == ERR_OK)
		e = job_add(ec, &job, JOB_IN, in, NULL, NULL);
	if (e == ERR_OK)
		e = job_add(ec, &job, JOB_WANT, "refs/heads/join/", NULL, NULL);
	if (e == ERR_OK)
		e = courier_run(ec, app->courier, &job, on_line, &f);
	if (e == ERR_OK && c->count == 0 && f.why[0] != '\0')
		e = err_set(ec, ERR_LATER, "The repository at %1 cannot be used: %2", c->remote, f.why, NULL);
	if (e == ERR_OK && c->count == 0)
		e = err_set(
		    ec, ERR_NOT_FOUND,
		    "Nothing in %1 is for this recovery sheet. Is it the right repository, and the newest sheet? "
		    "A sheet is only in it after a sync. Nothing was changed.",
		    c->remote, NULL, NULL);
	if (repo != NULL)
		(void)!tree_remove(NULL, repo);
	job_free(&job);
	free(repo);
	free(in);
	return e;
}

/* Where there was no folder before, there is none afterwards. */
static void folder_clear(const char *home)
{
	static const char *const made[] = { "spool", COURIER_FOLDER };

	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		char *path = file_join(home, made[i]);

		if (path != NULL)
			(void)!tree_remove(NULL, path);
		free(path);
	}
	rmdir(home);
}

enum err comeback_fetch(struct errctx *ec, const struct app_options *o, struct bytes words, const char *remote,
                        struct comeback **out)
{
	uint8_t *secret = secret_new(SHEET_SECRET_LEN);
	struct comeback *c = calloc(1, sizeof(*c));
	struct app *app = NULL;
	bool fresh = !file_exists(o->home);
	enum err e = secret == NULL || c == NULL ? err_errno(ec, ENOMEM, o->home) : ERR_OK;

	*out = NULL;
	if (e == ERR_OK && strlen(remote) > REMOTE_MAX)
		e = err_set(ec, ERR_INPUT, "The address of the repository is too long.", NULL, NULL, NULL);
	if (e == ERR_OK)
		e = sheet_words_get(ec, words, secret);
	if (e == ERR_OK) {
		c->reader = paper_reader_new(secret);
		c->remote = strdup(remote);
		c->access = o->access == NULL ? NULL : access_new(1);
		if (c->access != NULL)
			*c->access = *o->access;
		e = c->reader == NULL || c->remote == NULL ? err_errno(ec, ENOMEM, o->home) : app_shell(o, &app);
	}
	if (e == ERR_OK)
		e = tree_make(ec, o->home);
	if (e == ERR_OK)
		e = letters_fetch(ec, app, c);
	if (fresh)
		folder_clear(o->home);
	app_close(app);
	secret_free(secret);
	if (e == ERR_OK)
		*out = c;
	else
		comeback_free(c);
	return e;
}

/* ---- Into a home ---- */

void comeback_view_free(struct comeback_view *v)
{
	free(v->spaces);
	*v = (struct comeback_view){ 0 };
}

static const char *kind_of(enum space_kind kind)
{
	return kind == SPACE_OWN ? "own" : kind == SPACE_CIRCLE ? "circle" : "neighbourhood";
}

/* How the spaces that came from the sheet stand; `from`: the first of them. */
static enum err spaces_view(struct errctx *ec, struct app *app, int64_t from, struct comeback_view *out)
{
	struct sync y = { app->store, app->zip, app->rng, app->clock };
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, app->store, &list, &n);

	if (e == ERR_OK) {
		out->spaces = calloc(n + 1, sizeof(*out->spaces));
		e = out->spaces == NULL ? ERR_NO_MEMORY : ERR_OK;
	}
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct comeback_space *v = &out->spaces[out->count];
		bool paper = false;

		if (list[i].n <= from || list[i].state != SPACE_MEMBER)
			continue;
		snprintf(v->name, sizeof(v->name), "%s", list[i].name);
		snprintf(v->kind, sizeof(v->kind), "%s", kind_of(list[i].kind));
		e = floor_open(ec, &y, list[i].n, &v->coming_in);
		if (e == ERR_OK)
			e = device_is_paper(ec, &y, list[i].n, &paper);
		v->removed = paper && !v->coming_in;
		out->count++;
	}
	free(list);
	return e;
}

static enum err last_space(struct errctx *ec, struct app *app, int64_t *out)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, app->store, &list, &n);

	*out = 0;
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		*out = list[i].n > *out ? list[i].n : *out;
	free(list);
	return e;
}

enum err comeback_into(struct errctx *ec, struct app *app, const struct comeback *c, struct comeback_view *out)
{
	struct sync y = { app->store, app->zip, app->rng, app->clock };
	size_t taken = 0;
	int64_t from = 0;
	enum err e = within_not_restored(ec, app);

	*out = (struct comeback_view){ .number = c->text[0].number };
	if (e == ERR_OK)
		e = last_space(ec, app, &from);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e != ERR_OK)
		return e;
	if (c->access != NULL)
		e = access_save(ec, app->store, c->remote, c->access);
	if (e == ERR_OK)
		e = paper_take(ec, &y, c->reader, c->text, c->count, c->remote, &taken);
	if (e == ERR_DAMAGED && ec->code == ERR_OK)
		e = err_set(ec, e,
		            "What this repository holds for the recovery sheet is not whole. Nothing was changed.",
		            NULL, NULL, NULL);
	if (e == ERR_OK && taken == 0)
		e = err_set(ec, ERR_REFUSED, "This home has everything already that the sheet brings back from %1.",
		            c->remote, NULL, NULL);
	e = within_end(ec, app, e);
	if (e == ERR_OK)
		e = app_sync(ec, app, &out->sync);
	if (e == ERR_OK)
		e = store_forget(ec, app->store);
	return e == ERR_OK ? spaces_view(ec, app, from, out) : e;
}

/* The new key file knows the sheet too. */
static enum err sheet_again(struct errctx *ec, const struct app_options *o, const struct comeback *c,
                            struct bytes passphrase)
{
	const struct keyfile_sheet which = { c->text[0].number, c->text[0].day };
	char *keys = file_join(o->home, "keys");
	struct keychange *kc = NULL;
	enum keys_now now = KEYS_OLD;
	enum err e = keys == NULL ? err_errno(ec, ENOMEM, o->home)
	                          : keychange_by_passphrase(ec, keys, passphrase, app_rng(o), &kc);

	if (e == ERR_OK)
		e = keychange_sheet_again(kc, ec, &which, c->reader->secret);
	if (e == ERR_OK)
		e = keychange_commit(kc, ec, &now);
	keychange_free(kc);
	free(keys);
	return e;
}

enum err comeback_new(struct errctx *ec, const struct app_options *o, const struct comeback *c, struct bytes passphrase,
                      const char *name, struct app **app, struct comeback_view *out)
{
	enum err e = app_init(ec, o, passphrase, name, app);

	*out = (struct comeback_view){ .number = c->text[0].number };
	if (e == ERR_OK)
		e = sheet_again(ec, o, c, passphrase);
	return e == ERR_OK ? comeback_into(ec, *app, c, out) : e;
}
