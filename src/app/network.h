/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * May one sync over the network that this computer is on now? NetworkManager is asked through its program nmcli, where
 * it is there: nothing is linked. A process that is confined has its starter ask (app/starter.h).
 */
#ifndef SLB_APP_NETWORK_H
#define SLB_APP_NETWORK_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct network_wish {
	const char *names; /* connections as NetworkManager calls them, divided by commas; NULL: any */
	bool unmetered;    /* not over one that is paid for by the byte */
};

/* ERR_OK also where nothing is wished. Each connection that leads out must do. ERR_LATER with a sentence: it does not,
 * there is none, or nobody can tell. */
enum err network_may(struct errctx *ec, const struct network_wish *wish) MUST_CHECK;

/* Starts nmcli with `out` as standard output. 0 or an errno. */
int network_spawn(int out, pid_t *pid);

#endif
