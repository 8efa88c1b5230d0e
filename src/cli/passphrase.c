// SPDX-License-Identifier: EUPL-1.2
// Passphrases, read straight into guarded memory: no stdio, no buffer in between (V1). The terminal gets its echo back
// whatever ends the reading.
#include "cli/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cli/io_ops.h"

#define FINE ((struct passphrase_result){ PASSPHRASE_FINE, 0 })

static struct passphrase_result problem(enum passphrase_problem p)
{
	return (struct passphrase_result){ p, 0 };
}

static struct passphrase_result source_error(int errnum)
{
	return (struct passphrase_result){ PASSPHRASE_SOURCE, errnum };
}

// Signals that end or stop the program while the echo is off: noted, and raised again when it is on.
static const int caught[] = { SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGTSTP, SIGTTIN, SIGTTOU };
#define CAUGHT (sizeof(caught) / sizeof(caught[0]))
static volatile sig_atomic_t signalled;

static void note_signal(int number)
{
	signalled = number;
}

static void drop_line_end(struct secret_text *s)
{
	if (s->len > 0 && s->text[s->len - 1] == '\n')
		s->len--;
	if (s->len > 0 && s->text[s->len - 1] == '\r')
		s->len--;
	memset(s->text + s->len, 0, sizeof(s->text) - s->len);
}

// How far to read, and from a terminal the signals that may interrupt: everywhere else they are blocked, so that one
// that comes just before the wait is not lost.
struct reading {
	bool one_line; // to the end of the first line and not one byte more
	const sigset_t *interrupts;
};

static struct passphrase_result read_from(int fd, const struct reading *how, struct secret_text *s)
{
	const size_t room = SECRET_TEXT_MAX + 3;

	s->len = 0;
	for (;;) {
		ssize_t n = 0;

		if (s->len == room)
			return problem(PASSPHRASE_TOO_LONG);
		if (how->interrupts != NULL &&
		    ppoll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, NULL, how->interrupts) < 0)
			return source_error(errno);
		n = read(fd, s->text + s->len, how->one_line ? 1 : room - s->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return source_error(errno);
		s->len += (size_t)n;
		if (n == 0 || (how->one_line && s->text[s->len - 1] == '\n'))
			break;
	}
	drop_line_end(s);
	return s->len > SECRET_TEXT_MAX ? problem(PASSPHRASE_TOO_LONG) : FINE;
}

static struct passphrase_result check(const struct secret_text *s)
{
	if (s->len == 0)
		return problem(PASSPHRASE_EMPTY);
	if (memchr(s->text, '\n', s->len) != NULL)
		return problem(PASSPHRASE_LINES);
	if (!utf8_valid(s->text, s->len))
		return problem(PASSPHRASE_NOT_TEXT);
	return FINE;
}

static bool terminal_put(int tty, const char *s)
{
	size_t len = strlen(s);

	return write(tty, s, len) == (ssize_t)len;
}

// What follows when Enter was typed. With the echo on it has moved the cursor by itself.
static const char *line_end(enum typed_look look)
{
	const char *term = getenv("TERM");

	if (look == TYPED_HIDDEN)
		return "\n";
	return look == TYPED_CLEARED && term != NULL && strcmp(term, "dumb") != 0 ? "\033[1A\r\033[K" : "";
}

// One line from the terminal, as a rule with the echo off. *signal_out is what arrived meanwhile, after the echo is
// back.
static struct passphrase_result read_hidden(int tty, const char *prompt, enum typed_look look, struct secret_text *s,
                                            int *signal_out)
{
	struct sigaction note = { .sa_handler = note_signal };
	struct sigaction before[CAUGHT];
	struct termios old;
	struct termios hidden;
	struct passphrase_result r = FINE;
	sigset_t blocked;
	sigset_t open_mask;
	struct reading how = { true, &open_mask };

	*signal_out = 0;
	signalled = 0;
	if (tcgetattr(tty, &old) != 0)
		return problem(PASSPHRASE_NO_TERMINAL);
	hidden = old;
	if (look == TYPED_HIDDEN)
		hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	hidden.c_lflag |= ICANON | ISIG;
	sigemptyset(&blocked);
	for (size_t i = 0; i < CAUGHT; i++)
		sigaddset(&blocked, caught[i]);
	sigprocmask(SIG_BLOCK, &blocked, &open_mask);
	for (size_t i = 0; i < CAUGHT; i++)
		sigaction(caught[i], &note, &before[i]);
	if (tcsetattr(tty, TCSAFLUSH, &hidden) != 0 || !terminal_put(tty, prompt))
		r = source_error(errno);
	else
		r = read_from(tty, &how, s);
	while (tcsetattr(tty, TCSAFLUSH, &old) != 0 && errno == EINTR)
		;
	if (!terminal_put(tty, line_end(look)) && r.problem == PASSPHRASE_FINE)
		r = source_error(errno);
	*signal_out = signalled;
	for (size_t i = 0; i < CAUGHT; i++)
		sigaction(caught[i], &before[i], NULL);
	sigprocmask(SIG_SETMASK, &open_mask, NULL);
	return r;
}

// Asks until the reading was not interrupted: Ctrl-Z and `fg` show the prompt again, Ctrl-C ends the program.
static struct passphrase_result read_prompted(int tty, const char *prompt, enum typed_look look, struct secret_text *s)
{
	for (;;) {
		int number = 0;
		struct passphrase_result r = read_hidden(tty, prompt, look, s, &number);

		if (number == 0)
			return r;
		raise(number);
		if (number != SIGTSTP && number != SIGTTIN && number != SIGTTOU)
			return source_error(EINTR);
	}
}

