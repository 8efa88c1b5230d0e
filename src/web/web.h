/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The web interface: one server on loopback, for one home and one person (W1 to W3; docs/WEB.md).
 *
 * It has no thread: whoever owns the process polls web_fd() and calls web_turn(). What it shows comes from app/ alone.
 * A browser gets in with a start token (128 bits, once, 30 s), which gives it the token that every further request
 * carries in a header. What outlives one process (the port's socket, the token, which start tokens were used) is the
 * caller's, in a struct web_shared.
 */
#ifndef SLB_WEB_WEB_H
#define SLB_WEB_WEB_H

#include <stdbool.h>
#include <stdint.h>

#include "app/secret_text.h"
#include "app/session.h"
#include "base/env.h"
#include "base/err.h"

#define WEB_TOKEN_LEN 33 /* 128 bits as hexadecimal, with the NUL */
#define WEB_START_MS 30000
#define WEB_STARTS 16

enum web_start_state { START_NONE, START_OPEN, START_USED };

/* Memory that the processes of one server share. */
struct web_shared {
	char token[WEB_TOKEN_LEN]; /* of every request of a browser that got in */
	char door[WEB_TOKEN_LEN];  /* of whoever may ask for a start token: who can read HOME/owner/web */
	struct {
		enum web_start_state state;
		char token[WEB_TOKEN_LEN];
		int64_t until_ms;
	} start[WEB_STARTS];
	unsigned next_start;
};

enum web_end { WEB_GOES_ON, WEB_LOCK, WEB_QUIT };

/* What the server asks of whoever owns the process. */
struct web_host {
	/* Opens the home; *out is the host's to close. */
	enum err (*unlock)(void *ctx, struct errctx *ec, const struct secret_text *passphrase, struct app **out);
	/* Makes the home that is not there yet, with this passphrase and name, and leaves it open. */
	enum err (*begin)(void *ctx, struct errctx *ec, const struct secret_text *passphrase, const char *nick,
	                  struct app **out);
	/* Was this process asked to end? */
	bool (*stopping)(void *ctx);
	void *ctx;
};

struct web_options {
	int listener; /* a listening socket on 127.0.0.1, not closed here */
	uint16_t port;
	const char *home;
	const struct app_options *app; /* for rng and clock; borrowed */
	struct web_shared *shared;
	struct web_host host;
	int patience_s;   /* for a browser to say what it wants; 0: 20 */
	int lock_minutes; /* without a person's action; 0: the one that is set in the home, else 10 */
};

struct web;

enum err web_open(struct errctx *ec, const struct web_options *o, struct web **out) MUST_CHECK;
void web_close(struct web *w);

/* Readable when there is something to do. */
int web_fd(const struct web *w);
/* Milliseconds until the next turn is due, -1: only when web_fd() says so. */
int web_wait(const struct web *w);
/* Answers what can be answered now, starts a sync that was asked for, looks at the clock. Never blocks for a network.
 */
enum web_end web_turn(struct web *w);

/* Only answers: for while something else goes on for long in this process. */
enum web_end web_answer(struct web *w);

/* Is the home open here? Then this is it. */
struct app *web_app(const struct web *w);
/* A person was at work elsewhere (the command line): the time until it locks begins anew. */
void web_touch(struct web *w);

/* A fresh token; for the caller's struct web_shared. */
void web_token_new(const struct rng *rng, char out[static WEB_TOKEN_LEN]);
/* A start token that a browser may use from now on for WEB_START_MS. */
void web_start_new(struct web *w, char out[static WEB_TOKEN_LEN]);

/* Takes away every start file of a home, when nobody serves it any more. */
void web_start_files_remove(const char *home);

/* Requests that reached a handler behind the guard since it was opened; for tests. */
uint64_t web_handled(const struct web *w);

#endif
