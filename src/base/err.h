/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One error type for the whole program.
 *
 * Every function that can fail returns `enum err`; 0 is fine. The text for a person is added once, where it is
 * known, with err_set(): an English sentence that is also the key of its translation, with up to three values
 * for %1, %2 and %3, or four with err_set_4(). The first error set in a struct errctx stays; later ones are only
 * returned.
 */
#ifndef SLB_BASE_ERR_H
#define SLB_BASE_ERR_H

#define MUST_CHECK __attribute__((warn_unused_result))

enum err {
	ERR_OK = 0,
	ERR_USAGE,     /* wrong use of a command */
	ERR_LOCKED,    /* wrong passphrase, or nobody has unlocked */
	ERR_NOT_FOUND, /* no such record, space, home, file */
	ERR_INPUT,     /* what was typed or imported cannot be used; nothing changed */
	ERR_LATER,     /* the remote, the network or another person is not ready: again later */
	ERR_DAMAGED,   /* bytes that fail their check: damaged or forged */
	ERR_REFUSED,   /* a rule says no */
	ERR_IO,        /* the disk said no */
	ERR_NO_SPACE,  /* the disk is full */
	ERR_NO_MEMORY,
	ERR_COUNT
};

#define ERR_ARGS 4
#define ERR_ARG_LEN 240

struct errctx {
	enum err code;
	const char *msg; /* static storage: the msgid, in English, with %1 %2 %3 */
	char arg[ERR_ARGS][ERR_ARG_LEN];
};

/* Records the first error of a session. `msg` must be a string literal. Arguments may be NULL (empty); they are
 * cut at ERR_ARG_LEN - 1 bytes on a UTF-8 boundary. `ec` may be NULL. Returns `code`, so that one writes
 * `return err_set(ec, ERR_INPUT, "...", a, NULL, NULL);` */
enum err err_set(struct errctx *ec, enum err code, const char *msg, const char *a1, const char *a2, const char *a3);

struct err_args {
	const char *arg[ERR_ARGS];
};
/* The same for a sentence that needs four values; `msg` may come from a table of literals in TR(). */
enum err err_set_4(struct errctx *ec, enum err code, const char *msg, const struct err_args *args);

/* The error that errno stands for (ERR_NO_SPACE, ERR_NO_MEMORY, else ERR_IO), with the path in the text. */
enum err err_errno(struct errctx *ec, int errnum, const char *what);

/* Forgets what was set. */
void err_clear(struct errctx *ec);

/* The text with its values filled in, in the language of `template` (NULL: the msgid itself). Writes at most
 * `size` bytes including the NUL; returns `out`. */
const char *err_text(const struct errctx *ec, const char *template, char *out, unsigned size);

/* The exit status that stands for an error (0 to 9), as the command line documents it. */
int err_exit_status(enum err code);

#endif
