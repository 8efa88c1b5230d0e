// SPDX-License-Identifier: EUPL-1.2
// The process that serves the browser: first locked, without a key; once the passphrase was typed, the owner of the
// open vault, for the command line as well. It never goes back: to lock is to end (V6).
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "app/courier_run.h"
#include "app/recovery.h"
#include "app/watch.h"
#include "cli/owner.h"
#include "cli/program.h"
#include "open/keeper.h"

#define CLAIM_MS 5000

struct worker {
	const struct keeper *k;
	struct web *web;
	enum web_end end;
	int claim;
};

/* --- what the server asks --- */

static enum err claim(struct errctx *ec, struct worker *w)
{
	struct errctx first = { 0 };
	bool was_there = false;
	enum err e = owner_claim(&first, w->k->home, CLAIM_MS, &w->claim);

	if (e != ERR_LATER)
		return e == ERR_OK ? e : err_set(ec, e, first.msg, first.arg[0], first.arg[1], first.arg[2]);
	/* opened on the command line before: from now on it is open here */
	e = owner_stop(ec, w->k->home, CLAIM_MS, &was_there);
	return e == ERR_OK ? owner_claim(ec, w->k->home, CLAIM_MS, &w->claim) : e;
}

static enum err unlock(void *ctx, struct errctx *ec, const struct secret_text *passphrase, struct app **out)
{
	struct worker *w = ctx;
	enum err e = claim(ec, w);

	if (e == ERR_OK)
		e = app_open(ec, w->k->options, (struct bytes){ (const uint8_t *)passphrase->text, passphrase->len },
		             out);
	if (e != ERR_OK && w->claim >= 0) {
		close(w->claim);
		w->claim = -1;
	}
	return e;
}

static enum err begin(void *ctx, struct errctx *ec, const struct secret_text *passphrase, const char *nick,
                      struct app **out)
{
	struct worker *w = ctx;
	/* it claims the home itself while it makes it */
	enum err e = app_init(ec, w->k->options, (struct bytes){ (const uint8_t *)passphrase->text, passphrase->len },
	                      nick, out);

	if (e == ERR_OK)
		e = owner_claim(ec, w->k->home, CLAIM_MS, &w->claim);
	if (e != ERR_OK) {
		app_close(*out);
		*out = NULL;
	}
	return e;
}

static bool stopping(void *ctx)
{
	return owner_stopping();
}

/* --- what the owner of the vault asks --- */

static bool turn(void *ctx)
{
	struct worker *w = ctx;

	w->end = web_turn(w->web);
	return w->end == WEB_GOES_ON;
}

static int wait_ms(void *ctx)
{
	return web_wait(((struct worker *)ctx)->web);
}

static bool meanwhile(void *ctx)
{
	struct worker *w = ctx;

	return !owner_stopping() && web_answer(w->web) == WEB_GOES_ON;
}

/* A command that was typed elsewhere; the browser is served while its courier is on its way. */
static int run(void *ctx, int argc, char **argv, struct io *io)
{
	struct worker *w = ctx;
	const struct courier_meanwhile m = { web_fd(w->web), meanwhile, w };
	int status = 0;

	web_touch(w->web);
	courier_meanwhile_set(&m);
	status = program_run_owned(web_app(w->web), w->k->options, NULL, argc, argv, io);
	courier_meanwhile_set(NULL);
	return status;
}

static bool idle(void *ctx)
{
	return app_idle_step(web_app(((struct worker *)ctx)->web));
}

/* --- the process --- */

/* Until the home is open here, or it is over. */
static void serve_locked(struct worker *w)
{
	while (w->end == WEB_GOES_ON && web_app(w->web) == NULL) {
		struct pollfd p = { .fd = web_fd(w->web), .events = POLLIN };

		if (poll(&p, 1, web_wait(w->web)) < 0 && errno != EINTR)
			w->end = WEB_QUIT;
		else
			turn(w);
	}
}

static void serve_open(struct worker *w)
{
	struct owner_job job = {
		.run = run, .idle = idle, .also_fd = web_fd(w->web), .also = turn, .also_wait = wait_ms, .ctx = w
	};
	struct errctx ec = { 0 };
	struct app *app = web_app(w->web);

	/* told to end from outside is told to lock */
	if (owner_serve(&ec, w->k->home, NULL, &job) != ERR_OK || w->end == WEB_GOES_ON)
		w->end = WEB_LOCK;
	if (app_is_open(app))
		app_sheet_note(app);
	app_close(app);
}

int worker_main(const struct keeper *k, int listener, uint16_t port, struct web_shared *shared)
{
	struct worker w = { .k = k, .claim = -1 };
	struct web_options o = { .listener = listener,
		                 .port = port,
		                 .home = k->home,
		                 .app = k->options,
		                 .shared = shared,
		                 .host = { unlock, begin, stopping, &w },
		                 .lock_minutes = k->minutes };
	struct errctx ec = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGTERM); /* never without its keeper */
	/* What this process may do from here on (Landlock, seccomp, limits) is to be said here, before it reads a byte
	 * from a browser: it needs the home, the socket it has, its owner's socket, and to start the courier. */
	if (web_open(&ec, &o, &w.web) != ERR_OK)
		return WORKER_QUIT;
	serve_locked(&w);
	if (web_app(w.web) != NULL)
		serve_open(&w);
	web_close(w.web);
	return w.end == WEB_LOCK ? WORKER_LOCKED : WORKER_QUIT;
}
