// SPDX-License-Identifier: EUPL-1.2
// What handlers of records share.
#include "cli/show.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

/* Somewhat more than a text may be, so that the check of the text itself says what is wrong with it. */
#define TEXT_FILE_MAX (256 * 1024)

enum err show_id(struct command_call *call, const char *msg, const char *id)
{
	struct doc *d = NULL;

	if (!call->io->json) {
		command_say(call, msg, id, NULL, NULL);
		return ERR_OK;
	}
	d = doc_new();
	doc_object(d, NULL);
	doc_text(d, "id", id);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

char *show_words(const struct args *a)
{
	size_t len = 1;
	char *all = NULL;

	for (unsigned i = 0; i < a->pos_count; i++)
		len += strlen(a->pos[i]) + 1;
	all = calloc(1, len);
	for (unsigned i = 0; i < a->pos_count && all != NULL; i++) {
		if (i > 0)
			strcat(all, " ");
		strcat(all, a->pos[i]);
	}
	return all;
}

enum err show_text_given(struct command_call *call, struct buf *own, const char **text)
{
	const char *path = args_get(call->args, "text-file");
	int fd = -1;
	enum err e = ERR_OK;

	*text = args_get(call->args, "text");
	if (path == NULL)
		return ERR_OK;
	e = io_open_read(call->io, call->ec, path, &fd);
	if (e == ERR_OK)
		e = file_read_fd(call->ec, fd, path, TEXT_FILE_MAX, own);
	if (fd >= 0)
		close(fd);
	if (e == ERR_OK && memchr(own->data == NULL ? (const uint8_t *)"" : own->data, 0, own->len) != NULL)
		e = err_set(call->ec, ERR_INPUT, "%1 is not a text: it has a NUL byte in it.", path, NULL, NULL);
	// the line end that an editor puts behind the last line is not part of the note
	while (e == ERR_OK && own->len > 0 && (own->data[own->len - 1] == '\n' || own->data[own->len - 1] == '\r'))
		own->len--;
	if (e == ERR_OK)
		e = buf_terminate(own);
	if (e == ERR_OK)
		*text = (const char *)own->data;
	return e;
}
