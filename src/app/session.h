/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * An open home: what every use case in app/ works on. Interfaces hold a struct app and hand it to app_*() functions;
 * only files of app/ look inside.
 *
 * A home is a directory: keys (key file), vault.db and its companions, repo (the courier's cache), spool.
 */
#ifndef SLB_APP_SESSION_H
#define SLB_APP_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"

struct access;
struct store;
struct vault;
struct watch;
struct zip;

struct app_options {
	const char *home;
	const char *neighbourhood; /* the one to work in, NULL: the only one */
	const char *courier;       /* path of the courier program */
	const char *agent;         /* where the person's ssh agent listens; NULL: nowhere */
	const struct access
	    *access; /* how to come in at a repository, where no vault is open to tell; NULL: as anybody */
	const struct clock *clock; /* NULL: the system's */
	const struct rng *rng;     /* NULL: the system's */
};

struct app {
	char *home;
	char *neighbourhood; /* NULL: the only one */
	char *courier;
	char *agent;                 /* NULL: none */
	const struct access *access; /* of the options */
	const struct clock *clock;
	const struct rng *rng;
	struct vault *vault;
	struct store *store;
	struct zip *zip;
	struct errctx unread; /* see app_unread() */
	struct watch *watch;  /* app/watch.h; NULL until it is first asked */
};

/* Once per process. */
enum err app_start(void) MUST_CHECK;

/* Makes a home: directory, key file, vault, own space with the first member (oneself). ERR_REFUSED where one
 * exists. `app` is open afterwards. */
enum err app_init(struct errctx *ec, const struct app_options *o, struct bytes passphrase, const char *nick,
                  struct app **app) MUST_CHECK;
/* Opens a home with its passphrase. ERR_NOT_FOUND: no home here; ERR_LOCKED: wrong passphrase. */
enum err app_open(struct errctx *ec, const struct app_options *o, struct bytes passphrase, struct app **app) MUST_CHECK;
/* The second half of both, for harnesses that hold a master key; the program itself reaches it only through a
 * passphrase. `create` makes the vault (with `nick`'s own space); the directory exists. */
enum err app_open_with_key(struct errctx *ec, const struct app_options *o, const uint8_t master[static 32], bool create,
                           const char *nick, struct app **app) MUST_CHECK;
/* A home that is not open, for repair (app/verify.h). *out is to be closed also after a failure. */
enum err app_shell(const struct app_options *o, struct app **out) MUST_CHECK;
/* False for such a one, and where a vault could not be opened again (app_vault_reopen): then everything but app_close()
 * is over, or is said to be possible. */
bool app_is_open(const struct app *app);
void app_close(struct app *app);

/* For changes that put another vault in the place of the open one (rekey). app_vault_close() closes store and vault and
 * leaves the rest; app_vault_reopen() does that and opens what the home holds under `master`. After a failure the app
 * is not open. */
void app_vault_close(struct app *app);
enum err app_vault_reopen(struct errctx *ec, struct app *app, const uint8_t master[static 32]) MUST_CHECK;

/* What opening noticed that a person must know although it is no reason to refuse (V2, V5): an English literal in TR(),
 * or NULL. */
const char *app_warning(const struct app *app);

/* Lists, searches and views leave out what cannot be read and go on. This tells of it: the first failure since it was
 * last asked, or ERR_OK. Interfaces ask after every command, so that nothing is left out without a word (V2, V6); a
 * transaction that met one is rolled back by itself. */
enum err app_unread(struct errctx *ec, struct app *app) MUST_CHECK;

/* Rewrites the passphrase slot of the key file; the vault stays as it is, open or not. ERR_LOCKED: `before` is not the
 * passphrase. ERR_REFUSED: both are the same. */
enum err app_change_passphrase(struct errctx *ec, const struct app_options *o, struct bytes before,
                               struct bytes after) MUST_CHECK;

/* Makes the directory for a home and those above it; fine where they are there. */
enum err app_home_make(struct errctx *ec, const char *home) MUST_CHECK;

/* Is there a home in this directory? */
bool app_home_exists(const char *home);

/* Chooses the neighbourhood for what follows (an owner serves callers with different options); NULL: the only one. */
enum err app_choose_neighbourhood(struct app *app, const char *name) MUST_CHECK;

/* What the options name, or the system's. */
const struct clock *app_clock(const struct app_options *o);
const struct rng *app_rng(const struct app_options *o);
/* Within app/: notes that something was left out because of `e`, with the sentence in `why` where it has one. */
void app_unread_note(struct app *app, const struct errctx *why, enum err e);

/* Days since 1970-01-01 in local time. */
int64_t app_today(const struct app *app);
int64_t app_day_of(int64_t ms);
int64_t app_now_ms(const struct app *app);
/* ISO 8601 in UTC: "2026-11-22T10:00:00Z"; "" for a time that no calendar has. */
#define APP_UTC_LEN 24
void app_utc(int64_t ms, char out[static APP_UTC_LEN]);

/* --- spaces as the use cases need them --- */

/* The circle to write in: the one named; with NULL the only circle, else (no circle at all) the own space.
 * ERR_USAGE when there are several, ERR_NOT_FOUND when there is none of that name. */
enum err app_circle(struct errctx *ec, struct app *app, const char *name, int64_t *space) MUST_CHECK;
/* The neighbourhood chosen. ERR_NOT_FOUND when there is none yet, ERR_USAGE when one must be chosen. */
enum err app_neighbourhood(struct errctx *ec, struct app *app, int64_t *space) MUST_CHECK;
/* A space's name; "" when there is none. `out` takes SPACE_NAME_MAX + 1 bytes (store/store.h). */
void app_space_name(struct app *app, int64_t space, char *out);
/* Whose device wrote something: the name of the member behind a device, else the device's id as text.
 * `out` takes APP_NAME_MAX bytes. */
#define APP_NAME_MAX 128
struct dot;
void app_author(struct app *app, struct dot dot, char *out);

#endif
