// SPDX-License-Identifier: EUPL-1.2
// The commands of the person who looks after the repository: where it is, how to come in, whom to believe. Secrets come
// from a prompt, a file or a descriptor, and are never shown.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/remotes.h"
#include "base/file.h"
#include "base/tr.h"
#include "cli/command.h"
#include "cli/passphrase.h"
#include "render/doc.h"
#include "render/text.h"

#define KEY_FILE_MAX 16384

// ---- Addresses ----

enum err remote_address(struct command_call *call, const char *typed, char **out)
{
	char link[64];
	char dir[4096];
	const char *slash = strrchr(typed, '/');
	const char *last = slash == NULL ? typed : slash + 1;
	char *parent = NULL;
	ssize_t n = 0;
	int fd = -1;
	enum err e = ERR_OK;

	*out = NULL;
	if (typed[0] == '\0')
		return err_set(call->ec, ERR_INPUT, "The address of the repository is empty.", NULL, NULL, NULL);
	if (app_remote_is_host(typed) || strstr(typed, "://") != NULL) {
		e = app_remote_check(call->ec, typed);
		if (e != ERR_OK)
			return e;
	}
	if (typed[0] == '/' || strstr(typed, "://") != NULL || app_remote_is_host(typed)) {
		*out = strdup(typed);
		return *out == NULL ? ERR_NO_MEMORY : ERR_OK;
	}
	parent = slash == NULL ? strdup(".") : strndup(typed, (size_t)(slash - typed));
	if (parent == NULL)
		return ERR_NO_MEMORY;
	e = io_open_dir(call->io, call->ec, parent, &fd);
	free(parent);
	if (e == ERR_NOT_FOUND)
		return ERR_LATER;
	if (e != ERR_OK)
		return e;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, dir, sizeof(dir) - 1);
	close(fd);
	if (n < 0)
		return err_errno(call->ec, errno, typed);
	dir[n] = '\0';
	*out = file_join(dir, last);
	return *out == NULL ? ERR_NO_MEMORY : ERR_OK;
}

// ---- Telling the others ----

/* For a change at the neighbourhood's own address: tells the others, where this person may and did not say otherwise.
 */
static enum err tell_all(struct command_call *call, bool own_address, enum remote_reach *reach)
{
	*reach = REACH_HERE;
	if (!own_address || args_flag(call->args, "only-here"))
		return ERR_OK;
	return app_remote_tell(call->ec, call->app, reach);
}

static const char *reach_word(enum remote_reach reach)
{
	return reach == REACH_ALL ? "all" : reach == REACH_MOVING ? "moving" : "here";
}

static void reach_say(struct command_call *call, enum remote_reach reach)
{
	if (reach == REACH_ALL)
		command_say(call, TR("The others learn it with their next sync, after yours."), NULL, NULL, NULL);
}

// ---- Whom to believe ----

static void say_host(struct command_call *call, const struct probe_view *v)
{
	const struct text t = { .out = call->io->err, .lang = call->lang };

	text_line(&t, TR("The host of %1 shows this key (%2):"), v->url, v->type, NULL);
	fprintf(call->io->err, "\n    %s\n\n", v->fingerprint);
	if (v->changed)
		text_line(
		    &t,
		    TR("It is another one than before. Ask the host why, by telephone or on its website, before you "
		       "go on."),
		    NULL, NULL, NULL);
	else
		text_line(&t, TR("Compare it with what the host itself says: on its website, or on its own screen."),
		          NULL, NULL, NULL);
}

/* Shows the key and asks; with nobody to ask, what it shows is in the sentence of the failure. */
static enum err ask_host(struct command_call *call, const struct probe_view *v, bool *yes)
{
	struct secret_text *answer = NULL;
	enum err e = ERR_OK;

	*yes = false;
	say_host(call, v);
	e = command_line(call, TR("Is this the right key? Type yes or no: "), false, &answer);
	if (e == ERR_LOCKED) {
		err_clear(call->ec);
		e = err_set(call->ec, ERR_REFUSED,
		            "The host shows the key %1, and nobody trusts it here yet. Is it the right one? Then type: "
		            "remote trust %1 --remote %2",
		            v->fingerprint, v->url, NULL);
	}
	if (e == ERR_OK)
		*yes = strcasecmp(answer->text, "yes") == 0 || strcasecmp(answer->text, "ja") == 0 ||
		       strcasecmp(answer->text, lang_tr(call->lang, TR("yes"))) == 0;
	secret_text_free(answer);
	return e;
}

static enum err not_trusted(struct command_call *call)
{
	return err_set(call->ec, ERR_REFUSED, "The host is not trusted, and nothing was told to it.", NULL, NULL, NULL);
}

