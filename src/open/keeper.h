/* SPDX-License-Identifier: EUPL-1.2 */
/* The keeper and its workers (open/open.h). */
#ifndef SLB_OPEN_KEEPER_H
#define SLB_OPEN_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "app/session.h"
#include "web/web.h"

struct keeper {
	const struct app_options *options;
	const char *home; /* absolute */
	int port;         /* to listen on; 0: any */
	int minutes;      /* until it locks; 0: as set in the home */
};

/* Where the server of a home listens, and the word that it listens to. */
struct door {
	uint16_t port;
	char token[WEB_TOKEN_LEN];
};

/* *running is false where nobody serves this home. */
enum err door_find(struct errctx *ec, const char *home, struct door *out, bool *running) MUST_CHECK;
/* Starts keeper and worker in the background; returns when they listen. ERR_OK also where another one was faster. */
enum err keeper_start(struct errctx *ec, const struct keeper *k) MUST_CHECK;

/* --- between keeper and worker --- */

enum worker_end { WORKER_QUIT = 0, WORKER_LOCKED = 10 };
/* The process that serves; gives its exit status. */
int worker_main(const struct keeper *k, int listener, uint16_t port, struct web_shared *shared);

#endif
