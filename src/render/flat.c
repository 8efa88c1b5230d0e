// SPDX-License-Identifier: EUPL-1.2
// The directory as one flat CSV, in and out; what is written here reads back as it was.
#include "render/flat.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/tr.h"
#include "render/csv.h"
#include "render/terms.h"

struct reading {
	struct errctx *ec;
	const char *name;
	struct csv_table table;
	struct directory_import *out;
};

static enum err no_memory(struct errctx *ec)
{
	return err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.", NULL, NULL,
	               NULL);
}

static enum err reject(struct reading *r, size_t row, const char *column, const char *why, const char *value)
{
	if (directory_import_reject(r->out, r->name, r->table.row[row].number, column, why, value) != ERR_OK)
		return no_memory(r->ec);
	return ERR_OK;
}

/* Ids of `list` divided by commas; an empty text has none. */
static bool are_ids(const char *list, const char *text)
{
	for (;;) {
		size_t len = strcspn(text, ",");

		if (!terms_is_id(list, text, len))
			return false;
		text += len;
		if (*text == '\0')
			return true;
		text++;
	}
}

/* 2026-03-01, with a month and a day that exist in some year. */
static bool is_date(const char *text)
{
	static const char shape[] = "dddd-dd-dd";
	int month = 0;
	int day = 0;

	if (strlen(text) != strlen(shape))
		return false;
	for (size_t i = 0; shape[i] != '\0'; i++)
		if (shape[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != '-')
			return false;
	month = 10 * (text[5] - '0') + text[6] - '0';
	day = 10 * (text[8] - '0') + text[9] - '0';
	return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* What the text of one field must be; NULL where any text will do. */
static const char *why_not(const char *field, const char *text)
{
	if (*text == '\0')
		return NULL;
	if (strcmp(field, "group") == 0 && !terms_is_id("group", text, strlen(text)))
		return TR("There is no group with the id %1.");
	if (strcmp(field, "kind") == 0 && !terms_is_id("service_kind", text, strlen(text)))
		return TR("The kind is formal or initiative, not %1.");
	if (strcmp(field, "domains") == 0 && !are_ids("domain", text))
		return TR("These are not ids of domains with commas between them: %1.");
	if (strcmp(field, "checked_on") == 0 && !is_date(text))
		return TR("This is not a date: %1. Write it as 2026-03-31.");
	return NULL;
}

static enum err read_field(struct reading *r, size_t row, size_t field, struct directory_entry *e)
{
	const char *name = directory_field_name(field);
	const char *text = csv_plain(csv_table_cell(&r->table, row, csv_table_column(&r->table, name)));
	const char *why = why_not(name, text);

	if (why != NULL) {
		enum err err = reject(r, row, name, why, text);

		if (err != ERR_OK)
			return err;
		text = "";
	}
	if (*text == '\0' && strcmp(name, "group") == 0)
		text = "anders";
	if (*text == '\0' && strcmp(name, "kind") == 0)
		text = "formal";
	if (*text == '\0')
		return ERR_OK;
	*directory_field(e, field) = strdup(text);
	return *directory_field(e, field) == NULL ? no_memory(r->ec) : ERR_OK;
}

static enum err read_row(struct reading *r, size_t row)
{
	const struct csv_row *header = &r->table.row[0];
	const struct csv_row *cells = &r->table.row[row];
	struct directory_entry entry = { 0 };
	enum err e = ERR_OK;
	char number[24];

	snprintf(number, sizeof(number), "%zu", cells->bad != 0 ? cells->bad : header->count + 1);
	if (cells->bad != 0)
		return reject(r, row,
		              cells->bad <= header->count ? csv_table_cell(&r->table, 0, cells->bad - 1) : number,
		              TR("This is not readable text. Save the file as CSV UTF-8."), "");
	if (cells->count > header->count)
		return reject(r, row, number, TR("There are more cells than column names: %1."),
		              csv_table_cell(&r->table, row, header->count));
	if (*csv_plain(csv_table_cell(&r->table, row, csv_table_column(&r->table, "name"))) == '\0')
		return reject(r, row, "name", TR("The name is missing."), "");
	for (size_t field = 0; field < DIRECTORY_FIELD_COUNT && e == ERR_OK; field++)
		e = read_field(r, row, field, &entry);
	if (e == ERR_OK && directory_import_add(r->out, &entry) != ERR_OK)
		e = no_memory(r->ec);
	directory_entry_clear(&entry);
	return e;
}

enum err flat_import(struct errctx *ec, const char *name, struct bytes content, struct directory_import *out)
{
	struct reading r = { .ec = ec, .name = name, .out = out };
	enum err e = ERR_OK;

	*out = (struct directory_import){ 0 };
	e = csv_table_parse(ec, name, content, &r.table);
	if (e == ERR_OK && csv_table_column(&r.table, "name") == SIZE_MAX)
		e = err_set(ec, ERR_INPUT, "%1, row 1: there is no column with the name %2.", name, "name", NULL);
	for (size_t row = 1; row < r.table.rows && e == ERR_OK; row++)
		e = read_row(&r, row);
	csv_table_free(&r.table);
	if (e != ERR_OK)
		directory_import_clear(out);
	return e;
}

enum err flat_export(struct directory_entry *entry, size_t entries, struct buf *out)
{
	enum err e = ERR_OK;

	for (size_t field = 0; field < DIRECTORY_FIELD_COUNT && e == ERR_OK; field++)
		e = csv_put_text(out, directory_field_name(field), field == 0);
	if (e == ERR_OK)
		e = csv_put_end(out);
	for (size_t i = 0; i < entries && e == ERR_OK; i++) {
		for (size_t field = 0; field < DIRECTORY_FIELD_COUNT && e == ERR_OK; field++) {
			const char *text = *directory_field(&entry[i], field);

			e = csv_put_text(out, text != NULL ? text : "", field == 0);
		}
		if (e == ERR_OK)
			e = csv_put_end(out);
	}
	return e;
}
