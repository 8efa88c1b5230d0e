// SPDX-License-Identifier: EUPL-1.2
// The address of a repository, the login there, and whom to believe. All of it is kept in the vault; a secret is in
// guarded memory while it is handled, and goes to the courier alone.
#include "app/remotes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/courier_job.h"
#include "app/courier_run.h"
#include "app/moving.h"
#include "app/within.h"
#include "base/file.h"
#include "base/tree.h"
#include "crypto/secret.h"
#include "store/store.h"
#include "sync/access.h"

#define PROBE_CACHE "repo-probe"

// ---- Addresses ----

bool app_remote_is_ssh(const char *url)
{
	const char *colon = strchr(url, ':'), *slash = strchr(url, '/');

	if (strstr(url, "://") != NULL)
		return strncmp(url, "ssh://", 6) == 0;
	return colon != NULL && colon != url && (slash == NULL || slash > colon);
}

bool app_remote_is_host(const char *url)
{
	return app_remote_is_ssh(url) || strncmp(url, "https://", 8) == 0;
}

/* The part before "@", without what follows a colon; where it begins is *start. */
static size_t user_of(const char *url, const char **start)
{
	const char *s = strstr(url, "://");
	const char *end = NULL, *at = NULL;

	s = s == NULL ? url : s + 3;
	end = s + strcspn(s, "/");
	for (const char *c = s; c < end; c++)
		at = *c == '@' ? c : at;
	*start = s;
	return at == NULL || !app_remote_is_host(url) ? 0 : (size_t)(at - s);
}

enum err app_remote_check(struct errctx *ec, const char *url)
{
	const char *start = NULL;
	size_t len = user_of(url, &start);

	if (url[0] == '\0' || strlen(url) > REMOTE_MAX)
		return err_set(ec, ERR_INPUT, "The address of the repository is too long.", NULL, NULL, NULL);
	if (strpbrk(url, "\t\r\n") != NULL)
		return err_set(ec, ERR_INPUT, "An address of a repository is one line.", NULL, NULL, NULL);
	if (len > 0 && memchr(start, ':', len) != NULL)
		return err_set(ec, ERR_INPUT,
		               "Leave the password out of the address: whoever sees the address would have it. It is "
		               "asked for by remote login.",
		               NULL, NULL, NULL);
	if (strncmp(url, "http://", 7) == 0)
		return err_set(ec, ERR_INPUT,
		               "%1 is not safe: everybody on the way could read the password. Use https:// or ssh://.",
		               url, NULL, NULL);
	return ERR_OK;
}

/* The neighbourhood whose remote is meant: one that asked to join may have to say where the repository is, too. */
static enum err remote_space(struct errctx *ec, struct app *app, struct space_row *out)
{
	struct errctx none = { 0 };
	struct space_row *list = NULL;
	int64_t space = 0;
	size_t count = 0;
	size_t asked = 0;
	enum err e = app_neighbourhood(&none, app, &space);

	if (e == ERR_OK)
		return store_space_get(ec, app->store, space, out);
	if (e != ERR_NOT_FOUND)
		return app_neighbourhood(ec, app, &space);
	e = store_space_list(ec, app->store, &list, &count);
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		if (list[i].kind != SPACE_NEIGHBOURHOOD || list[i].state != SPACE_ASKED)
			continue;
		if (app->neighbourhood != NULL && strcasecmp(app->neighbourhood, list[i].name) != 0)
			continue;
		*out = list[i];
		asked++;
	}
	free(list);
	return e != ERR_OK || asked == 1 ? e : app_neighbourhood(ec, app, &space);
}

/* The address that is meant: `url`, or the neighbourhood's. */
static enum err address_of(struct errctx *ec, struct app *app, const char *url, char out[static REMOTE_MAX + 1])
{
	struct space_row row;
	enum err e = url != NULL ? app_remote_check(ec, url) : remote_space(ec, app, &row);

	if (e == ERR_OK)
		strcpy(out, url != NULL ? url : row.remote);
	if (e == ERR_OK && !app_remote_is_host(out))
		e = err_set(ec, ERR_USAGE, "%1 is a folder: it needs no login, and there is no host to know.", out,
		            NULL, NULL);
	return e;
}

