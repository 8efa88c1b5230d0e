// SPDX-License-Identifier: EUPL-1.2
// Where a courier finds and leaves its files, and which branches it is asked for.
#include "app/courier_job.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/again.h"
#include "base/codec.h"
#include "base/file.h"
#include "crypto/secret.h"
#include "store/store.h"
#include "sync/access.h"

enum err courier_spool(struct errctx *ec, struct app *app, const char *name, char **out)
{
	char *spool = file_join(app->home, "spool");
	enum err e = spool == NULL ? ERR_NO_MEMORY : file_make_dir(ec, spool);

	*out = NULL;
	if (e == ERR_OK) {
		*out = file_join(spool, name);
		e = *out == NULL ? ERR_NO_MEMORY : file_make_dir(ec, *out);
	}
	if (e == ERR_OK)
		e = file_clear_dir(ec, *out);
	free(spool);
	return e;
}

enum err courier_cache(struct errctx *ec, struct app *app, const char *name, char **out)
{
	char *folder = file_join(app->home, COURIER_FOLDER);
	char *before = file_join(app->home, name);
	enum err e = folder == NULL || before == NULL ? ERR_NO_MEMORY : file_make_dir(ec, folder);

	*out = NULL;
	if (e == ERR_OK) {
		*out = file_join(folder, name);
		e = *out == NULL ? ERR_NO_MEMORY : ERR_OK;
	}
	/* What cannot be moved is fetched anew. */
	if (e == ERR_OK && file_exists(before) && !file_exists(*out))
		(void)!rename(before, *out);
	free(before);
	free(folder);
	return e;
}

enum err courier_cache_of(struct errctx *ec, struct app *app, int64_t neighbourhood, char **out)
{
	char name[40];

	snprintf(name, sizeof(name), "repo-%lld", (long long)neighbourhood);
	return courier_cache(ec, app, name, out);
}

static enum err add_hex(struct errctx *ec, struct job *job, enum job_kind kind, struct bytes b)
{
	char *hex = secret_new(2 * b.len + 1);
	enum err e = hex == NULL ? ERR_NO_MEMORY : ERR_OK;

	if (e == ERR_OK) {
		hex_put(b.data, b.len, hex);
		e = job_add(ec, job, kind, hex, NULL, NULL);
	}
	secret_free(hex);
	return e;
}

static enum err add_login(struct errctx *ec, struct app *app, const struct access *a, struct job *job)
{
	const char *method = a->method == ACCESS_PASSWORD ? "password" : a->method == ACCESS_AGENT ? "agent" : "key";
	struct buf key = { 0 };
	enum err e = ERR_OK;

	if (a->method == ACCESS_NONE)
		return ERR_OK;
	e = job_add(ec, job, JOB_LOGIN, method, a->user, NULL);
	if (e == ERR_OK && a->method == ACCESS_AGENT)
		return app->agent == NULL ? ERR_OK : job_add(ec, job, JOB_AGENT, app->agent, NULL, NULL);
	if (e == ERR_OK && a->method == ACCESS_SEED)
		e = access_key_text(a, &key);
	if (e == ERR_OK)
		e = add_hex(ec, job, JOB_SECRET,
		            a->method == ACCESS_SEED ? buf_bytes(&key) : (struct bytes){ a->secret, a->secret_len });
	buf_free(&key);
	return e;
}

enum err courier_remote(struct errctx *ec, struct app *app, const char *url, struct job *job)
{
	struct access *a = access_new(1);
	enum err e = a == NULL ? ERR_NO_MEMORY : job_add(ec, job, JOB_REMOTE, url, NULL, NULL);

	if (e == ERR_OK && app->store != NULL)
		e = access_load(ec, app->store, url, a);
	else if (e == ERR_OK && app->access != NULL)
		*a = *app->access;
	if (e == ERR_OK)
		e = add_login(ec, app, a, job);
	for (size_t i = 0; e == ERR_OK && i < a->pins; i++)
		e = add_hex(ec, job, JOB_TRUST, (struct bytes){ a->pin[i], ACCESS_PIN_LEN });
	if (e == ERR_OK && a->ca_len > 0)
		e = add_hex(ec, job, JOB_CA, (struct bytes){ a->ca, a->ca_len });
	secret_free(a);
	return e;
}

enum err courier_wants(struct errctx *ec, struct store *store, int64_t neighbourhood, struct job *job)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, store, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		char prefix[32];
		char tag[TAG_TEXT_LEN];
		bool away = false;

		if (list[i].neighbourhood != neighbourhood || list[i].state != SPACE_MEMBER)
			continue;
		e = again_away(ec, store, list[i].n, &away);
		if (e != ERR_OK || away)
			continue;
		tag_text(list[i].tag, tag);
		snprintf(prefix, sizeof(prefix), "refs/heads/%s/", tag);
		e = job_add(ec, job, JOB_WANT, prefix, NULL, NULL);
	}
	free(list);
	return e != ERR_OK ? e : job_add(ec, job, JOB_WANT, "refs/heads/join/", NULL, NULL);
}
