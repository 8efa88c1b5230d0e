// SPDX-License-Identifier: EUPL-1.2
// The one way in which a process of this program gives up what it does not need (V1: no memory image of whoever holds
// keys; S5: a host that takes the courier over has the courier's folder and nothing else).
#include "confine/confine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/sanitizer.h"
#include "confine/parts.h"

#ifdef UNDER_SANITIZER
#define LIMIT_MEMORY false
static bool filtered;
// The sanitizer asks this at the end. It would stop and read the process by ptrace, which is refused by then.
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return filtered;
}
static void leaks_end(void)
{
	filtered = true;
}
#else
#define LIMIT_MEMORY true
static void leaks_end(void)
{
}
#endif

static enum err basics(struct errctx *ec, struct confinement *active)
{
	const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return err_errno(ec, errno, "prctl");
	active->privileges = true;
	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return err_errno(ec, errno, "setrlimit");
	active->unseen = true;
	return ERR_OK;
}

static enum err memory(struct errctx *ec, uint64_t bytes, struct confinement *active)
{
	struct rlimit now;

	if (!LIMIT_MEMORY)
		return ERR_OK;
	if (getrlimit(RLIMIT_AS, &now) != 0)
		return err_errno(ec, errno, "getrlimit");
	if (now.rlim_max == RLIM_INFINITY || now.rlim_max > bytes)
		now.rlim_max = bytes;
	now.rlim_cur = now.rlim_max;
	if (setrlimit(RLIMIT_AS, &now) != 0)
		return err_errno(ec, errno, "setrlimit");
	active->memory = now.rlim_cur;
	return ERR_OK;
}

enum err confine(struct errctx *ec, const struct confine_wish *wish, struct confinement *active)
{
	enum err e = basics(ec, active);

	if (e == ERR_OK && wish->memory != 0)
		e = memory(ec, wish->memory, active);
	if (e == ERR_OK && wish->files)
		e = confine_files(ec, wish, active);
	if (e == ERR_OK && wish->calls)
		e = confine_calls(ec, wish, active);
	if (e == ERR_OK && active->calls)
		leaks_end();
	return e;
}

void confinement_put(const struct confinement *c, char out[static CONFINE_WORDS])
{
	char files[24] = "";
	char mib[32] = "";

	if (c->files != 0)
		snprintf(files, sizeof(files), "files:%u,", c->files);
	if (c->memory != 0)
		snprintf(mib, sizeof(mib), "memory:%llu,", (unsigned long long)(c->memory >> 20));
	snprintf(out, CONFINE_WORDS, "%s%s%s%s%s%s%s", c->privileges ? "privileges," : "", c->unseen ? "unseen," : "",
	         files, c->ports ? "ports," : "", c->scoped ? "scoped," : "", c->calls ? "calls," : "", mib);
	if (out[0] == '\0')
		snprintf(out, CONFINE_WORDS, "none");
	else
		out[strlen(out) - 1] = '\0';
}

// "NAME:" and a number that fits; false otherwise.
static bool number_of(const char *word, size_t len, const char *name, unsigned long max, unsigned long *out)
{
	size_t n = strlen(name);
	char *end = NULL;

	if (len <= n || strncmp(word, name, n) != 0 || word[n] < '0' || word[n] > '9')
		return false;
	errno = 0;
	*out = strtoul(word + n, &end, 10);
	return end == word + len && errno == 0 && *out <= max;
}

bool confinement_parse(const char *words, struct confinement *out)
{
	struct confinement c = { 0 };
	unsigned long n = 0;

	*out = c;
	for (const char *w = words; strcmp(words, "none") != 0;) {
		size_t len = strcspn(w, ",");

		if (len == 10 && strncmp(w, "privileges", len) == 0)
			c.privileges = true;
		else if (len == 6 && strncmp(w, "unseen", len) == 0)
			c.unseen = true;
		else if (len == 5 && strncmp(w, "ports", len) == 0)
			c.ports = true;
		else if (len == 6 && strncmp(w, "scoped", len) == 0)
			c.scoped = true;
		else if (len == 5 && strncmp(w, "calls", len) == 0)
			c.calls = true;
		else if (number_of(w, len, "files:", 1000, &n))
			c.files = (unsigned)n;
		else if (number_of(w, len, "memory:", 1ul << 30, &n))
			c.memory = (uint64_t)n << 20;
		else
			return false;
		if (w[len] == '\0')
			break;
		w += len + 1;
	}
	*out = c;
	return true;
}
