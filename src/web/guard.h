/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Who may ask what (W1). Pure: what a request says, in; yes or an HTTP status, out.
 *
 *   where          method  Host   Origin           Sec-Fetch-Site          Content-Type   token
 *   / and /a/...   GET     ours   none or ours     none or same-origin     -              -
 *   /api/...       POST    ours   ours             same-origin or absent   JSON           of the session
 *   /start         POST    ours   null or absent   any, to a whole page    form           in the body, once
 *   /door          POST    ours   absent           absent                  JSON           of the door
 *
 * A page of another origin cannot send our header without asking first (CORS), and is never answered; a page under
 * another name has another Host; a page in a frame says so in Sec-Fetch-Dest.
 */
#ifndef SLB_WEB_GUARD_H
#define SLB_WEB_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#define GUARD_HEADER "X-Sleutelbos"

enum guard_place { GUARD_NOWHERE, GUARD_PAGE, GUARD_API, GUARD_START, GUARD_DOOR };

/* As they came; NULL where a header is absent, or "" where it came twice. */
struct guard_request {
	const char *method;
	const char *path;
	const char *host;
	const char *origin;
	const char *fetch_site;
	const char *fetch_dest;
	const char *content_type;
	const char *token;
	bool query; /* anything after a question mark: we never use it */
};

struct guard {
	uint16_t port;
	const char *token; /* of the session */
	const char *door;
};

/* 0: it may pass; else the HTTP status to refuse it with: 403, 404, 405, 415, 401 (only the token is wrong). */
unsigned guard_check(const struct guard *g, const struct guard_request *r, enum guard_place *place);

/* In a time that does not tell where they differ. */
bool guard_same(const char *a, const char *b);

#endif
