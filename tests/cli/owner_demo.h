/* SPDX-License-Identifier: EUPL-1.2 */
/* A handful of commands that exercise every way in which a command can read and write, and the means to run them as a
 * process of their own: directly, or handed to the owner of a home. Shared by the tests of the owner. */
#ifndef SLB_TESTS_CLI_OWNER_DEMO_H
#define SLB_TESTS_CLI_OWNER_DEMO_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/owner.h"
#include "cli/passphrase.h"

#define MAYBE __attribute__((unused))
#define DEMO_WAIT_MS 20000
/* Exit status of a client process where there was no owner. */
#define DEMO_NOBODY 200
/* What is printed by a client whose call failed goes before this. */
#define DEMO_PASSPHRASE "geheim tussen ons"

struct demo {
	int runs;
	bool busy;
};

static MAYBE int demo_fail(struct io *io, const struct errctx *ec)
{
	char text[1024];

	fprintf(io->err, "%s\n", err_text(ec, NULL, text, sizeof(text)));
	return err_exit_status(ec->code);
}

static int demo_cat(struct io *io, const char *path)
{
	struct errctx ec = { .code = ERR_OK };
	struct buf b = { 0 };
	int fd = -1;
	enum err e = io_open_read(io, &ec, path, &fd);

	if (e == ERR_OK)
		e = file_read_fd(&ec, fd, path, 1 << 24, &b);
	if (e == ERR_OK && b.len > 0)
		fwrite(b.data, 1, b.len, io->out);
	if (fd >= 0)
		close(fd);
	buf_free(&b);
	return e == ERR_OK ? 0 : demo_fail(io, &ec);
}

static int demo_put(struct io *io, const char *path, const char *text, enum io_write_flags flags, bool commit)
{
	struct errctx ec = { .code = ERR_OK };
	struct io_write w;
	enum err e = io_write_begin(io, &ec, path, flags, &w);

	if (e == ERR_OK) {
		fputs(text, w.file);
		if (commit)
			e = io_write_commit(io, &ec, &w);
		else
			io_write_abort(io, &w);
	}
	return e == ERR_OK ? 0 : demo_fail(io, &ec);
}

static int demo_kind(struct io *io, const char *path)
{
	struct errctx ec = { .code = ERR_OK };
	bool is_dir = false;
	int fd = -1;

	if (io_open_any(io, &ec, path, &fd, &is_dir) != ERR_OK)
		return demo_fail(io, &ec);
	fprintf(io->out, "%s\n", is_dir ? "folder" : "file");
	close(fd);
	return 0;
}

static int demo_dir(struct io *io, const char *path)
{
	struct errctx ec = { .code = ERR_OK };
	int fd = -1;

	if (io_make_dir(io, &ec, path) != ERR_OK || io_open_dir(io, &ec, path, &fd) != ERR_OK)
		return demo_fail(io, &ec);
	fprintf(io->out, "made\n");
	close(fd);
	return 0;
}

static int demo_lines(struct io *io)
{
	struct errctx ec = { .code = ERR_OK };
	struct io_lines l = { .fd = io->in_fd, .name = "input" };
	char *text = NULL;
	bool more = false;
	enum err e = io_lines_next(io, &ec, &l, &text, &more);

	for (; e == ERR_OK && more; e = io_lines_next(io, &ec, &l, &text, &more)) {
		fprintf(io->out, "%u:%s\n", l.line, text);
		fflush(io->out);
	}
	io_lines_clear(&l);
	return e == ERR_OK ? 0 : demo_fail(io, &ec);
}

static int demo_ask(struct io *io, char **argv, int argc)
{
	struct errctx ec = { .code = ERR_OK };
	struct passphrase_ask ask = { .prompt = "Say: ", .again = argc > 4 ? argv[4] : NULL };
	struct secret_text *s = NULL;

	if (argc > 3 && strcmp(argv[2], "file") == 0)
		ask.file = argv[3];
	if (argc > 3 && strcmp(argv[2], "fd") == 0)
		ask.fd = argv[3];
	if (passphrase_read(io, &ec, &ask, &s) != ERR_OK)
		return demo_fail(io, &ec);
	fprintf(io->out, "[%s] %zu\n", s->text, s->len);
	secret_text_free(s);
	return 0;
}

/* Says that it has begun, waits for a byte from a named pipe that the test opens, then leaves a mark in a file. */
static int demo_hold(struct io *io, const char *fifo, const char *mark)
{
	char byte = 0;
	int fd = -1;

	fprintf(io->out, "begun\n");
	fflush(io->out);
	fd = open(fifo, O_RDONLY);
	if (fd < 0 || read(fd, &byte, 1) != 1)
		return 99;
	close(fd);
	fprintf(io->out, "gone %d\n", io_caller_gone(io));
	fd = open(mark, O_WRONLY | O_CREAT, 0600);
	if (fd < 0)
		return 98;
	close(fd);
	return 0;
}

