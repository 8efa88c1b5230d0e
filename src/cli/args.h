/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A command line, read by tables. Options are --name, --name value or --name=value; "--" ends them; global options
 * stand anywhere. Nothing is interpreted here beyond what the table says: values are the command's business.
 */
#ifndef SLB_CLI_ARGS_H
#define SLB_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum arg_flags {
	ARG_REQUIRED = 1, /* must be given */
	ARG_REPEAT = 2,   /* may be given several times */
};

struct arg_option {
	const char *name;    /* without dashes; NULL ends a table */
	const char *value;   /* what its value is called in usage lines ("DATE"); NULL: it takes none */
	unsigned flags;      /* enum arg_flags */
	unsigned char group; /* of the options with the same number from 1, at most one may be given */
};

struct arg_command {
	int id;
	const char *word1;                /* NULL ends a table */
	const char *word2;                /* NULL: a command of one word */
	const struct arg_option *options; /* NULL: none */
	unsigned char min_pos;
	unsigned char max_pos;   /* ARGS_POS_MANY: no limit */
	unsigned char one_of;    /* exactly one of this group must be given; 0: none */
	unsigned char pos_group; /* a positional argument counts as an option of this group; 0: no */
	const char *positionals; /* how they are called, for usage lines; "" where none */
	unsigned flags;          /* the caller's own */
};

#define ARGS_POS_MANY 255

struct args_given {
	const struct arg_option *option;
	const char *value; /* NULL for a flag */
};

/* All strings are borrowed from argv. */
struct args {
	const struct arg_command *command;
	const char *program; /* argv[0] */
	/* global options; NULL where not given */
	const char *home;
	const char *neighbourhood;
	const char *lang;
	const char *passphrase_file;
	const char *passphrase_fd;
	bool json;
	bool quiet;
	bool help; /* --help stood somewhere: `command` is what it asks about, required options are not checked */
	struct args_given *given;
	unsigned given_count;
	const char **pos;
	unsigned pos_count;
};

/* ERR_USAGE with a sentence (naming the closest command or option where one was mistyped); *a is then empty but for the
 * global options read so far, so that the sentence can be given in the right language and form. `table` outlives *a.
 * The words of the table may be "--version" (matched as a command where it stands first) and "help" (taken where
 * --help stands alone or after only the first word of a pair). */
enum err args_parse(struct errctx *ec, const struct arg_command *table, int argc, char *const *argv,
                    struct args *a) MUST_CHECK;
void args_clear(struct args *a);

/* The value of an option, NULL where it was not given; the first one where it is repeatable. Asking for a name that the
 * command's table does not have is a bug and asserts. */
const char *args_get(const struct args *a, const char *name);
/* The n-th value of a repeatable option, NULL beyond the last. */
const char *args_get_nth(const struct args *a, const char *name, unsigned n);
bool args_flag(const struct args *a, const char *name);
/* A positional argument; NULL beyond the last. */
const char *args_pos(const struct args *a, unsigned n);

/* Appends how a command is written, on one line without its end: "service check ID (--ok | --wrong TEXT)". */
enum err args_usage(const struct arg_command *c, struct buf *out) MUST_CHECK;

/* One line of `run` as an argv: words between blanks; '...' is taken as it stands; in "..." a backslash protects " and
 * \; outside quotes it protects any character; # at the beginning of a word starts a comment. argv[0] is `program`
 * (borrowed); argc is 1 for a line without words; argv[argc] is NULL. ERR_INPUT names `name` and `line`. */
struct args_line {
	int argc;
	char **argv;
	char *text; /* holds the words; wiped by args_line_clear() */
	size_t size;
};
struct args_place {
	const char *program;
	const char *name;
	unsigned line;
};
enum err args_split(struct errctx *ec, const struct args_place *at, const char *text, struct args_line *out) MUST_CHECK;
void args_line_clear(struct args_line *l);

#endif
