// SPDX-License-Identifier: EUPL-1.2
// tally, summary: what was done is said in a sentence, and what comes next.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/dates.h"
#include "app/tally.h"
#include "base/tr.h"
#include "cli/command.h"
#include "render/tables.h"

static struct text text_of(const struct command_call *call)
{
	return (struct text){ .out = call->io->out, .lang = call->lang, .bold = call->io->out_is_tty };
}

static void number(char out[static 24], uint64_t v)
{
	snprintf(out, 24, "%" PRIu64, v);
}

/* --- plan --- */

static enum err planned_doc(struct command_call *call, const struct tally_planned *p)
{
	struct doc *d = doc_new();

	doc_object(d, NULL);
	doc_text(d, "id", p->id);
	doc_text(d, "period", p->period);
	doc_day(d, "opens", p->opens);
	doc_int(d, "threshold", p->threshold);
	doc_int(d, "floor", p->floor);
	doc_array(d, "tellers");
	for (size_t k = 0; k < p->tellers; k++)
		doc_text(d, NULL, p->teller[k]);
	doc_end(d);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

enum err cmd_tally_plan(struct command_call *call)
{
	const struct tally_ask ask = { .period = args_get(call->args, "period"),
		                       .tellers = args_get(call->args, "tellers"),
		                       .threshold = args_get(call->args, "threshold"),
		                       .floor = args_get(call->args, "floor") };
	struct tally_planned p = { 0 };
	char day[DAY_TEXT_LEN];
	char n[24];
	char t[24];
	enum err e = app_tally_plan(call->ec, call->app, &ask, &p);

	if (e == ERR_OK && call->io->json) {
		e = planned_doc(call, &p);
	} else if (e == ERR_OK) {
		day_text(p.opens, day);
		number(n, p.tellers);
		number(t, p.threshold);
		command_say(call, TR("The tally of %1 is planned. %2 tellers count, %3 of them suffice."), p.period, n,
		            t);
		command_say(call, TR("Each teller signs the plan at the next sync. Circles can contribute from %1."),
		            day, NULL, NULL);
	}
	app_tally_planned_free(&p);
	return e;
}

/* --- a circle's part --- */

enum answer { ANSWER_PREVIEW, ANSWER_CONTRIBUTE, ANSWER_SKIP };

static enum err preview_doc(struct command_call *call, const struct tally_preview *p, enum answer answer)
{
	struct doc *d = doc_new();

	doc_object(d, NULL);
	tables_preview_doc(d, p);
	doc_bool(d, "contributed", answer == ANSWER_CONTRIBUTE);
	doc_bool(d, "skipped", answer == ANSWER_SKIP);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

static enum err circle_answer(struct command_call *call, enum answer answer)
{
	const char *period = args_get(call->args, "period");
	const char *circle = args_get(call->args, "circle");
	const struct text t = text_of(call);
	struct tally_preview p = { 0 };
	enum err e = ERR_OK;

	if (answer == ANSWER_PREVIEW)
		e = app_tally_preview(call->ec, call->app, period, circle, &p);
	else if (answer == ANSWER_CONTRIBUTE)
		e = app_tally_contribute(call->ec, call->app, period, circle, &p);
	else
		e = app_tally_skip(call->ec, call->app, period, circle, &p);
	if (e == ERR_OK && call->io->json) {
		e = preview_doc(call, &p, answer);
	} else if (e == ERR_OK && !call->io->quiet) {
		if (answer != ANSWER_SKIP)
			tables_preview_text(&t, &p);
		if (answer == ANSWER_CONTRIBUTE)
			command_say(call, TR("%1 takes part in the tally of %2. It goes out with the next sync."),
			            p.circle, p.period, NULL);
		if (answer == ANSWER_SKIP)
			command_say(call, TR("%1 takes no part in the tally of %2."), p.circle, p.period, NULL);
	}
	app_tally_preview_free(&p);
	return e;
}

enum err cmd_tally_preview(struct command_call *call)
{
	return circle_answer(call, ANSWER_PREVIEW);
}

enum err cmd_tally_contribute(struct command_call *call)
{
	return circle_answer(call, ANSWER_CONTRIBUTE);
}

enum err cmd_tally_skip(struct command_call *call)
{
	return circle_answer(call, ANSWER_SKIP);
}

/* --- tellers --- */

static enum err counted_doc(struct command_call *call, const struct tally_counted *c)
{
	struct doc *d = doc_new();

