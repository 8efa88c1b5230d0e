/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What the driver does to a home that is then struck, and what must be there after it: a line for each flow. A flow
 * that is added to `flows` is killed, failed and cut off from power as all the others are.
 */
#ifndef SLB_TESTS_FAULTS_FLOWS_H
#define SLB_TESTS_FAULTS_FLOWS_H

#include "faults/stage.h"

/* The coordinator and the two members of a circle. */
#define FLOW_C 0
#define FLOW_A 1
#define FLOW_B 2
#define FLOW_MEMBERS 2

struct flow_edit {
	char text[80]; /* of a conversation */
	char from[12]; /* its channel before */
	char to[12];
};

struct flow {
	const char *name;
	size_t home;         /* the one that acts */
	char action[400];    /* for the driver */
	struct texts before; /* of that home: there whatever happens */
	struct texts news;   /* there or not; the first n are, once n were acknowledged */
	bool together;       /* of news all are there or none; all, once one was acknowledged */
	struct flow_edit edit[4];
	size_t edits;
	size_t services;   /* entries of one import: all of them or none */
	const char *found; /* a word that finds every conversation once the action was acknowledged; NULL */
	/* of a sync */
	struct texts theirs; /* of the other home: there once it ended */
	uint64_t unsent;
};

typedef void (*flow_prepare)(struct stage *s, struct flow *f);

/* Each leaves a frozen stage (stage_begin(s, FLOW_MEMBERS)). */
void flow_add(struct stage *s, struct flow *f);    /* three conversations */
void flow_resume(struct stage *s, struct flow *f); /* the same in a home that was killed */
void flow_edit(struct stage *s, struct flow *f);   /* two conversations edited, one of them twice */
void flow_import(struct stage *s, struct flow *f); /* entries of the directory in one transaction */
void flow_take(struct stage *s, struct flow *f);   /* a CSV of earlier conversations, all or nothing */
void flow_sync(struct stage *s, struct flow *f);
void flow_migrate(struct stage *s, struct flow *f); /* a home of an earlier version is opened */

/* The worst that was found. */
enum flow_verdict { FLOW_FINE, FLOW_LOST, FLOW_DOUBLED, FLOW_DAMAGED, FLOW_UNOPENABLE, FLOW_VERDICTS };
const char *flow_verdict_text(enum flow_verdict v);

/* Opens the home and looks: it opens, is whole, holds all that was there before, everything acknowledged once, the rest
 * once or not at all, and nothing else. `why` says what is wrong. `here` (may be NULL) gets the texts that are there.
 * The home is left open. */
#define FLOW_WHY 300
enum flow_verdict flow_judge(struct stage *s, const struct flow *f, size_t acknowledged, struct texts *here,
                             char why[static FLOW_WHY]);

#endif
