/* SPDX-License-Identifier: EUPL-1.2 */
/* Which of many calls fails: the n-th, once or that one and all after it. */
#ifndef SLB_TESTS_NTH_H
#define SLB_TESTS_NTH_H

#include <stdbool.h>
#include <stddef.h>

struct nth {
	bool armed;
	bool sticky;
	size_t left;  /* calls that still succeed */
	size_t calls; /* asked while armed */
	size_t hits;
};

/* Asked by each call of the kind that may fail. */
static inline bool nth_fails(struct nth *n)
{
	if (!n->armed)
		return false;
	n->calls++;
	if (n->left > 0) {
		n->left--;
		return false;
	}
	if (!n->sticky && n->hits > 0)
		return false;
	n->hits++;
	return true;
}

static inline void nth_arm(struct nth *n, size_t left, bool sticky)
{
	*n = (struct nth){ .armed = true, .sticky = sticky, .left = left };
}

#endif
