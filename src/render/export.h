/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Everything of mine (app/export.h) as files for people and for programs: CSV with the JSON names as columns, one JSON
 * document that loses nothing, one HTML page without script or address, and a README. All are plain text for whoever
 * opens them. Equal states give equal bytes on one day.
 *
 * CSV is as render/csv.h writes it, so a text may have an apostrophe in front. Sets stand with commas between their
 * ids; a date is ISO 8601, yes and no are true and false, what is not known is empty.
 *
 * JSON: {"format": "sleutelbos-export", "version": 1, "made_on", "name", "spaces": [{"id", "name", "kind",
 * "neighbourhood", "members": [], "residents": [], "contacts": [], "referrals": [], "services": []}]}. A record is as
 * `show` prints it with --json, and "fields" beside it holds each live write as it is: {"field", "merge", "writes":
 * [{"edit", "author", "at", "value" | "raw" | "takes_back"}]}; raw is hexadecimal CBOR.
 */
#ifndef SLB_RENDER_EXPORT_H
#define SLB_RENDER_EXPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "app/export.h"
#include "render/lang.h"

enum export_file {
	EXPORT_README,
	EXPORT_HTML,
	EXPORT_LOG, /* conversations with their referrals: what `import` reads */
	EXPORT_CONTACTS_CSV,
	EXPORT_REFERRALS_CSV,
	EXPORT_EVENTS_CSV,
	EXPORT_RESIDENTS_CSV,
	EXPORT_SERVICES_CSV,
	EXPORT_MEMBERS_CSV,
	EXPORT_VERSIONS_CSV,
	EXPORT_JSON,
	EXPORT_FILES
};

const char *export_file_name(enum export_file f);
/* One sentence in TR() about what the file is. */
const char *export_file_about(enum export_file f);
/* Has it rows that are worth counting? */
bool export_file_counts(enum export_file f);

struct export_sink {
	enum lang lang;
	FILE *file[EXPORT_FILES]; /* the caller's; a failed write stays on the stream */
	size_t rows[EXPORT_FILES];
	bool (*stop)(void *ctx); /* asked now and then; may be NULL */
	void *ctx;
};

/* Writes all files from one state. ERR_LATER where it was stopped, ERR_NO_SPACE where a stream failed. */
enum err export_write(struct errctx *ec, struct app *app, struct export_sink *s) MUST_CHECK;

#endif
