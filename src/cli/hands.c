// SPDX-License-Identifier: EUPL-1.2
// Confining the process that holds keys: first the starter, which opens files and starts the courier, then no way back
// (V1). The frames between the two are those between an owner and its caller (cli/wire.h).
#include "cli/hands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/starter.h"
#include "base/file.h"
#include "cli/handed.h"
#include "cli/io_ops.h"

#define ANSWER_MS (30 * 1000)

// Chance, the time of day where people live, the terminal that a passphrase is typed on.
static const struct confine_place system_places[] = {
	{ "/dev/urandom", CONFINE_READ },   { "/dev/null", CONFINE_TERM },     { "/dev/tty", CONFINE_TERM },
	{ "/etc/localtime", CONFINE_READ }, { "/etc/timezone", CONFINE_READ }, { "/usr/share/zoneinfo", CONFINE_READ },
};
#define SYSTEM_PLACES (sizeof(system_places) / sizeof(system_places[0]))
#define PLACES_MAX (SYSTEM_PLACES + 8)

// ---- In the starter ----

struct errand {
	struct wire w;
	struct files files;
	struct named named;
};

static bool errand_serve(void *ctx, int fd)
{
	struct errand *e = ctx;
	struct frame_in f;

	e->w.fd = fd;
	wire_receive(&e->w);
	while (wire_take(&e->w, &f)) {
		// Passphrases are typed to the one that needs them.
		bool known = f.kind != FRAME_PASSPHRASE && handed_answer(&e->w, &f, NULL, &e->files, &e->named);

		if (f.fd >= 0)
			close(f.fd);
		wire_drop(&e->w, &f);
		if (!known || !wire_send_down_to(&e->w, 0, ANSWER_MS, -1))
			return false;
	}
	return !e->w.gone;
}

static void errand_end(void *ctx)
{
	struct errand *e = ctx;

	files_clear(&e->files);
}

// ---- In the process with the keys ----

static struct wire to_starter;
static struct handed asking = { .w = &to_starter, .stop = -1 };

enum err hands_start(struct errctx *ec, const struct hands *h, struct io *io)
{
	struct errand errand = { .named = h->named };
	struct starter_errand files = { .fd = -1, .serve = errand_serve, .end = errand_end, .ctx = &errand };
	int fd[2] = { -1, -1 };
	enum err e = ERR_OK;

	if (io == NULL)
		return starter_begin(ec, h->courier, NULL);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fd) != 0)
		return err_errno(ec, errno, "socketpair");
	files_init(&errand.files);
	wire_init(&errand.w, fd[1]);
	files.fd = fd[1];
	e = starter_begin(ec, h->courier, &files);
	close(fd[1]);
	if (e != ERR_OK) {
		close(fd[0]);
		return e;
	}
	wire_init(&to_starter, fd[0]);
	asking.limits.answer_ms = ANSWER_MS;
	io_through(io, &asking);
	return ERR_OK;
}

/* The folder that holds `path`, or the nearest above it that is there. */
static char *around(const char *path)
{
	char *folder = strdup(path);
	char *slash = NULL;
	struct stat st;

	while (folder != NULL && (slash = strrchr(folder, '/')) != NULL) {
		slash[slash == folder] = '\0';
		if (slash == folder || stat(folder, &st) == 0)
			break;
	}
	return folder;
}

enum err hands_confine(struct errctx *ec, const struct hands *h, const struct confine_place *spare, size_t spares,
                       struct confinement *active)
{
	struct confine_place place[PLACES_MAX];
	struct confine_wish wish = { .files = true,
		                     .calls = true,
		                     .place = place,
		                     .may = CONFINE_MAY_FORK | (h->listens ? CONFINE_MAY_ACCEPT : 0u) };
	char *folder = h->keep == HANDS_AROUND ? around(h->home) : strdup(h->home);
	enum err e = folder == NULL ? err_errno(ec, ENOMEM, h->home) : ERR_OK;

	for (size_t i = 0; i < SYSTEM_PLACES; i++)
		place[wish.places++] = system_places[i];
	place[wish.places++] = (struct confine_place){ folder, CONFINE_WRITE };
	for (size_t i = 0; i < spares && wish.places < PLACES_MAX - 2; i++)
		place[wish.places++] = spare[i];
	for (size_t i = 0; i < 2; i++)
		if (h->passphrases[i] != NULL)
			place[wish.places++] = (struct confine_place){ h->passphrases[i], CONFINE_READ };
	if (e == ERR_OK)
		e = confine(ec, &wish, active);
	free(folder);
	return e;
}

enum err hands_begin(struct errctx *ec, const struct hands *h, struct io *io, struct confinement *active)
{
	enum err e = hands_start(ec, h, io);

	return e == ERR_OK ? hands_confine(ec, h, NULL, 0, active) : e;
}

void hands_end(void)
{
	wire_clear(&to_starter);
	starter_end();
}
