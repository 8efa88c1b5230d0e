// SPDX-License-Identifier: EUPL-1.2
// `sleutelbos open`: where no server runs for this home, one is started; then a file that lets the browser in is asked
// for and given to the default browser. No secret stands in an argument or an address.
#include "open/open.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/try.h"
#include "open/keeper.h"
#include "render/ask.h"
#include "web/guard.h"

#define ANSWER_MAX 65536
#define PATIENCE_S 20

extern char **environ;

/* --- the door --- */

static enum err no_answer(struct errctx *ec)
{
	return err_set(ec, ERR_LATER, "Sleutelbos is open, but does not answer. Try again in a moment.", NULL, NULL,
	               NULL);
}

/* One question over one connection. Appends the answer's body. */
static enum err door_ask(struct errctx *ec, const struct door *d, const char *lang, struct buf *out)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_in a = { .sin_family = AF_INET,
		                 .sin_port = htons(d->port),
		                 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct buf all = { 0 };
	char question[512];
	char *body = NULL;
	ssize_t n = 0;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int len = snprintf(question, sizeof(question),
	                   "POST /door HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n" GUARD_HEADER
	                   ": %s\r\nX-Sleutelbos-Lang: %s\r\nContent-Type: application/json\r\nContent-Length: "
	                   "2\r\n\r\n{}",
	                   (unsigned)d->port, d->token, lang);
	enum err e = ERR_OK;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
	    connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    send(fd, question, (size_t)len, MSG_NOSIGNAL) != (ssize_t)len)
		e = no_answer(ec);
	while (e == ERR_OK && all.len < ANSWER_MAX) {
		char part[4096];

		n = read(fd, part, sizeof(part));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		e = buf_put(&all, part, (size_t)n);
	}
	if (e == ERR_OK)
		e = buf_terminate(&all);
	if (e == ERR_OK) {
		body = strstr((char *)all.data, "\r\n\r\n");
		e = body == NULL || n < 0 ? no_answer(ec) : buf_put_str(out, body + 4);
	}
	if (fd >= 0)
		close(fd);
	buf_free(&all);
	return e;
}

static enum err start_file_get(struct errctx *ec, const struct door *d, const char *lang, char **file)
{
	struct buf body = { 0 };
	struct ask *a = NULL;
	enum err e = door_ask(ec, d, lang, &body);

	if (e == ERR_OK)
		e = ask_parse(NULL, buf_bytes(&body), &a) == ERR_OK && ask_text(a, "file") != NULL ? ERR_OK
		                                                                                   : no_answer(ec);
	if (e == ERR_OK) {
		*file = strdup(ask_text(a, "file"));
		e = *file == NULL ? err_errno(ec, ENOMEM, "") : ERR_OK;
	}
	ask_free(a);
	buf_free(&body);
	return e;
}

/* --- the browser --- */

/* xdg-open knows the person's browser. The file's name is no secret. */
static bool browser_open(const char *file)
{
	char program[] = "xdg-open";
	char *name = strdup(file);
	char *const argv[] = { program, name, NULL };
	posix_spawn_file_actions_t files;
	pid_t pid = -1;
	int status = 1;
	bool fine = name != NULL && posix_spawn_file_actions_init(&files) == 0;

	if (fine) {
		fine = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0) == 0 &&
		       posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0) == 0 &&
		       posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0) == 0 &&
		       posix_spawnp(&pid, program, &files, NULL, argv, environ) == 0;
		posix_spawn_file_actions_destroy(&files);
	}
	while (fine && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	free(name);
	return fine && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

enum err open_run(struct errctx *ec, const struct program_open *call, struct program_opened *out)
{
	const struct keeper k = {
		.options = call->options, .home = call->options->home, .port = call->port, .minutes = call->minutes
	};
	struct door d = { 0 };
	bool running = false;
	enum err e = ERR_OK;

	*out = (struct program_opened){ 0 };
	TRY(app_home_make(ec, k.home)); /* where there is no home yet, the first screen makes it */
	TRY(door_find(ec, k.home, &d, &running));
	out->was_running = running;
	if (!running) {
		TRY(keeper_start(ec, &k));
		TRY(door_find(ec, k.home, &d, &running));
		if (!running)
			TRY(no_answer(ec));
	}
	TRY(start_file_get(ec, &d, call->lang, &out->file));
	out->port = d.port;
	out->opened = call->browser && browser_open(out->file);
done:
	return e;
}
