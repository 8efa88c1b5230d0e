// SPDX-License-Identifier: EUPL-1.2
// Changing the passphrase. Only the key file is rewritten (V4), so it works with the vault open or not; who may know
// the old passphrase and has a copy of the old key file is told apart from that, because only another key helps then.
#include <string.h>

#include "base/tr.h"
#include "cli/command.h"
#include "render/doc.h"

static struct bytes bytes_of(const struct secret_text *s)
{
	return (struct bytes){ (const uint8_t *)s->text, s->len };
}

/* "no" in the languages here; anything else, and no answer, may be a yes. */
static bool is_no(const struct secret_text *s)
{
	static const char *const no[] = { "n", "no", "nee", "hayır", "h", "لا" };

	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (s->len == strlen(no[i]) && strncasecmp(s->text, no[i], s->len) == 0)
			return true;
	return false;
}

static bool on_terminal(const struct command_call *call)
{
	return call->io->in_is_tty && call->io->out_is_tty && !call->io->json && !call->io->quiet &&
	       !call->io->handed_over;
}

/* Only a plain "no" leaves the key as it is without a further word. */
static bool known_to_others(struct command_call *call)
{
	struct secret_text *answer = NULL;
	bool maybe = true;

	if (command_line(call, lang_tr(call->lang, TR("May somebody else know the old passphrase? yes or no: ")), false,
	                 &answer) == ERR_OK)
		maybe = !is_no(answer);
	else
		err_clear(call->ec);
	secret_text_free(answer);
	return maybe;
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
	command_say(call, TR("The passphrase is changed."), NULL, NULL, NULL);
	if (!on_terminal(call) || known_to_others(call))
		command_say(call,
		            TR("Somebody who knows the old one and has a copy of the old key file can still open this "
		               "home. Is that possible? Then change the key too: sleutelbos rekey"),
		            NULL, NULL, NULL);
	return ERR_OK;
}
