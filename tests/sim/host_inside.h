/* SPDX-License-Identifier: EUPL-1.2 */
/* What host.c (what hosts hold) and courier.c (how devices get at it) share. */
#ifndef SLB_TESTS_SIM_HOST_INSIDE_H
#define SLB_TESTS_SIM_HOST_INSIDE_H

#include "base/buf.h"
#include "sim/host.h"

#define NONE (-1)
#define REF_LEN 128

struct commit {
	char id[JOB_OID_LEN + 1];
	int parent;
	char name[JOB_NAME_MAX + 1];
	struct buf file;
	bool lie; /* made by the host */
};

struct ref {
	char name[REF_LEN];
	int tip;
	bool broken;
};

struct refs {
	struct ref *r;
	size_t n;
	size_t cap;
};

struct host {
	char url[64];
	struct refs world[2];
	bool two; /* world[1] is shown to some */
};

/* The courier's repository of one neighbourhood on one device. */
struct cache {
	char path[DISK_PATH];
	struct refs refs;
	bool *held;
	size_t held_cap;
};

struct device {
	struct disk *disk;
	struct cache cache[CACHES_MAX];
	size_t caches;
	int world; /* which of two it sees */
};

struct hosts {
	struct random *rnd;
	struct host_faults faults;
	bool trace;
	struct host host[HOSTS_MAX];
	size_t count;
	struct commit *commit;
	size_t commits;
	size_t commit_cap;
	struct device device[HOST_DEVICES];
	host_step_fn step;
	void *step_arg;
	struct host_counts counts;
	bool honest; /* from now on */
	uint64_t steps;
	uint64_t cut_at;
};

/* The world that exchanges go to. */
struct hosts *hosts_in_use(void);

struct ref *ref_find(const struct refs *list, const char *name); /* NULL: none */
void ref_set(struct refs *list, const char *name, int tip);
void ref_drop(struct refs *list, struct ref *r);
void refs_copy(struct refs *to, const struct refs *from);

/* Commits are numbers in a table, with ids that follow from parent, name and content, as in git. NONE: not there. */
int commit_find(const struct hosts *h, const char *id);
int commit_make(struct hosts *h, int parent, const char *name, struct bytes file, bool lie);
/* The newest commit at or below `tip` that no lie is below. */
int honest_tip(const struct hosts *h, int tip);

enum relation { REL_SAME, REL_ABOVE, REL_BELOW, REL_FORKED };
/* How two commits stand to each other; *base (may be NULL) is where they meet. */
enum relation relate(const struct hosts *h, int a, int b, int *base);

/* What a device's cache holds. */
bool held(const struct cache *c, int commit);
void hold(struct cache *c, int commit);

#endif
