// SPDX-License-Identifier: EUPL-1.2
// Making and opening a home. Deriving the key and opening by it are two functions (V4); the home exists from the
// moment its key file has its name, which is the last thing that making it does.
#include "app/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/backup.h"
#include "app/recovery.h"
#include "app/watch.h"
#include "base/file.h"
#include "base/tr.h"
#include "batch/batch.h"
#include "crypto/secret.h"
#include "store/store.h"
#include "sync/membership.h"
#include "sync/own.h"
#include "sync/space.h"
#include "vault/keyfile.h"
#include "vault/vault.h"

#define DAY_S (24 * 60 * 60)

static int64_t system_now(void *self)
{
	struct timespec t;

	(void)self;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static const struct clock system_clock = { system_now, NULL };

const struct clock *app_clock(const struct app_options *o)
{
	return o->clock != NULL ? o->clock : &system_clock;
}

const struct rng *app_rng(const struct app_options *o)
{
	return o->rng != NULL ? o->rng : &crypto_rng;
}

enum err app_start(void)
{
	enum err e = crypto_start();

	return e != ERR_OK ? e : vault_start();
}

enum err app_shell(const struct app_options *o, struct app **out)
{
	struct app *app = calloc(1, sizeof(*app));

	*out = app;
	if (app == NULL)
		return ERR_NO_MEMORY;
	app->clock = app_clock(o);
	app->rng = app_rng(o);
	app->home = strdup(o->home);
	app->courier = o->courier == NULL ? NULL : strdup(o->courier);
	app->agent = o->agent == NULL ? NULL : strdup(o->agent);
	app->access = o->access;
	app->neighbourhood = o->neighbourhood == NULL ? NULL : strdup(o->neighbourhood);
	if ((o->agent != NULL && app->agent == NULL) || app->home == NULL ||
	    (o->courier != NULL && app->courier == NULL) || (o->neighbourhood != NULL && app->neighbourhood == NULL))
		return ERR_NO_MEMORY;
	return zip_new(&app->zip);
}

void app_vault_close(struct app *app)
{
	store_close(app->store);
	vault_close(app->vault);
	free(app->watch); /* what it has seen was of that vault */
	app->store = NULL;
	app->vault = NULL;
	app->watch = NULL;
}

enum err app_vault_reopen(struct errctx *ec, struct app *app, const uint8_t master[static 32])
{
	enum err e = ERR_OK;

	app_vault_close(app);
	e = vault_open(ec, app->home, master, VAULT_OPEN, app->rng, &app->vault);
	if (e == ERR_OK)
		e = store_open(ec, app->vault, &app->store);
	if (e != ERR_OK)
		app_vault_close(app);
	return e;
}

void app_close(struct app *app)
{
	if (app == NULL)
		return;
	app_vault_close(app);
	zip_free(app->zip);
	free(app->home);
	free(app->courier);
	free(app->agent);
	free(app->neighbourhood);
	free(app);
	secret_wipe_stack();
}

bool app_is_open(const struct app *app)
{
	return app->store != NULL;
}

const char *app_warning(const struct app *app)
{
	struct vault_notice n = { .mark_missing = false };

	if (app_watch(app).state == WATCH_DAMAGED)
		return TR(
		    "Something in this home is damaged, or an older piece of it was put back. Make it whole again "
		    "with: verify --repair");
	if (app_is_open(app))
		n = vault_notice(app->vault);
	if (n.mark_missing)
		return TR("The file vault.mark is gone or damaged, so that nothing tells whether the last edits are "
		          "all here. Look whether they are. If you did not expect this, somebody may have put older "
		          "files in this home.");
	if (n.old_wal_ignored)
		return TR("An older log of edits was put in this home. It was not read.");
	return NULL;
}

/* Of what others refer to, and of entries in a list: gone or erased is no failure. */
void app_unread_note(struct app *app, const struct errctx *why, enum err e)
{
	if (e == ERR_OK || e == ERR_NOT_FOUND || app->unread.code != ERR_OK)
		return;
	if (why->code != ERR_OK)
		app->unread = *why;
	else if (e == ERR_NO_MEMORY)
		(void)err_errno(&app->unread, ENOMEM, "");
	else
		(void)err_set(&app->unread, e,
		              "A part of what is here could not be read. Run verify to see how much is.", NULL, NULL,
		              NULL);
}

enum err app_unread(struct errctx *ec, struct app *app)
{
	struct errctx u = app->unread;

	err_clear(&app->unread);
	return u.code == ERR_OK ? ERR_OK : err_set(ec, u.code, u.msg, u.arg[0], u.arg[1], u.arg[2]);
}

/* A home starts with the space of one person. */
static enum err own_space_found(struct errctx *ec, struct app *app, const char *nick)
{
	struct sync y = { app->store, app->zip, app->rng, app->clock };
	struct founding f = { .kind = SPACE_OWN, .name = nick, .nick = nick, .remote = "" };
	struct space_row row;
	enum err e = store_begin(ec, app->store);

	if (e != ERR_OK)
		return e;
	e = space_found(ec, &y, &f, &row);
	if (e == ERR_OK)
		return store_commit(ec, app->store);
	store_rollback(app->store);
	return e;
}

enum err app_open_with_key(struct errctx *ec, const struct app_options *o, const uint8_t master[static 32], bool create,
                           const char *nick, struct app **out)
{
	struct app *app = NULL;
	enum err e = app_shell(o, &app);

	*out = NULL;
	if (e == ERR_OK)
		e = vault_open(ec, o->home, master, create ? VAULT_CREATE : VAULT_OPEN, app->rng, &app->vault);
	if (e == ERR_OK)
		e = store_open(ec, app->vault, &app->store);
	if (e == ERR_OK && create)
		e = own_space_found(ec, app, nick);
	if (e != ERR_OK) {
		app_close(app);
		return e;
	}
	if (!create) {
		struct sync y = { app->store, app->zip, app->rng, app->clock };

		e = membership_catch_up(ec, &y);
	}
	if (e != ERR_OK) {
		app_close(app);
		return e;
	}
	backup_clear(o->home); /* now that nobody else can be at it */
	/* A key whose destruction was broken off. Where it fails again the wish stays, and nothing else depends on it.
	 */
	if (!create)
		(void)!store_forget(NULL, app->store);
	*out = app;
	return ERR_OK;
}

bool app_home_exists(const char *home)
{
	char *keys = file_join(home, "keys");
	bool there = keys != NULL && file_exists(keys);

	free(keys);
	return there;
}

static bool home_has(const char *home, const char *name)
{
	char *path = file_join(home, name);
	bool there = path == NULL || file_exists(path);

	free(path);
	return there;
}

static void home_remove(const char *home, const char *name)
{
	char *path = file_join(home, name);

	if (path != NULL)
		unlink(path);
	free(path);
}

/* What a broken-off attempt left. keys.init is the first thing an attempt makes and the last that is cleared: a vault
 * without it and without a key file was in use, and its key file is somewhere else. */
static enum err remove_attempt(struct errctx *ec, const char *home)
{
	static const char *const names[] = { "keys.init.new", "vault.new", "vault.db", "vault.db-wal", "vault.mark" };
	char *attempt = NULL;
	enum err e = ERR_OK;

	if (!home_has(home, "keys.init") && (home_has(home, "vault.db") || home_has(home, "vault.db-wal")))
		return err_set(ec, ERR_REFUSED,
		               "There is a vault in %1, and its key file is gone. Put the file keys back, or choose "
		               "another place with --home. Nothing was changed.",
		               home, NULL, NULL);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		home_remove(home, names[i]);
	attempt = file_join(home, "keys.init");
	e = attempt == NULL ? ERR_NO_MEMORY : file_sync_parent(ec, attempt);
	free(attempt);
	if (e == ERR_OK)
		home_remove(home, "keys.init");
	return e;
}

/* One attempt at a time, in a folder that nobody else gets into: whoever may write there could put other files in the
 * place of these, and the courier's are as open as the umask makes them. *fd holds the claim. */
static enum err claim_home(struct errctx *ec, const char *home, int *fd)
{
	struct stat st;

	*fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0 || fstat(*fd, &st) != 0)
		return err_errno(ec, errno, home);
	if (st.st_uid != geteuid())
		return err_set(ec, ERR_REFUSED, "The folder %1 belongs to somebody else. Choose another with --home.",
		               home, NULL, NULL);
	/* FAT has no such rights to take away. */
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0 && fchmod(*fd, S_IRWXU) != 0 && errno != EPERM)
		return err_errno(ec, errno, home);
	if (flock(*fd, LOCK_EX | LOCK_NB) != 0)
		return err_set(ec, ERR_LATER, "Another command is at work in this home. Try again when it is done.",
		               NULL, NULL, NULL);
	return ERR_OK;
}

