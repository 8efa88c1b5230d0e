// SPDX-License-Identifier: EUPL-1.2
// An owner in the background. The process that will hold the keys is forked before anybody has typed a passphrase, so
// that the keys exist in one process only; it leaves the terminal, closes what it inherited, confines itself, and
// cannot dump core (V1).
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/tr.h"
#include "cli/detach.h"
#include "cli/owner.h"
#include "cli/owner_parts.h"
#include "cli/owner_place.h"

// For a command that has the vault open just now.
#define CLAIM_MS 5000

// Two reports come: the home is claimed; the owner listens.
#define ENDED TR("The process that should keep the vault open has ended. Try again.")

// ---- The new process ----

static void report_ready(void *ctx)
{
	struct errctx *ec = ctx;

	report_put(ec);
	close(DETACHED_REPORT);
}

// Passphrase as it comes through the pipe: its bytes, then the end. False where nobody typed one.
static bool passphrase_receive(struct secret_text *s)
{
	size_t room = SECRET_TEXT_MAX + 1;
	ssize_t n = 0;

	while (s->len < room) {
		n = read(DETACHED_GIVEN, s->text + s->len, room - s->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		s->len += (size_t)n;
	}
	return n == 0 && s->len > 0 && s->len <= SECRET_TEXT_MAX;
}

struct owner_start {
	const char *home;
	const struct owner_limits *limits;
	const struct owner_job *job;
};

static void be_owner(void *ctx)
{
	const struct owner_start *o = ctx;
	const struct owner_job *job = o->job;
	struct errctx ec = { .code = ERR_OK };
	struct owner_ready ready = { report_ready, &ec };
	struct secret_text *passphrase = NULL;
	struct owner_place place = { .listener = -1 };
	struct confine_place reach[OWNER_PLACES];
	enum err e = ERR_OK;
	bool opened = false;
	int claim = -1;

	e = owner_claim(&ec, o->home, CLAIM_MS, &claim);
	if (e == ERR_OK)
		e = owner_place_make(&ec, o->home, &place);
	if (e == ERR_OK && job->confine != NULL)
		e = job->confine(job->ctx, &ec, reach, owner_place_reach(&place, reach));
	if (e != ERR_OK)
		owner_place_close(&place);
	if (!report_put(&ec) || e != ERR_OK)
		_exit(1);
	passphrase = secret_text_new();
	if (passphrase == NULL)
		e = err_errno(&ec, ENOMEM, o->home);
	else if (!passphrase_receive(passphrase)) {
		owner_place_close(&place);
		_exit(1);
	}
	close(DETACHED_GIVEN);
	if (e == ERR_OK) {
		e = job->open(job->ctx, &ec, passphrase);
		opened = e == ERR_OK;
	}
	secret_text_free(passphrase);
	if (e == ERR_OK)
		e = owner_serve_from(&ec, o->home, o->limits, job, &ready, &place);
	owner_place_close(&place);
	if (opened && job->close != NULL)
		job->close(job->ctx);
	// Where it never listened, the first process still waits for the reason.
	if (e != ERR_OK) {
		ec.code = e;
		report_put(&ec);
	}
	_exit(e == ERR_OK ? 0 : 1);
}

// ---- The first process ----

struct pipes {
	int passphrase[2];
	int report[2];
};

static void pipes_close(struct pipes *p)
{
	int *all[] = { &p->passphrase[0], &p->passphrase[1], &p->report[0], &p->report[1] };

	for (size_t i = 0; i < 4; i++) {
		if (*all[i] >= 0)
			close(*all[i]);
		*all[i] = -1;
	}
}

static enum err hand_passphrase(struct errctx *ec, int fd, const struct owner_asker *asker)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction before;
	struct secret_text *s = NULL;
	enum err e = asker->ask(asker->ctx, ec, &s);

	if (e != ERR_OK)
		return e;
	// Where the new process has ended its report says why; the pipe need not.
	sigaction(SIGPIPE, &ignore, &before);
	if (write(fd, s->text, s->len) != (ssize_t)s->len)
		e = ERR_IO;
	sigaction(SIGPIPE, &before, NULL);
	secret_text_free(s);
	return e == ERR_IO ? ERR_OK : e;
}

enum err owner_spawn(struct errctx *ec, const char *home, const struct owner_limits *limits,
                     const struct owner_job *job, const struct owner_asker *asker)
{
	struct pipes p = { { -1, -1 }, { -1, -1 } };
	char *real = realpath(home, NULL);
	int fd = -1;
	int pid = 0;
	enum err e = real == NULL ? err_errno(ec, errno, home) : owner_place_connect(ec, real, &fd, &pid);

	if (e == ERR_OK && fd >= 0)
		e = err_set(ec, ERR_REFUSED,
		            "The vault is open already. To begin anew, first type \"sleutelbos lock\".", NULL, NULL,
		            NULL);
	if (fd >= 0)
		close(fd);
	if (e == ERR_OK && (pipe2(p.passphrase, O_CLOEXEC) != 0 || pipe2(p.report, O_CLOEXEC) != 0))
		e = err_errno(ec, errno, "pipe");
	if (e == ERR_OK)
		e = detach(ec, &(struct detached){ p.report[1], p.passphrase[0], be_owner,
		                                   &(struct owner_start){ real, limits, job } });
	if (e == ERR_OK) {
		close(p.passphrase[0]);
		close(p.report[1]);
		p.passphrase[0] = p.report[1] = -1;
		e = report_get(ec, p.report[0], ENDED);
	}
	if (e == ERR_OK)
		e = hand_passphrase(ec, p.passphrase[1], asker);
	if (p.passphrase[1] >= 0)
		close(p.passphrase[1]);
	p.passphrase[1] = -1;
	if (e == ERR_OK)
		e = report_get(ec, p.report[0], ENDED);
	pipes_close(&p);
	free(real);
	return e;
}
