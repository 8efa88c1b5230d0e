/* SPDX-License-Identifier: EUPL-1.2 */
/* Where the owner of a home listens, and how a caller finds it. */
#ifndef SLB_CLI_OWNER_PLACE_H
#define SLB_CLI_OWNER_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "confine/confine.h"

struct owner_place {
	int listener; /* -1: not listening */
	char *socket; /* absolute */
	char *base;   /* NULL, or the folder in which `dir` stands */
	char *dir;    /* NULL, or a directory made for the socket alone */
	char *where;  /* NULL, or HOME/owner/where: `socket` and owner_home_id(), a line each */
};

/* Only with the claim of the home in hand: clears what a killed owner left, and listens. `home` is absolute. */
enum err owner_place_open(struct errctx *ec, const char *home, struct owner_place *p) MUST_CHECK;
/* The two halves: makes the socket, for which a confined process is too late; until it listens, nobody finds it. */
enum err owner_place_make(struct errctx *ec, const char *home, struct owner_place *p) MUST_CHECK;
enum err owner_place_listen(struct errctx *ec, struct owner_place *p) MUST_CHECK;
/* What owner_place_close() must reach outside the home; at most 2, borrowed from *p. */
#define OWNER_PLACES 2
size_t owner_place_reach(const struct owner_place *p, struct confine_place out[static OWNER_PLACES]);
void owner_place_close(struct owner_place *p);

/* A connection to the owner of a home, non-blocking; *fd is -1 where there is none. ERR_REFUSED where the process at
 * the other end belongs to somebody else. *pid is the owner's (0 where it is out of sight). */
enum err owner_place_connect(struct errctx *ec, const char *home, int *fd, int *pid) MUST_CHECK;

/* True where the process at the other end runs under the same user. */
bool owner_place_same_user(int fd, int *pid);

/* Device and inode of a home as text: two names of one home are the same home, a copy is another. ERR_NOT_FOUND. */
#define OWNER_HOME_ID_LEN 48
enum err owner_home_id(struct errctx *ec, const char *home, char out[static OWNER_HOME_ID_LEN]) MUST_CHECK;

#endif
