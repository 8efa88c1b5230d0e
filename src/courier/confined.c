// SPDX-License-Identifier: EUPL-1.2
// What the courier may still reach once it knows its job (S5). It runs code that reads what strangers send, as the same
// user who has the vault: so it names what it needs, and everything else is out of its reach before the first byte of
// the remote is read.
#include "courier/confined.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "courier/net.h"
#include "courier/transport.h"

#define DNS_PORT 53

// Chance, and where what nobody wants goes.
static const struct confine_place devices[] = {
	{ "/dev/null", CONFINE_TERM },
	{ "/dev/urandom", CONFINE_READ },
	{ "/dev/random", CONFINE_READ },
};

// How a host's name becomes a number: the C library's files, and the libraries that nsswitch.conf may name.
static const struct confine_place names[] = {
	{ "/etc/resolv.conf", CONFINE_READ },
	{ "/etc/hosts", CONFINE_READ },
	{ "/etc/host.conf", CONFINE_READ },
	{ "/etc/nsswitch.conf", CONFINE_READ },
	{ "/etc/gai.conf", CONFINE_READ },
	{ "/etc/services", CONFINE_READ },
	{ "/etc/protocols", CONFINE_READ },
	{ "/etc/ld.so.cache", CONFINE_READ },
	{ "/lib", CONFINE_READ },
	{ "/lib64", CONFINE_READ },
	{ "/usr/lib", CONFINE_READ },
	{ "/usr/lib64", CONFINE_READ },
	{ "/etc/mdns.allow", CONFINE_READ },
};

struct places {
	struct confine_place *place;
	size_t count, cap;
};

static enum err no_memory(struct errctx *ec)
{
	return err_errno(ec, ENOMEM, "the courier");
}

/* Takes `path` over. */
static enum err add(struct errctx *ec, struct places *p, char *path, unsigned access)
{
	struct confine_place *grown = p->place;

	if (path == NULL)
		return no_memory(ec);
	for (size_t i = 0; i < p->count; i++) {
		if (p->place[i].access == access && strcmp(p->place[i].path, path) == 0) {
			free(path);
			return ERR_OK;
		}
	}
	if (p->count == p->cap) {
		p->cap = p->cap == 0 ? 32 : 2 * p->cap;
		grown = reallocarray(p->place, p->cap, sizeof(*grown));
	}
	if (grown == NULL) {
		free(path);
		return no_memory(ec);
	}
	p->place = grown;
	p->place[p->count++] = (struct confine_place){ path, access };
	return ERR_OK;
}

static enum err add_all(struct errctx *ec, struct places *p, const struct confine_place *list, size_t count)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < count; i++)
		e = add(ec, p, strdup(list[i].path), list[i].access);
	return e;
}

static void places_free(struct places *p)
{
	for (size_t i = 0; i < p->count; i++)
		free((void *)(uintptr_t)p->place[i].path);
	free(p->place);
}

static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* A repository that is to be made: the folder in which bare_create() prepares it is made now, so that it can be named.
 * What goes wrong with it is told when it is used. */
static enum err add_new_remote(struct errctx *ec, struct places *p, const char *path)
{
	char *made = NULL;
	enum err e = add(ec, p, parent_of(path), CONFINE_DIRS | CONFINE_LIST);

	if (e == ERR_OK && asprintf(&made, "%s" BARE_NEW, path) < 0)
		return no_memory(ec);
	if (e == ERR_OK) {
		(void)!mkdir(made, 0777);
		e = add(ec, p, made, CONFINE_WRITE);
	}
	return e;
}

static enum err add_remote(struct errctx *ec, struct places *p, const struct job *job)
{
	char *path = transport_path(job_get(job, JOB_REMOTE));
	struct stat st;
	enum err e = ERR_OK;

	if (path == NULL)
		return ERR_OK; /* no address of a repository: told when it is opened */
	/* rmdir takes only an empty folder, which is as good as none. */
	if (job_get(job, JOB_CREATE) != NULL && (lstat(path, &st) != 0 || rmdir(path) == 0))
		e = add_new_remote(ec, p, path);
	if (e != ERR_OK) {
		free(path);
		return e;
	}
	return add(ec, p, path, CONFINE_WRITE);
}

static bool ends_in(const char *s, const char *end)
{
	size_t len = strlen(s), tail = strlen(end);

	return len >= tail && strcasecmp(s + len - tail, end) == 0;
}

/* Who comes in by a key in the person's agent asks that agent; who names a computer at home asks a name service. */
static bool needs_this_machine(const struct job *job, const struct net_address *at)
{
	for (size_t i = 0; i < job->count; i++) {
		if (job->item[i].kind == JOB_LOGIN && strcmp(job->item[i].field[0], "agent") == 0)
			return true;
	}
	return ends_in(at->host, ".local") || ends_in(at->host, ".local.");
}

static enum err gather(struct errctx *ec, const struct job *job, struct places *p)
{
	enum err e = add_all(ec, p, devices, sizeof(devices) / sizeof(devices[0]));

	/* Beside the cache lies what takes its place, and what was put aside. */
	if (e == ERR_OK)
		e = add(ec, p, parent_of(job_get(job, JOB_REPO)), CONFINE_WRITE);
	if (e == ERR_OK)
		e = add(ec, p, strdup(job_get(job, JOB_IN)), CONFINE_WRITE);
	for (size_t i = 0; e == ERR_OK && i < job->count; i++) {
		if (job->item[i].kind == JOB_PUT)
			e = add(ec, p, parent_of(job->item[i].field[2]), CONFINE_READ);
	}
	return e;
}

enum err courier_confine(struct errctx *ec, const struct job *job, struct confinement *active)
{
	const char *url = job_get(job, JOB_REMOTE);
	struct places p = { 0 };
	struct net_address at = { 0 };
	uint16_t port[2] = { DNS_PORT, 0 };
	struct confine_wish wish = { .files = true, .calls = true };
	enum err e = gather(ec, job, &p);

	if (e == ERR_OK && transport_kind(url) == TRANSPORT_PATH)
		e = add_remote(ec, &p, job);
	if (e == ERR_OK && (transport_kind(url) == TRANSPORT_SSH || transport_kind(url) == TRANSPORT_HTTPS) &&
	    net_address_get(url, &at)) {
		e = add_all(ec, &p, names, sizeof(names) / sizeof(names[0]));
		wish.may = CONFINE_MAY_INET | CONFINE_MAY_LOAD;
		if (needs_this_machine(job, &at))
			wish.may |= CONFINE_MAY_UNIX;
		/* A web host may lead to another port of its own. */
		port[1] = (uint16_t)strtoul(at.port, NULL, 10);
		wish.port = port;
		wish.ports = at.ssh ? 2 : 0;
	}
	wish.place = p.place;
	wish.places = p.count;
	if (e == ERR_OK)
		e = confine(ec, &wish, active);
	places_free(&p);
	return e;
}
