// SPDX-License-Identifier: EUPL-1.2
// What a failed exchange with a host means: whether it passes by itself, and what a person can do. libgit2 gives a
// class and an English sentence; what it cannot tell apart (no network, unknown name, nobody at home) is tried once.
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/tr.h"
#include "courier/giterr.h"
#include "courier/net.h"
#include "courier/watchdog.h"

#define PROBE_MS 5000

void net_heard(struct net *n, const char *text, size_t len)
{
	size_t at = 0;

	/* lines such as "remote: Counting objects" follow each other: the last that says something stays */
	for (size_t i = 0; i < len && at + 1 < sizeof(n->said); i++) {
		unsigned char c = (unsigned char)text[i];

		if (c > ' ' && c <= '~')
			n->said[at++] = (char)c;
		else if (at > 0 && n->said[at - 1] != ' ')
			n->said[at++] = ' ';
	}
	while (at > 0 && n->said[at - 1] == ' ')
		at--;
	n->said[at] = '\0';
}

static bool says(const char *text, const char *const *word, size_t words)
{
	for (size_t i = 0; i < words; i++) {
		if (strcasestr(text, word[i]) != NULL)
			return true;
	}
	return false;
}
#define SAYS(TEXT, ...)                                                                                                \
	says(TEXT, (const char *const[]){ __VA_ARGS__ },                                                               \
	     sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

// ---- Is anybody there? ----

enum there { THERE, NO_NETWORK, NO_NAME, NO_ANSWER, NOT_TAKEN };

/* Any interface but loopback that has an address. */
static bool on_a_network(void)
{
	struct ifaddrs *list = NULL;
	bool yes = false;

	if (getifaddrs(&list) != 0)
		return true;
	for (struct ifaddrs *i = list; i != NULL && !yes; i = i->ifa_next)
		yes = i->ifa_addr != NULL && (i->ifa_flags & IFF_LOOPBACK) == 0 && (i->ifa_flags & IFF_RUNNING) != 0 &&
		      (i->ifa_addr->sa_family == AF_INET || i->ifa_addr->sa_family == AF_INET6);
	freeifaddrs(list);
	return yes;
}

static enum there knock(const struct addrinfo *at)
{
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	enum there found = NO_ANSWER;
	int error = 0;
	socklen_t len = sizeof(error);
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	if (fd < 0)
		return NO_ANSWER;
	if (connect(fd, at->ai_addr, at->ai_addrlen) == 0)
		found = THERE;
	else if (errno == EINPROGRESS && poll(&p, 1, PROBE_MS) == 1 &&
	         getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0)
		found = error == 0 ? THERE : error == ECONNREFUSED ? NOT_TAKEN : NO_ANSWER;
	else
		found = errno == ECONNREFUSED ? NOT_TAKEN : errno == ENETUNREACH ? NO_NETWORK : NO_ANSWER;
	close(fd);
	return found;
}

static enum there look(const struct net *n)
{
	struct addrinfo hint = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	enum there found = NO_ANSWER;

	watchdog_kick();
	if (getaddrinfo(n->at.host, n->at.port, &hint, &list) != 0)
		return on_a_network() ? NO_NAME : NO_NETWORK;
	for (const struct addrinfo *at = list; at != NULL && found != THERE; at = at->ai_next)
		found = knock(at);
	freeaddrinfo(list);
	watchdog_kick();
	return found != THERE && found != NOT_TAKEN && !on_a_network() ? NO_NETWORK : found;
}

// ---- What it means ----

struct meaning {
	enum grade grade;
	const char *code;
	enum err err;
	const char *text;
};

static const struct meaning not_there[] = {
	[NO_NETWORK] = { GRADE_LATER, "network", ERR_LATER,
	                 TR("There is no network now. It works again when this computer is on the internet.") },
	[NO_NAME] = { GRADE_LATER, "name", ERR_LATER,
	              TR("The host %1 was not found. Is this computer on the internet? Then the address may be wrong: "
	                 "remote show.") },
	[NO_ANSWER] = { GRADE_LATER, "unreachable", ERR_LATER, TR("The host %1 does not answer now.") },
	[NOT_TAKEN] = { GRADE_LATER, "refused", ERR_LATER, TR("The host %1 takes no connections now.") },
};

static const struct meaning said_no[] = {
	[NO_LOGIN] = { GRADE_PERSON, "login", ERR_REFUSED,
	               TR("The host %1 does not take the login that this home has. Whoever looks after the repository "
	                  "can renew it: remote login.") },
	[NO_LOGIN_GIVEN] = { GRADE_PERSON, "login-needed", ERR_REFUSED,
	                     TR("The host %1 asks for a login, and this home has none: remote login.") },
	[NO_HOST_UNKNOWN] = { GRADE_PERSON, "host-key", ERR_REFUSED,
	                      TR("The host %1 is not known here yet. It shows the key %2. Is that the right one? Then: "
	                         "remote trust.") },
	[NO_HOST_CHANGED] = { GRADE_PERSON, "host-changed", ERR_REFUSED,
	                      TR("The host %1 shows another key than before: %2. Perhaps it is not the right host, so "
	                         "nothing was told to it. Ask whoever looks after the repository.") },
	[NO_CERTIFICATE] = { GRADE_PERSON, "certificate", ERR_REFUSED,
	                     TR("The certificate of the host %1 is not valid: %2. Perhaps it is not the right host, so "
	                        "nothing was told to it.") },
};

static const struct meaning missing = { GRADE_PERSON, "no-repository", ERR_REFUSED,
	                                TR("The host %1 shows no repository at this address. Perhaps it moved, or this "
	                                   "login may not see it.") };
static const struct meaning read_only = { GRADE_PERSON, "read-only", ERR_REFUSED,
	                                  TR("The login of this home may read at %1, but not write.") };
static const struct meaning moved = { GRADE_PERSON, "moved", ERR_REFUSED,
	                              TR("The host %1 sends us on to another host. That is not followed: it could be "
	                                 "anybody. Ask whoever looks after the repository for the new address.") };
static const struct meaning host_full = {
	GRADE_LATER, "host-full", ERR_LATER,
	TR("The host %1 could not store what was sent. Perhaps its disk is full: %2")
};
static const struct meaning rejected = { GRADE_PERSON, "rejected", ERR_REFUSED,
	                                 TR("The host %1 did not take what was sent: %2") };
static const struct meaning tls = { GRADE_PERSON, "tls", ERR_REFUSED,
	                            TR("No safe connection with the host %1 came about: %2") };
static const struct meaning broke_off = { GRADE_NOW, "broke-off", ERR_LATER,
	                                  TR("The connection with %1 broke off: %2") };
static const struct meaning odd_host = { GRADE_LATER, "host", ERR_LATER,
	                                 TR("The host %1 did something unexpected: %2") };

static enum err tell(struct errctx *ec, struct net *n, const struct meaning *m, const char *text)
{
	n->grade = m->grade;
	n->code = m->code;
	return err_set(ec, m->err, m->text, n->at.host, text != NULL && text[0] != '\0' ? text : "?", NULL);
}

/* The host answered; what it, or libgit2 about it, said. */
static const struct meaning *by_words(const char *text, int klass, int rc)
{
	if (SAYS(text, "no space left", "disk full", "quota", "unpacker error", "unpacking the sent packfile failed"))
		return &host_full;
	if (SAYS(text, "read only", "read-only", "denied to", "not allowed to push", "write access",
	         "status code: 403"))
		return &read_only;
	if (SAYS(text, "not found", "does not appear to be a git repository", "does not exist", "no such file",
	         "not a git repository", "status code: 404", "could not read from remote repository"))
		return &missing;
	if (SAYS(text, "cannot redirect", "too many redirects", "unexpected redirect", "redirect without"))
		return &moved;
	if (SAYS(text, "hook declined", "pre-receive", "protected branch", "prohibited", "denied", "rejected"))
		return &rejected;
	if (SAYS(text, "status code: 401", "status code: 407", "authentication", "authenticating"))
		return &said_no[NO_LOGIN];
	if (SAYS(text, "status code: 5", "status code: 429"))
		return &odd_host;
	if (SAYS(text, "eof", "reset", "broken pipe", "closed", "disconnect", "timed out", "socket", "transport read",
	         "unable to send", "ssl error: 0x"))
		return &broke_off;
	if (klass == GIT_ERROR_SSL)
		return &tls;
	return klass == GIT_ERROR_NET || klass == GIT_ERROR_SSH || rc == GIT_EEOF ? &broke_off : &odd_host;
}

static bool about_the_host(int klass, int rc)
{
	return klass == GIT_ERROR_NET || klass == GIT_ERROR_SSH || klass == GIT_ERROR_SSL || klass == GIT_ERROR_HTTP ||
	       klass == GIT_ERROR_OS || klass == GIT_ERROR_INDEXER || klass == GIT_ERROR_ZLIB ||
	       klass == GIT_ERROR_NONE || klass == GIT_ERROR_REFERENCE || klass == GIT_ERROR_INVALID ||
	       rc == GIT_EEOF || rc == GIT_EAUTH || rc == GIT_ECERTIFICATE;
}

enum err net_failed(struct errctx *ec, struct net *n, int rc)
{
	int saved = errno;
	const git_error *last = git_error_last();
	int klass = last != NULL ? last->klass : GIT_ERROR_NONE;
	char text[NET_TEXT_MAX];
	enum there there = THERE;

	n->grade = GRADE_NONE;
	errno = saved;
	/* our own disk or memory */
	if (klass == GIT_ERROR_NOMEMORY ||
	    (klass == GIT_ERROR_OS && (saved == ENOSPC || saved == EDQUOT || saved == EFBIG || saved == ENOMEM)) ||
	    !about_the_host(klass, rc))
		return giterr_set(ec, rc, n->base.local->path);
	if (n->no == NO_CERTIFICATE || (n->no != NO_NOTHING && (rc == GIT_EAUTH || rc == GIT_ECERTIFICATE)))
		return tell(ec, n, &said_no[n->no], n->no == NO_CERTIFICATE && last != NULL ? last->message : n->shown);
	snprintf(text, sizeof(text), "%s", n->said);
	if (text[0] == '\0' || by_words(text, GIT_ERROR_NONE, 0) == &odd_host) {
		net_heard(n, last != NULL && last->message != NULL ? last->message : "",
		          last != NULL && last->message != NULL ? strlen(last->message) : 0);
		snprintf(text, sizeof(text), "%s", n->said);
	}
	if (klass == GIT_ERROR_OS || klass == GIT_ERROR_NET)
		there = look(n);
	if (there != THERE)
		return tell(ec, n, &not_there[there], NULL);
	return tell(ec, n, by_words(text, klass, rc), text);
}

enum push_result net_refused(struct errctx *ec, struct net *n, const char *status, enum err *e)
{
	const struct meaning *m = NULL;
	char text[NET_TEXT_MAX];

	/* somebody else moved it between our look and our push */
	if (SAYS(status, "non-fast-forward", "failed to lock", "cannot lock", "already exists", "is at ", "stale info",
	         "fetch first", "failed to update ref"))
		return PUSH_LOST;
	if (n->said[0] == '\0' || by_words(n->said, GIT_ERROR_NONE, 0) == &odd_host)
		net_heard(n, status, strlen(status));
	snprintf(text, sizeof(text), "%s", n->said);
	m = by_words(text, GIT_ERROR_NONE, 0);
	*e = tell(ec, n, m == &host_full || m == &read_only ? m : &rejected, text);
	return PUSH_FAILED;
}
