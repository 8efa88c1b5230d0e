// SPDX-License-Identifier: EUPL-1.2
// A spreadsheet that somebody kept, read as rows. Its bytes come from outside: nothing is guessed, each cell that
// cannot be used is named, and what may never be kept (a BSN) is refused here already.
#include "render/import.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "app/bsn.h"
#include "app/check.h"
#include "app/dates.h"
#include "app/labels.h"
#include "base/tr.h"
#include "render/csv.h"

enum type { TYPE_DAY_CELL, TYPE_ID_CELL, TYPE_IDS_CELL, TYPE_YES_CELL, TYPE_LINE_CELL, TYPE_TEXT_CELL, TYPE_REF_CELL };

static const struct {
	enum type type;
	const char *list;
} columns[IMPORT_COLUMN_COUNT] = {
#define X(column, type, list) [IMPORT_##column] = { TYPE_##type##_CELL, #list },
	IMPORT_COLUMNS(X)
#undef X
};

/* --- names of columns --- */

#define COLUMN_NONE (-1)    /* one that is not known */
#define COLUMN_SKIPPED (-2) /* one of our own files that says nothing new */
#define COLUMN_UNNAMED (-3)

/* Without blanks, dashes, underscores and dots, in small letters. The first of a column in Dutch is the one that people
 * are told. */
static const struct {
	const char *word;
	int column;
} words[] = {
	{ "datum", IMPORT_date },
	{ "dag", IMPORT_date },
	{ "datumgesprek", IMPORT_date },
	{ "day", IMPORT_date },
	{ "kanaal", IMPORT_channel },
	{ "waar", IMPORT_channel },
	{ "where", IMPORT_channel },
	{ "wie", IMPORT_who },
	{ "wiekwam", IMPORT_who },
	{ "whocame", IMPORT_who },
	{ "leefgebied", IMPORT_domains },
	{ "leefgebieden", IMPORT_domains },
	{ "domein", IMPORT_domains },
	{ "domeinen", IMPORT_domains },
	{ "onderwerp", IMPORT_domains },
	{ "onderwerpen", IMPORT_domains },
	{ "domain", IMPORT_domains },
	{ "about", IMPORT_domains },
	{ "gedaan", IMPORT_did },
	{ "watdeedik", IMPORT_did },
	{ "whatidid", IMPORT_did },
	{ "bewoner", IMPORT_resident },
	{ "naam", IMPORT_resident },
	{ "bijnaam", IMPORT_resident },
	{ "roepnaam", IMPORT_resident },
	{ "name", IMPORT_resident },
	{ "nick", IMPORT_resident },
	{ "tekst", IMPORT_text },
	{ "aantekening", IMPORT_text },
	{ "notitie", IMPORT_text },
	{ "opmerking", IMPORT_text },
	{ "opmerkingen", IMPORT_text },
	{ "verslag", IMPORT_text },
	{ "note", IMPORT_text },
	{ "notes", IMPORT_text },
	{ "terugbellen", IMPORT_follow_up },
	{ "terugbellenop", IMPORT_follow_up },
	{ "opvolgen", IMPORT_follow_up },
	{ "callback", IMPORT_follow_up },
	{ "callbackon", IMPORT_follow_up },
	{ "teruggebeld", IMPORT_follow_up_done },
	{ "calledback", IMPORT_follow_up_done },
	{ "kring", IMPORT_circle },
	{ "organisatie", IMPORT_service_name },
	{ "doorverwezennaar", IMPORT_service_name },
	{ "verwezennaar", IMPORT_service_name },
	{ "organisation", IMPORT_service_name },
	{ "organization", IMPORT_service_name },
	{ "referredto", IMPORT_service_name },
	{ "groep", IMPORT_group },
	{ "soortorganisatie", IMPORT_group },
	{ "hoe", IMPORT_kind },
	{ "hoedoorverwezen", IMPORT_kind },
	{ "soort", IMPORT_kind },
	{ "how", IMPORT_kind },
	{ "doorverwijsdomein", IMPORT_referral_domain },
	{ "leefgebieddoorverwijzing", IMPORT_referral_domain },
	{ "domeindoorverwijzing", IMPORT_referral_domain },
	{ "doorverwezenop", IMPORT_referral_date },
	{ "datumdoorverwijzing", IMPORT_referral_date },
	{ "referredon", IMPORT_referral_date },
	{ "stand", IMPORT_status },
	{ "antwoord", IMPORT_status },
	{ "answer", IMPORT_status },
	{ "datumstand", IMPORT_status_date },
	{ "datumantwoord", IMPORT_status_date },
	{ "datumstatus", IMPORT_status_date },
	{ "statusdatum", IMPORT_status_date },
	{ "since", IMPORT_status_date },
	{ "reden", IMPORT_reason },
	{ "toestemming", IMPORT_consent },
	{ "toestemmingvoor", IMPORT_consent_what },
	{ "consentfor", IMPORT_consent_what },
	{ "toestemmingtot", IMPORT_consent_until },
	{ "veranderd", IMPORT_changed },
	{ "whatchanged", IMPORT_changed },
	{ "doorverwijstekst", IMPORT_referral_text },
	{ "tekstdoorverwijzing", IMPORT_referral_text },
	{ "residentid", COLUMN_SKIPPED },
	{ "versions", COLUMN_SKIPPED },
	{ "code", COLUMN_SKIPPED },
};

