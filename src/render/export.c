// SPDX-License-Identifier: EUPL-1.2
// All files of an export, from one walk over what is mine.
#include "render/export.h"

#include <string.h>

#include "app/dates.h"
#include "base/tr.h"
#include "render/export_parts.h"
#include "render/text.h"

/* Records between two questions whether to go on. */
#define BETWEEN 64

static const struct {
	const char *name;
	const char *about;
} files[EXPORT_FILES] = {
	[EXPORT_README] = { "README.txt", TR("This explanation.") },
	[EXPORT_HTML] = { "overview.html", TR("Everything to read and to print. Open it in any browser.") },
	[EXPORT_LOG] = { "log.csv", TR("The conversations, each with its referrals. The command import can read "
	                               "this file.") },
	[EXPORT_CONTACTS_CSV] = { "contacts.csv", TR("The conversations.") },
	[EXPORT_REFERRALS_CSV] = { "referrals.csv", TR("The referrals, and what became of each.") },
	[EXPORT_EVENTS_CSV] = { "events.csv", TR("What happened to each referral, step by step.") },
	[EXPORT_RESIDENTS_CSV] = { "residents.csv", TR("The residents, and how they may be reached.") },
	[EXPORT_SERVICES_CSV] = { "services.csv", TR("The directory. The column note is a note among us, not for "
	                                             "others.") },
	[EXPORT_MEMBERS_CSV] = { "members.csv", TR("The members of your circles and your neighbourhood.") },
	[EXPORT_VERSIONS_CSV] = { "versions.csv", TR("Every version of a field that has two versions.") },
	[EXPORT_JSON] = { "everything.json", TR("Everything at once, for programs: each field, each version, who "
	                                        "wrote it and when.") },
};

const char *export_file_name(enum export_file f)
{
	return files[f].name;
}

const char *export_file_about(enum export_file f)
{
	return files[f].about;
}

bool export_file_counts(enum export_file f)
{
	return f != EXPORT_README && f != EXPORT_HTML;
}

/* --- the explanation --- */

static void readme(const struct export_sink *s, const struct export_spaces *all, int64_t today)
{
	const struct text t = { .out = s->file[EXPORT_README], .lang = s->lang };
	char date[DAY_TEXT_LEN];

	day_text(today, date);
	text_line(&t, TR("Everything of %1 in Sleutelbos, written on %2."), all->me, date, NULL);
	fputc('\n', t.out);
	text_line(&t,
	          TR("These files are not locked. Whoever opens them can read everything. Keep them where nobody else "
	             "comes, and throw them away when you no longer need them."),
	          NULL, NULL, NULL);
	fputc('\n', t.out);
	for (int f = 0; f < EXPORT_FILES; f++) {
		fprintf(t.out, "%-16s", files[f].name);
		text_line(&t, files[f].about, NULL, NULL, NULL);
	}
	fputc('\n', t.out);
	text_line(&t,
	          TR("The files that end in .csv are tables. In your spreadsheet program choose UTF-8, and a comma "
	             "between the columns."),
	          NULL, NULL, NULL);
	text_line(&t,
	          TR("A text that a spreadsheet could take for a formula has an apostrophe in front. It is not part of "
	             "the text."),
	          NULL, NULL, NULL);
	text_line(&t,
	          TR("Not in here: keys, invitations, settings, texts that you changed or took away, and what others "
	             "keep for themselves."),
	          NULL, NULL, NULL);
}

/* --- the walk --- */

struct writing {
	struct errctx *ec;
	struct export_sink *s;
	struct export_json json;
	unsigned n;
};

static enum err check_files(struct writing *w)
{
	for (int f = 0; f < EXPORT_FILES; f++) {
		if (ferror(w->s->file[f]) != 0)
			return err_set(w->ec, ERR_NO_SPACE, "%1 could not be written whole. Is the disk full?",
			               files[f].name, NULL, NULL);
	}
	if (w->s->stop != NULL && w->s->stop(w->s->ctx))
		return err_set(w->ec, ERR_LATER, "The export was stopped halfway. Nothing was kept.", NULL, NULL, NULL);
	return ERR_OK;
}

