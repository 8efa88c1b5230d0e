// SPDX-License-Identifier: EUPL-1.2
// The owner at work: one poll loop, one command at a time in the order in which the requests were complete. A caller
// that says nothing, says nonsense or stops reading costs itself its connection, never the others their turn.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "cli/handed.h"
#include "cli/owner_parts.h"
#include "cli/owner_place.h"
#include "cli/request.h"
#include "cli/wire.h"

// Callers seen at once; more wait in the socket's backlog.
#define CALLERS_MAX 64
// What is left to print when the owner must end has this long.
#define LAST_WORDS_MS 1000
// Between two steps of what is done in the background.
#define IDLE_STEP_MS 10

enum caller_state { CALLER_FREE, CALLER_NEW, CALLER_READY, CALLER_DRAIN };

struct caller {
	enum caller_state state;
	struct wire w;
	struct request rq;
	int64_t deadline; /* CALLER_NEW: when it must have said what it wants */
	uint64_t turn;    /* CALLER_READY: the lowest goes first */
};

struct owner {
	struct owner_limits limits;
	const struct owner_job *job;
	struct owner_place place;
	struct caller callers[CALLERS_MAX];
	char home_id[OWNER_HOME_ID_LEN];
	uint64_t turns;
	int64_t idle_end;
	int idle_timer;
	bool idle_work; // the background has something left to do
	int stop;       /* readable when a signal asked to end */
};

// ---- Signals ----

static int stop_pipe[2] = { -1, -1 };

static void on_stop(int number)
{
	int before = errno;

	if (write(stop_pipe[1], "", 1) < 0)
		errno = before; // a full pipe says the same
	errno = before;
}

static const int stop_signals[] = { SIGTERM, SIGINT, SIGHUP };
#define STOP_SIGNALS (sizeof(stop_signals) / sizeof(stop_signals[0]))

struct signals_before {
	struct sigaction stop[STOP_SIGNALS];
	struct sigaction pipe;
};