// ---- One look at a host ----

static enum err on_probe(void *arg, const struct report_line *line)
{
	struct probe_view *v = arg;
	uint8_t pin[32];

	if (line->kind == REPORT_HOST && hex_get(line->field[1], 64, pin, sizeof(pin))) {
		snprintf(v->type, sizeof(v->type), "%s", line->field[0]);
		fingerprint_put(pin, v->fingerprint);
	}
	if (line->kind == REPORT_FAIL && v->why[0] == '\0') {
		snprintf(v->why, sizeof(v->why), "%s", line->field[2]);
		v->changed = strcmp(line->field[1], "host-changed") == 0;
	}
	return ERR_OK;
}

static enum err probe(struct errctx *ec, struct app *app, const char *url, bool create, struct probe_view *out)
{
	struct job job = { 0 };
	char *cache = NULL;
	char *in = NULL;
	enum err e = courier_cache(ec, app, PROBE_CACHE, &cache);

	if (e == ERR_OK)
		e = courier_spool(ec, app, "in", &in);
	if (e == ERR_OK)
		e = tree_remove(ec, cache);
	if (e == ERR_OK)
		e = job_add(ec, &job, JOB_REPO, cache, NULL, NULL);
	if (e == ERR_OK)
		e = courier_remote(ec, app, url, &job);
	if (e == ERR_OK)
		e = job_add(ec, &job, JOB_IN, in, NULL, NULL);
	if (e == ERR_OK && create)
		e = job_add(ec, &job, JOB_CREATE, NULL, NULL, NULL);
	if (e == ERR_OK)
		e = courier_run(ec, app->courier, &job, on_probe, out);
	if (cache != NULL)
		(void)!tree_remove(NULL, cache);
	job_free(&job);
	free(cache);
	free(in);
	return e;
}

// ---- Showing and changing the address ----

static const char *method_word(enum access_method m)
{
	return m == ACCESS_PASSWORD                  ? "password"
	       : m == ACCESS_SEED || m == ACCESS_KEY ? "key"
	       : m == ACCESS_AGENT                   ? "agent"
	                                             : "none";
}

static enum err key_line(const struct access *a, char out[static REMOTE_KEY_LEN])
{
	struct buf line = { 0 };
	enum err e = ERR_OK;

	out[0] = '\0';
	if (a->method != ACCESS_SEED)
		return ERR_OK;
	e = access_public_text(a, &line);
	if (e == ERR_OK)
		e = buf_terminate(&line);
	if (e == ERR_OK)
		snprintf(out, REMOTE_KEY_LEN, "%s", (const char *)line.data);
	buf_free(&line);
	return e;
}

enum err app_remote_show(struct errctx *ec, struct app *app, const char *url, struct remote_view *out)
{
	struct access *a = access_new(1);
	struct space_row row = { 0 };
	enum err e = a == NULL     ? within_no_memory(ec)
	             : url != NULL ? app_remote_check(ec, url)
	                           : remote_space(ec, app, &row);

	*out = (struct remote_view){ 0 };
	if (e == ERR_OK) {
		snprintf(out->neighbourhood, sizeof(out->neighbourhood), "%s", row.name);
		snprintf(out->url, sizeof(out->url), "%s", url != NULL ? url : row.remote);
		e = access_load(ec, app->store, out->url, a);
	}
	if (e == ERR_OK)
		e = key_line(a, out->key);
	if (e == ERR_OK) {
		snprintf(out->login, sizeof(out->login), "%s", method_word(a->method));
		strcpy(out->user, a->user);
		out->mine = a->mine || a->method == ACCESS_AGENT;
		for (size_t i = 0; i < a->pins; i++)
			fingerprint_put(a->pin[i], out->host[out->hosts++]);
		out->authority = a->ca_len > 0;
	}
	secret_free(a);
	return e;
}

/* Whoever moves from one ssh host to another keeps the key: it is of this home, not of the host. */
static enum err login_takes_along(struct errctx *ec, struct app *app, const char *from, const char *to)
{
	struct access *a = access_new(2);
	enum err e = a == NULL ? within_no_memory(ec) : access_load(ec, app->store, from, &a[0]);

