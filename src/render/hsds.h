/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Reads a folder of CSV files in the shape of the Human Services Data Specification 1.x (openreferral.org; the
 * columns are those of the Ohana API's files): services.csv joined with locations.csv, organizations.csv, phones.csv,
 * addresses.csv, regular_schedules.csv and taxonomy.csv. Only services.csv must be there.
 *
 * Each usable service becomes one entry. What belongs to the service itself comes before what belongs to its
 * location, and that before its organisation's (telephone, e-mail, website, opening hours, languages). Group and
 * domains follow from keywords and taxonomy by the table in render/terms.c.
 *
 * A row or cell that cannot be used is reported and the rest is imported: rows that are no text or have too many
 * cells, ids that are missing, double or unknown, services that are no longer offered, telephone numbers and times
 * that cannot be read, rows that belong to a contact person (those are not imported).
 */
#ifndef SLB_RENDER_HSDS_H
#define SLB_RENDER_HSDS_H

#include "app/directory.h"
#include "base/err.h"

/* The folder, by what opens a file in it: *fd is -1 where there is none of that name. A process that is confined cannot
 * open a file of a folder that somebody else opened. */
struct hsds_folder {
	enum err (*open)(void *ctx, struct errctx *ec, const char *name, int *fd);
	void *ctx;
};

/* *out is empty after a failure. ERR_NOT_FOUND where the folder has no
 * services.csv, ERR_INPUT where a file is no CSV or services.csv has no column id or name; a file other than
 * services.csv that lacks the columns it is joined by is ERR_INPUT too. */
enum err hsds_import(struct errctx *ec, const struct hsds_folder *folder, struct directory_import *out) MUST_CHECK;

#endif
