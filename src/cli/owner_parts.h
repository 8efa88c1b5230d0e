/* SPDX-License-Identifier: EUPL-1.2 */
/* What owner_serve.c, owner_spawn.c share. */
#ifndef SLB_CLI_OWNER_PARTS_H
#define SLB_CLI_OWNER_PARTS_H

#include "cli/owner.h"
#include "cli/owner_place.h"

/* owner_serve() that calls ready(ctx) once it listens; with `place` (owner_place_make()), which it closes. */
struct owner_ready {
	void (*ready)(void *ctx);
	void *ctx;
};
enum err owner_serve_from(struct errctx *ec, const char *home, const struct owner_limits *limits,
                          const struct owner_job *job, const struct owner_ready *ready,
                          struct owner_place *place) MUST_CHECK;

#endif
