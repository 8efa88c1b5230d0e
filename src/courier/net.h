/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What the parts of the network transport share: one host, how to come in there, and what went wrong last. Every
 * connection is libgit2's, with the callbacks of net_login.c, and never goes to another host than the address names.
 */
#ifndef SLB_COURIER_NET_H
#define SLB_COURIER_NET_H

#include <git2.h>
#include <stdbool.h>

#include "courier/transport.h"

#define NET_HOST_MAX 256
#define NET_TEXT_MAX 200
#define NET_PORTION 16u /* branches in one exchange: what libgit2 says it has fits in its first question */

/* Why a callback said no, where libgit2 only knows that it did. */
enum net_no { NO_NOTHING, NO_LOGIN, NO_LOGIN_GIVEN, NO_HOST_UNKNOWN, NO_HOST_CHANGED, NO_CERTIFICATE };

/* HOST and PORT out of ssh://user@host:port/path, https://..., user@host:path; for people, and to look who is there.
 * False where it names none. */
struct net_address {
	bool ssh;
	char host[NET_HOST_MAX];
	char port[8];
};
bool net_address_get(const char *url, struct net_address *out);

struct net {
	struct transport base;
	const struct job *job;
	const char *url;
	struct net_address at;
	struct bare scratch; /* while connected */
	git_remote *remote;
	bool pushing; /* the connection is one to push */
	/* What the remote showed last, and whether a listing may be answered with that: it was read on a connection
	 * that nobody listed from yet, or it is what the host confirmed. */
	struct branch_refs heads;
	bool fresh;
	/* of the connection under way */
	bool tried; /* the login was given once */
	enum net_no no;
	char shown[64];          /* the host key it showed, as OpenSSH prints it */
	char said[NET_TEXT_MAX]; /* the last words of the host */
	struct push_item *item;  /* of the push under way */
	size_t items;
	/* of the last failure */
	enum grade grade;
	const char *code;
};

/* Callbacks that log in as the job says and believe no other host. */
void net_callbacks(struct net *n, git_remote_callbacks *out);
/* Once per process: the authority of the job instead of the system's, and nothing of the person's own. */
enum err net_login_start(struct errctx *ec, const struct job *job) MUST_CHECK;

/* What libgit2's failure means for a person, with its grade and word in `n`. */
enum err net_failed(struct errctx *ec, struct net *n, int rc) MUST_CHECK;
/* What a host said of a branch that it did not take. PUSH_LOST where somebody else was first. */
enum push_result net_refused(struct errctx *ec, struct net *n, const char *status, enum err *e);
/* Keeps what the host says, without what could harm a terminal. */
void net_heard(struct net *n, const char *text, size_t len);

#endif
