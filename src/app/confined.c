// SPDX-License-Identifier: EUPL-1.2
// Asking the courier how it is confined: nobody else can know, because it does it itself.
#include "app/confined.h"

#include <stdlib.h>

#include "app/courier_job.h"
#include "app/courier_run.h"
#include "store/store.h"

/* Where there is no repository yet. */
#define NOWHERE "/nonexistent"
#define CACHE "repo-none"

static enum err on_line(void *arg, const struct report_line *line)
{
	struct confinement *out = arg;

	if (line->kind == REPORT_CONFINED && !confinement_parse(line->field[0], out))
		return ERR_LATER;
	return ERR_OK;
}

static enum err first_remote(struct errctx *ec, struct app *app, struct job *job)
{
	struct space_row *list = NULL;
	const char *url = NOWHERE;
	size_t n = 0;
	enum err e = store_space_list(ec, app->store, &list, &n);

	for (size_t i = n; e == ERR_OK && i-- > 0;)
		if (list[i].kind == SPACE_NEIGHBOURHOOD && list[i].state == SPACE_MEMBER && list[i].remote[0] != '\0')
			url = list[i].remote;
	if (e == ERR_OK)
		e = job_add(ec, job, JOB_REMOTE, url, NULL, NULL);
	free(list);
	return e;
}

enum err app_courier_confined(struct errctx *ec, struct app *app, struct confinement *out)
{
	struct job job = { 0 };
	char *cache = NULL;
	enum err e = courier_cache(ec, app, CACHE, &cache);

	*out = (struct confinement){ 0 };
	if (e == ERR_OK)
		e = first_remote(ec, app, &job);
	if (e == ERR_OK)
		e = job_add(ec, &job, JOB_REPO, cache, NULL, NULL);
	if (e == ERR_OK)
		e = job_add(ec, &job, JOB_IN, cache, NULL, NULL); /* nothing comes */
	if (e == ERR_OK)
		e = job_add(ec, &job, JOB_TELL, NULL, NULL, NULL);
	if (e == ERR_OK)
		e = courier_run(ec, app->courier, &job, on_line, out);
	job_free(&job);
	free(cache);
	return e;
}