enum err app_home_make(struct errctx *ec, const char *home)
{
	char *path = strdup(home);
	enum err e = path == NULL ? ERR_NO_MEMORY : ERR_OK;

	for (char *p = path; e == ERR_OK && (p = strchr(p + 1, '/')) != NULL;) {
		*p = '\0';
		e = file_make_dir(ec, path);
		*p = '/';
	}
	if (e == ERR_OK)
		e = file_make_dir(ec, path);
	free(path);
	return e;
}

enum err app_init(struct errctx *ec, const struct app_options *o, struct bytes passphrase, const char *nick,
                  struct app **out)
{
	uint8_t *master = NULL;
	char *keys = file_join(o->home, "keys");
	char *attempt = file_join(o->home, "keys.init");
	int claim = -1;
	enum err e = keys == NULL || attempt == NULL ? ERR_NO_MEMORY : ERR_OK;

	*out = NULL;
	if (e == ERR_OK)
		e = app_home_make(ec, o->home);
	if (e == ERR_OK)
		e = claim_home(ec, o->home, &claim);
	if (e == ERR_OK && app_home_exists(o->home))
		e = err_set(ec, ERR_REFUSED, "There is a home in %1 already. Choose another place with --home.",
		            o->home, NULL, NULL);
	if (e == ERR_OK)
		e = remove_attempt(ec, o->home);
	if (e == ERR_OK) {
		master = secret_new(32);
		e = master == NULL ? ERR_NO_MEMORY
		                   : keyfile_create(ec, attempt, passphrase, app_clock(o), app_rng(o), master);
	}
	if (e == ERR_OK)
		e = app_open_with_key(ec, o, master, true, nick, out);
	if (e == ERR_OK && rename(attempt, keys) != 0)
		e = err_errno(ec, errno, keys);
	if (e == ERR_OK)
		e = file_sync_parent(ec, keys);
	if (e != ERR_OK) {
		app_close(*out);
		*out = NULL;
	}
	if (claim >= 0)
		close(claim);
	secret_free(master);
	free(keys);
	free(attempt);
	return e;
}

