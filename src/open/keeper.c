// SPDX-License-Identifier: EUPL-1.2
// The keeper: small, without keys, never a byte from a browser. It holds what must outlive a lock: the port and the
// token, so that the page that is open finds its way back (W2).
#include "open/keeper.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/tr.h"
#include "cli/detach.h"
#include "cli/program.h"

#define BACKLOG 128
#define WAIT_MS 5000
#define STEP_NS 10000000L
/* A worker that ends so soon so often does not work at all. */
#define SOON_S 2
#define SOON_MAX 5

/* --- HOME/owner/web --- */

static enum err door_open(struct errctx *ec, const char *home, int *fd)
{
	char *dir = file_join(home, "owner");
	char *path = dir == NULL ? NULL : file_join(dir, "web");
	enum err e = path == NULL ? err_errno(ec, ENOMEM, home) : file_make_dir(ec, dir);

	*fd = -1;
	if (e == ERR_OK) {
		*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (*fd < 0)
			e = err_errno(ec, errno, path);
	}
	free(path);
	free(dir);
	return e;
}

static bool door_read(int fd, struct door *out)
{
	char text[64] = "";
	unsigned port = 0;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	return n > 0 && sscanf(text, "%u %32[0-9a-f]\n", &port, out->token) == 2 && port > 0 && port < 65536 &&
	       strlen(out->token) == WEB_TOKEN_LEN - 1 && (out->port = (uint16_t)port) > 0;
}

enum err door_find(struct errctx *ec, const char *home, struct door *out, bool *running)
{
	const struct timespec step = { .tv_nsec = STEP_NS };
	int fd = -1;
	enum err e = door_open(ec, home, &fd);

	*running = false;
	if (e != ERR_OK)
		return e;
	/* one that has just begun writes its line in a moment */
	for (int waited = 0; e == ERR_OK && !*running; waited += (int)(STEP_NS / 1000000)) {
		if (flock(fd, LOCK_SH | LOCK_NB) == 0)
			break;
		*running = door_read(fd, out);
		if (!*running && waited > WAIT_MS)
			e = err_set(ec, ERR_LATER, "Sleutelbos is just starting. Try again.", NULL, NULL, NULL);
		if (!*running)
			nanosleep(&step, NULL);
	}
	close(fd);
	return e;
}

/* --- the keeper's process --- */

static enum err listen_on(struct errctx *ec, int port, int *fd, uint16_t *got)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		                 .sin_port = htons((uint16_t)port),
		                 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(a);
	int on = 1;

	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* a port that was named is to be had again at once */
	if (*fd < 0 || setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(*fd, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(*fd, BACKLOG) != 0 ||
	    getsockname(*fd, (struct sockaddr *)&a, &len) != 0)
		return err_set(ec, ERR_IO, "The web interface could not start: this port is in use. Choose another.",
		               NULL, NULL, NULL);
	*got = ntohs(a.sin_port);
	return ERR_OK;
}

static enum err door_write(struct errctx *ec, int fd, const struct web_shared *s, uint16_t port)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "%u %s\n", (unsigned)port, s->door);

	if (fchmod(fd, 0600) != 0 || ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len)
		return err_errno(ec, errno, "owner/web");
	return ERR_OK;
}

struct keeping {
	const struct keeper *k;
	struct web_shared *shared;
	int door;
	int listener;
	uint16_t port;
	sigset_t watched; /* SIGCHLD and what asks to end */
};

static pid_t worker_begin(const struct keeping *g)
{
	pid_t pid = fork();

	if (pid == 0) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		close(g->door); /* the lock is the keeper's alone */
		exit(worker_main(g->k, g->listener, g->port, g->shared));
	}
	return pid;
}

/* Waits for the end of a worker, or for a word from outside to end it. True: a new one is to begin. */
static bool worker_watch(const struct keeping *g, pid_t pid)
{
	bool told = false;

	for (;;) {
		siginfo_t what = { 0 };
		int status = 0;

		if (waitpid(pid, &status, WNOHANG) == pid)
			return !told && !(WIFEXITED(status) && WEXITSTATUS(status) == WORKER_QUIT);
		if (sigwaitinfo(&g->watched, &what) > 0 && what.si_signo != SIGCHLD) {
			told = true;
			kill(pid, SIGTERM);
		}
	}
}

static void keep(const struct keeping *g)
{
	int soon = 0;

	while (soon < SOON_MAX) {
		time_t began = time(NULL);
		pid_t pid = worker_begin(g);

		if (pid < 0 || !worker_watch(g, pid))
			return;
		soon = time(NULL) - began < SOON_S ? soon + 1 : 0;
	}
}

static void keeper_main(void *ctx)
{
	const struct keeper *k = ctx;
	struct keeping g = { .k = k, .door = -1, .listener = -1 };
	struct errctx ec = { .code = ERR_OK };
	enum err e = ERR_OK;

	sigemptyset(&g.watched);
	sigaddset(&g.watched, SIGCHLD);
	sigaddset(&g.watched, SIGTERM);
	sigaddset(&g.watched, SIGINT);
	sigaddset(&g.watched, SIGHUP);
	sigprocmask(SIG_BLOCK, &g.watched, NULL);
	g.shared = mmap(NULL, sizeof(*g.shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (g.shared == MAP_FAILED)
		e = err_errno(&ec, ENOMEM, k->home);
	if (e == ERR_OK)
		e = door_open(&ec, k->home, &g.door);
	if (e == ERR_OK && flock(g.door, LOCK_EX | LOCK_NB) != 0) {
		report_put(&ec); /* another one was faster: that is as good */
		_exit(0);
	}
	if (e == ERR_OK)
		e = listen_on(&ec, k->port, &g.listener, &g.port);
	if (e == ERR_OK) {
		web_token_new(app_rng(k->options), g.shared->token);
		web_token_new(app_rng(k->options), g.shared->door);
		e = door_write(&ec, g.door, g.shared, g.port);
	}
	if (!report_put(&ec) || e != ERR_OK)
		_exit(1);
	close(DETACHED_REPORT);
	keep(&g);
	web_start_files_remove(k->home);
	(void)!ftruncate(g.door, 0);
	_exit(0);
}

/* --- the process that was typed --- */

enum err keeper_start(struct errctx *ec, const struct keeper *k)
{
	struct keeper copy = *k;
	int p[2] = { -1, -1 };
	enum err e = ERR_OK;

	if (pipe2(p, O_CLOEXEC) != 0)
		return err_errno(ec, errno, "pipe");
	e = detach(ec, &(struct detached){ p[1], -1, keeper_main, &copy });
	close(p[1]);
	if (e == ERR_OK)
		e = report_get(ec, p[0], TR("The web interface could not start. Close other programs and try again."));
	close(p[0]);
	return e;
}