enum err remote_host_known(struct command_call *call, const char *url)
{
	struct probe_view v = { 0 };
	bool yes = false;
	enum err e = ERR_OK;

	if (!app_remote_is_ssh(url))
		return ERR_OK;
	e = app_remote_probe(call->ec, call->app, url, &v);
	if (e != ERR_OK || v.fingerprint[0] == '\0' || v.changed)
		return e; /* known; or what is wrong with it is told by whoever uses it */
	e = ask_host(call, &v, &yes);
	if (e == ERR_OK && !yes)
		e = not_trusted(call);
	return e == ERR_OK ? app_remote_trust(call->ec, call->app, url, v.fingerprint, false) : e;
}

static enum err file_bytes(struct command_call *call, const char *path, struct buf *out)
{
	int fd = -1;
	enum err e = io_open_read(call->io, call->ec, path, &fd);

	if (e == ERR_OK)
		e = file_read_fd(call->ec, fd, path, KEY_FILE_MAX, out);
	if (fd >= 0)
		close(fd);
	return e;
}

static enum err trusted_print(struct command_call *call, const char *fingerprint, bool own_address)
{
	enum remote_reach reach = REACH_HERE;
	struct doc *d = NULL;
	enum err e = tell_all(call, own_address, &reach);

	if (e != ERR_OK)
		return e;

	if (!call->io->json) {
		command_say(call,
		            fingerprint == NULL ? TR("From now on this certificate is believed for this address.")
		                                : TR("From now on this key of the host is trusted: %1"),
		            fingerprint, NULL, NULL);
		reach_say(call, reach);
		return ERR_OK;
	}
	d = doc_new();
	doc_object(d, NULL);
	doc_text(d, "trusted", fingerprint);
	doc_bool(d, "authority", fingerprint == NULL);
	doc_text(d, "reach", reach_word(reach));
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

static enum err trust_authority(struct command_call *call, const char *url, const char *path)
{
	struct buf file = { 0 };
	enum err e = strcmp(path, "system") == 0 ? ERR_OK : file_bytes(call, path, &file);

	if (e == ERR_OK)
		e = app_remote_authority(call->ec, call->app, url, buf_bytes(&file));
	buf_free(&file);
	return e == ERR_OK ? trusted_print(call, NULL, url == NULL) : e;
}

/* Without a fingerprint the host is asked, and the person. */
static enum err trust_shown(struct command_call *call, const char *url, char out[static FINGERPRINT_TEXT_LEN])
{
	struct probe_view v = { 0 };
	bool yes = false;
	enum err e = app_remote_probe(call->ec, call->app, url, &v);

	if (e == ERR_OK && v.fingerprint[0] == '\0' && v.why[0] != '\0')
		e = err_set(call->ec, ERR_LATER, "The repository at %1 cannot be used: %2", v.url, v.why, NULL);
	else if (e == ERR_OK && v.fingerprint[0] == '\0')
		e = err_set(call->ec, ERR_REFUSED, "This host is trusted already. See: remote show", NULL, NULL, NULL);
	if (e == ERR_OK)
		e = ask_host(call, &v, &yes);
	if (e == ERR_OK && !yes)
		e = not_trusted(call);
	if (e == ERR_OK)
		memcpy(out, v.fingerprint, FINGERPRINT_TEXT_LEN);
	return e;
}

enum err cmd_remote_trust(struct command_call *call)
{
	const char *typed = args_pos(call->args, 0);
	const char *ca = args_get(call->args, "ca");
	char shown[FINGERPRINT_TEXT_LEN] = "";
	char *url = NULL;
	enum err e = ERR_OK;

	if (args_get(call->args, "remote") != NULL)
		e = remote_address(call, args_get(call->args, "remote"), &url);
	if (e == ERR_OK && ca != NULL && typed != NULL)
		e = err_set(call->ec, ERR_USAGE, "Give either the fingerprint of a key or --ca.", NULL, NULL, NULL);
	if (e == ERR_OK && ca != NULL) {
		e = trust_authority(call, url, ca);
		free(url);
		return e;
	}
	if (e == ERR_OK && typed == NULL)
		e = trust_shown(call, url, shown);
	if (e == ERR_OK)
		e = app_remote_trust(call->ec, call->app, url, typed != NULL ? typed : shown,
		                     args_flag(call->args, "anew"));
	if (e == ERR_OK)
		e = trusted_print(call, typed != NULL ? typed : shown, url == NULL);
	free(url);
	return e;
}

// ---- Login ----

/* The one way of those that were named; the last two only where there is a vault to keep it in. */
static enum err how_of(struct command_call *call, bool vault, struct login_ask *ask)
{
	static const struct {
		const char *option;
		enum login_how how;
	} ways[] = { { "password-file", LOGIN_PASSWORD }, { "password-fd", LOGIN_PASSWORD },
		     { "key-file", LOGIN_KEY_FILE },      { "agent", LOGIN_AGENT },
		     { "make-key", LOGIN_NEW_KEY },       { "none", LOGIN_NONE } };
	size_t ways_here = sizeof(ways) / sizeof(ways[0]) - (vault ? 0 : 2);
	size_t named = 0;

