/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * CSV (RFC 4180) in and out, over libcsv.
 *
 * Reading is strict about quotes and takes the whole file into memory. A byte order mark is skipped; comma, semicolon
 * or tab is the divider, whichever the first line has most of (spreadsheets set to Dutch write semicolons). Spaces
 * around an unquoted cell are not part of it; empty lines are not rows, but count in the row numbers.
 *
 * Writing gives UTF-8, commas, CR LF, every text cell in quotes. A text that starts with = + - @, a tab or a CR gets
 * an apostrophe in front, so that no spreadsheet takes it for a formula (OWASP, "CSV injection"); so does one that has
 * apostrophes and then one of these, so that csv_plain() always gives back what was written.
 */
#ifndef SLB_RENDER_CSV_H
#define SLB_RENDER_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define CSV_FILE_MAX (64 * 1024 * 1024)
#define CSV_CELL_MAX 65536
#define CSV_COLUMNS_MAX 256
#define CSV_ROWS_MAX 200000

struct csv_row {
	size_t number; /* as a spreadsheet counts: the first line of the file is 1 */
	size_t count;  /* cells */
	size_t first;  /* where its cells start in the table's */
	size_t bad;    /* the first cell, from 1, that is not text (UTF-8 without NUL); 0 where all are */
};

/* Zero-initialised it is empty and valid. */
struct csv_table {
	struct csv_row *row;
	size_t rows;
	size_t *cell; /* offsets into text */
	size_t cells;
	struct buf text;
};

/* `name` is for the error texts. ERR_INPUT, with file, row and column, where the bytes are no CSV or go over a limit
 * above; *out is empty after any failure. Cells that are not text are only marked (csv_row.bad) and read as "". */
enum err csv_table_parse(struct errctx *ec, const char *name, struct bytes content, struct csv_table *out) MUST_CHECK;
void csv_table_free(struct csv_table *table);

/* The text of a cell, "" where the row has no such cell; valid as long as the table. */
const char *csv_table_cell(const struct csv_table *table, size_t row, size_t column);
/* The column of row 0 with this name, case ignored, or SIZE_MAX. */
size_t csv_table_column(const struct csv_table *table, const char *name);

/* Appends one cell; `first` starts a row without a divider. */
enum err csv_put_text(struct buf *out, const char *text, bool first) MUST_CHECK;
enum err csv_put_number(struct buf *out, int64_t number, bool first) MUST_CHECK;
enum err csv_put_end(struct buf *out) MUST_CHECK;
/* The text without the apostrophe that csv_put_text() put in front. */
const char *csv_plain(const char *text);

#endif
