/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Rows out of single pages, for repair: no schema, no tree, no page above them is needed. The format is SQLite's
 * (https://www.sqlite.org/fileformat2.html, sections 1.5 to 1.6 and 2.1). Every row that a page holds is told; which
 * table it belongs to is seen by its columns, and whoever reads them checks what they say.
 */
#ifndef SLB_STORE_CARVE_H
#define SLB_STORE_CARVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define CARVE_COLUMNS 16

enum carved_type { CARVED_NULL, CARVED_INT, CARVED_TEXT, CARVED_BLOB, CARVED_OTHER };

struct carved_column {
	enum carved_type type;
	int64_t number;
	struct bytes bytes; /* of CARVED_TEXT and CARVED_BLOB */
};

/* Borrowed until the callback returns. */
struct carved_row {
	bool table;    /* of a table with row numbers; else of an index or a table without */
	int64_t rowid; /* of such a table */
	const struct carved_column *column;
	size_t n;
};

struct carver {
	/* Page `number`, `size` bytes of which `usable` hold content; false where it cannot be had. */
	bool (*page)(void *arg, uint32_t number, uint8_t *out);
	/* Anything but ERR_OK ends the carving and is returned. */
	enum err (*row)(void *arg, const struct carved_row *row);
	void *arg;
	size_t size;
	size_t usable;
};

/* The rows on one page; those whose overflow pages cannot be had, or that make no sense, are left out. `first`: page 1,
 * which starts with the file's header. */
enum err carve_page(const struct carver *c, const uint8_t *page, bool first) MUST_CHECK;

/* Does the row have exactly these columns? One character each: n NULL, i integer, t text, b blob; a capital letter in
 * place of "i" or "b" says: or NULL. */
bool carved_is(const struct carved_row *row, const char *types);

#endif
