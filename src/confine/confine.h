/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a process gives up once it has what it needs: whoever takes it over from then on (through a batch, a table or a
 * host that was made for it) holds no more than what is named here. One function for all processes of the program;
 * there is no way back from it, and children inherit it.
 *
 * Always: no rights gained by starting a program (no_new_privs), no core file, no memory to look into for other
 * processes of the same user. As asked for: files by Landlock, system calls by seccomp, bytes of memory by a limit.
 * Kernels that know no Landlock, or not all of it, or no seccomp, give less: that is no error, and `struct confinement`
 * says what was got. An error is a failure of what the kernel does know.
 *
 * Sanitizer builds skip the limit on memory alone: they need terabytes of addresses. What is left of them at the end
 * is not looked through for leaks, which would need ptrace.
 */
#ifndef SLB_CONFINE_CONFINE_H
#define SLB_CONFINE_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* What may be done with a file, or with everything below a folder. */
enum confine_access {
	CONFINE_READ = 1,  /* open and list */
	CONFINE_WRITE = 2, /* the same, and make, change, rename and remove files and folders */
	CONFINE_TERM = 4,  /* read and write a terminal, and set its modes */
	CONFINE_LIST = 8,  /* list folders */
	CONFINE_DIRS = 16, /* make, rename and remove folders, no files */
	CONFINE_RMDIR = 32 /* remove folders that are empty */
};

/* A path that is not there is passed over. What it names when confine() is called counts, whatever stands there later;
 * symbolic links are followed. */
struct confine_place {
	const char *path;
	unsigned access; /* of enum confine_access, together */
};

enum confine_may {
	CONFINE_MAY_FORK = 1,   /* another process of the same program, and end it; never another program */
	CONFINE_MAY_ACCEPT = 2, /* listen at a socket that is open already */
	CONFINE_MAY_INET = 4,   /* sockets of IP, and look up names */
	CONFINE_MAY_UNIX = 8,   /* reach any server of this machine by its name: an agent, a name service */
	CONFINE_MAY_LOAD = 16   /* load libraries from places that may be read */
};

struct confine_wish {
	bool files;                        /* only `place`; everything else is out of reach */
	const struct confine_place *place; /* borrowed for the call, as `port` */
	size_t places;
	bool calls;   /* only the system calls that the program makes, with those of `may` */
	unsigned may; /* of enum confine_may */
	/* With `files` and CONFINE_MAY_INET: connections of TCP go to these ports only; none: to all. No TCP port is
	 * ever listened at. */
	const uint16_t *port;
	size_t ports;
	uint64_t memory; /* bytes of address space; 0: as it was */
};

/* What is active. Starts zeroed and adds up over several calls. */
struct confinement {
	bool privileges; /* no_new_privs */
	bool unseen;     /* no core file, not to be looked into */
	unsigned files;  /* version of Landlock (2 or more); 0: files are not confined */
	bool ports;      /* TCP is confined: ABI 4 */
	bool scoped;     /* no signals and no abstract sockets beyond itself: ABI 6 */
	bool calls;
	uint64_t memory; /* 0: no limit */
};

/* Confines this process, which must have one thread. May be called again with more; what was given up stays so, and
 * `calls` is asked for at most once, last. ERR_IO, ERR_NO_MEMORY: parts of it may be active. */
enum err confine(struct errctx *ec, const struct confine_wish *wish, struct confinement *active) MUST_CHECK;

/* As words, separated by ",": privileges unseen files:N ports scoped calls memory:MIB, or "none". For reports between
 * processes; `out` takes CONFINE_WORDS bytes. */
#define CONFINE_WORDS 64
void confinement_put(const struct confinement *c, char out[static CONFINE_WORDS]);
/* False where it is something else; *out is then zero. */
bool confinement_parse(const char *words, struct confinement *out);

#endif