static enum err signals_take(struct errctx *ec, struct signals_before *b)
{
	struct sigaction stop = { .sa_handler = on_stop, .sa_flags = SA_RESTART };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	if (pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return err_errno(ec, errno, "pipe");
	for (size_t i = 0; i < STOP_SIGNALS; i++)
		sigaction(stop_signals[i], &stop, &b->stop[i]);
	sigaction(SIGPIPE, &ignore, &b->pipe);
	return ERR_OK;
}

static void signals_give_back(const struct signals_before *b)
{
	for (size_t i = 0; i < STOP_SIGNALS; i++)
		sigaction(stop_signals[i], &b->stop[i], NULL);
	sigaction(SIGPIPE, &b->pipe, NULL);
	close(stop_pipe[0]);
	close(stop_pipe[1]);
	stop_pipe[0] = stop_pipe[1] = -1;
}

bool owner_stopping(void)
{
	struct pollfd p = { .fd = stop_pipe[0], .events = POLLIN };

	return stop_pipe[0] >= 0 && poll(&p, 1, 0) > 0;
}

// ---- Time: a laptop that slept counts the sleep ----

static int64_t boot_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void idle_restart(struct owner *o)
{
	struct itimerspec t = { .it_value = { 0 } };

	o->idle_end = boot_ms() + o->limits.idle_ms;
	t.it_value.tv_sec = o->idle_end / 1000;
	t.it_value.tv_nsec = o->idle_end % 1000 * 1000000;
	timerfd_settime(o->idle_timer, TFD_TIMER_ABSTIME, &t, NULL);
}

// ---- Callers ----

static void caller_clear(struct caller *c)
{
	if (c->state == CALLER_FREE)
		return;
	wire_clear(&c->w);
	request_clear(&c->rq);
	c->state = CALLER_FREE;
}

static struct caller *caller_free(struct owner *o)
{
	for (int i = 0; i < CALLERS_MAX; i++)
		if (o->callers[i].state == CALLER_FREE)
			return &o->callers[i];
	return NULL;
}

static void accept_all(struct owner *o)
{
	struct caller *c = NULL;

	while ((c = caller_free(o)) != NULL) {
		int fd = accept4(o->place.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		int pid = 0;

		if (fd < 0)
			return;
		if (!owner_place_same_user(fd, &pid)) {
			close(fd);
			continue;
		}
		*c = (struct caller){ .state = CALLER_NEW,
			              .rq = { .in_fd = -1 },
			              .deadline = boot_ms() + o->limits.request_ms };
		wire_init(&c->w, fd);
	}
}

// A frame has come from a new caller: a request of this home and version, or the end.
static void caller_begin(struct owner *o, struct caller *c, struct frame_in *f)
{
	bool fine = false;

	if (f->version != WIRE_VERSION) {
		if (f->fd >= 0)
			close(f->fd);
		wire_drop(&c->w, f);
		if (wire_put(&c->w, FRAME_REFUSED, (struct bytes){ NULL, 0 }, -1) == ERR_OK)
			wire_send(&c->w);
		caller_clear(c);
		return;
	}
	fine = request_get(f, &c->rq) && strcmp(c->rq.home, o->home_id) == 0;
	wire_drop(&c->w, f);
	if (!fine) {
		caller_clear(c);
		return;
	}
	c->state = CALLER_READY;
	c->turn = ++o->turns;
}

static void caller_serve(struct owner *o, struct caller *c)
{
	struct frame_in f;

	if (c->state != CALLER_DRAIN)
		wire_receive(&c->w);
	if (c->state == CALLER_NEW && wire_take(&c->w, &f))
		caller_begin(o, c, &f);
	if (c->state == CALLER_DRAIN)
		wire_send(&c->w);
	if (c->state == CALLER_FREE)
		return;
	// Who stopped waiting before its turn has been told that nothing happened, and nothing does.
	if (c->w.gone || (c->state == CALLER_DRAIN && wire_unsent(&c->w) == 0) ||
	    (c->state == CALLER_NEW && boot_ms() >= c->deadline))
		caller_clear(c);
}

static struct caller *next_turn(struct owner *o)
{
	struct caller *next = NULL;

	for (int i = 0; i < CALLERS_MAX; i++) {
		struct caller *c = &o->callers[i];

		if (c->state == CALLER_READY && (next == NULL || c->turn < next->turn))
			next = c;
	}
	return next;
}

static void run(struct owner *o, struct caller *c)
{
	struct handed h = { .w = &c->w, .limits = o->limits, .stop = o->stop };
	struct io io;
	struct buf done = { 0 };
	int status = 0;

	if (wire_put(&c->w, FRAME_STARTED, (struct bytes){ NULL, 0 }, -1) != ERR_OK ||
	    handed_open(&h, &c->rq, &io) != ERR_OK) {
		caller_clear(c);
		return;
	}
	wire_send(&c->w);
	status = o->job->run(o->job->ctx, c->rq.argc, c->rq.argv, &io);
	handed_close(&io);
	if (frame_put_int(&done, (uint32_t)status & 0xFF) != ERR_OK ||
	    wire_put(&c->w, FRAME_DONE, buf_bytes(&done), -1) != ERR_OK)
		c->w.gone = true;
	buf_free(&done);
	request_clear(&c->rq);
	c->state = CALLER_DRAIN;
	wire_send(&c->w);
	if (c->w.gone || wire_unsent(&c->w) == 0)
		caller_clear(c);
	o->idle_work = o->job->idle != NULL;
	idle_restart(o);
}

// ---- The loop ----

#define FIXED 4

// How long poll may wait for the nearest deadline of a new caller.
static int next_deadline(const struct owner *o)
{
	int64_t now = boot_ms();
	int64_t wait = -1;

	for (int i = 0; i < CALLERS_MAX; i++) {
		const struct caller *c = &o->callers[i];
		int64_t left = c->deadline > now ? c->deadline - now : 0;

		if (c->state == CALLER_NEW && (wait < 0 || left < wait))
			wait = left;
	}
	return (int)wait;
}

// True until it is time to end.
static bool turn(struct owner *o)
{
	struct pollfd p[FIXED + CALLERS_MAX] = {
		{ .fd = o->stop, .events = POLLIN },
		{ .fd = o->job->also == NULL ? o->idle_timer : -1, .events = POLLIN },
		{ .fd = caller_free(o) != NULL ? o->place.listener : -1, .events = POLLIN },
		{ .fd = o->job->also != NULL ? o->job->also_fd : -1, .events = POLLIN }
	};
	struct caller *next = next_turn(o);
	int wait = next != NULL ? 0 : next_deadline(o);
	int also = o->job->also != NULL ? o->job->also_wait(o->job->ctx) : -1;
	int ready = 0;

	if (also >= 0 && (wait < 0 || wait > also))
		wait = also;
	if (o->idle_work && (wait < 0 || wait > IDLE_STEP_MS))
		wait = IDLE_STEP_MS;
	for (int i = 0; i < CALLERS_MAX; i++) {
		const struct caller *c = &o->callers[i];

		p[FIXED + i].fd = c->state == CALLER_FREE ? -1 : c->w.fd;
		p[FIXED + i].events = c->state == CALLER_DRAIN ? POLLOUT : POLLIN;
	}
	ready = poll(p, FIXED + CALLERS_MAX, wait);
	if (ready < 0)
		return errno == EINTR;
	/* who serves somebody else besides knows when it is idle */
	if (p[0].revents != 0 || (o->job->also == NULL && boot_ms() >= o->idle_end))
		return false;
	if ((p[3].revents != 0 || (also >= 0 && ready == 0)) && !o->job->also(o->job->ctx))
		return false;
	if (p[2].revents != 0)
		accept_all(o);
	for (int i = 0; i < CALLERS_MAX; i++) {
		struct caller *c = &o->callers[i];

		if (c->state == CALLER_NEW || (c->state != CALLER_FREE && p[FIXED + i].revents != 0))
			caller_serve(o, c);
	}
	next = next_turn(o);
	if (next != NULL)
		run(o, next);
	else if (ready == 0 && o->idle_work)
		o->idle_work = o->job->idle(o->job->ctx);
	return true;
}

static struct owner_limits limits_of(const struct owner_limits *given)
{
	struct owner_limits l = given != NULL ? *given : (struct owner_limits){ 0 };

	if (l.idle_ms <= 0)
		l.idle_ms = 10 * 60 * 1000;
	if (l.request_ms <= 0)
		l.request_ms = 10 * 1000;
	if (l.answer_ms <= 0)
		l.answer_ms = 30 * 1000;
	if (l.person_ms <= 0)
		l.person_ms = 5 * 60 * 1000;
	return l;
}

// What was printed for callers that are still reading has a moment; everybody else finds a closed connection and goes
// on by itself.
static void last_words(struct owner *o)
{
	int64_t end = boot_ms() + LAST_WORDS_MS;

	for (int i = 0; i < CALLERS_MAX; i++) {
		struct caller *c = &o->callers[i];
		int64_t left = end - boot_ms();

		if (c->state == CALLER_DRAIN)
			wire_send_down_to(&c->w, 0, left > 0 ? (int)left : 0, -1);
		caller_clear(c);
	}
}

enum err owner_serve_from(struct errctx *ec, const char *home, const struct owner_limits *limits,
                          const struct owner_job *job, const struct owner_ready *ready, struct owner_place *place)
{
	struct owner *o = calloc(1, sizeof(*o));
	struct signals_before before;
	enum err e = ERR_OK;

	if (o == NULL)
		return err_errno(ec, ENOMEM, home);
	o->limits = limits_of(limits);
	o->job = job;
	o->idle_work = job->idle != NULL;
	o->place.listener = -1;
	o->idle_timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	e = o->idle_timer < 0 ? err_errno(ec, errno, "timer") : owner_home_id(ec, home, o->home_id);
	if (e != ERR_OK)
		goto done;
	e = signals_take(ec, &before);
	if (e != ERR_OK)
		goto done;
	o->stop = stop_pipe[0];
	if (place != NULL) {
		o->place = *place;
		*place = (struct owner_place){ .listener = -1 };
		e = owner_place_listen(ec, &o->place);
		if (e != ERR_OK)
			owner_place_close(&o->place);
	} else {
		e = owner_place_open(ec, home, &o->place);
	}
	if (e == ERR_OK) {
		idle_restart(o);
		if (ready != NULL)
			ready->ready(ready->ctx);
		while (turn(o))
			;
		last_words(o);
		owner_place_close(&o->place);
	}
	signals_give_back(&before);
done:
	if (o->idle_timer >= 0)
		close(o->idle_timer);
	free(o);
	return e;
}

enum err owner_serve(struct errctx *ec, const char *home, const struct owner_limits *limits,
                     const struct owner_job *job)
{
	char *real = realpath(home, NULL);
	enum err e = real == NULL ? err_errno(ec, errno, home) : owner_serve_from(ec, real, limits, job, NULL, NULL);

	free(real);
	return e;
}
