// SPDX-License-Identifier: EUPL-1.2
// Is everything whole, and making it so again (V2, V5).
#include <inttypes.h>
#include <stdio.h>

#include "app/verify.h"
#include "base/tr.h"
#include "cli/command.h"
#include "render/doc.h"
#include "render/text.h"

static void number(uint64_t n, char out[static 24])
{
	snprintf(out, 24, "%" PRIu64, n);
}

static void found_doc(struct doc *d, const struct verify_view *v)
{
	doc_int(d, "pages", (int64_t)v->pages);
	doc_int(d, "bad_pages", (int64_t)v->bad_pages);
	doc_int(d, "frames", (int64_t)v->frames);
	doc_int(d, "edits", (int64_t)v->edits);
	doc_int(d, "bad_edits", (int64_t)v->bad_edits);
	doc_int(d, "records", (int64_t)v->records);
	doc_int(d, "bad_records", (int64_t)v->bad_records);
	doc_bool(d, "replaced", v->replaced);
}

static enum err verify_only(struct command_call *call)
{
	struct verify_view v = { 0 };
	char pages[24];
	char edits[24];
	enum err e = app_verify(call->ec, call->app, &v);

	if (e != ERR_OK && e != ERR_DAMAGED)
		return e;
	number(v.pages, pages);
	number(v.edits, edits);
	if (call->io->json) {
		struct doc *d = doc_new();
		enum err printed = ERR_OK;

		doc_object(d, NULL);
		found_doc(d, &v);
		doc_text(d, "result", e == ERR_OK ? "whole" : "damaged");
		doc_end(d);
		printed = doc_print(call->ec, d, call->io->out);
		call->printed = true;
		return e != ERR_OK ? e : printed;
	}
	if (e == ERR_OK)
		command_say(call, TR("Everything is whole: %1 pages, %2 edits."), pages, edits, NULL);
	return e;
}

/* ---- --repair ---- */

static enum err repair_doc(struct command_call *call, const struct repair_view *v)
{
	struct doc *d = doc_new();

	doc_object(d, NULL);
	found_doc(d, &v->found);
	doc_text(d, "result", !v->needed ? "whole" : v->repaired ? "repaired" : "damaged");
	doc_bool(d, "repaired", v->repaired);
	doc_int(d, "records_again", (int64_t)v->records_again);
	doc_int(d, "fetched", (int64_t)v->fetched);
	doc_object(d, "unsent");
	doc_int(d, "kept", (int64_t)v->edits_kept);
	doc_int(d, "restored", (int64_t)v->edits_restored);
	doc_int(d, "lost", (int64_t)v->edits_lost);
	doc_end(d);
	doc_int(d, "batches_lost", (int64_t)v->batches_lost);
	doc_text(d, "folder", v->kept[0] == '\0' ? NULL : v->kept);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

static void repair_text(struct command_call *call, const struct repair_view *v)
{
	char a[24];
	char b[24];

	number(v->found.pages, a);
	number(v->found.edits, b);
	if (!v->needed) {
		command_say(call, TR("Everything is whole: %1 pages, %2 edits."), a, b, NULL);
		return;
	}
	number(v->records_again, a);
	number(v->fetched, b);
	command_say(call,
	            TR("The vault was damaged and is whole again. Made again: %1 records. Fetched again: %2 batches."),
	            a, b, NULL);
	number(v->edits_kept, a);
	if (v->edits_kept > 0)
		command_say(call, TR("Changes that were not sent yet, and are all here: %1."), a, NULL, NULL);
	number(v->edits_restored, a);
	if (v->edits_restored > 0)
		command_say(
		    call,
		    TR("Changes that were not sent yet, of which only the result could be read: %1. Look whether "
		       "your last work is right."),
		    a, NULL, NULL);
	number(v->edits_lost, a);
	if (v->edits_lost > 0)
		command_say(call,
		            TR("Lost for good, because it was never sent and cannot be read any more: %1 changes. Look "
		               "through your last conversations."),
		            a, NULL, NULL);
	number(v->batches_lost, a);
	if (v->batches_lost > 0)
		command_say(
		    call,
		    TR("Lost here, and not in the repository either: %1 batches. Ask the others to sync, then sync "
		       "as well."),
		    a, NULL, NULL);
	if (v->kept[0] != '\0')
		command_say(call, TR("The damaged files are in %1, in this home. Remove them when you miss nothing."),
		            v->kept, NULL, NULL);
}

/* The vault is opened anew, so the passphrase is asked for, whoever has it open. */
static enum err verify_repair(struct command_call *call)
{
	struct text t = { .out = call->io->err, .lang = call->lang };
	struct secret_text *secret = NULL;
	struct repair_view v = { 0 };
	enum err e = command_passphrase(call, false, &secret);

	if (e != ERR_OK)
		return e;
	if (call->io->err_is_tty && !call->io->quiet) {
		text_line(&t, TR("Looking at everything. This may take some minutes."), NULL, NULL, NULL);
		fflush(call->io->err);
	}
	e = app_repair_unlock(call->ec, call->app, (struct bytes){ (const uint8_t *)secret->text, secret->len }, &v);
	secret_text_free(secret);
	if (e != ERR_OK)
		return e;
	if (call->io->json)
		e = repair_doc(call, &v);
	else
		repair_text(call, &v);
	call->look = v.edits_restored > 0 || v.edits_lost > 0 || v.batches_lost > 0;
	return e;
}

enum err cmd_verify(struct command_call *call)
{
	return args_flag(call->args, "repair") ? verify_repair(call) : verify_only(call);
}