	if (e == ERR_OK)
		e = access_load(ec, app->store, to, &a[1]);
	if (e == ERR_OK && a[1].method == ACCESS_NONE && a[0].method >= ACCESS_SEED && app_remote_is_ssh(from) &&
	    app_remote_is_ssh(to)) {
		a[1].method = a[0].method;
		a[1].mine = a[0].mine;
		memcpy(a[1].user, a[0].user, sizeof(a[1].user));
		memcpy(a[1].secret, a[0].secret, sizeof(a[1].secret));
		a[1].secret_len = a[0].secret_len;
		e = access_save(ec, app->store, to, &a[1]);
	}
	secret_free(a);
	return e;
}

static enum err set_here(struct errctx *ec, struct app *app, struct space_row *row, const char *url)
{
	enum err e = store_begin(ec, app->store);

	if (e != ERR_OK)
		return e;
	e = login_takes_along(ec, app, row->remote, url);
	strcpy(row->remote, url);
	if (e == ERR_OK)
		e = store_space_update(ec, app->store, row);
	return within_end(ec, app, e);
}

/* Tried with the login that goes along, and then said; this home follows when that was sent. */
static enum err set_for_all(struct errctx *ec, struct app *app, const struct space_row *row, const char *url)
{
	struct access *a = access_new(1);
	struct probe_view v = { 0 };
	enum err e = a == NULL ? within_no_memory(ec) : store_begin(ec, app->store);

	if (e == ERR_OK)
		e = within_end(ec, app, login_takes_along(ec, app, row->remote, url));
	if (e == ERR_OK)
		e = probe(ec, app, url, false, &v);
	if (e == ERR_OK && v.why[0] != '\0')
		e = err_set(ec, ERR_LATER, "The repository at %1 cannot be used: %2", url, v.why, NULL);
	if (e == ERR_OK)
		e = access_load(ec, app->store, url, a);
	if (e == ERR_OK)
		e = moving_say(ec, app, row, url, a, false);
	secret_free(a);
	return e;
}

enum err app_remote_set(struct errctx *ec, struct app *app, const char *url, bool only_here, enum remote_reach *out)
{
	struct space_row row;
	bool may = false;
	enum err e = remote_space(ec, app, &row);

	*out = REACH_HERE;
	if (e == ERR_OK)
		e = app_remote_check(ec, url);
	if (e == ERR_OK && !only_here && app_remote_is_host(url) && row.remote[0] != '\0')
		e = moving_may(ec, app, &row, &may);
	if (e != ERR_OK)
		return e;
	if (!may || strcmp(row.remote, url) == 0)
		return set_here(ec, app, &row, url);
	*out = REACH_MOVING;
	return set_for_all(ec, app, &row, url);
}

enum err app_remote_tell(struct errctx *ec, struct app *app, enum remote_reach *out)
{
	struct access *a = access_new(1);
	struct space_row row = { 0 };
	bool may = false;
	enum err e = a == NULL ? within_no_memory(ec) : remote_space(ec, app, &row);

	*out = REACH_HERE;
	if (e == ERR_OK && app_remote_is_host(row.remote))
		e = moving_may(ec, app, &row, &may);
	if (e == ERR_OK && may)
		e = access_load(ec, app->store, row.remote, a);
	if (e == ERR_OK && may)
		e = moving_say(ec, app, &row, row.remote, a, true);
	if (e == ERR_OK && may)
		*out = REACH_ALL;
	secret_free(a);
	return e;
}

// ---- Login ----

struct access *app_access_new(void)
{
	return access_new(1);
}

void app_access_free(struct access *a)
{
	secret_free(a);
}

static enum err user_take(struct errctx *ec, const char *url, const char *typed, char out[static ACCESS_USER_MAX + 1])
{
	const char *start = NULL;
	size_t len = user_of(url, &start);