enum err app_open(struct errctx *ec, const struct app_options *o, struct bytes passphrase, struct app **out)
{
	uint8_t *master = NULL;
	char *keys = file_join(o->home, "keys");
	enum err e = keys == NULL ? ERR_NO_MEMORY : ERR_OK;

	*out = NULL;
	if (e == ERR_OK && !app_home_exists(o->home))
		e = err_set(ec, ERR_NOT_FOUND, "There is no home in %1. Make one with: sleutelbos init --name NAME",
		            o->home, NULL, NULL);
	if (e == ERR_OK) {
		master = secret_new(32);
		e = master == NULL ? ERR_NO_MEMORY : keyfile_unlock(ec, keys, passphrase, master);
	}
	if (e == ERR_OK)
		e = app_open_with_key(ec, o, master, false, NULL, out);
	if (e == ERR_OK) {
		app_sheet_note(*out);
		app_sheet_pick_up(*out, master);
	}
	secret_free(master);
	free(keys);
	return e;
}

enum err app_change_passphrase(struct errctx *ec, const struct app_options *o, struct bytes before, struct bytes after)
{
	char *keys = file_join(o->home, "keys");
	enum err e = keys == NULL ? ERR_NO_MEMORY : ERR_OK;

	if (e == ERR_OK && bytes_cmp(before, after) == 0)
		e = err_set(ec, ERR_REFUSED, "That is the passphrase you have already. Choose another one.", NULL, NULL,
		            NULL);
	if (e == ERR_OK)
		e = keyfile_change_passphrase(ec, keys, before, after, app_clock(o), app_rng(o));
	free(keys);
	return e;
}

enum err app_choose_neighbourhood(struct app *app, const char *name)
{
	char *copy = name == NULL ? NULL : strdup(name);

	if (name != NULL && copy == NULL)
		return ERR_NO_MEMORY;
	free(app->neighbourhood);
	app->neighbourhood = copy;
	return ERR_OK;
}

int64_t app_now_ms(const struct app *app)
{
	return clock_now(app->clock);
}

int64_t app_today(const struct app *app)
{
	return app_day_of(app_now_ms(app));
}

