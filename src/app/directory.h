/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One entry of the directory (de wegwijzer) as people write it and files carry it: text in every field. The fields
 * are those of the record kind `service` in schema/records.def that an import or export may touch; the note among
 * key figures is not one of them, because it never leaves.
 *
 * What an import hands to app/: the entries it could use, and each row or cell that it could not.
 */
#ifndef SLB_APP_DIRECTORY_H
#define SLB_APP_DIRECTORY_H

#include <stddef.h>

#include "base/err.h"

/* X(field): the name of the member, of the column in a flat CSV and of the record's field. */
#define DIRECTORY_FIELDS(X)                                                                                            \
	X(name)                                                                                                        \
	X(organisation)                                                                                                \
	X(kind)                                                                                                        \
	X(group)                                                                                                       \
	X(domains)                                                                                                     \
	X(description)                                                                                                 \
	X(eligibility)                                                                                                 \
	X(documents)                                                                                                   \
	X(application)                                                                                                 \
	X(phone)                                                                                                       \
	X(email)                                                                                                       \
	X(website)                                                                                                     \
	X(address)                                                                                                     \
	X(hours)                                                                                                       \
	X(languages)                                                                                                   \
	X(cost)                                                                                                        \
	X(checked_on)                                                                                                  \
	X(source)

/* Each member is heap memory of its own; NULL and "" both mean that nothing is known.
 * kind: id of list service_kind. group: id of list group. domains: ids of list domain, divided by commas.
 * languages: ISO 639 codes divided by commas, or the word as it was written where no code is known.
 * hours: free text; made from schedules it is OpenStreetMap's opening_hours notation ("Mo-Fr 08:00-17:00").
 * checked_on: ISO 8601 date. source: where the entry came from and its id there ("hsds:12"), so that a second
 * import can find it again. */
struct directory_entry {
#define X(field) char *field;
	DIRECTORY_FIELDS(X)
#undef X
};

/* A row, or one cell of a row, that was not used. */
struct directory_reject {
	char *file;      /* name without its folder */
	size_t row;      /* as a spreadsheet counts: the header is row 1 */
	char *column;    /* name of the column; its number where it has no name */
	const char *why; /* static: an English sentence that is the key of its translation; %1 is `value` */
	char *value;     /* what stands there, cut to a line */
};

struct directory_import {
	struct directory_entry *entry;
	size_t entries;
	struct directory_reject *reject;
	size_t rejects;
};

/* The fields by number, for code that goes through them all. */
#define X(field) +1
enum { DIRECTORY_FIELD_COUNT = 0 DIRECTORY_FIELDS(X) };
#undef X
const char *directory_field_name(size_t field);
/* The member itself, so that it can be set: heap memory or NULL. */
char **directory_field(struct directory_entry *e, size_t field);

void directory_entry_clear(struct directory_entry *e);
void directory_import_clear(struct directory_import *import);

/* Appends; takes over what *e points to and leaves it empty. On ERR_NO_MEMORY *e is cleared too. */
enum err directory_import_add(struct directory_import *import, struct directory_entry *e) MUST_CHECK;
/* Appends; copies the texts, `value` cut at 120 bytes. */
enum err directory_import_reject(struct directory_import *import, const char *file, size_t row, const char *column,
                                 const char *why, const char *value) MUST_CHECK;

#endif