	if (typed == NULL && len == 0) {
		start = "git";
		len = 3;
	} else if (typed != NULL) {
		start = typed;
		len = strlen(typed);
	}
	if (len == 0 || len > ACCESS_USER_MAX)
		return err_set(ec, ERR_INPUT, "A login name has 1 to 128 characters.", NULL, NULL, NULL);
	for (size_t i = 0; i < len; i++) {
		if (start[i] <= ' ' || start[i] > '~')
			return err_set(ec, ERR_INPUT, "A login name has letters, digits and signs, and no blanks.",
			               NULL, NULL, NULL);
	}
	memcpy(out, start, len);
	out[len] = '\0';
	return ERR_OK;
}

static enum err password_take(struct errctx *ec, const struct login_ask *ask, const char *user, struct access *a)
{
	if (ask->secret.len == 0 || ask->secret.len > ACCESS_SECRET_MAX ||
	    memchr(ask->secret.data, '\0', ask->secret.len) != NULL)
		return err_set(ec, ERR_INPUT, "A password or token has 1 to 1024 characters.", NULL, NULL, NULL);
	a->method = ACCESS_PASSWORD;
	strcpy(a->user, user);
	memcpy(a->secret, ask->secret.data, ask->secret.len);
	a->secret_len = ask->secret.len;
	return ERR_OK;
}

enum err app_access_login(struct errctx *ec, const struct app_options *o, const char *url, const struct login_ask *ask,
                          struct access *a)
{
	char user[ACCESS_USER_MAX + 1];
	enum err e = user_take(ec, url, ask->user, user);

	if (e == ERR_OK && ask->how != LOGIN_PASSWORD && ask->how != LOGIN_NONE && !app_remote_is_ssh(url))
		e = err_set(ec, ERR_USAGE, "Keys are for ssh. %1 takes a password or a token.", url, NULL, NULL);
	if (e != ERR_OK)
		return e;
	a->method = ACCESS_NONE;
	a->mine = ask->mine;
	memset(a->user, 0, sizeof(a->user));
	secret_wipe(a->secret, sizeof(a->secret));
	a->secret_len = 0;
	switch (ask->how) {
	case LOGIN_PASSWORD:
		return password_take(ec, ask, user, a);
	case LOGIN_KEY_FILE:
		return access_key_read(ec, ask->secret, user, a);
	case LOGIN_NEW_KEY:
		access_key_make(app_rng(o), user, a);
		return ERR_OK;
	case LOGIN_AGENT:
		a->method = ACCESS_AGENT;
		a->mine = true;
		strcpy(a->user, user);
		return ERR_OK;
	case LOGIN_NONE:
		return ERR_OK;
	}
	return ERR_OK;
}

enum err app_remote_login(struct errctx *ec, struct app *app, const char *url, const struct login_ask *ask, char *key)
{
	const struct app_options o = { .rng = app->rng };
	struct access *a = access_new(1);
	char address[REMOTE_MAX + 1];
	enum err e = a == NULL ? within_no_memory(ec) : address_of(ec, app, url, address);

	key[0] = '\0';
	if (e == ERR_OK)
		e = access_load(ec, app->store, address, a);
	if (e == ERR_OK)
		e = app_access_login(ec, &o, address, ask, a);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e == ERR_OK) {
		e = access_save(ec, app->store, address, a);
		if (e == ERR_OK)
			e = key_line(a, key);
		if (e == ERR_OK)
			e = store_forget_ask(ec, app->store); /* of the login that was there before */
		e = within_end(ec, app, e);
	}
	if (e == ERR_OK)
		e = store_forget(ec, app->store);
	secret_free(a);
	return e;
}

// ---- Whom to believe ----

enum err app_access_trust(struct errctx *ec, const char *fingerprint, struct access *a)
{
	uint8_t pin[ACCESS_PIN_LEN];

	if (!fingerprint_get(fingerprint, pin))
		return err_set(ec, ERR_INPUT,
		               "%1 is not the fingerprint of a host key. It looks like SHA256: and 43 characters.",
		               fingerprint, NULL, NULL);
	for (size_t i = 0; i < a->pins; i++) {
		if (memcmp(a->pin[i], pin, sizeof(pin)) == 0)
			return ERR_OK;
	}
	if (a->pins == ACCESS_PINS)
		return err_set(ec, ERR_REFUSED,
		               "Eight keys of this host are trusted already. Start again with: remote trust --anew",
		               NULL, NULL, NULL);
	memcpy(a->pin[a->pins++], pin, sizeof(pin));
	return ERR_OK;
}

