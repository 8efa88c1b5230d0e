/* SPDX-License-Identifier: EUPL-1.2 */
/* A plain array that grows by doubling, for code that keeps `count` beside it. */
#ifndef SLB_BASE_ARRAY_H
#define SLB_BASE_ARRAY_H

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Room for one more element of `size` bytes after `count` of them: the array itself, or where it moved to. NULL
 * when out of memory; the array is unchanged then. Only for arrays that grew by this function alone. */
static inline void *array_grown(void *array, size_t count, size_t size)
{
	if (count != 0 && (count & (count - 1)) != 0)
		return array;
	return reallocarray(array, count == 0 ? 1 : 2 * count, size);
}

/* The same for `*list`, where `list` is a pointer to a pointer to the elements. ERR_NO_MEMORY: nothing changed. */
static inline enum err array_grow(void *list, size_t count, size_t size)
{
	void *was = NULL;
	void *grown = NULL;

	memcpy(&was, list, sizeof(was));
	grown = array_grown(was, count, size);
	if (grown == NULL)
		return ERR_NO_MEMORY;
	memcpy(list, &grown, sizeof(grown));
	return ERR_OK;
}

#endif
