/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Where a neighbourhood's repository is, how one comes in there, and by what one knows the host: for the person who
 * looks after the repository. Everybody else has it from an invitation. `url` NULL stands for the address of the
 * neighbourhood chosen; another one may be prepared before it is used.
 */
#ifndef SLB_APP_REMOTES_H
#define SLB_APP_REMOTES_H

#include "app/session.h"
#include "base/buf.h"
#include "base/codec.h"

#define REMOTE_HOSTS 8
#define REMOTE_USER_MAX 128
#define REMOTE_KEY_LEN 128 /* a line for authorized_keys */

struct remote_view {
	char neighbourhood[128];
	char url[1100];
	char login[12]; /* none, password, key, agent */
	char user[REMOTE_USER_MAX + 1];
	char key[REMOTE_KEY_LEN]; /* the public half of a key that was made here; "": no such key */
	bool mine;                /* the login is one's own and goes along with no invitation */
	char host[REMOTE_HOSTS][FINGERPRINT_TEXT_LEN];
	size_t hosts;
	bool authority; /* an authority of one's own is believed, and no other */
};
enum err app_remote_show(struct errctx *ec, struct app *app, const char *url, struct remote_view *out) MUST_CHECK;
/* Where a change counts. A coordinator's is for everybody unless it is asked otherwise; anybody else's, and a folder,
 * are for this home alone. */
enum remote_reach {
	REACH_HERE,   /* this home alone */
	REACH_ALL,    /* this home now, and the others when they have synced */
	REACH_MOVING, /* everybody, this home too, when they have synced with the old address */
};
/* From now on this home syncs there. A login by key goes along from one ssh host to another. Where others are to
 * follow, the address is tried first: ERR_LATER where it cannot be used, and nothing was changed. */
enum err app_remote_set(struct errctx *ec, struct app *app, const char *url, bool only_here,
                        enum remote_reach *out) MUST_CHECK;
/* What is known of how to come in at the neighbourhood's address is told to everybody, where this person may. */
enum err app_remote_tell(struct errctx *ec, struct app *app, enum remote_reach *out) MUST_CHECK;

/* ERR_INPUT with a sentence for an address that cannot be one: too long, a password in it, not safe. */
enum err app_remote_check(struct errctx *ec, const char *url) MUST_CHECK;
/* Is it reached by ssh; is it a host at all (no folder)? */
bool app_remote_is_ssh(const char *url);
bool app_remote_is_host(const char *url);

enum login_how { LOGIN_PASSWORD, LOGIN_KEY_FILE, LOGIN_NEW_KEY, LOGIN_AGENT, LOGIN_NONE };
struct login_ask {
	enum login_how how;
	const char *user;    /* NULL: the one in the address, else "git" */
	struct bytes secret; /* a password or token; the text of a key file; borrowed */
	bool mine;           /* goes along with no invitation; an agent's never does */
};
/* Takes the place of what was known; host keys and authority stay. `key` (REMOTE_KEY_LEN bytes) receives the line for
 * the host where there is one to tell, else "". */
enum err app_remote_login(struct errctx *ec, struct app *app, const char *url, const struct login_ask *ask,
                          char *key) MUST_CHECK;

/* Asks the host once, without changing anything. */
struct probe_view {
	char url[1100];
	char type[16]; /* of the ssh host key that nobody trusts here yet; "": none was shown */
	char fingerprint[FINGERPRINT_TEXT_LEN]; /* of that one */
	bool changed;                           /* and others are trusted for this address */
	char why[512];                          /* why it cannot be used, in English; "": it can */
};
enum err app_remote_probe(struct errctx *ec, struct app *app, const char *url, struct probe_view *out) MUST_CHECK;
/* A host key is trusted besides those that are; `anew`: in place of them. ERR_INPUT where it is no fingerprint. */
enum err app_remote_trust(struct errctx *ec, struct app *app, const char *url, const char *fingerprint,
                          bool anew) MUST_CHECK;
/* A certificate (PEM or DER) is believed in place of the system's authorities; empty: the system's again. */
enum err app_remote_authority(struct errctx *ec, struct app *app, const char *url, struct bytes file) MUST_CHECK;

/* --- where no vault is open: recover --- */

struct access *app_access_new(void); /* NULL: no memory */
void app_access_free(struct access *a);
enum err app_access_login(struct errctx *ec, const struct app_options *o, const char *url, const struct login_ask *ask,
                          struct access *a) MUST_CHECK;
enum err app_access_trust(struct errctx *ec, const char *fingerprint, struct access *a) MUST_CHECK;
enum err app_access_authority(struct errctx *ec, struct bytes file, struct access *a) MUST_CHECK;

/* Makes an empty repository for `found`, where it is a folder, and looks whether it can be used: ERR_LATER when not. */
enum err app_remote_create(struct errctx *ec, struct app *app, const char *url) MUST_CHECK;

#endif
