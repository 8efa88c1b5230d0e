/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SLB_TESTS_SYNC_ERASED_H
#define SLB_TESTS_SYNC_ERASED_H

#include "sync/erasing.h"
#include "sync/forge.h"

/* How far the erase of a record is at a home; 0: there is none. */
static inline enum erasure_state erasure_in(struct world *w, size_t i, const char *circle, struct dot id)
{
	struct sync y = sync_of_home(w, i);
	struct space_row space = space_named(w, i, circle);
	struct erasure *list = NULL;
	struct errctx ec = { 0 };
	enum erasure_state state = 0;
	size_t n = 0;

	assert_int_equal(erasures_list(&ec, &y, &space, &list, &n), ERR_OK);
	for (size_t k = 0; k < n; k++)
		if (dot_cmp(list[k].row.record, id) == 0)
			state = list[k].state;
	free(list);
	return state;
}

#endif