	doc_object(d, NULL);
	doc_text(d, "period", c->period);
	doc_int(d, "circles", (int64_t)c->circles);
	doc_int(d, "spoiled", (int64_t)c->spoiled);
	doc_int(d, "doubled", (int64_t)c->doubled);
	doc_bool(d, "viewed", c->viewed);
	doc_bool(d, "signed", c->signed_it);
	doc_bool(d, "summed", c->summed);
	doc_bool(d, "done", c->done);
	doc_text(d, "waits", c->waits);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

static void counted_say(struct command_call *call, const struct tally_counted *c)
{
	char n[24];

	number(n, c->circles);
	if (c->viewed)
		command_say(call, TR("You hold the contributions of %1 circles, and the other tellers will see which."),
		            n, NULL, NULL);
	number(n, c->spoiled);
	if (c->spoiled > 0)
		command_say(call, TR("%1 contributions cannot be opened; they are left out."), n, NULL, NULL);
	number(n, c->doubled);
	if (c->doubled > 0)
		command_say(call, TR("%1 contributions are a circle's second; they are left out."), n, NULL, NULL);
	if (c->signed_it)
		command_say(call, TR("You signed the list of what is counted. It is final."), NULL, NULL, NULL);
	if (c->summed)
		command_say(call, TR("You gave your sum, and the key of this period is destroyed."), NULL, NULL, NULL);
	else if (c->done)
		command_say(call, TR("You gave your sum before; there is nothing left to do."), NULL, NULL, NULL);
	if (c->waits != NULL)
		command_say(call, TR("Now these tellers must sync and count: %1."), c->waits, NULL, NULL);
}

enum err cmd_tally_count(struct command_call *call)
{
	struct tally_counted c = { 0 };
	enum err e = app_tally_count(call->ec, call->app, args_get(call->args, "period"), &c);

	if (e == ERR_OK && call->io->json)
		e = counted_doc(call, &c);
	else if (e == ERR_OK)
		counted_say(call, &c);
	app_tally_counted_free(&c);
	return e;
}

static enum err combined_doc(struct command_call *call, const struct tally_combined *c)
{
	struct doc *d = doc_new();

	doc_object(d, NULL);
	doc_text(d, "id", c->id);
	doc_text(d, "period", c->period);
	doc_text(d, "level", c->level);
	doc_bool(d, "checked", c->checked);
	doc_text(d, "wrong", c->wrong);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

enum err cmd_tally_combine(struct command_call *call)
{
	struct tally_combined c = { 0 };
	enum err e = app_tally_combine(call->ec, call->app, args_get(call->args, "period"), &c);

	if (e == ERR_OK && call->io->json) {
		e = combined_doc(call, &c);
	} else if (e == ERR_OK) {
		command_say(call, TR("The summary of %1 is ready. Everybody has it after a sync."), c.period, NULL,
		            NULL);
		if (c.level == NULL)
			command_say(call, TR("There are too few referrals to show any table safely."), NULL, NULL,
			            NULL);
		if (!c.checked)
			command_say(call, TR("Unchecked: too few tellers gave their sum to compare them."), NULL, NULL,
			            NULL);
		if (c.wrong != NULL)
			command_say(call, TR("The sum of %1 does not fit the others; it was left out."), c.wrong, NULL,
			            NULL);
	}
	app_tally_combined_free(&c);
	return e;
}

/* --- status --- */

static enum err status_doc(struct command_call *call, const struct tally_status *s)
{
	struct doc *d = doc_new();

	doc_object(d, NULL);
	doc_text(d, "period", s->period);
	doc_text(d, "step", s->step);
	doc_day(d, "opens", s->opens);
	doc_int(d, "threshold", s->threshold);
	doc_int(d, "floor", s->floor);
	doc_array(d, "tellers");
	for (size_t k = 0; k < s->tellers; k++) {
		doc_object(d, NULL);
		doc_text(d, "name", s->teller[k].name);
		doc_bool(d, "key", s->teller[k].key);
		doc_bool(d, "manifest", s->teller[k].manifest);
		doc_bool(d, "sum", s->teller[k].sum);
		doc_end(d);
	}
	doc_end(d);
	if (s->circle == NULL) {
		doc_int(d, "circles_in", (int64_t)s->circles);
	} else {
		doc_array(d, "circles_in");
		for (uint64_t k = 0; k < s->circles; k++)
			doc_text(d, NULL, s->circle[k]);
		doc_end(d);
	}
	doc_int(d, "doubled", (int64_t)s->doubled);
	doc_end(d);
	return doc_print(call->ec, d, call->io->out);
}

/* What is being waited for, for each step. */
static const char *step_sentence(const char *step)
{
	static const struct {
		const char *step;
		const char *sentence;
	} steps[] = {
		{ "keys", TR("Now the tellers sign the plan: they only have to sync.") },
		{ "waiting", TR("Now answers can still come in, until the tally opens.") },
		{ "open", TR("Now circles can contribute: tally contribute.") },
		{ "counting", TR("Now the tellers count: tally count.") },
		{ "combining", TR("Now a teller combines the sums: tally combine.") },
		{ "released", TR("The summary is out: summary.") },
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (strcmp(steps[i].step, step) == 0)
			return steps[i].sentence;
	}
	return "";
}

static const char *mark(bool done)
{
	return done ? "+" : "-";
}

static void status_text(struct command_call *call, const struct tally_status *s)
{
	const struct text t = text_of(call);
	char day[DAY_TEXT_LEN];
	char n[24];

	day_text(s->opens, day);
	number(n, s->circles);
	text_line(&t, TR("Tally of %1. It opens on %2; %3 circles are in."), s->period, day, n);
	for (uint64_t k = 0; s->circle != NULL && k < s->circles; k++) {
		fputs("  ", t.out);
		text_typed(&t, s->circle[k], 2);
		fputc('\n', t.out);
	}
	number(n, s->doubled);
	if (s->doubled > 0)
		text_line(&t, TR("%1 contributions are a circle's second; they are left out."), n, NULL, NULL);
	for (size_t k = 0; k < s->tellers; k++) {
		fputs("  ", t.out);
		text_typed(&t, s->teller[k].name, 2);
		fputs(": ", t.out);
		text_line(&t, TR("%1 key, %2 list signed, %3 sum given"), mark(s->teller[k].key),
		          mark(s->teller[k].manifest), mark(s->teller[k].sum));
	}
	text_line(&t, step_sentence(s->step), NULL, NULL, NULL);
}

enum err cmd_tally_status(struct command_call *call)
{
	struct tally_status s = { 0 };
	enum err e = app_tally_status(call->ec, call->app, args_get(call->args, "period"), &s);