/* Are these one name? `word` is written as above. */
static bool is_name(const char *typed, const char *word)
{
	for (;; typed++) {
		if (*typed != '\0' && strchr(" \t-_.:?", *typed) != NULL)
			continue;
		while (*word == '_')
			word++;
		if (tolower((unsigned char)*typed) != *word)
			return false;
		if (*word == '\0')
			return true;
		word++;
	}
}

static int column_of(const char *typed)
{
	if (typed[strspn(typed, " \t")] == '\0')
		return COLUMN_UNNAMED;
	for (int c = 0; c < IMPORT_COLUMN_COUNT; c++) {
		if (is_name(typed, import_column_name((enum import_column)c)))
			return c;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (is_name(typed, words[i].word))
			return words[i].column;
	}
	return COLUMN_NONE;
}

/* --- reading --- */

struct reading {
	struct errctx *ec;
	struct import_log *log;
	struct csv_table table;
	int column[CSV_COLUMNS_MAX];
	struct import_row *row; /* the one that is being read */
	size_t at;              /* where it stands in the table */
};

static enum err no_memory(struct errctx *ec)
{
	return err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.", NULL, NULL,
	               NULL);
}

static enum err problem(struct reading *r, size_t column, const char *why, const char *more)
{
	const char *name = csv_table_cell(&r->table, 0, column);
	char number[24];

	if (*name == '\0') {
		snprintf(number, sizeof(number), "%zu", column + 1);
		name = number;
	}
	if (import_problem_add(r->log, r->table.row[r->at].number, name, why, more) != ERR_OK)
		return no_memory(r->ec);
	return ERR_OK;
}

/* The names there are, for who used another; each in the language asked for. Without the rarest the others fit. */
static void names_list(bool dutch, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (int c = 0; c < IMPORT_COLUMN_COUNT; c++) {
		const char *name = import_column_name((enum import_column)c);

		if (columns[c].type == TYPE_REF_CELL || c == IMPORT_service || c == IMPORT_changed)
			continue;
		for (size_t i = 0; dutch && i < sizeof(words) / sizeof(words[0]); i++) {
			if (words[i].column == c) {
				name = words[i].word;
				break;
			}
		}
		at += (size_t)snprintf(out + at, at < size ? size - at : 0, "%s%s", at > 0 ? ", " : "", name);
		if (at >= size)
			return;
	}
}

static enum err header_read(struct reading *r)
{
	const char *file = r->log->file;

