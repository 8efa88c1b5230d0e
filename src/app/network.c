// SPDX-License-Identifier: EUPL-1.2
// What nmcli says of the network. It is asked for a few fields in its terse form, in English, and ended after a while.
#include "app/network.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/starter.h"

#define ANSWER_MAX 16384
#define PATIENCE_MS 5000

/* Reads until the end, or until it says no more for a while; false then, or where it says too much. */
static bool answer_read(int fd, char *out, size_t size)
{
	size_t n = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t got = 0;

		if (n + 1 >= size || poll(&p, 1, PATIENCE_MS) <= 0)
			return false;
		got = read(fd, out + n, size - 1 - n);
		if (got < 0)
			return false;
		out[n + (size_t)got] = '\0';
		n += (size_t)got;
		if (got == 0)
			return true;
	}
}

int network_spawn(int out, pid_t *pid)
{
	char program[] = "nmcli", terse[] = "-t", fields[] = "-f", device[] = "device", show[] = "show";
	char wanted[] = "GENERAL.STATE,GENERAL.METERED,GENERAL.CONNECTION,IP4.GATEWAY,IP6.GATEWAY";
	char english[] = "LC_ALL=C";
	char *const argv[] = { program, terse, fields, wanted, device, show, NULL };
	char *const env[] = { english, NULL };
	posix_spawn_file_actions_t act;
	int rc = posix_spawn_file_actions_init(&act);

	if (rc != 0)
		return rc;
	rc = posix_spawn_file_actions_addopen(&act, 0, "/dev/null", O_RDONLY, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&act, out, 1);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(&act, 2, "/dev/null", O_WRONLY, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(&act, 3);
	if (rc == 0)
		rc = posix_spawnp(pid, argv[0], &act, NULL, argv, env);
	posix_spawn_file_actions_destroy(&act);
	return rc;
}

static bool nmcli(char *out, size_t size)
{
	int to[2];
	pid_t pid = -1;
	int status = 0;
	bool whole = false;
	bool well = false;

	out[0] = '\0';
	if (pipe2(to, O_CLOEXEC) != 0)
		return false;
	if (starter_network(to[1], &pid) != 0)
		pid = -1;
	close(to[1]);
	if (pid > 0) {
		whole = answer_read(to[0], out, size);
		if (!whole)
			starter_kill(pid);
		well = starter_reap(pid, &status) == 1 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	close(to[0]);
	return whole && well;
}

struct connection {
	char name[256];
	bool up;
	bool leads_out;
	bool unmetered;
};

static bool is_named(const char *names, const char *name)
{
	size_t len = strlen(name);

	while (len > 0) {
		const char *end = strchr(names, ',');
		size_t n = end == NULL ? strlen(names) : (size_t)(end - names);

		if (n == len && memcmp(names, name, len) == 0)
			return true;
		if (end == NULL)
			return false;
		names = end + 1;
	}
	return false;
}

/* Terse values have a backslash before ':' and '\'. */
static void value_take(const char *value, size_t len, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < size; i++) {
		if (value[i] == '\\' && i + 1 < len)
			i++;
		out[n++] = value[i];
	}
	out[n] = '\0';
}

static void line_take(struct connection *c, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	size_t field = colon == NULL ? 0 : (size_t)(colon - line);
	char value[256];

	if (colon == NULL)
		return;
	value_take(colon + 1, len - field - 1, value, sizeof(value));
	if (strncmp(line, "GENERAL.STATE", field) == 0)
		c->up = strncmp(value, "100", 3) == 0;
	else if (strncmp(line, "GENERAL.METERED", field) == 0)
		c->unmetered = strncmp(value, "no", 2) == 0;
	else if (strncmp(line, "GENERAL.CONNECTION", field) == 0)
		strcpy(c->name, value);
	else
		c->leads_out = c->leads_out || (value[0] != '\0' && strcmp(value, "--") != 0);
}

/* One device after the other, an empty line between them. */
static enum err judge(struct errctx *ec, const struct network_wish *wish, const char *answer)
{
	struct connection c = { .unmetered = false };
	size_t found = 0;

	for (const char *line = answer;; line++) {
		size_t len = strcspn(line, "\n");

		if (len > 0)
			line_take(&c, line, len);
		if (len == 0 || line[len] == '\0') {
			found += c.up && c.leads_out;
			if (c.up && c.leads_out && wish->names != NULL && !is_named(wish->names, c.name))
				return err_set(
				    ec, ERR_LATER,
				    "This computer is on the network %1, and syncing was asked for on another. "
				    "Nothing was sent or fetched.",
				    c.name, NULL, NULL);
			if (c.up && c.leads_out && wish->unmetered && !c.unmetered)
				return err_set(ec, ERR_LATER,
				               "The network %1 costs money by the byte, or may do. Nothing was sent or "
				               "fetched.",
				               c.name, NULL, NULL);
			c = (struct connection){ .unmetered = false };
		}
		line += len;
		if (*line == '\0')
			break;
	}
	return found > 0 ? ERR_OK
	                 : err_set(ec, ERR_LATER, "This computer is on no network now. Nothing was sent or fetched.",
	                           NULL, NULL, NULL);
}

enum err network_may(struct errctx *ec, const struct network_wish *wish)
{
	char *answer = NULL;
	enum err e = ERR_OK;

	if (wish->names == NULL && !wish->unmetered)
		return ERR_OK;
	answer = malloc(ANSWER_MAX);
	if (answer == NULL)
		return err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.",
		               NULL, NULL, NULL);
	if (nmcli(answer, ANSWER_MAX))
		e = judge(ec, wish, answer);
	else
		e = err_set(
		    ec, ERR_LATER,
		    "Nobody could tell on which network this computer is: NetworkManager does not answer. Nothing "
		    "was sent or fetched. To sync all the same, leave out --network and --unmetered.",
		    NULL, NULL, NULL);
	free(answer);
	return e;
}
