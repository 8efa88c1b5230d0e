// SPDX-License-Identifier: EUPL-1.2
// A restored home comes back among the others; one that was away long gets the keys again.
#include <stdlib.h>

#include "app/again.h"
#include "base/tr.h"
#include "cli/command.h"
#include "render/doc.h"
#include "render/words.h"

static enum err rejoin_doc(struct command_call *call, const struct rejoin_view *list, size_t n)
{
	struct doc *d = doc_new();
	char words[SIX_WORDS_LEN];

	doc_array(d, NULL);
	for (size_t i = 0; i < n; i++) {
		six_words(list[i].fingerprint, words);
		doc_object(d, NULL);
		doc_text(d, "space", list[i].space);
		doc_text(d, "state", list[i].alone ? "back" : "asked");
		doc_bool(d, "keys", list[i].keys);
		doc_text(d, "fingerprint", list[i].alone ? NULL : words);
		doc_end(d);
	}
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

enum err cmd_rejoin(struct command_call *call)
{
	struct rejoin_view *list = NULL;
	char words[SIX_WORDS_LEN];
	size_t n = 0;
	size_t asked = 0;
	bool keys = false;
	enum err e = app_rejoin(call->ec, call->app, &list, &n);

	if (e != ERR_OK)
		return e;
	if (call->io->json) {
		e = rejoin_doc(call, list, n);
	} else {
		for (size_t i = 0; i < n; i++) {
			six_words(list[i].fingerprint, words);
			asked += !list[i].alone;
			keys = keys || list[i].keys;
			if (list[i].alone)
				command_say(call, TR("%1: nobody else is in it. It goes on here."), list[i].space, NULL,
				            NULL);
			else
				command_say(call, TR("%1: read these six words to a member: %2"), list[i].space, words,
				            NULL);
		}
		if (keys)
			command_say(
			    call,
			    TR("Sync now. A member sees you in member list, compares the words with you and "
			       "types member approve. Then sync again. What you wrote meanwhile goes out then."),
			    NULL, NULL, NULL);
		else if (asked > 0)
			command_say(
			    call,
			    TR("Sync now. A member sees you in member list, compares the words with you and "
			       "lets you in with member approve. Then sync again. From then on this is your device; "
			       "the one that the backup came from is removed."),
			    NULL, NULL, NULL);
		else
			command_say(call, TR("This home is back. Now sync."), NULL, NULL, NULL);
	}
	free(list);
	return e;
}
