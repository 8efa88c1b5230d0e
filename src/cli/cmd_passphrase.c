// SPDX-License-Identifier: EUPL-1.2
// Changing the passphrase. Only the key file is rewritten (V4), so it works with the vault open or not.
#include "base/tr.h"
#include "cli/command.h"
#include "render/doc.h"

static struct bytes bytes_of(const struct secret_text *s)
{
	return (struct bytes){ (const uint8_t *)s->text, s->len };
}

enum err cmd_passphrase_change(struct command_call *call)
{
	struct secret_text *before = NULL;
	struct secret_text *after = NULL;
	enum err e = command_passphrase(call, false, &before);

	if (e == ERR_OK)
		e = command_new_passphrase(call, args_get(call->args, "new-passphrase-file"), &after);
	if (e == ERR_OK)
		e = app_change_passphrase(call->ec, call->options, bytes_of(before), bytes_of(after));
	secret_text_free(before);
	secret_text_free(after);
	if (e != ERR_OK)
		return e;
	if (call->io->json) {
		struct doc *d = doc_new();

		doc_object(d, NULL);
		doc_bool(d, "changed", true);
		doc_end(d);
		return doc_print(call->ec, d, call->io->out);
	}
	command_say(
	    call, TR("The passphrase is changed. A copy of this home that somebody has still opens with the old one."),
	    NULL, NULL, NULL);
	return ERR_OK;
}
