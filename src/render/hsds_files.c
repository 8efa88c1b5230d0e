// SPDX-License-Identifier: EUPL-1.2
// The files of an HSDS folder: each is read and checked row by row, then indexed by the columns that join it to
// others. What was reported is in no index.
#include "render/hsds_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/tr.h"
#include "render/hours.h"

static const char *const names[HSDS_FILES] = {
	[SERVICES] = "services.csv", [LOCATIONS] = "locations.csv", [ORGANIZATIONS] = "organizations.csv",
	[PHONES] = "phones.csv",     [ADDRESSES] = "addresses.csv", [SCHEDULES] = "regular_schedules.csv",
	[TAXONOMY] = "taxonomy.csv",
};

/* A unique index is an id: each row must have one, and no two the same. */
static const struct {
	enum hsds_file file;
	const char *column;
	bool unique;
} indices[HSDS_INDICES] = {
	[SERVICE_BY_ID] = { SERVICES, "id", true },
	[LOCATION_BY_ID] = { LOCATIONS, "id", true },
	[ORGANIZATION_BY_ID] = { ORGANIZATIONS, "id", true },
	[TERM_BY_ID] = { TAXONOMY, "taxonomy_id", true },
	[PHONE_BY_SERVICE] = { PHONES, "service_id", false },
	[PHONE_BY_LOCATION] = { PHONES, "location_id", false },
	[PHONE_BY_ORGANIZATION] = { PHONES, "organization_id", false },
	[ADDRESS_BY_LOCATION] = { ADDRESSES, "location_id", false },
	[SCHEDULE_BY_SERVICE] = { SCHEDULES, "service_id", false },
	[SCHEDULE_BY_LOCATION] = { SCHEDULES, "location_id", false },
};

enum err hsds_no_memory(struct errctx *ec)
{
	return err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.", NULL, NULL,
	               NULL);
}

const char *hsds_cell(const struct hsds *h, enum hsds_file file, size_t row, const char *column)
{
	return csv_table_cell(&h->table[file], row, csv_table_column(&h->table[file], column));
}

enum err hsds_reject_value(struct hsds *h, enum hsds_file file, size_t row, const char *column, const char *why,
                           const char *value)
{
	if (directory_import_reject(h->out, names[file], h->table[file].row[row].number, column, why, value) != ERR_OK)
		return hsds_no_memory(h->ec);
	return ERR_OK;
}

enum err hsds_reject(struct hsds *h, enum hsds_file file, size_t row, const char *column, const char *why)
{
	return hsds_reject_value(h, file, row, column, why, hsds_cell(h, file, row, column));
}

// ---- Looking rows up ----

static const char *key_at(const struct hsds *h, enum hsds_index index, size_t at)
{
	return csv_table_cell(&h->table[indices[index].file], h->index[index].row[at], h->index[index].column);
}

struct sorting {
	const struct csv_table *table;
	size_t column;
};

static int by_key(const void *a, const void *b, void *self)
{
	const struct sorting *s = self;
	size_t left = *(const size_t *)a;
	size_t right = *(const size_t *)b;
	int c = strcmp(csv_table_cell(s->table, left, s->column), csv_table_cell(s->table, right, s->column));

	if (c != 0)
		return c;
	return left < right ? -1 : left > right;
}

/* Usable rows with a value in the index's column. */
static enum err make_index(struct hsds *h, enum hsds_index index)
{
	enum hsds_file file = indices[index].file;
	const struct csv_table *t = &h->table[file];
	struct sorting s = { t, csv_table_column(t, indices[index].column) };
	size_t n = 0;

	if (t->rows == 0)
		return ERR_OK;
	if (h->index[index].row == NULL)
		h->index[index].row = calloc(t->rows, sizeof(size_t));
	if (h->index[index].row == NULL)
		return hsds_no_memory(h->ec);
	for (size_t row = 1; row < t->rows; row++)
		if (h->usable[file][row] && *csv_table_cell(t, row, s.column) != '\0')
			h->index[index].row[n++] = row;
	qsort_r(h->index[index].row, n, sizeof(size_t), by_key, &s);
	h->index[index].count = n;
	h->index[index].column = s.column;
	return ERR_OK;
}

