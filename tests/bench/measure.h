/* SPDX-License-Identifier: EUPL-1.2 */
/* What the benches share: turns of time, lines of yardsticks, and how often a turn went to the disk. */
#ifndef SLB_TESTS_BENCH_MEASURE_H
#define SLB_TESTS_BENCH_MEASURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TURNS_MAX 20000

struct turns {
	double v[TURNS_MAX];
	size_t n;
};

static inline double now_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static inline double wall_us(void)
{
	return now_us(CLOCK_MONOTONIC);
}

static inline double cpu_us(void)
{
	return now_us(CLOCK_PROCESS_CPUTIME_ID);
}

static inline void turns_add(struct turns *t, double v)
{
	if (t->n < TURNS_MAX)
		t->v[t->n++] = v;
}

static inline int turns_compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The value below which `part` (0 to 1) of the turns lie: 0 the least, 0.5 the median. */
static inline double turns_at(const struct turns *t, double part)
{
	double *sorted = malloc((t->n + 1) * sizeof(*sorted));
	double v = 0;

	if (sorted == NULL || t->n == 0)
		exit(1);
	memcpy(sorted, t->v, t->n * sizeof(*sorted));
	qsort(sorted, t->n, sizeof(*sorted), turns_compare);
	v = sorted[(size_t)(part * (double)(t->n - 1) + 0.5)];
	free(sorted);
	return v;
}

static inline double turns_least(const struct turns *t)
{
	return turns_at(t, 0);
}

static inline double turns_median(const struct turns *t)
{
	return turns_at(t, 0.5);
}

/* The median of what one side took for each unit of the other, turn by turn: what a neighbour on the machine slows for
 * a while, it slows for both. */
static inline double turns_paired(const struct turns *plain, const struct turns *other)
{
	static struct turns ratio;

	ratio.n = 0;
	for (size_t i = 0; i < plain->n && i < other->n; i++)
		turns_add(&ratio, other->v[i] / plain->v[i]);
	return turns_median(&ratio);
}

/* ---- Lines: name, plain, vault, ratio, goal, ok or over ---- */

static inline void line_head(void)
{
	printf("%-50s %10s %10s %7s %7s\n", "", "plain", "vault", "ratio", "goal");
}

static inline const char *line_verdict(double value, double goal)
{
	return goal <= 0 ? "" : value <= goal ? "ok" : "over";
}

/* goal 0: none */
static inline void line_ratio(const char *name, double plain, double other, double ratio, double goal)
{
	char text[16] = "";

	if (goal > 0)
		snprintf(text, sizeof(text), "%.3g", goal);
	printf("%-50s %10.1f %10.1f %7.2f %7s %s\n", name, plain, other, ratio, text, line_verdict(ratio, goal));
	fflush(stdout);
}

/* The vault's own value is what the goal is about. */
static inline void line_value(const char *name, double plain, double other, double goal)
{
	char text[16] = "";

	if (goal > 0)
		snprintf(text, sizeof(text), "%.4g", goal);
	printf("%-50s %10.2f %10.2f %7.2f %7s %s\n", name, plain, other, plain > 0 ? other / plain : 0, text,
	       line_verdict(other, goal));
	fflush(stdout);
}

/* Two lines about the same turns: the least, and the median of the pairs. */
static inline void line_turns(const char *name, const struct turns *plain, const struct turns *other, double goal)
{
	char text[64];

	snprintf(text, sizeof(text), "%s, least turn", name);
	line_ratio(text, turns_least(plain), turns_least(other), turns_least(other) / turns_least(plain), goal);
	snprintf(text, sizeof(text), "%s, median turn", name);
	line_ratio(text, turns_median(plain), turns_median(other), turns_paired(plain, other), goal);
}

static inline const char *disk_kind(const char *path)
{
	struct statfs s;

	if (statfs(path, &s) != 0)
		return "a file system that cannot be told";
	switch ((unsigned long)s.f_type) {
	case 0xEF53:
		return "ext4";
	case 0x01021994:
		return "tmpfs, where a sync costs nothing";
	case 0x58465342:
		return "xfs";
	case 0x9123683E:
		return "btrfs";
	default:
		return "another file system";
	}
}

/* ---- What reaches the disk ---- */

struct disk_use {
	uint64_t writes;
	uint64_t syncs;
	uint64_t bytes;
};

static inline struct disk_use disk_since(struct disk_use now, struct disk_use then)
{
	return (struct disk_use){ now.writes - then.writes, now.syncs - then.syncs, now.bytes - then.bytes };
}

static inline void disk_add(struct disk_use *sum, struct disk_use more)
{
	sum->writes += more.writes;
	sum->syncs += more.syncs;
	sum->bytes += more.bytes;
}

#ifdef MEASURE_DISK
/* These stand before libc's for all of the program and for the libraries it loads, except one that keeps to itself. */
static struct disk_use disk;

int fdatasync(int fd)
{
	disk.syncs++;
	return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	disk.syncs++;
	return (int)syscall(SYS_fsync, fd);
}

ssize_t measure_pwrite(int fd, const void *data, size_t len, off_t at) __asm__("pwrite64");
ssize_t measure_pwrite(int fd, const void *data, size_t len, off_t at)
{
	disk.writes++;
	disk.bytes += len;
	return syscall(SYS_pwrite64, fd, data, len, at);
}
#endif

#endif
