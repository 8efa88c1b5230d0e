// SPDX-License-Identifier: EUPL-1.2
// Yardstick of disclosure control: what we hide against the least that can be hidden, and how long it takes.
//
//   bench_disclose [TABLES [SECONDS]]   TABLES per kind (12); SECONDS for the other solver on each (20)
//
// The least is a mixed integer program solved by GLPK (tests/disclose/solver.h): a lower bound for patterns that keep
// each small count's bound at T against a reader who knows that zeros are shown. Ours keep that and more (D1 to D4), so
// that a difference of 0 proves both. Weights are the counts themselves, as in the measurements of others.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "bench/measure.h"
#include "disclose/social.h"
#include "disclose/solver.h"
#include "disclose/world.h"

#define T 5

static int64_t now_ms(void *self)
{
	return (int64_t)(wall_us() / 1000);
}

static double seconds_of(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* Processor time of this process and of its solvers that have ended. */
static double processor(void)
{
	struct rusage own, children;

	getrusage(RUSAGE_SELF, &own);
	getrusage(RUSAGE_CHILDREN, &children);
	return seconds_of(own.ru_utime) + seconds_of(own.ru_stime) + seconds_of(children.ru_utime) +
	       seconds_of(children.ru_stime);
}

static void must(enum err e, const struct errctx *ec)
{
	if (e == ERR_OK)
		return;
	fprintf(stderr, "%s\n", ec->msg != NULL ? ec->msg : "failed");
	exit(1);
}

struct line {
	unsigned tables, proven, bounded;
	uint64_t cells, primaries, hidden, secondaries, ours_bounded;
	double least, ours_s, other_s;
};

static struct atk_world w;
static int map[ATK_CELLS];
static enum sdc_state state[ATK_CELLS];
static double weight[ATK_CELLS];
static bool primary[ATK_CELLS];

/* One table, ours and the other. */
static void measure(struct line *l, int other_seconds)
{
	const struct sdc_rules rules = { .threshold = T, .share_percent = 80 };
	struct errctx ec = { 0 };
	struct sdc_problem *p = NULL;
	uint64_t hidden = 0, primaries = 0, secondaries = 0;
	double start, least;

	must(world_problem(&w, &rules, NULL, &p, map, &ec), &ec);
	for (int c = 0; c < w.cells; c++) {
		long n = w.n[map[c]];

		weight[map[c]] = (double)n;
		primary[map[c]] = n > 0 && n < T;
		primaries += n > 0 && n < T;
		if (n > 0)
			must(sdc_weight_set(p, (size_t)c, (uint32_t)n, &ec), &ec);
	}
	start = processor();
	if (primaries > 0 && sdc_solve(p, state, &ec) == ERR_OK) {
		l->ours_s += processor() - start;
		for (int c = 0; c < w.cells; c++) {
			hidden += state[c] == SDC_SECONDARY ? (uint64_t)w.n[map[c]] : 0;
			secondaries += state[c] == SDC_SECONDARY;
		}
		l->tables++;
		l->cells += (uint64_t)w.cells;
		l->primaries += primaries;
		l->hidden += hidden;
		l->secondaries += secondaries;
		start = processor();
		least = solver_least(&w, primary, weight, T, 1, other_seconds);
		l->other_s += processor() - start;
		if (least >= 0) {
			l->bounded++;
			l->least += least;
			l->ours_bounded += hidden;
			l->proven += fabs(least - (double)hidden) < 0.5;
		}
	}
	sdc_problem_free(p);
}

static void line_print(const char *name, const struct line *l)
{
	printf("| %s | %u | %llu | %llu | %llu / %llu | %llu / %.0f (%u) | %u | %.2f | %.1f |\n", name, l->tables,
	       (unsigned long long)(l->tables > 0 ? l->cells / l->tables : 0), (unsigned long long)l->primaries,
	       (unsigned long long)l->secondaries, (unsigned long long)l->hidden, (unsigned long long)l->ours_bounded,
	       l->least, l->bounded, l->proven, l->ours_s, l->other_s);
	fflush(stdout);
}

static void against_the_least(unsigned tables, int other_seconds)
{
	static const struct world_kind kinds[] = {
		{ "two dimensions", 2, false, false, 7 },
		{ "two dimensions, hierarchy", 2, true, false, 6 },
		{ "three dimensions", 3, false, false, 3 },
		{ "linked tables", 3, false, true, 5 },
	};

	printf("| tables | n | cells | primaries | secondaries / counts in them | ours / least, where the least is "
	       "known (n) "
	       "| proven | ours, s | GLPK, s |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|\n");
	for (int h = 0; h < 2; h++) {
		struct line l = { 0 };

		if (!social_read(&w, h == 1))
			must(ERR_NOT_FOUND, &(struct errctx){ .msg = "run this in the top folder" });
		measure(&l, 30 * other_seconds);
		line_print(h == 0 ? "social assistance" : "social assistance, hierarchy", &l);
	}
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
		struct line l = { 0 };

		for (uint64_t seed = 1; l.tables < tables; seed++) {
			world_make(&w, &kinds[k], 7000 + seed);
			measure(&l, other_seconds);
		}
		line_print(kinds[k].name, &l);
	}
}

