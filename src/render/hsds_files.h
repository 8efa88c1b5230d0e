/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The files of an HSDS folder, checked and ready to be joined: the first half of render/hsds.c, and only for it.
 * Rows that cannot be used are reported while loading; what hsds_find() gives is usable.
 */
#ifndef SLB_RENDER_HSDS_FILES_H
#define SLB_RENDER_HSDS_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "app/directory.h"
#include "base/err.h"
#include "render/csv.h"
#include "render/hsds.h"

enum hsds_file { SERVICES, LOCATIONS, ORGANIZATIONS, PHONES, ADDRESSES, SCHEDULES, TAXONOMY, HSDS_FILES };

/* How rows are looked up. */
enum hsds_index {
	SERVICE_BY_ID,
	LOCATION_BY_ID,
	ORGANIZATION_BY_ID,
	TERM_BY_ID,
	PHONE_BY_SERVICE,
	PHONE_BY_LOCATION,
	PHONE_BY_ORGANIZATION,
	ADDRESS_BY_LOCATION,
	SCHEDULE_BY_SERVICE,
	SCHEDULE_BY_LOCATION,
	HSDS_INDICES
};

/* Row numbers of a table, in the order of the file; borrowed. Row 0 is the header. */
struct hsds_rows {
	const size_t *row;
	size_t count;
};

struct hsds {
	struct errctx *ec;
	struct directory_import *out; /* takes the rejects */
	struct csv_table table[HSDS_FILES];
	bool *usable[HSDS_FILES]; /* per row */
	struct {
		size_t *row; /* usable rows sorted by key, then by row */
		size_t count;
		size_t column;
	} index[HSDS_INDICES];
};

/* Start with `struct hsds h = { .ec = ec, .out = out }`; errors as hsds_import(). hsds_free() after failures too. */
enum err hsds_load(struct hsds *h, const struct hsds_folder *folder) MUST_CHECK;
void hsds_free(struct hsds *h);

/* "" where the file has no such column; valid until hsds_free(). */
const char *hsds_cell(const struct hsds *h, enum hsds_file file, size_t row, const char *column);
/* All rows with this key; none for "". */
struct hsds_rows hsds_find(const struct hsds *h, enum hsds_index index, const char *key);
/* The first of them, or 0. */
size_t hsds_row(const struct hsds *h, enum hsds_index index, const char *key);

/* Reports a cell, with its text as the value; and with another value. */
enum err hsds_reject(struct hsds *h, enum hsds_file file, size_t row, const char *column, const char *why) MUST_CHECK;
enum err hsds_reject_value(struct hsds *h, enum hsds_file file, size_t row, const char *column, const char *why,
                           const char *value) MUST_CHECK;

enum err hsds_no_memory(struct errctx *ec);

#endif
