// SPDX-License-Identifier: EUPL-1.2
// Command lines on their way to the owner. Counts are checked against what the frame can hold before memory is taken.
#include "cli/request.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "render/lang.h"

static unsigned flags_of(const struct io *io)
{
	return (io->json ? REQUEST_JSON : 0u) | (io->quiet ? REQUEST_QUIET : 0u) |
	       (io->in_is_tty ? REQUEST_IN_TTY : 0u) | (io->out_is_tty ? REQUEST_OUT_TTY : 0u) |
	       (io->err_is_tty ? REQUEST_ERR_TTY : 0u);
}

enum err request_put(struct errctx *ec, const struct owner_request *rq, const char *home_id, struct buf *body)
{
	size_t total = 0;
	enum err e = ERR_OK;

	for (int i = 0; i < rq->argc; i++)
		total += strlen(rq->argv[i]);
	if (rq->argc < 1 || rq->argc > OWNER_ARGS_MAX || total > OWNER_REQUEST_MAX)
		return err_set(ec, ERR_INPUT, "This command line is too long. Put the text in a file.", NULL, NULL,
		               NULL);
	e = frame_put_int(body, flags_of(rq->io));
	if (e == ERR_OK)
		e = frame_put_text(body, rq->io->lang);
	if (e == ERR_OK)
		e = frame_put_text(body, home_id);
	if (e == ERR_OK)
		e = frame_put_int(body, (uint32_t)rq->argc);
	for (int i = 0; e == ERR_OK && i < rq->argc; i++)
		e = frame_put_text(body, rq->argv[i]);
	return e == ERR_OK
	           ? ERR_OK
	           : err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.", NULL,
	                     NULL, NULL);
}

static bool words_get(struct frame_in *f, struct request *r)
{
	uint32_t argc = frame_get_int(f);

	if (f->bad || argc < 1 || argc > OWNER_ARGS_MAX || argc > f->body.len / 4)
		return false;
	r->argv = calloc(argc + 1, sizeof(*r->argv));
	if (r->argv == NULL)
		return false;
	for (; r->argc < (int)argc; r->argc++) {
		r->argv[r->argc] = frame_get_text(f);
		if (r->argv[r->argc] == NULL)
			return false;
	}
	return frame_ended(f);
}

bool request_get(struct frame_in *f, struct request *r)
{
	enum lang lang = LANG_NL;
	char *name = NULL;
	bool fine = false;

	*r = (struct request){ .in_fd = f->fd };
	f->fd = -1;
	if (f->kind == FRAME_RUN && r->in_fd >= 0) {
		r->flags = frame_get_int(f);
		name = frame_get_text(f);
		r->home = frame_get_text(f);
		fine = name != NULL && lang_parse(name, &lang) == ERR_OK && r->home != NULL && words_get(f, r);
		r->lang = lang_name(lang);
	}
	free(name);
	if (!fine)
		request_clear(r);
	return fine;
}

void request_clear(struct request *r)
{
	for (int i = 0; i < r->argc; i++) {
		explicit_bzero(r->argv[i], strlen(r->argv[i]));
		free(r->argv[i]);
	}
	free(r->argv);
	free(r->home);
	if (r->in_fd >= 0)
		close(r->in_fd);
	*r = (struct request){ .in_fd = -1 };
}
