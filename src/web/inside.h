/* SPDX-License-Identifier: EUPL-1.2 */
/* Inside the server. Private to web/. */
#ifndef SLB_WEB_INSIDE_H
#define SLB_WEB_INSIDE_H

#include "app/syncing.h"
#include "render/ask.h"
#include "render/doc.h"
#include "render/lang.h"
#include "web/guard.h"
#include "web/web.h"

/* Longest question; a text of app/check.h in the worst JSON fits. */
#define WEB_BODY_MAX (512 * 1024)

enum sync_wish { SYNC_NOT_ASKED, SYNC_ASKED, SYNC_AT_WORK, SYNC_ENDED, SYNC_AGAIN_LATER };

struct web {
	struct web_options o;
	const struct rng *rng;
	const struct clock *clock;
	struct MHD_Daemon *daemon;
	int epoll;
	struct app *app; /* NULL: locked */
	enum web_end end;
	uint64_t handled;
	int64_t touched_ms; /* a person did something */
	int64_t asked_ms;   /* anybody asked anything */
	int64_t lock_ms;    /* after so long without a person */
	unsigned files;     /* start tokens of which a file may be there, a bit each */
	/* the sync in the background */
	enum sync_wish wish;
	struct sync_view sync; /* as it goes, and as it went */
	enum err sync_failed;
	struct errctx sync_why; /* of one that failed */
	int64_t sync_at_ms;     /* when it ended */
	uint64_t sync_runs;     /* that ended, whatever came of them */
	int64_t sync_next_ms;   /* boot time: when it is tried again */
};

/* One question to one handler. */
struct web_call {
	struct web *w;
	struct app *app; /* NULL only for handlers that need none */
	struct errctx *ec;
	const struct ask *in;
	struct doc *out; /* an object that is open */
	struct pool *pool;
	enum lang lang;
};

/* `touches`: a person did it, so the time until it locks begins anew. */
struct web_handler {
	const char *name;
	enum err (*run)(struct web_call *call);
	bool without_app;
	bool touches;
};
/* NULL where there is none of that name. */
const struct web_handler *web_handler_find(const char *name);

/* --- the handlers, by file: api_desk.c, api_records.c, api_sync.c, api_circle.c --- */
extern const struct web_handler web_api_desk[];
extern const struct web_handler web_api_records[];
extern const struct web_handler web_api_sync[];
extern const struct web_handler web_api_circle[];

/* What the question says under "passphrase", in guarded memory; ERR_LOCKED without one. secret_text_free() it. */
enum err web_passphrase(struct web_call *call, struct secret_text **out) MUST_CHECK;

/* What is embedded; NULL where there is none of that name. */
struct web_asset {
	const char *name;
	const char *type;
	const unsigned char *data;
	size_t len;
};
const struct web_asset *web_asset_find(const char *name);

/* start.c: a token for a browser, and the file that posts it. */
enum err start_file(struct errctx *ec, struct web *w, enum lang lang, struct pool *p, const char **path) MUST_CHECK;
/* A browser posted this: START_OPEN (it is in), START_USED (somebody was before it), START_NONE. */
enum web_start_state start_use(struct web *w, const char *body);
/* Takes away the files of tokens that were used or are too old. */
void start_tidy(struct web *w);

/* api_sync.c: begins the sync that was asked for, and comes back when it has ended; others are served meanwhile. */
void web_sync_turn(struct web *w);
/* How it stands with what was sent and fetched. */
enum err web_sync_state(struct web_call *call) MUST_CHECK;

int64_t web_boot_ms(void);

#endif