	for (size_t i = 0; i < r->table.row[0].count; i++) {
		const char *typed = csv_plain(csv_table_cell(&r->table, 0, i));
		int c = column_of(typed);
		char english[ERR_ARG_LEN];
		char dutch[ERR_ARG_LEN];

		r->column[i] = c;
		if (c == COLUMN_NONE) {
			names_list(false, english, sizeof(english));
			names_list(true, dutch, sizeof(dutch));
			return err_set_4(r->ec, ERR_INPUT,
			                 "%1, row 1: the column %2 is not known here. Remove it, or give it one of "
			                 "these names: %3. In Dutch: %4.",
			                 &(struct err_args){ { file, typed, english, dutch } });
		}
		if (c < 0)
			continue;
		if (r->log->header[c] != NULL)
			return err_set(r->ec, ERR_INPUT,
			               "%1, row 1: the columns %2 and %3 mean the same. Keep one of them.", file,
			               r->log->header[c], typed);
		r->log->header[c] = pool_str(&r->log->pool, typed);
		if (r->log->header[c] == NULL)
			return no_memory(r->ec);
	}
	if (r->log->header[IMPORT_date] == NULL)
		return err_set(r->ec, ERR_INPUT,
		               "%1, row 1: there is no column for the date. Call it date, or datum in Dutch.", file,
		               NULL, NULL);
	return ERR_OK;
}

/* --- values --- */

/* "spreekuur, huis, ..."; what cannot be chosen in a log of old is left out. */
static bool can_choose(const char *list, const char *id)
{
	return strcmp(list, "status") != 0 || strcmp(id, "fout") != 0;
}

static enum err not_in_list(struct reading *r, size_t column, const char *list)
{
	char all[ERR_ARG_LEN] = "";
	size_t at = 0;

	for (size_t i = 0; label_id(list, i) != NULL && at < sizeof(all); i++) {
		if (can_choose(list, label_id(list, i)))
			at +=
			    (size_t)snprintf(all + at, sizeof(all) - at, "%s%s", at > 0 ? ", " : "", label_id(list, i));
	}
	return problem(r, column, TR("%1, row %2, column %3: this is not in the list. Choose from: %4."), all);
}

static enum err id_read(struct reading *r, size_t column, const char *list, const char *text, const char **out)
{
	struct label_found found;

	if (!label_find(list, text, false, &found) || !can_choose(list, label_id(list, found.n)))
		return not_in_list(r, column, list);
	*out = label_id(list, found.n);
	return ERR_OK;
}

#define LIST_ITEMS_MAX 64

/* Several, in the order of the list, once each. */
static enum err ids_read(struct reading *r, size_t column, const char *list, const char *text, const char **out)
{
	bool there[LIST_ITEMS_MAX] = { false };
	char all[1024] = "";
	size_t at = 0;

	for (const char *p = text + strspn(text, " \t\r\n,;"); *p != '\0'; p += strspn(p, " \t\r\n,;")) {
		struct label_found found;

		if (!label_find(list, p, true, &found) || found.n >= LIST_ITEMS_MAX)
			return not_in_list(r, column, list);
		there[found.n] = true;
		p += found.len;
	}
	for (size_t i = 0; i < LIST_ITEMS_MAX && at < sizeof(all); i++) {
		if (there[i])
			at +=
			    (size_t)snprintf(all + at, sizeof(all) - at, "%s%s", at > 0 ? "," : "", label_id(list, i));
	}
	*out = at == 0 ? NULL : pool_str(&r->log->pool, all);
	return ERR_OK;
}

/* Digits at *p, at most `most`; -1 where there are none or more. Moves *p past them. */
static int number_at(const char **p, int most)
{
	int v = 0;
	int n = 0;

	for (; **p >= '0' && **p <= '9'; (*p)++, n++) {
		if (n == most)
			return -1;
		v = 10 * v + (**p - '0');
	}
	return n == 0 ? -1 : v;
}

