// SPDX-License-Identifier: EUPL-1.2
// What a table of earlier conversations says, and what is wrong with it. Nothing here knows the vault, so that parsers
// can be tried alone.
#include "app/import.h"

#include <stdio.h>
#include <string.h>

#include "model/id.h"

const char *import_column_name(enum import_column c)
{
	static const char *const names[IMPORT_COLUMN_COUNT] = {
#define X(column, type, list) [IMPORT_##column] = #column,
		IMPORT_COLUMNS(X)
#undef X
	};

	return names[c];
}

bool import_is_id(const char *text)
{
	struct dot d = { 0 };

	return dot_parse(text, &d);
}

enum err import_problem_add(struct import_log *log, size_t row, const char *column, const char *why, const char *more)
{
	struct import_problem *p = NULL;

	log->unusable++;
	if (log->problems == IMPORT_PROBLEMS_MAX)
		return ERR_OK;
	p = &log->problem[log->problems++];
	*p = (struct import_problem){
		.row = row, .column = pool_str(&log->pool, column), .why = why, .more = pool_str(&log->pool, more)
	};
	return log->pool.failed ? ERR_NO_MEMORY : ERR_OK;
}

enum err import_problems_error(struct errctx *ec, const struct import_log *log)
{
	const struct import_problem *first = &log->problem[0];
	char row[24];
	char all[24];

	snprintf(row, sizeof(row), "%zu", first->row);
	if (log->unusable == 1)
		return err_set_4(ec, ERR_INPUT, first->why,
		                 &(struct err_args){ { log->file, row, first->column, first->more } });
	snprintf(all, sizeof(all), "%zu", log->unusable);
	return err_set_4(ec, ERR_INPUT,
	                 "%1: %4 cells cannot be used, so nothing was changed. The first is in row %2, column %3.",
	                 &(struct err_args){ { log->file, row, first->column, all } });
}

void import_log_free(struct import_log *log)
{
	pool_free(&log->pool);
	*log = (struct import_log){ 0 };
}
