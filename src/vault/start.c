// SPDX-License-Identifier: EUPL-1.2
// What the process does once for the vault's sake: no memory image leaves it (V1), SQLite spills nothing to files,
// and its page cache lies in locked memory where the limit allows. When the last vault is closed the cache is wiped.
#include "vault/vault.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <sqlite3.h>

#include "crypto/secret.h"
#include "vault/page.h"
#include "vault/vault_over.h"

#define CACHE_MAX ((uint64_t)16 << 20)
#define CACHE_MIN ((uint64_t)1 << 20)

static bool started;
static struct vault_memory memory;

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static unsigned vaults; /* that use SQLite now */
static void *cache;     /* of memory.cache_locked bytes, or NULL */

/* Half of what may be locked is for pages; keys and the rest share the other half. */
static uint64_t cache_size(void)
{
	struct rlimit limit;
	uint64_t size = CACHE_MAX;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0)
		return 0;
	if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur / 2 < size)
		size = limit.rlim_cur / 2;
	return size < CACHE_MIN ? 0 : size;
}

/* SQLite falls back on ordinary memory for pages beyond it. */
static void cache_lock(void)
{
	uint64_t size = cache_size();
	int header = 0;
	int slot = 0;
	void *p = NULL;

	if (size == 0 || sqlite3_config(SQLITE_CONFIG_PCACHE_HDRSZ, &header) != SQLITE_OK)
		return;
	slot = (VAULT_PAGE_SIZE + header + 7) & ~7;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return;
	if (mlock(p, size) != 0 || madvise(p, size, MADV_DONTDUMP) != 0 ||
	    sqlite3_config(SQLITE_CONFIG_PAGECACHE, p, slot, (int)(size / (uint64_t)slot)) != SQLITE_OK) {
		munmap(p, size);
		return;
	}
	memory.cache_locked = size;
	cache = p;
}

static bool core_off(void)
{
	struct rlimit none = { 0, 0 };

	return setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

static bool can_lock(void)
{
	void *p = mmap(NULL, VAULT_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool ok = p != MAP_FAILED && mlock(p, VAULT_PAGE_SIZE) == 0;

	if (p != MAP_FAILED)
		munmap(p, VAULT_PAGE_SIZE);
	return ok;
}

enum err vault_start(void)
{
	enum err e = crypto_start();

	if (started || e != ERR_OK)
		return e;
	memory.no_core = core_off();
	memory.keys_locked = can_lock();
	if (sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1) != SQLITE_OK)
		return ERR_REFUSED;
	cache_lock();
	if (sqlite3_initialize() != SQLITE_OK)
		return ERR_NO_MEMORY;
	started = true;
	return ERR_OK;
}

enum err vault_enter(void)
{
	enum err e = ERR_NO_MEMORY;

	pthread_mutex_lock(&gate);
	if (sqlite3_initialize() == SQLITE_OK) {
		vaults++;
		e = ERR_OK;
	}
	pthread_mutex_unlock(&gate);
	return e;
}

/* SQLite leaves the memory of its page cache as it is when a page goes. Only while it is shut down does it hold nothing
 * of its own there; it starts again with the same settings. A connection that is no vault's (some tests have one) keeps
 * it from being shut down. */
void vault_leave(void)
{
	pthread_mutex_lock(&gate);
	if (--vaults == 0 && cache != NULL && sqlite3_memory_used() == 0 && sqlite3_shutdown() == SQLITE_OK)
		secret_wipe(cache, (size_t)memory.cache_locked);
	pthread_mutex_unlock(&gate);
}

struct vault_memory vault_memory(void)
{
	return memory;
}