	ask->how = LOGIN_PASSWORD;
	for (size_t i = 0; i < ways_here; i++) {
		if (args_get(call->args, ways[i].option) == NULL && !args_flag(call->args, ways[i].option))
			continue;
		ask->how = ways[i].how;
		named++;
	}
	if (named > 1)
		return err_set(call->ec, ERR_USAGE,
		               "Choose one way to log in: a password, --key-file, --make-key, --agent or --none.", NULL,
		               NULL, NULL);
	return ERR_OK;
}

static enum err password_read(struct command_call *call, struct secret_text **out)
{
	const struct passphrase_ask ask = { .file = args_get(call->args, "password-file"),
		                            .fd = args_get(call->args, "password-fd"),
		                            .prompt = lang_tr(call->lang, TR("Password or token for the host: ")),
		                            .look = TYPED_HIDDEN };

	return passphrase_read(call->io, call->ec, &ask, out);
}

/* Fills in the secret; what it is read into is the caller's to free. */
static enum err secret_read(struct command_call *call, struct login_ask *ask, struct secret_text **text,
                            struct buf *file)
{
	enum err e = ERR_OK;

	if (ask->how == LOGIN_PASSWORD) {
		e = password_read(call, text);
		if (e == ERR_OK)
			ask->secret = (struct bytes){ (const uint8_t *)(*text)->text, (*text)->len };
	} else if (ask->how == LOGIN_KEY_FILE) {
		e = file_bytes(call, args_get(call->args, "key-file"), file);
		ask->secret = buf_bytes(file);
	}
	return e;
}

static enum err login_print(struct command_call *call, const struct login_ask *ask, const char *key,
                            enum remote_reach reach)
{
	struct doc *d = NULL;

	if (!call->io->json) {
		command_say(call, TR("This login is kept in the vault, and goes along with invitations."), NULL, NULL,
		            NULL);
		if (ask->mine || ask->how == LOGIN_AGENT)
			command_say(call, TR("It is yours alone: whom you invite needs a login of their own."), NULL,
			            NULL, NULL);
		if (key[0] != '\0' && ask->how == LOGIN_NEW_KEY) {
			command_say(call,
			            TR("Give this line to the host, as a key that may read and write (deploy key):"),
			            NULL, NULL, NULL);
			fprintf(call->io->out, "\n%s\n\n", key);
		}
		reach_say(call, reach);
		return ERR_OK;
	}
	d = doc_new();
	doc_object(d, NULL);
	doc_text(d, "key", key[0] == '\0' ? NULL : key);
	doc_bool(d, "mine", ask->mine || ask->how == LOGIN_AGENT);
	doc_text(d, "reach", reach_word(reach));
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

enum err cmd_remote_login(struct command_call *call)
{
	struct login_ask ask = { .user = args_pos(call->args, 0), .mine = args_flag(call->args, "mine") };
	struct secret_text *text = NULL;
	struct buf file = { 0 };
	char key[REMOTE_KEY_LEN] = "";
	char *url = NULL;
	enum remote_reach reach = REACH_HERE;
	enum err e = how_of(call, true, &ask);

	if (e == ERR_OK && args_get(call->args, "remote") != NULL)
		e = remote_address(call, args_get(call->args, "remote"), &url);
	if (e == ERR_OK)
		e = secret_read(call, &ask, &text, &file);
	if (e == ERR_OK)
		e = app_remote_login(call->ec, call->app, url, &ask, key);
	if (e == ERR_OK)
		e = tell_all(call, url == NULL && !ask.mine && ask.how != LOGIN_AGENT, &reach);
	secret_text_free(text);
	buf_free(&file);
	free(url);
	return e == ERR_OK ? login_print(call, &ask, key, reach) : e;
}

enum err remote_access_read(struct command_call *call, const char *url, struct access **out)
{
	struct login_ask ask = { .user = args_get(call->args, "user") };
	const char *ca = args_get(call->args, "ca");
	const char *trust = args_get(call->args, "trust");
	bool login = args_get(call->args, "password-file") != NULL || args_get(call->args, "password-fd") != NULL ||
	             args_get(call->args, "key-file") != NULL || args_flag(call->args, "agent") || ask.user != NULL;
	struct secret_text *text = NULL;
	struct buf file = { 0 };
	struct buf authority = { 0 };
	struct access *a = NULL;
	enum err e = ERR_OK;

