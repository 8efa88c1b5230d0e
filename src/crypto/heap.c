// SPDX-License-Identifier: EUPL-1.2
// Freed memory is wiped (V1). What people type passes through strings and buffers of many owners: ours, SQLite's, the
// C library's. One place sees all of it again: free(). A program's own definition takes the place of the C library's
// for every library in it ("Replacing malloc" in the glibc manual); memory is still given out by the C library, and
// given back to it after it was wiped. glibc's own M_PERTURB does not do: it passes over small blocks, which are kept
// aside as they are.
//
// Sanitizers have an allocator of their own, and there nothing is wiped.
#include "crypto/secret.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#define BUILT_WITH(what) __has_feature(what)
#else
#define BUILT_WITH(what) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || BUILT_WITH(address_sanitizer) ||                  \
    BUILT_WITH(thread_sanitizer) || BUILT_WITH(memory_sanitizer) || BUILT_WITH(leak_sanitizer)

bool secret_heap(void)
{
	return false;
}

#else

typedef void give_back_fn(void *);

/* Threads may look it up at the same time; each finds the same. */
static _Atomic(give_back_fn *) give_back;

bool secret_heap(void)
{
	return true;
}

/* The C library's free(). Looking it up may itself free a little, which is then not given back. */
static give_back_fn *find_give_back(void)
{
	static _Thread_local bool looking;
	give_back_fn *back = NULL;
	void *found = NULL;

	if (looking)
		return NULL;
	looking = true;
	found = dlsym(RTLD_NEXT, "free");
	memcpy(&back, &found, sizeof(found));
	atomic_store_explicit(&give_back, back, memory_order_relaxed);
	looking = false;
	return back;
}

void free(void *p)
{
	give_back_fn *back = atomic_load_explicit(&give_back, memory_order_relaxed);

	if (p == NULL)
		return;
	explicit_bzero(p, malloc_usable_size(p));
	if (back == NULL)
		back = find_give_back();
	if (back != NULL)
		back(p);
}

/* The C library would leave the old bytes behind where a block moves, and cut off what a block loses unwiped. */
void *realloc(void *p, size_t size)
{
	size_t room = p == NULL ? 0 : malloc_usable_size(p);
	void *q = NULL;

	if (p != NULL && size == 0) {
		free(p);
		return NULL;
	}
	if (p != NULL && size <= room && size >= room / 2)
		return p;
	q = malloc(size);
	if (q != NULL && p != NULL)
		memcpy(q, p, room < size ? room : size);
	if (q != NULL)
		free(p);
	return q;
}

#endif