/* 2026-11-22 or 22-11-2026. Other dividers are refused: with a slash nobody knows whether day or month comes first. */
static bool day_read(const char *text, char out[static DAY_TEXT_LEN])
{
	const char *p = text;
	int part[3] = { 0 };
	bool year_first = strspn(text, "0123456789") == 4;
	struct date d = { 0 };

	for (int i = 0; i < 3; i++) {
		part[i] = number_at(&p, (i == 0) == year_first && (i == 0 || i == 2) ? 4 : 2);
		if (part[i] < 0 || *p != (i < 2 ? '-' : '\0'))
			return false;
		p += i < 2;
	}
	d = year_first ? (struct date){ part[0], part[1], part[2] } : (struct date){ part[2], part[1], part[0] };
	if (!date_valid(d))
		return false;
	day_text(date_day(d), out);
	return true;
}

static enum err date_read(struct reading *r, size_t column, const char *text, const char **out)
{
	char day[DAY_TEXT_LEN];

	if (!day_read(text, day))
		return problem(r, column,
		               TR("%1, row %2, column %3: %4 is not a date. Write it as 2026-11-22 or 22-11-2026."),
		               text);
	*out = pool_str(&r->log->pool, day);
	return ERR_OK;
}

static enum err yes_read(struct reading *r, size_t column, const char *text, const char **out)
{
	static const char *const yes[] = { "true", "ja", "yes", "1", "x", "waar", "gedaan", "done" };
	static const char *const no[] = { "false", "nee", "no", "0", "onwaar" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcasecmp(text, yes[i]) == 0) {
			*out = "true";
			return ERR_OK;
		}
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		if (strcasecmp(text, no[i]) == 0) {
			*out = "false";
			return ERR_OK;
		}
	}
	return problem(r, column, TR("%1, row %2, column %3: write yes or no here, or leave it empty."), NULL);
}

static enum err text_read(struct reading *r, size_t column, bool line, const char *text, const char **out)
{
	struct errctx why = { 0 };
	/* an id of ours is not a number of a person, whatever its digits */
	enum check_bsn bsn = import_is_id(text) ? BSN_FINE : BSN_REFUSED;
	enum err e = line ? check_line(&why, "", text, bsn) : check_text(&why, "", text, bsn);

	if (e == ERR_OK) {
		*out = pool_str(&r->log->pool, text);
		return ERR_OK;
	}
	if (e != ERR_INPUT)
		return e;
	if (strlen(text) > (line ? LINE_MAX_LEN : TEXT_MAX))
		return problem(r, column, TR("%1, row %2, column %3: this text is too long. Make it shorter."), NULL);
	if (bsn == BSN_REFUSED && bsn_inside(text))
		return problem(r, column,
		               TR("%1, row %2, column %3: nine digits here can be a BSN, and that is never kept here. "
		                  "Leave them out. Is it another number? Then write a slash in it, as in 1234/56789."),
		               NULL);
	return problem(r, column, TR("%1, row %2, column %3: write this on one line, without tabs or line ends."),
	               NULL);
}

/* A copy without blanks at both ends; for everything but texts. */
static const char *trimmed(struct pool *p, const char *text)
{
	size_t len = 0;

	text += strspn(text, " \t\r\n");
	len = strlen(text);
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		len--;
	return pool_text(p, (struct bytes){ (const uint8_t *)text, len });
}

static enum err cell_read(struct reading *r, size_t column)
{
	int c = r->column[column];
	const char *typed = csv_plain(csv_table_cell(&r->table, r->at, column));
	const char *text = columns[c].type == TYPE_TEXT_CELL ? typed : trimmed(&r->log->pool, typed);
	const char **out = &r->row->cell[c];

	if (text == NULL)
		return no_memory(r->ec);
	if (text[strspn(text, " \t\r\n")] == '\0')
		return ERR_OK;
	switch (columns[c].type) {
	case TYPE_DAY_CELL:
		return date_read(r, column, text, out);
	case TYPE_ID_CELL:
		return id_read(r, column, columns[c].list, text, out);
	case TYPE_IDS_CELL:
		return ids_read(r, column, columns[c].list, text, out);
	case TYPE_YES_CELL:
		return yes_read(r, column, text, out);
	case TYPE_REF_CELL:
		*out = text;
		return ERR_OK;
	default:
		return text_read(r, column, columns[c].type == TYPE_LINE_CELL, text, out);
	}
}