int64_t app_day_of(int64_t ms)
{
	time_t t = (time_t)(ms / 1000);
	struct tm local;

	localtime_r(&t, &local);
	t += local.tm_gmtoff;
	return t >= 0 ? t / DAY_S : (t - DAY_S + 1) / DAY_S;
}

void app_utc(int64_t ms, char out[static APP_UTC_LEN])
{
	time_t t = (time_t)(ms / 1000);
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL || strftime(out, APP_UTC_LEN, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		out[0] = '\0';
}

/* --- spaces --- */

/* The one space of a kind that the caller means: the named one, or the only one. *count tells how many there are. */
static enum err one_space(struct errctx *ec, struct app *app, enum space_kind kind, const char *name,
                          struct space_row *out, size_t *count)
{
	struct space_row *list = NULL;
	size_t n = 0;
	size_t named = 0;
	enum err e = store_space_list(ec, app->store, &list, &n);

	*count = 0;
	for (size_t i = 0; i < n; i++) {
		if (list[i].kind != kind || list[i].state != SPACE_MEMBER)
			continue;
		(*count)++;
		if (name == NULL || strcasecmp(list[i].name, name) == 0) {
			*out = list[i];
			named++;
		}
	}
	free(list);
	if (e != ERR_OK)
		return e;
	return named == 1 ? ERR_OK : named == 0 ? ERR_NOT_FOUND : ERR_USAGE;
}

enum err app_circle(struct errctx *ec, struct app *app, const char *name, int64_t *space)
{
	struct sync y = { app->store, app->zip, app->rng, app->clock };
	struct space_row row;
	size_t count = 0;
	enum err e = one_space(ec, app, SPACE_CIRCLE, name, &row, &count);

	if (e == ERR_NOT_FOUND && name == NULL)
		e = own_space(ec, &y, &row);
	if (e == ERR_OK)
		*space = row.n;
	if (e == ERR_USAGE && name == NULL)
		return err_set(ec, e, "You are in more than one circle. Say which with --circle NAME.", NULL, NULL,
		               NULL);
	if (e == ERR_USAGE)
		return err_set(ec, e, "More than one circle is called %1. Give one of them another name.", name, NULL,
		               NULL);
	if (e == ERR_NOT_FOUND)
		return err_set(ec, e, "You are not in a circle called %1. See circle list.", name, NULL, NULL);
	return e;
}

enum err app_neighbourhood(struct errctx *ec, struct app *app, int64_t *space)
{
	struct space_row row;
	size_t count = 0;
	enum err e = one_space(ec, app, SPACE_NEIGHBOURHOOD, app->neighbourhood, &row, &count);

	if (e == ERR_OK)
		*space = row.n;
	if (e == ERR_USAGE)
		return err_set(ec, e, "You are in more than one neighbourhood. Say which with --neighbourhood NAME.",
		               NULL, NULL, NULL);
	if (e == ERR_NOT_FOUND && app->neighbourhood != NULL && count > 0)
		return err_set(ec, e, "You are not in a neighbourhood called %1.", app->neighbourhood, NULL, NULL);
	if (e == ERR_NOT_FOUND)
		return err_set(ec, e,
		               "You are not in a neighbourhood yet. Use an invitation: sleutelbos join INVITATION",
		               NULL, NULL, NULL);
	return e;
}

void app_space_name(struct app *app, int64_t space, char *out)
{
	struct space_row row;
	struct errctx why = { 0 };
	enum err e = store_space_get(&why, app->store, space, &row);

	out[0] = '\0';
	app_unread_note(app, &why, e);
	if (e == ERR_OK)
		strcpy(out, row.name);
}

void app_author(struct app *app, struct dot dot, char *out)
{
	struct device_row device;
	struct loaded l;
	struct bytes name = { 0 };
	char text[DEVICE_TEXT_LEN];
	struct errctx why = { 0 };
	enum err e = store_device_by_id(&why, app->store, dot.dev, &device);

	device_text(dot.dev, text);
	snprintf(out, APP_NAME_MAX, "%s", text);
	if (e == ERR_OK)
		e = dot_is_none(device.member) ? ERR_NOT_FOUND : store_load(&why, app->store, device.member, &l);
	app_unread_note(app, &why, e);
	if (e != ERR_OK)
		return;
	if (record_text(&l.record, F_member_name, &name) && name.len < APP_NAME_MAX) {
		memcpy(out, name.data, name.len);
		out[name.len] = '\0';
	}
	store_loaded_free(&l);
}
