// SPDX-License-Identifier: EUPL-1.2
// Which transport a remote's address asks for.
#include "courier/transport.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"

static enum err no_transport(struct errctx *ec, const char *url)
{
	return err_set(ec, ERR_USAGE,
	               "%1 is not an address of a repository that this version can reach. Use a folder, ssh:// or "
	               "https://.",
	               url, NULL, NULL);
}

/* The path of a file:// URL, %XX decoded, in place. Only this machine's: file:///x or file://localhost/x. */
static char *file_url_path(char *url)
{
	char *in = url + strlen("file://"), *out = NULL, *path = NULL;

	if (strncmp(in, "localhost/", 10) == 0)
		in += 9;
	if (*in != '/')
		return NULL;
	for (path = out = in; *in != '\0'; in++) {
		uint8_t byte = (uint8_t)*in;

		if (*in == '%') {
			if (strnlen(in, 3) < 3 || !hex_get(in + 1, 2, &byte, 1) || byte == 0)
				return NULL;
			in += 2;
		}
		*out++ = (char)byte;
	}
	*out = '\0';
	return path;
}

/* ssh's short form host:path has a colon before the first slash. */
static bool plain_path(const char *url)
{
	const char *colon = strchr(url, ':'), *slash = strchr(url, '/');

	return colon == NULL || (slash != NULL && slash < colon);
}

/* user@host:path, as ssh itself writes it */
static bool ssh_short(const char *url)
{
	const char *colon = strchr(url, ':'), *slash = strchr(url, '/');

	return colon != NULL && colon != url && strncmp(colon, "://", 3) != 0 && (slash == NULL || slash > colon) &&
	       colon[1] != '\0';
}

enum transport_kind transport_kind(const char *url)
{
	if (plain_path(url) || strncmp(url, "file://", 7) == 0)
		return TRANSPORT_PATH;
	if (strncmp(url, "https://", 8) == 0)
		return TRANSPORT_HTTPS;
	return strncmp(url, "ssh://", 6) == 0 || ssh_short(url) ? TRANSPORT_SSH : TRANSPORT_NONE;
}

char *transport_path(const char *url)
{
	char *copy = strdup(url), *path = NULL;

	if (copy == NULL || plain_path(url))
		return copy;
	path = strncmp(url, "file://", 7) == 0 ? file_url_path(copy) : NULL;
	path = path == NULL ? NULL : strdup(path);
	free(copy);
	return path;
}

enum err transport_open(struct errctx *ec, const struct job *job, struct bare *local, struct transport **out)
{
	const char *url = job_get(job, JOB_REMOTE);
	bool create = job_get(job, JOB_CREATE) != NULL;
	char *path = NULL;
	enum err e = ERR_OK;

	switch (transport_kind(url)) {
	case TRANSPORT_SSH:
	case TRANSPORT_HTTPS:
		return net_transport_open(ec, job, local, out);
	case TRANSPORT_NONE:
		if (strncmp(url, "http://", 7) == 0)
			return err_set(
			    ec, ERR_USAGE,
			    "%1 is not safe: everybody on the way could read the password. Use https:// or ssh://.",
			    url, NULL, NULL);
		return no_transport(ec, url);
	case TRANSPORT_PATH:
		break;
	}
	path = transport_path(url);
	e = path == NULL ? no_transport(ec, url) : path_transport_open(ec, path, create, local, out);
	free(path);
	return e;
}