	*out = NULL;
	if (!login && ca == NULL && trust == NULL)
		return ERR_OK;
	a = app_access_new();
	e = a == NULL ? ERR_NO_MEMORY : how_of(call, false, &ask);
	if (e == ERR_OK && !login)
		ask.how = LOGIN_NONE;
	if (e == ERR_OK)
		e = secret_read(call, &ask, &text, &file);
	if (e == ERR_OK)
		e = app_access_login(call->ec, call->options, url, &ask, a);
	if (e == ERR_OK && trust != NULL)
		e = app_access_trust(call->ec, trust, a);
	if (e == ERR_OK && ca != NULL)
		e = file_bytes(call, ca, &authority);
	if (e == ERR_OK && ca != NULL)
		e = app_access_authority(call->ec, buf_bytes(&authority), a);
	secret_text_free(text);
	buf_free(&file);
	buf_free(&authority);
	if (e == ERR_OK)
		*out = a;
	else
		app_access_free(a);
	return e;
}

// ---- Showing, setting ----

static enum err show_doc(struct command_call *call, const struct remote_view *v)
{
	struct doc *d = doc_new();

	doc_object(d, NULL);
	doc_text(d, "neighbourhood", v->neighbourhood);
	doc_text(d, "remote", v->url);
	doc_text(d, "login", v->login);
	doc_text(d, "user", v->user[0] == '\0' ? NULL : v->user);
	doc_text(d, "key", v->key[0] == '\0' ? NULL : v->key);
	doc_bool(d, "mine", v->mine);
	doc_array(d, "hosts");
	for (size_t i = 0; i < v->hosts; i++)
		doc_text(d, NULL, v->host[i]);
	doc_end(d);
	doc_bool(d, "authority", v->authority);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

enum err cmd_remote_show(struct command_call *call)
{
	struct remote_view v;
	char *url = NULL;
	enum err e = ERR_OK;

	if (args_get(call->args, "remote") != NULL)
		e = remote_address(call, args_get(call->args, "remote"), &url);
	if (e == ERR_OK)
		e = app_remote_show(call->ec, call->app, url, &v);
	free(url);
	if (e != ERR_OK)
		return e;
	if (call->io->json)
		return show_doc(call, &v);
	fprintf(call->io->out, "%s%s%s\n", v.neighbourhood, v.neighbourhood[0] == '\0' ? "" : "  ", v.url);
	if (strcmp(v.login, "password") == 0)
		command_say(call, TR("Login: %1, with a password or token"), v.user, NULL, NULL);
	else if (strcmp(v.login, "key") == 0)
		command_say(call, TR("Login: %1, with a key"), v.user, NULL, NULL);
	else if (strcmp(v.login, "agent") == 0)
		command_say(call, TR("Login: %1, with a key of your ssh agent"), v.user, NULL, NULL);
	if (v.key[0] != '\0')
		fprintf(call->io->out, "    %s\n", v.key);
	if (v.mine)
		command_say(call, TR("It is yours alone: whom you invite needs a login of their own."), NULL, NULL,
		            NULL);
	for (size_t i = 0; i < v.hosts; i++)
		command_say(call, TR("Trusted host key: %1"), v.host[i], NULL, NULL);
	if (v.authority)
		command_say(call, TR("Certificates are believed of one authority, chosen with remote trust --ca."),
		            NULL, NULL, NULL);
	return ERR_OK;
}

static void set_say(struct command_call *call, const char *remote, enum remote_reach reach)
{
	if (reach != REACH_MOVING) {
		command_say(call, TR("From now on this home syncs with %1."), remote, NULL, NULL);
		return;
	}
	command_say(call,
	            TR("The others learn the new address with their next sync, after yours. Then every home moves."),
	            NULL, NULL, NULL);
	command_say(call,
	            TR("Leave the old repository where it is until everybody has synced. Is it gone already? Then give "
	               "the address to each home: remote set URL --only-here"),
	            NULL, NULL, NULL);
}

enum err cmd_remote_set(struct command_call *call)
{
	enum remote_reach reach = REACH_HERE;
	bool only_here = args_flag(call->args, "only-here");
	struct doc *d = NULL;
	char *remote = NULL;
	enum err e = remote_address(call, args_pos(call->args, 0), &remote);

	if (e == ERR_OK && !only_here)
		e = remote_host_known(call, remote);
	if (e == ERR_OK)
		e = app_remote_set(call->ec, call->app, remote, only_here, &reach);
	if (e == ERR_OK && !call->io->json)
		set_say(call, remote, reach);
	if (e == ERR_OK && call->io->json) {
		d = doc_new();
		doc_object(d, NULL);
		doc_text(d, "remote", remote);
		doc_text(d, "reach", reach_word(reach));
		doc_end(d);
		e = doc_print(call->ec, d, call->io->out);
	}
	free(remote);
	return e;
}