	if (e == ERR_OK && call->io->json)
		e = status_doc(call, &s);
	else if (e == ERR_OK && !call->io->quiet)
		status_text(call, &s);
	app_tally_status_free(&s);
	return e;
}

/* --- summary --- */

enum format { FORMAT_TEXT, FORMAT_CSV, FORMAT_JSON };

static enum err format_of(struct command_call *call, enum format *out)
{
	const char *name = args_get(call->args, "format");

	if (name == NULL)
		*out = call->io->json ? FORMAT_JSON : FORMAT_TEXT;
	else if (strcmp(name, "text") == 0)
		*out = FORMAT_TEXT;
	else if (strcmp(name, "csv") == 0)
		*out = FORMAT_CSV;
	else if (strcmp(name, "json") == 0)
		*out = FORMAT_JSON;
	else
		return err_set(call->ec, ERR_USAGE, "There is no format \"%1\". Choose text, csv or json.", name, NULL,
		               NULL);
	return ERR_OK;
}

static enum err view_of(struct command_call *call, bool *public_view)
{
	const char *name = args_get(call->args, "view");

	*public_view = name != NULL && strcmp(name, "public") == 0;
	if (name != NULL && !*public_view && strcmp(name, "coordinator") != 0)
		return err_set(call->ec, ERR_USAGE, "There is no view \"%1\". Choose coordinator or public.", name,
		               NULL, NULL);
	return ERR_OK;
}

static enum err summary_print(struct command_call *call, const struct summary *s, enum format format, FILE *out)
{
	const struct text t = { .out = out, .lang = call->lang };
	struct buf csv = { 0 };
	struct doc *d = NULL;
	enum err e = ERR_OK;

	switch (format) {
	case FORMAT_TEXT:
		tables_summary_text(&t, s);
		break;
	case FORMAT_CSV:
		e = tables_summary_csv(s, &csv);
		if (e == ERR_OK)
			fwrite(csv.data, 1, csv.len, out);
		buf_free(&csv);
		break;
	case FORMAT_JSON:
		d = doc_new();
		tables_summary_doc(d, s);
		e = doc_print(call->ec, d, out);
		break;
	}
	return e;
}

enum err cmd_summary(struct command_call *call)
{
	const char *path = args_get(call->args, "out");
	struct io_write file = { 0 };
	struct summary s = { 0 };
	enum format format = FORMAT_TEXT;
	bool public_view = false;
	enum err e = format_of(call, &format);

	if (e == ERR_OK)
		e = view_of(call, &public_view);
	if (e == ERR_OK)
		e = app_summary(call->ec, call->app, args_get(call->args, "period"), public_view, &s);
	if (e == ERR_OK && path == NULL) {
		e = summary_print(call, &s, format, call->io->out);
	} else if (e == ERR_OK) {
		e = io_write_begin(call->io, call->ec, path, IO_REPLACE, &file);
		if (e == ERR_OK)
			e = summary_print(call, &s, format, file.file);
		if (e == ERR_OK)
			e = io_write_commit(call->io, call->ec, &file);
		else
			io_write_abort(call->io, &file);
		if (e == ERR_OK && call->io->json)
			e = summary_print(call, &s, FORMAT_JSON, call->io->out);
	}
	app_summary_free(&s);
	return e;
}