static enum err row(void *arg, const struct export_row *r)
{
	struct writing *w = arg;
	enum err e = export_csv_row(w->s, r);

	if (e == ERR_OK)
		e = export_json_row(&w->json, r);
	if (e == ERR_OK)
		export_html_row(w->s, r);
	w->s->rows[EXPORT_JSON]++;
	if (e == ERR_OK && ++w->n % BETWEEN == 0)
		e = check_files(w);
	return e;
}

static enum err members(struct writing *w, const struct member_view *list, size_t n)
{
	enum err e = ERR_OK;

	export_json_list(&w->json, "members");
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		e = export_csv_member(w->s, &list[i]);
		if (e == ERR_OK)
			e = export_json_member(&w->json, &list[i]);
		w->s->rows[EXPORT_JSON]++;
	}
	export_json_list_end(&w->json);
	export_html_members(w->s, list, n);
	return e;
}

static enum err space(struct writing *w, struct app *app, const struct export_space *sp,
                      const struct member_view *people, size_t n)
{
	static const char *const lists[EXPORT_KINDS] = { [EXPORT_RESIDENTS] = "residents",
		                                         [EXPORT_CONTACTS] = "contacts",
		                                         [EXPORT_REFERRALS] = "referrals",
		                                         [EXPORT_SERVICES] = "services" };
	size_t count[EXPORT_KINDS] = { 0 };
	size_t all = n;
	enum err e = export_json_space(&w->json, sp);

	for (int kind = 0; kind < EXPORT_KINDS && e == ERR_OK; kind++) {
		e = export_count(w->ec, app, sp, (enum export_kind)kind, &count[kind]);
		all += count[kind];
	}
	export_html_space(w->s, sp, all == 0);
	if (e == ERR_OK)
		e = members(w, people, n);
	for (int kind = 0; kind < EXPORT_KINDS && e == ERR_OK; kind++) {
		export_json_list(&w->json, lists[kind]);
		export_html_list(w->s, (enum export_kind)kind, count[kind]);
		e = export_each(w->ec, app, sp, (enum export_kind)kind, row, w);
		export_html_list_end(w->s, (enum export_kind)kind, count[kind]);
		export_json_list_end(&w->json);
	}
	export_html_space_end(w->s);
	export_json_space_end(&w->json);
	return e;
}

/* The members of a space stand at the front afterwards; gives how many. Who only asks to join is none. */
static size_t members_first(struct app *app, const struct export_space *sp, struct member_view *list, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct member_view one = list[i];

		if (strcmp(one.status, "requested") == 0 || !export_is_here(app, sp, one.id))
			continue;
		memmove(&list[kept + 1], &list[kept], (i - kept) * sizeof(*list));
		list[kept++] = one;
	}
	return kept;
}

enum err export_write(struct errctx *ec, struct app *app, struct export_sink *s)
{
	struct writing w = { .ec = ec, .s = s, .json = { .ec = ec, .out = s->file[EXPORT_JSON] } };
	struct export_spaces all = { 0 };
	struct member_view *people = NULL;
	size_t n = 0;
	int64_t today = app_today(app);
	enum err e = export_spaces(ec, app, &all);

	memset(s->rows, 0, sizeof(s->rows));
	if (e == ERR_OK)
		e = app_members(ec, app, NULL, &people, &n);
	if (e == ERR_OK)
		e = export_csv_heads(s);
	if (e == ERR_OK)
		e = export_json_begin(&w.json, &all, today);
	if (e == ERR_OK) {
		readme(s, &all, today);
		export_html_begin(s, &all, today);
	}
	for (size_t i = 0; i < all.n && e == ERR_OK; i++)
		e = space(&w, app, &all.item[i], people, members_first(app, &all.item[i], people, n));
	export_html_end(s);
	export_json_end(&w.json);
	if (e == ERR_OK)
		e = check_files(&w);
	app_members_free(people, n);
	export_spaces_free(&all);
	return e;
}
