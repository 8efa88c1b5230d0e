// SPDX-License-Identifier: EUPL-1.2
// The demonstration is a script of ordinary commands that comes with the sources; this starts it with this program.
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/command.h"

extern char **environ;

#define SEARCH_UP 4

/* scripts/demo in a folder above this program; NULL where there is none. free() both. */
static char *script_find(char **program)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash = NULL;

	*program = NULL;
	if (n <= 0)
		return NULL;
	path[n] = '\0';
	*program = strdup(path);
	for (int i = 0; *program != NULL && i < SEARCH_UP && (slash = strrchr(path, '/')) != NULL; i++) {
		char *script = NULL;

		*slash = '\0';
		script = file_join(path, "scripts/demo");
		if (script == NULL || access(script, X_OK) == 0)
			return script;
		free(script);
	}
	return NULL;
}

/* Its output is the caller's: it goes through a pipe, because the caller may be another process. */
static enum err script_run(struct command_call *call, char *script, const char *program)
{
	posix_spawn_file_actions_t actions;
	const char *out = args_get(call->args, "out");
	char *out_copy = out == NULL ? NULL : strdup(out);
	char *argv[] = { script, out_copy, NULL };
	char chunk[4096];
	int fd[2] = { -1, -1 };
	int status = 0;
	ssize_t n = 0;
	pid_t pid = 0;
	enum err e = ERR_OK;

	if (out != NULL && out_copy == NULL)
		return ERR_NO_MEMORY;
	if (setenv("SLB_PROGRAM", program, 1) != 0 || pipe2(fd, O_CLOEXEC) != 0) {
		free(out_copy);
		return err_errno(call->ec, errno, script);
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd[1], 1);
	posix_spawn_file_actions_adddup2(&actions, fd[1], 2);
	errno = posix_spawn(&pid, script, &actions, NULL, argv, environ);
	if (errno != 0)
		e = err_errno(call->ec, errno, script);
	posix_spawn_file_actions_destroy(&actions);
	close(fd[1]);
	while (e == ERR_OK && (n = read(fd[0], chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0) {
			fwrite(chunk, 1, (size_t)n, call->io->json ? call->io->err : call->io->out);
			fflush(call->io->json ? call->io->err : call->io->out);
		}
	}
	close(fd[0]);
	if (e == ERR_OK && (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0))
		e = err_set(call->ec, ERR_LATER, "The demonstration stopped halfway. What it printed last says why.",
		            NULL, NULL, NULL);
	free(out_copy);
	return e;
}

enum err cmd_demo(struct command_call *call)
{
	char *program = NULL;
	char *script = script_find(&program);
	enum err e = script == NULL
	                 ? err_set(call->ec, ERR_NOT_FOUND,
	                           "The demonstration comes with the sources. There, type: make demo", NULL, NULL, NULL)
	                 : script_run(call, script, program);

	if (e == ERR_OK && call->io->json)
		fputs("{\"result\":\"done\"}\n", call->io->out);
	free(script);
	free(program);
	return e;
}
