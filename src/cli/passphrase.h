/* SPDX-License-Identifier: EUPL-1.2 */
/* Asking for a passphrase: from the terminal with the echo off, a file or a descriptor; never from argv or the
 * environment. It is read straight into guarded memory (V1). In the owner of the vault the question travels to the
 * caller, whose terminal, file or descriptor it is. */
#ifndef SLB_CLI_PASSPHRASE_H
#define SLB_CLI_PASSPHRASE_H

#include "app/secret_text.h"
#include "cli/io.h"

/* What the terminal shows of what is typed: nothing; all of it; all of it until Enter, then its line is cleared. */
enum typed_look { TYPED_HIDDEN, TYPED_SHOWN, TYPED_CLEARED };

struct passphrase_ask {
	const char *file;     /* --passphrase-file: exactly one line; NULL: none */
	const char *fd;       /* --passphrase-fd as typed: its first line is read, and no byte more; NULL: none */
	const char *prompt;   /* shown on the terminal, in the language of the person */
	const char *again;    /* second prompt where a new passphrase is chosen; NULL: asked once */
	enum typed_look look; /* does not travel: where a command was handed over nothing is shown */
};

/* At least 1 and at most SECRET_TEXT_MAX bytes of UTF-8; one line end is dropped. *out is the caller's to free with
 * secret_text_free(), NULL on failure.
 * ERR_USAGE: both sources, or a descriptor that is not a number from 0; ERR_LOCKED: nowhere to ask (no terminal);
 * ERR_INPUT: empty, too long, several lines, not UTF-8, or the two typed lines differ. */
enum err passphrase_read(struct io *io, struct errctx *ec, const struct passphrase_ask *ask,
                         struct secret_text **out) MUST_CHECK;

/* What came of it, in a form that travels: which of the sentences of passphrase.c, and an errno where it is about one.
 */
enum passphrase_problem {
	PASSPHRASE_FINE,
	PASSPHRASE_TWO_SOURCES,
	PASSPHRASE_BAD_FD,
	PASSPHRASE_NO_TERMINAL,
	PASSPHRASE_EMPTY,
	PASSPHRASE_TOO_LONG,
	PASSPHRASE_LINES,
	PASSPHRASE_NOT_TEXT,
	PASSPHRASE_DIFFER,
	PASSPHRASE_SOURCE, /* the file or descriptor cannot be read: errnum */
	PASSPHRASE_MEMORY,
	PASSPHRASE_GONE, /* the caller has gone */
	PASSPHRASE_PROBLEMS
};
struct passphrase_result {
	enum passphrase_problem problem;
	int errnum;
};

#endif
