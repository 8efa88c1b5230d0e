/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * From a typed command line to its exit status: finds the home, hands the command to the owner of the open vault where
 * there is one, else asks for the passphrase, opens and runs it.
 */
#ifndef SLB_CLI_PROGRAM_H
#define SLB_CLI_PROGRAM_H

#include "app/session.h"
#include "cli/args.h"
#include "cli/io.h"

/* What a command line runs in. */
struct session {
	struct app *app;                    /* NULL where the command needs no vault */
	const struct app_options *options;  /* absolute paths */
	const char *program;                /* argv[0] */
	const char *neighbourhood;          /* of the whole line; one line of `run` may name another */
	bool asked_again;                   /* the passphrase was typed for this command line */
	const struct confinement *confined; /* of this process; NULL: not at all */
	const struct secret_text *typed;    /* it, where the command USES_PASSPHRASE and the vault was opened for it */
};

/* What the program can do that cli/ may not name (src/LAYERS): the web interface. */
struct program_open {
	const struct app_options *options; /* absolute paths; outlives the call */
	const char *lang;
	int port;     /* 0: any that is free */
	int minutes;  /* until it locks; 0: as set in the home */
	bool browser; /* open the default one */
};
struct program_opened {
	char *file; /* that lets a browser in, for half a minute; free() it */
	int port;
	bool was_running;
	bool opened; /* a browser took it */
};
struct program_doors {
	enum err (*open)(struct errctx *ec, const struct program_open *call, struct program_opened *out);
};

/* Everything that `main` does but the start of the libraries. */
int program_main(int argc, char **argv, const struct program_doors *doors);

/* Runs one command line of another process on a home that is open here, as cli/owner.h asks. Gives its exit status.
 * `confined`: how this process is; NULL: not at all. */
int program_run_owned(struct app *app, const struct app_options *options, const struct confinement *confined, int argc,
                      char **argv, struct io *io);

/* --- run.c --- */

/* Runs one parsed command, prints its error, gives its exit status. */
int run_command(struct session *s, const struct args *a, struct io *io);
/* `run FILE|-`: one command a line. */
int run_lines(struct session *s, const struct args *a, struct io *io);
/* Prints an error for the person (and with --json a document for the program that asked). Gives the exit status. */
int run_failed(struct io *io, const struct errctx *ec, enum err e);
/* The language, --json and --quiet of a command line. */
enum err run_io(struct errctx *ec, const struct args *a, struct io *io) MUST_CHECK;

/* --- help.c --- */

/* `help`, `help COMMAND`, `COMMAND --help`. */
int help_print(const struct args *a, struct io *io);
int version_print(struct io *io);

#endif