static int demo_print(struct io *io, int argc, char **argv)
{
	unsigned n = argc > 2 ? (unsigned)atoi(argv[2]) : 0;

	if (strcmp(argv[1], "echo") == 0) {
		for (int i = 2; i < argc; i++)
			fprintf(io->out, "<%s>", argv[i]);
		fprintf(io->err, "note %d\n", argc);
	} else if (strcmp(argv[1], "bytes") == 0) {
		for (unsigned i = 0; i < n; i++)
			fputc((int)((i * 7 + i / 251) & 0xFF), io->out);
	} else if (strcmp(argv[1], "mix") == 0) {
		for (unsigned i = 0; i < n; i++) {
			fprintf(io->out, "line %u of a text that is long enough to fill a buffer before long\n", i);
			if (i % 10 == 0)
				fprintf(io->err, "progress %u\n", i);
		}
	} else if (strcmp(argv[1], "io") == 0) {
		fprintf(io->out, "%s %d %d %d %d %d\n", io->lang, io->json, io->quiet, io->in_is_tty, io->out_is_tty,
		        io->err_is_tty);
	} else if (strcmp(argv[1], "status") == 0) {
		return (int)n;
	} else {
		return 2;
	}
	return 0;
}

static MAYBE int demo_run(void *ctx, int argc, char **argv, struct io *io)
{
	struct demo *d = ctx;
	const char *word = argc > 1 ? argv[1] : "";
	int status = 0;

	if (d->busy)
		return 97;
	d->busy = true;
	d->runs++;
	if (strcmp(word, "cat") == 0)
		status = demo_cat(io, argv[2]);
	else if (strcmp(word, "put") == 0)
		status = demo_put(io, argv[2], argv[3], IO_REPLACE, true);
	else if (strcmp(word, "new") == 0)
		status = demo_put(io, argv[2], argv[3], IO_NEW, true);
	else if (strcmp(word, "drop") == 0)
		status = demo_put(io, argv[2], argv[3], IO_REPLACE, false);
	else if (strcmp(word, "kind") == 0)
		status = demo_kind(io, argv[2]);
	else if (strcmp(word, "dir") == 0)
		status = demo_dir(io, argv[2]);
	else if (strcmp(word, "lines") == 0)
		status = demo_lines(io);
	else if (strcmp(word, "ask") == 0)
		status = demo_ask(io, argv, argc);
	else if (strcmp(word, "hold") == 0)
		status = demo_hold(io, argv[2], argv[3]);
	else if (strcmp(word, "runs") == 0)
		fprintf(io->out, "%d\n", d->runs);
	else if (strcmp(word, "pid") == 0)
		fprintf(io->out, "%d\n", (int)getpid());
	else
		status = demo_print(io, argc, argv);
	d->busy = false;
	return status;
}

// ---- A command as a process ----

struct demo_process {
	const char *home; /* NULL: run directly */
	const char *cwd;  /* NULL: as it is */
	const char *input;
	const char *lang;
	bool json;
	int in_fd;  /* 0: from `input` (or empty); else a descriptor to read from */
	int out_fd; /* 0: collected; else a descriptor for standard output */
	int wait_ms;
};

struct demo_result {
	int status; /* exit status, or 1000 + the signal */
	struct buf out;
	struct buf err;
};

static int demo_child(const struct demo_process *p, int argc, char **argv)
{
	struct errctx ec = { .code = ERR_OK };
	struct demo d = { 0 };
	struct io io;
	bool handled = false;
	int status = 0;

	io_direct(&io, p->lang != NULL ? p->lang : "nl");
	io.json = p->json;
	if (p->cwd != NULL && chdir(p->cwd) != 0)
		return 96;
	if (p->home == NULL) {
		status = demo_run(&d, argc, argv, &io);
	} else {
		struct owner_request rq = {
			.home = p->home, .io = &io, .argc = argc, .argv = argv, .wait_ms = p->wait_ms
		};

		if (owner_call(&ec, &rq, &status, &handled) != ERR_OK)
			status = demo_fail(&io, &ec);
		else if (!handled)
			return DEMO_NOBODY;
	}
	err_clear(&ec);
	status = io_finish(&io, &ec, status);
	if (ec.code != ERR_OK)
		demo_fail(&io, &ec);
	return status;
}

/* A file without a name that holds `text`, read from its beginning. */
static int demo_file(const char *text)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	if (text != NULL)
		assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

struct demo_started {
	pid_t pid;
	int out;
	int err;
};