static bool is_blank(const struct reading *r)
{
	const struct csv_row *row = &r->table.row[r->at];

	for (size_t i = 0; i < row->count; i++) {
		const char *text = csv_table_cell(&r->table, r->at, i);

		if (text[strspn(text, " \t\r\n")] != '\0')
			return false;
	}
	return row->bad == 0;
}

static enum err row_read(struct reading *r)
{
	const struct csv_row *row = &r->table.row[r->at];
	size_t named = r->table.row[0].count;
	size_t before = r->log->unusable;
	enum err e = ERR_OK;

	if (row->bad != 0)
		return problem(r, row->bad - 1,
		               TR("%1, row %2, column %3: these letters cannot be read. Save the file once more: in "
		                  "Excel as CSV UTF-8, in LibreOffice with the character set Unicode (UTF-8)."),
		               NULL);
	for (size_t i = 0; i < row->count && e == ERR_OK; i++) {
		const char *text = csv_table_cell(&r->table, r->at, i);

		if (i >= named && *text != '\0')
			return problem(r, i,
			               TR("%1, row %2, column %3: there are more cells than column names. Put "
			                  "quotation marks around a text that has the divider in it."),
			               NULL);
		if (i < named && r->column[i] == COLUMN_UNNAMED && *text != '\0')
			e = problem(
			    r, i,
			    TR("%1, row %2, column %3: this column has no name. Give it one in row 1, or remove it."),
			    NULL);
		else if (i < named && r->column[i] >= 0)
			e = cell_read(r, i);
	}
	if (e == ERR_OK && r->row->cell[IMPORT_date] == NULL && r->log->unusable == before) {
		if (import_problem_add(
		        r->log, row->number, r->log->header[IMPORT_date],
		        TR("%1, row %2, column %3: the date is missing. Write it as 2026-11-22 or 22-11-2026."),
		        NULL) != ERR_OK)
			e = no_memory(r->ec);
	}
	return e;
}

enum err import_parse(struct errctx *ec, const char *name, struct bytes content, struct import_log *out)
{
	struct reading r = { .ec = ec, .log = out };
	enum err e = ERR_OK;

	*out = (struct import_log){ 0 };
	out->file = pool_str(&out->pool, name);
	if (out->file == NULL)
		e = no_memory(ec);
	else if (content.len >= 2 &&
	         (memcmp(content.data, "\xFF\xFE", 2) == 0 || memcmp(content.data, "\xFE\xFF", 2) == 0))
		e = err_set(ec, ERR_INPUT,
		            "%1: these letters cannot be read. Save the file once more: in Excel as CSV UTF-8, in "
		            "LibreOffice with the character set Unicode (UTF-8).",
		            name, NULL, NULL);
	if (e == ERR_OK)
		e = csv_table_parse(ec, name, content, &r.table);
	if (e == ERR_OK && r.table.rows == 0)
		e = err_set(ec, ERR_INPUT, "%1 is empty. Its first row must have the names of the columns.", name, NULL,
		            NULL);
	if (e == ERR_OK)
		e = header_read(&r);
	if (e == ERR_OK && r.table.rows > 1) {
		out->row = pool_take(&out->pool, (r.table.rows - 1) * sizeof(*out->row));
		e = out->row == NULL ? no_memory(ec) : ERR_OK;
	}
	for (r.at = 1; r.at < r.table.rows && e == ERR_OK; r.at++) {
		if (is_blank(&r))
			continue;
		r.row = &out->row[out->rows++];
		r.row->number = r.table.row[r.at].number;
		e = row_read(&r);
	}
	csv_table_free(&r.table);
	if (e == ERR_OK && out->pool.failed)
		e = no_memory(ec);
	if (e != ERR_OK)
		import_log_free(out);
	return e;
}