struct hsds_rows hsds_find(const struct hsds *h, enum hsds_index index, const char *key)
{
	struct hsds_rows rows = { NULL, 0 };
	size_t low = 0;
	size_t high = h->index[index].count;

	if (*key == '\0')
		return rows;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(key_at(h, index, mid), key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	while (low + rows.count < h->index[index].count && strcmp(key_at(h, index, low + rows.count), key) == 0)
		rows.count++;
	if (rows.count > 0)
		rows.row = h->index[index].row + low;
	return rows;
}

size_t hsds_row(const struct hsds *h, enum hsds_index index, const char *key)
{
	struct hsds_rows rows = hsds_find(h, index, key);

	return rows.count > 0 ? rows.row[0] : 0;
}

// ---- Checking rows ----

/* Marks the rows that are text and have not too many cells. */
static enum err check_shape(struct hsds *h, enum hsds_file file)
{
	const struct csv_table *t = &h->table[file];
	enum err e = ERR_OK;
	char number[24];

	h->usable[file] = calloc(t->rows + 1, sizeof(bool));
	if (h->usable[file] == NULL)
		return hsds_no_memory(h->ec);
	for (size_t row = 1; row < t->rows && e == ERR_OK; row++) {
		size_t named = t->row[0].count;
		size_t bad = t->row[row].bad;

		if (bad != 0) {
			snprintf(number, sizeof(number), "%zu", bad);
			e = hsds_reject_value(h, file, row, bad <= named ? csv_table_cell(t, 0, bad - 1) : number,
			                      TR("This is not readable text. Save the file as CSV UTF-8."), "");
		} else if (t->row[row].count > named) {
			snprintf(number, sizeof(number), "%zu", named + 1);
			e = hsds_reject_value(h, file, row, number, TR("There are more cells than column names: %1."),
			                      csv_table_cell(t, row, named));
		} else {
			h->usable[file][row] = true;
		}
	}
	return e;
}

/* Leaves only rows with an id of their own. */
static enum err check_ids(struct hsds *h, enum hsds_index index)
{
	enum hsds_file file = indices[index].file;
	const char *column = indices[index].column;
	enum err e = ERR_OK;

	if (h->table[file].rows > 0 && csv_table_column(&h->table[file], column) == SIZE_MAX)
		return err_set(h->ec, ERR_INPUT, "%1, row 1: there is no column with the name %2.", names[file], column,
		               NULL);
	for (size_t row = 1; row < h->table[file].rows && e == ERR_OK; row++) {
		if (!h->usable[file][row] || *hsds_cell(h, file, row, column) != '\0')
			continue;
		h->usable[file][row] = false;
		e = hsds_reject(h, file, row, column, TR("The id is missing."));
	}
	if (e == ERR_OK)
		e = make_index(h, index);
	for (size_t i = 1; i < h->index[index].count && e == ERR_OK; i++) {
		if (strcmp(key_at(h, index, i - 1), key_at(h, index, i)) != 0)
			continue;
		h->usable[file][h->index[index].row[i]] = false;
		e = hsds_reject(h, file, h->index[index].row[i], column, TR("The id %1 stands in this file twice."));
	}
	return e == ERR_OK ? make_index(h, index) : e;
}

/* A row belongs to a service, a location or an organisation: the first that it names. */
static enum err check_owner(struct hsds *h, enum hsds_file file, size_t row)
{
	static const struct {
		const char *column;
		enum hsds_index index;
	} owners[] = {
		{ "service_id", SERVICE_BY_ID },
		{ "location_id", LOCATION_BY_ID },
		{ "organization_id", ORGANIZATION_BY_ID },
	};

	for (size_t i = 0; i < sizeof(owners) / sizeof(*owners); i++) {
		const char *key = hsds_cell(h, file, row, owners[i].column);

		if (*key == '\0')
			continue;
		if (hsds_row(h, owners[i].index, key) != 0)
			return ERR_OK;
		h->usable[file][row] = false;
		return hsds_reject(h, file, row, owners[i].column,
		                   TR("There is no row with the id %1 to join this to."));
	}
	h->usable[file][row] = false;
	if (*hsds_cell(h, file, row, "contact_id") != '\0')
		return hsds_reject(h, file, row, "contact_id",
		                   TR("This belongs to contact person %1. Contact persons are not imported."));
	return hsds_reject(h, file, row, "location_id", TR("This belongs to no service, location or organisation."));
}

static enum err check_phone(struct hsds *h, size_t row)
{
	const char *number = hsds_cell(h, PHONES, row, "number");
	size_t digits = 0;