/* 10 x 10 x 10 with margins. The first of three counts in four is drawn from 0 to `scale` - 1, else it is 0. */
static void large(uint32_t scale)
{
	const struct sdc_rules rules = { .threshold = T, .share_percent = 80, .insider = true };
	struct clock clock = { now_ms, NULL };
	const struct sdc_limits limits = { .clock = &clock, .time_ms = 20 * 60 * 1000 };
	static const unsigned levels[] = { SDC_AUDIT_A | SDC_AUDIT_B, SDC_AUDIT_C, SDC_AUDIT_ALL };
	double wall, cpu;
	struct errctx ec = { 0 };
	struct sdc_problem *p = NULL;
	unsigned primaries = 0, secondaries = 0, ones = 0;

	memset(&w, 0, sizeof w);
	w.dims = 3;
	w.codes[0] = w.codes[1] = w.codes[2] = 10;
	w.tables = 1;
	w.table[0] = 7;
	atk_lay_out(&w);
	draw_seed(scale);
	for (int c = 0; c < w.cells; c++)
		w.n[c] = w.leafy[c] && draw(4) != 0 ? (long)draw(scale) : 0;
	atk_margins(&w);
	must(world_problem(&w, &rules, &limits, &p, map, &ec), &ec);
	wall = wall_us();
	cpu = processor();
	must(sdc_solve(p, state, &ec), &ec);
	wall = (wall_us() - wall) / 1e6;
	cpu = processor() - cpu;
	for (int c = 0; c < w.cells; c++) {
		primaries += state[c] == SDC_PRIMARY;
		secondaries += state[c] == SDC_SECONDARY;
		ones += w.n[map[c]] == 1;
	}
	printf("| under %u | %u, of which %u ones | %u | %.1f (%.1f) |", scale, primaries, ones, secondaries, cpu,
	       wall);
	must(sdc_problem_close(p, &ec), &ec); /* an audit that gets no hints from the search */
	for (size_t k = 0; k < sizeof levels / sizeof levels[0]; k++) {
		struct sdc_audit a;

		wall = wall_us();
		cpu = processor();
		must(sdc_audit(p, state, levels[k], &a, NULL, &ec), &ec);
		printf(" %.1f (%.1f)%s |", processor() - cpu, (wall_us() - wall) / 1e6,
		       sdc_audit_passed(&a) || (a.a.check == SDC_NOT_RUN && a.c.check == SDC_PASSED) ? "" : " FAILED");
	}
	printf("\n");
	fflush(stdout);
	sdc_problem_free(p);
}

int main(int argc, char **argv)
{
	against_the_least(argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 12, argc > 2 ? atoi(argv[2]) : 20);
	printf("\n| 10 x 10 x 10, counts | primaries | secondaries | pattern at A to D, s | audit A and B | C | all |\n"
	       "|---|---:|---:|---:|---:|---:|---:|\n");
	large(60);
	large(25);
	large(12);
	glp_free_env();
	return 0;
}
