/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Hosts of repositories in this process, and the courier that talks to them: the same jobs and reports as the program
 * of that name (courier/job.h), with its order of things (src/courier/session.c, own.c, export.c), over commits that
 * are numbers in a table.
 *
 * A host can fail, and it can lie: go back, drop branches, show two worlds, show old commits again under other names,
 * other spaces' files, changed bytes. host_honest() ends all that: what it then shows is, of each branch, the longest
 * line of commits that devices pushed and that it has not lost.
 */
#ifndef SLB_TESTS_SIM_HOST_H
#define SLB_TESTS_SIM_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/courier_run.h"
#include "model/random.h"
#include "sim/disk.h"

#define HOSTS_MAX 4
#define CACHES_MAX 16 /* of one device: one for each neighbourhood, and one to look at a repository with */
#define HOST_DEVICES 64
#define HOST_REFS 512

struct hosts;

/* How often things go wrong in an exchange, in percent. */
struct host_faults {
	unsigned unreachable; /* no exchange at all */
	unsigned broken_off;  /* ends after some steps, with or without a word */
	unsigned stale;       /* shows branches as they were, or not at all */
	unsigned twice;       /* the same files are reported again, or branches in another order */
	unsigned late;        /* the report comes when all is done */
};

/* Called at each step of an exchange of device `device`, where other devices may act. */
typedef void (*host_step_fn)(void *arg, unsigned device);

struct hosts *hosts_new(struct random *rnd);
void hosts_free(struct hosts *h);
/* Exchanges of this world go to `h` from now on; NULL: none. */
void hosts_use(struct hosts *h, host_step_fn step, void *arg);
void hosts_faults(struct hosts *h, const struct host_faults *f);
/* The exchange that is under way at the n-th step from here (from 1; 0: none) breaks off there. */
void hosts_cut_after(struct hosts *h, uint64_t n);
uint64_t hosts_steps(const struct hosts *h);
/* Prints what devices and host say to each other. */
void hosts_trace(struct hosts *h, bool on);
void hosts_device(struct hosts *h, unsigned device, struct disk *disk);

/* __wrap_courier_run(): `program` is "sim:N" for device N. */
enum err host_courier(struct errctx *ec, const char *program, const struct job *job, courier_line_fn fn, void *arg);

/* The courier's cache of a device is gone; or all that it remembers goes to another device (a copied home). */
void host_cache_lose(struct hosts *h, unsigned device);
void host_cache_copy(struct hosts *h, unsigned from, unsigned to);

/* Lies. Each returns false where there was nothing to lie about. */
bool host_go_back(struct hosts *h);                    /* a branch loses some of its newest commits */
bool host_drop(struct hosts *h);                       /* a branch is gone */
bool host_two_worlds(struct hosts *h);                 /* half of the devices see another copy from now on */
bool host_show_again(struct hosts *h);                 /* a new branch with old files, of one's own or another space */
bool host_swap(struct hosts *h);                       /* a file of one branch on top of another */
bool host_flip(struct hosts *h);                       /* a changed byte in the newest file of a branch */
bool host_break(struct hosts *h);                      /* a branch that cannot be read */
void host_offer(struct hosts *h, struct bytes forged); /* a member's forged file, on some branch of its space */
/* A file on its branch of the repository at `url`, as if its device had pushed it; not a second time. */
void host_push(struct hosts *h, const char *url, const char *ref, const char *name, struct bytes file);
void host_honest(struct hosts *h);

/* What it was seen to hold: was this file ever acknowledged, and does it stand there now? */
bool host_held(const struct hosts *h, const char *ref, const char *name);
bool host_holds(const struct hosts *h, const char *ref, const char *name);
/* Is this a file that no device wrote like that? */
bool host_forged(const struct hosts *h, struct bytes file);
/* The i-th of all files that devices ever pushed, the oldest first; NULL: there are no more. A lie has no bytes. */
const char *host_file(const struct hosts *h, size_t i, struct bytes *file);
/* The first that was pushed under this name; false: none. */
bool host_pushed(const struct hosts *h, const char *name, struct bytes *file);
/* How often each lie was told, for the count at the end. */
struct host_counts {
	uint64_t sessions, cut_off, pushes, lost_races, stale, went_back, dropped, worlds, again, swapped, flipped,
	    broken, forged;
	uint64_t ahead, restored, rewound, gone, removed;
};
/* Of all commits that were ever made: two runs with the same one did the same. */
uint64_t host_digest(const struct hosts *h);
struct host_counts host_counts(const struct hosts *h);

#endif