static struct passphrase_result from_terminal(const struct passphrase_ask *ask, struct secret_text *s)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct secret_text *twice = NULL;
	struct passphrase_result r = FINE;

	if (tty < 0)
		return problem(PASSPHRASE_NO_TERMINAL);
	r = read_prompted(tty, ask->prompt, ask->look, s);
	if (r.problem == PASSPHRASE_FINE)
		r = check(s);
	if (r.problem == PASSPHRASE_FINE && ask->again != NULL) {
		twice = secret_text_new();
		r = twice == NULL ? problem(PASSPHRASE_MEMORY) : read_prompted(tty, ask->again, ask->look, twice);
		if (r.problem == PASSPHRASE_FINE && (twice->len != s->len || memcmp(twice->text, s->text, s->len) != 0))
			r = problem(PASSPHRASE_DIFFER);
		secret_text_free(twice);
	}
	close(tty);
	return r;
}

static struct passphrase_result from_file(const char *path, struct secret_text *s)
{
	struct passphrase_result r = FINE;
	bool is_dir = false;
	int fd = -1;
	int e = files_open(path, FILES_FILE, &fd, &is_dir);

	if (e != 0)
		return source_error(e);
	r = read_from(fd, &(struct reading){ false, NULL }, s);
	close(fd);
	return r.problem == PASSPHRASE_FINE ? check(s) : r;
}

static struct passphrase_result from_fd(const char *number, struct secret_text *s)
{
	struct passphrase_result r = FINE;
	size_t len = strlen(number);

	if (len == 0 || len > 6 || strspn(number, "0123456789") != len)
		return problem(PASSPHRASE_BAD_FD);
	r = read_from(atoi(number), &(struct reading){ true, NULL }, s);
	return r.problem == PASSPHRASE_FINE ? check(s) : r;
}

struct passphrase_result passphrase_fetch(const struct passphrase_ask *ask, struct secret_text *out)
{
	if (ask->file != NULL && ask->fd != NULL)
		return problem(PASSPHRASE_TWO_SOURCES);
	if (ask->file != NULL)
		return from_file(ask->file, out);
	if (ask->fd != NULL)
		return from_fd(ask->fd, out);
	return from_terminal(ask, out);
}

static enum err passphrase_error(struct errctx *ec, struct passphrase_result r, const struct passphrase_ask *ask)
{
	const char *source = ask->file != NULL ? ask->file : ask->fd != NULL ? ask->fd : "/dev/tty";

	switch (r.problem) {
	case PASSPHRASE_FINE:
		return ERR_OK;
	case PASSPHRASE_TWO_SOURCES:
		return err_set(ec, ERR_USAGE,
		               "--passphrase-file and --passphrase-fd do not go together. Leave one out.", NULL, NULL,
		               NULL);
	case PASSPHRASE_BAD_FD:
		return err_set(ec, ERR_USAGE,
		               "After --passphrase-fd comes the number of an open descriptor, not \"%1\".", source,
		               NULL, NULL);
	case PASSPHRASE_NO_TERMINAL:
		return err_set(ec, ERR_LOCKED,
		               "The passphrase is needed, and there is no terminal to type it on. Give "
		               "--passphrase-file or --passphrase-fd.",
		               NULL, NULL, NULL);
	case PASSPHRASE_EMPTY:
		return err_set(ec, ERR_INPUT, "The passphrase is empty. Type at least one character.", NULL, NULL,
		               NULL);
	case PASSPHRASE_TOO_LONG:
		return err_set(ec, ERR_INPUT, "The passphrase is too long. Use fewer than 1000 characters.", NULL, NULL,
		               NULL);
	case PASSPHRASE_LINES:
		return err_set(ec, ERR_INPUT, "%1 holds more than one line. Put only the passphrase in it.", source,
		               NULL, NULL);
	case PASSPHRASE_NOT_TEXT:
		return err_set(ec, ERR_INPUT, "The passphrase is not readable text. Save or type it as UTF-8.", NULL,
		               NULL, NULL);
	case PASSPHRASE_DIFFER:
		return err_set(ec, ERR_INPUT, "The two passphrases differ. Nothing was changed; try again.", NULL, NULL,
		               NULL);
	case PASSPHRASE_SOURCE:
		return r.errnum == EISDIR
		           ? err_set(ec, ERR_INPUT, "%1 is a folder. Give the name of a file.", source, NULL, NULL)
		           : err_errno(ec, r.errnum, source);
	case PASSPHRASE_MEMORY:
		return err_errno(ec, ENOMEM, source);
	case PASSPHRASE_GONE:
	case PASSPHRASE_PROBLEMS:
		break;
	}
	return err_set(ec, ERR_LOCKED, "No passphrase was typed.", NULL, NULL, NULL);
}

enum err passphrase_read(struct io *io, struct errctx *ec, const struct passphrase_ask *ask, struct secret_text **out)
{
	struct secret_text *s = secret_text_new();
	struct passphrase_result r = FINE;

	*out = NULL;
	r = s == NULL ? problem(PASSPHRASE_MEMORY) : io->ops->passphrase(io->self, ask, s);
	if (r.problem != PASSPHRASE_FINE) {
		secret_text_free(s);
		return passphrase_error(ec, r, ask);
	}
	*out = s;
	return ERR_OK;
}
