// SPDX-License-Identifier: EUPL-1.2
// The pages that this connection wrote to its log last, for the checkpoint that moves them. They are plain text, so
// they lie in locked memory or nowhere (V1), in one vault of the process, lest little be left to lock for keys.
#include "vault/vfs.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "crypto/secret.h"

#define SLOTS 512

/* All of it is one mapping that the kernel wipes in a child process: there it is not `ours`, holds nothing and takes
 * nothing, since locks on memory are not inherited. */
struct recent {
	bool ours;
	uint32_t page[SLOTS];
	uint32_t frame[SLOTS]; /* 0: empty */
	uint8_t data[SLOTS][VAULT_PAGE_SIZE];
};

static atomic_flag taken = ATOMIC_FLAG_INIT;

static struct recent *locked_new(void)
{
	const size_t len = sizeof(struct recent);
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	if (madvise(p, len, MADV_DONTDUMP) == 0 && madvise(p, len, MADV_WIPEONFORK) == 0 && mlock(p, len) == 0)
		return p;
	munmap(p, len);
	return NULL;
}

struct recent *recent_new(void)
{
	struct recent *r = NULL;

	if (atomic_flag_test_and_set(&taken))
		return NULL;
	r = locked_new();
	if (r == NULL)
		atomic_flag_clear(&taken);
	else
		r->ours = true;
	return r;
}

void recent_free(struct recent *r)
{
	if (r == NULL)
		return;
	secret_wipe(r, sizeof(*r));
	munmap(r, sizeof(*r));
	atomic_flag_clear(&taken);
}

void recent_put(struct recent *r, uint32_t page, uint32_t frame, const uint8_t *data)
{
	size_t slot = page % SLOTS;

	if (!r->ours)
		return;
	r->page[slot] = page;
	r->frame[slot] = frame;
	memcpy(r->data[slot], data, VAULT_PAGE_SIZE);
}

bool recent_get(const struct recent *r, uint32_t page, uint32_t frame, uint8_t *out)
{
	size_t slot = page % SLOTS;

	if (!r->ours || r->page[slot] != page || r->frame[slot] != frame)
		return false;
	memcpy(out, r->data[slot], VAULT_PAGE_SIZE);
	return true;
}

void recent_forget(struct recent *r)
{
	memset(r->frame, 0, sizeof(r->frame));
}