	for (const char *p = number; *p != '\0'; p++)
		digits += *p >= '0' && *p <= '9';
	if (digits >= 3 && number[strspn(number, "0123456789 +-().#*/")] == '\0')
		return ERR_OK;
	h->usable[PHONES][row] = false;
	return hsds_reject(h, PHONES, row, "number", TR("This is not a telephone number: %1."));
}

static enum err check_schedule(struct hsds *h, size_t row)
{
	int opens = hours_time(hsds_cell(h, SCHEDULES, row, "opens_at"));
	int closes = hours_time(hsds_cell(h, SCHEDULES, row, "closes_at"));

	h->usable[SCHEDULES][row] = false;
	if (hours_weekday(hsds_cell(h, SCHEDULES, row, "weekday")) < 0)
		return hsds_reject(h, SCHEDULES, row, "weekday", TR("This is not a day of the week: %1."));
	if (opens < 0)
		return hsds_reject(h, SCHEDULES, row, "opens_at", TR("This is not a time: %1."));
	if (closes < 0)
		return hsds_reject(h, SCHEDULES, row, "closes_at", TR("This is not a time: %1."));
	if (closes <= opens)
		return hsds_reject(h, SCHEDULES, row, "closes_at",
		                   TR("The closing time %1 is not after the opening time."));
	h->usable[SCHEDULES][row] = true;
	return ERR_OK;
}

static enum err check_joined(struct hsds *h, enum hsds_file file)
{
	enum err e = ERR_OK;

	for (size_t row = 1; row < h->table[file].rows && e == ERR_OK; row++) {
		if (h->usable[file][row])
			e = check_owner(h, file, row);
		if (e == ERR_OK && h->usable[file][row] && file == PHONES)
			e = check_phone(h, row);
		if (e == ERR_OK && h->usable[file][row] && file == SCHEDULES)
			e = check_schedule(h, row);
	}
	return e;
}

// ---- Reading the folder ----

static enum err read_file(struct hsds *h, const struct hsds_folder *folder, enum hsds_file file)
{
	struct buf content = { 0 };
	int fd = -1;
	enum err e = folder->open(folder->ctx, h->ec, names[file], &fd);

	if (e != ERR_OK)
		return e;
	if (fd < 0 && file == SERVICES)
		return err_set(h->ec, ERR_NOT_FOUND,
		               "This folder has no file services.csv. Choose the folder with the CSV files.", NULL,
		               NULL, NULL);
	if (fd >= 0) {
		e = file_read_fd(h->ec, fd, names[file], CSV_FILE_MAX, &content);
		close(fd);
	}
	if (e == ERR_OK)
		e = csv_table_parse(h->ec, names[file], buf_bytes(&content), &h->table[file]);
	buf_free(&content);
	return e == ERR_OK ? check_shape(h, file) : e;
}

enum err hsds_load(struct hsds *h, const struct hsds_folder *folder)
{
	static const enum hsds_file joined[] = { PHONES, ADDRESSES, SCHEDULES };
	enum err e = ERR_OK;

	for (int file = 0; file < HSDS_FILES && e == ERR_OK; file++)
		e = read_file(h, folder, (enum hsds_file)file);
	for (int i = 0; i < HSDS_INDICES && e == ERR_OK; i++)
		if (indices[i].unique)
			e = check_ids(h, (enum hsds_index)i);
	for (size_t i = 0; i < sizeof(joined) / sizeof(*joined) && e == ERR_OK; i++)
		e = check_joined(h, joined[i]);
	for (int i = 0; i < HSDS_INDICES && e == ERR_OK; i++)
		if (!indices[i].unique)
			e = make_index(h, (enum hsds_index)i);
	return e;
}

void hsds_free(struct hsds *h)
{
	for (int i = 0; i < HSDS_FILES; i++) {
		csv_table_free(&h->table[i]);
		free(h->usable[i]);
	}
	for (int i = 0; i < HSDS_INDICES; i++)
		free(h->index[i].row);
	*h = (struct hsds){ 0 };
}