/* The words after the program's name, ended by NULL. */
static struct demo_started demo_start(const struct demo_process *p, const char *const *words)
{
	struct demo_started s = { .out = p->out_fd == 0 ? demo_file(NULL) : -1, .err = demo_file(NULL) };
	int in = p->in_fd == 0 ? demo_file(p->input) : p->in_fd;

	fflush(NULL);
	s.pid = fork();
	assert_true(s.pid >= 0);
	if (s.pid == 0) {
		char *argv[64] = { (char *)(uintptr_t) "demo" };
		int argc = 1;

		for (; words[argc - 1] != NULL && argc < 63; argc++)
			argv[argc] = (char *)(uintptr_t)words[argc - 1];
		if (dup2(in, 0) < 0 || dup2(p->out_fd == 0 ? s.out : p->out_fd, 1) < 0 || dup2(s.err, 2) < 0)
			_exit(95);
		_exit(demo_child(p, argc, argv));
	}
	if (p->in_fd == 0)
		close(in);
	return s;
}

static void demo_slurp(int fd, struct buf *b)
{
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(file_read_fd(NULL, fd, "output", 1 << 26, b), ERR_OK);
	assert_int_equal(buf_terminate(b), ERR_OK);
	close(fd);
}

static struct demo_result demo_end(struct demo_started s)
{
	struct demo_result r = { 0 };
	int status = 0;

	assert_int_equal(waitpid(s.pid, &status, 0), s.pid);
	r.status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
	if (s.out >= 0)
		demo_slurp(s.out, &r.out);
	demo_slurp(s.err, &r.err);
	return r;
}

static MAYBE struct demo_result demo(const struct demo_process *p, const char *const *words)
{
	return demo_end(demo_start(p, words));
}

static MAYBE void demo_free(struct demo_result *r)
{
	buf_free(&r->out);
	buf_free(&r->err);
}

/* The exit status alone. */
static MAYBE int demo_status(const char *home, const char *const *words)
{
	struct demo_process p = { .home = home };
	struct demo_result r = demo(&p, words);
	int status = r.status;

	demo_free(&r);
	return status;
}

// ---- An owner ----

static MAYBE enum err demo_open(void *ctx, struct errctx *ec, const struct secret_text *s)
{
	if (strcmp(s->text, DEMO_PASSPHRASE) != 0)
		return err_set(ec, ERR_LOCKED, "That is not the passphrase of %1.", "demo", NULL, NULL);
	return ERR_OK;
}

static MAYBE enum err demo_asker(void *ctx, struct errctx *ec, struct secret_text **out)
{
	const char *text = ctx;

	*out = secret_text_new();
	assert_non_null(*out);
	(*out)->len = strlen(text);
	memcpy((*out)->text, text, strlen(text));
	return ERR_OK;
}

static MAYBE enum err demo_unlock(struct errctx *ec, const char *home, const struct owner_limits *limits,
                                  const char *passphrase)
{
	struct demo d = { 0 };
	struct owner_job job = { .run = demo_run, .open = demo_open, .ctx = &d };
	struct owner_asker asker = { demo_asker, (void *)(uintptr_t)passphrase };

	return owner_spawn(ec, home, limits, &job, &asker);
}

/* The owner's process as a pidfd, and its number; fails the test where there is none. */
static MAYBE int demo_owner(const char *home, pid_t *pid)
{
	struct demo_process p = { .home = home };
	struct demo_result r = demo(&p, (const char *[]){ "pid", NULL });
	int fd = -1;

	assert_int_equal(r.status, 0);
	*pid = atoi((const char *)r.out.data);
	demo_free(&r);
	fd = (int)syscall(SYS_pidfd_open, *pid, 0);
	assert_true(fd >= 0);
	return fd;
}

static MAYBE bool demo_ended(int pidfd, int ms)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

static MAYBE void demo_kill(const char *home)
{
	pid_t pid = 0;
	int fd = demo_owner(home, &pid);

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_true(demo_ended(fd, DEMO_WAIT_MS));
	close(fd);
}

static MAYBE void demo_lock(const char *home)
{
	struct errctx ec = { .code = ERR_OK };
	bool was_there = false;

	assert_int_equal(owner_stop(&ec, home, DEMO_WAIT_MS, &was_there), ERR_OK);
	assert_true(was_there);
}

/* A fresh directory; the caller removes it with demo_remove(). */
static MAYBE char *demo_dir_new(void)
{
	char *path = strdup("/tmp/slb-cli-XXXXXX");

	assert_non_null(path);
	assert_non_null(mkdtemp(path));
	return path;
}

static MAYBE void demo_remove(char *path)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		execlp("rm", "rm", "-rf", path, (char *)NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	free(path);
}

#endif
