// SPDX-License-Identifier: EUPL-1.2
// The guard before every handler (W1).
#include "web/guard.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

bool guard_same(const char *a, const char *b)
{
	size_t len = strlen(b);
	unsigned char differ = 0;

	/* how long a token is, is no secret */
	if (strlen(a) != len || len == 0)
		return false;
	for (size_t i = 0; i < len; i++)
		differ |= (unsigned char)(a[i] ^ b[i]);
	return differ == 0;
}

static bool is(const char *a, const char *b)
{
	return a != NULL && strcmp(a, b) == 0;
}

static enum guard_place place_of(const char *path)
{
	if (is(path, "/") || strncmp(path, "/a/", 3) == 0)
		return GUARD_PAGE;
	if (strncmp(path, "/api/", 5) == 0)
		return GUARD_API;
	if (is(path, "/start"))
		return GUARD_START;
	return is(path, "/door") ? GUARD_DOOR : GUARD_NOWHERE;
}

/* The type alone, or with charset=utf-8. */
static bool is_type(const char *given, const char *type)
{
	size_t len = strlen(type);

	if (given == NULL || strncmp(given, type, len) != 0)
		return false;
	given += len;
	return *given == '\0' || is(given, ";charset=utf-8") || is(given, "; charset=utf-8") ||
	       is(given, ";charset=UTF-8") || is(given, "; charset=UTF-8");
}

/* A page that stands by itself, or what it fetches: never one inside another. */
static bool is_framed(const struct guard_request *r)
{
	return is(r->fetch_dest, "iframe") || is(r->fetch_dest, "frame") || is(r->fetch_dest, "embed") ||
	       is(r->fetch_dest, "object");
}

unsigned guard_check(const struct guard *g, const struct guard_request *r, enum guard_place *place)
{
	char host[32];
	char origin[40];
	bool from_us = false;

	*place = r->path == NULL ? GUARD_NOWHERE : place_of(r->path);
	snprintf(host, sizeof(host), "127.0.0.1:%u", (unsigned)g->port);
	snprintf(origin, sizeof(origin), "http://%s", host);
	if (!is(r->host, host) || is_framed(r))
		return 403;
	if (*place == GUARD_NOWHERE || r->query)
		return 404;
	if (!is(r->method, *place == GUARD_PAGE ? "GET" : "POST"))
		return 405;
	from_us = is(r->origin, origin);
	switch (*place) {
	case GUARD_PAGE:
		if ((r->origin != NULL && !from_us) ||
		    (r->fetch_site != NULL && !is(r->fetch_site, "none") && !is(r->fetch_site, "same-origin")))
			return 403;
		return 0;
	case GUARD_API:
		if (!from_us || (r->fetch_site != NULL && !is(r->fetch_site, "same-origin")))
			return 403;
		if (!is_type(r->content_type, "application/json"))
			return 415;
		return r->token != NULL && guard_same(r->token, g->token) ? 0 : 401;
	case GUARD_START:
		/* from the file that a person's browser opened: its origin is no origin */
		if ((r->origin != NULL && !is(r->origin, "null")) ||
		    (r->fetch_dest != NULL && !is(r->fetch_dest, "document")))
			return 403;
		return is_type(r->content_type, "application/x-www-form-urlencoded") ? 0 : 415;
	default:
		if (r->origin != NULL || r->fetch_site != NULL)
			return 403;
		if (!is_type(r->content_type, "application/json"))
			return 415;
		return r->token != NULL && guard_same(r->token, g->door) ? 0 : 401;
	}
}
