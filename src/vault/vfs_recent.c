// SPDX-License-Identifier: EUPL-1.2
// The pages that this connection wrote to its log last, for the checkpoint that moves them. They are plain text, so
// they lie in locked memory or nowhere (V1), in one vault of the process, lest little be left to lock for keys.
#include "vault/vfs.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "crypto/secret.h"

#define SLOTS 512

struct recent {
	uint32_t page[SLOTS];
	uint32_t frame[SLOTS]; /* 0: empty */
	uint8_t *data;         /* locked; SLOTS pages */
};

static atomic_flag taken = ATOMIC_FLAG_INIT;

#define DATA_LEN ((size_t)SLOTS * VAULT_PAGE_SIZE)

static uint8_t *locked_new(void)
{
	uint8_t *p = mmap(NULL, DATA_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	if (madvise(p, DATA_LEN, MADV_DONTDUMP) == 0 && madvise(p, DATA_LEN, MADV_DONTFORK) == 0 &&
	    mlock(p, DATA_LEN) == 0)
		return p;
	munmap(p, DATA_LEN);
	return NULL;
}

struct recent *recent_new(void)
{
	struct recent *r = NULL;

	if (atomic_flag_test_and_set(&taken))
		return NULL;
	r = calloc(1, sizeof(*r));
	if (r != NULL)
		r->data = locked_new();
	if (r != NULL && r->data != NULL)
		return r;
	free(r);
	atomic_flag_clear(&taken);
	return NULL;
}

void recent_free(struct recent *r)
{
	if (r == NULL)
		return;
	secret_wipe(r->data, DATA_LEN);
	munmap(r->data, DATA_LEN);
	free(r);
	atomic_flag_clear(&taken);
}

void recent_put(struct recent *r, uint32_t page, uint32_t frame, const uint8_t *data)
{
	size_t slot = page % SLOTS;

	r->page[slot] = page;
	r->frame[slot] = frame;
	memcpy(r->data + slot * VAULT_PAGE_SIZE, data, VAULT_PAGE_SIZE);
}

bool recent_get(const struct recent *r, uint32_t page, uint32_t frame, uint8_t *out)
{
	size_t slot = page % SLOTS;

	if (r->page[slot] != page || r->frame[slot] != frame)
		return false;
	memcpy(out, r->data + slot * VAULT_PAGE_SIZE, VAULT_PAGE_SIZE);
	return true;
}

void recent_forget(struct recent *r)
{
	memset(r->frame, 0, sizeof(r->frame));
}
