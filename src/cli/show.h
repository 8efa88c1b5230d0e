/* SPDX-License-Identifier: EUPL-1.2 */
/* How handlers print: text for people, or a document. */
#ifndef SLB_CLI_SHOW_H
#define SLB_CLI_SHOW_H

#include "cli/command.h"
#include "render/doc.h"
#include "render/text.h"

static inline struct text show_text(const struct command_call *call)
{
	return (struct text){ .out = call->io->out, .lang = call->lang, .bold = call->io->out_is_tty };
}

/* "Saved: 17-aebag...", or {"id": ...}; `msg` is an English literal in TR() with %1 for the id. */
enum err show_id(struct command_call *call, const char *msg, const char *id) MUST_CHECK;

/* The positional arguments with a blank between them; free() it. NULL when out of memory. */
char *show_words(const struct args *a);

/* The text of --text, or of --text-file in *own (buf_free() it); NULL where neither was given. ERR_INPUT for a file
 * with a NUL byte or over the longest text. */
enum err show_text_given(struct command_call *call, struct buf *own, const char **text) MUST_CHECK;

#endif