enum err app_remote_trust(struct errctx *ec, struct app *app, const char *url, const char *fingerprint, bool anew)
{
	struct access *a = access_new(1);
	char address[REMOTE_MAX + 1];
	enum err e = a == NULL ? within_no_memory(ec) : address_of(ec, app, url, address);

	if (e == ERR_OK)
		e = access_load(ec, app->store, address, a);
	if (e == ERR_OK && anew)
		a->pins = 0;
	if (e == ERR_OK)
		e = app_access_trust(ec, fingerprint, a);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e == ERR_OK)
		e = within_end(ec, app, access_save(ec, app->store, address, a));
	secret_free(a);
	return e;
}

#define BEGIN_CERT "-----BEGIN CERTIFICATE-----"
#define END_CERT "-----END CERTIFICATE-----"

enum err app_access_authority(struct errctx *ec, struct bytes file, struct access *a)
{
	const char *start = file.len == 0 ? NULL : memmem(file.data, file.len, BEGIN_CERT, strlen(BEGIN_CERT));
	const char *end = NULL;
	bool fine = false;

	a->ca_len = 0;
	if (file.len == 0)
		return ERR_OK;
	if (start != NULL) {
		start += strlen(BEGIN_CERT);
		end = memmem(start, file.len - (size_t)(start - (const char *)file.data), END_CERT, strlen(END_CERT));
		fine = end != NULL && base64_get(start, (size_t)(end - start), a->ca, ACCESS_CA_MAX, &a->ca_len);
		if (fine && memmem(end, file.len - (size_t)(end - (const char *)file.data), BEGIN_CERT,
		                   strlen(BEGIN_CERT)) != NULL)
			return err_set(ec, ERR_INPUT,
			               "There is more than one certificate in this file. Give the one of the authority "
			               "alone.",
			               NULL, NULL, NULL);
	} else if (file.len <= ACCESS_CA_MAX) {
		memcpy(a->ca, file.data, file.len);
		a->ca_len = file.len;
		fine = true;
	}
	if (fine && a->ca_len > 16 && a->ca[0] == 0x30)
		return ERR_OK;
	a->ca_len = 0;
	return err_set(
	    ec, ERR_INPUT,
	    "This is not a certificate that can be used: one certificate (PEM or DER) of at most 2,048 bytes. "
	    "It must fit into invitations.",
	    NULL, NULL, NULL);
}

enum err app_remote_authority(struct errctx *ec, struct app *app, const char *url, struct bytes file)
{
	struct access *a = access_new(1);
	char address[REMOTE_MAX + 1];
	enum err e = a == NULL ? within_no_memory(ec) : address_of(ec, app, url, address);

	if (e == ERR_OK && app_remote_is_ssh(address))
		e = err_set(ec, ERR_USAGE, "Certificates are for https. A host of ssh is known by its key.", NULL, NULL,
		            NULL);
	if (e == ERR_OK)
		e = access_load(ec, app->store, address, a);
	if (e == ERR_OK)
		e = app_access_authority(ec, file, a);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e == ERR_OK)
		e = within_end(ec, app, access_save(ec, app->store, address, a));
	secret_free(a);
	return e;
}

// ---- Asking the host ----

enum err app_remote_probe(struct errctx *ec, struct app *app, const char *url, struct probe_view *out)
{
	char address[REMOTE_MAX + 1];
	enum err e = address_of(ec, app, url, address);

	*out = (struct probe_view){ 0 };
	if (e != ERR_OK)
		return e;
	snprintf(out->url, sizeof(out->url), "%s", address);
	return probe(ec, app, address, false, out);
}

enum err app_remote_create(struct errctx *ec, struct app *app, const char *url)
{
	struct probe_view v = { 0 };
	enum err e = app_remote_check(ec, url);

	if (e == ERR_OK)
		e = probe(ec, app, url, true, &v);
	if (e == ERR_OK && v.why[0] != '\0')
		e = err_set(ec, ERR_LATER, "The repository at %1 cannot be used: %2", url, v.why, NULL);
	return e;
}
