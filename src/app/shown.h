/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Fields of a record as plain values for people: what shows, what else stands beside it, what is kept together.
 * Texts are the pool's. Functions that read give NULL, NO_DAY or false where there is nothing of that kind.
 */
#ifndef SLB_APP_SHOWN_H
#define SLB_APP_SHOWN_H

#include <stdint.h>

#include "app/check.h"
#include "app/pool.h"
#include "app/session.h"

#define ID_TEXT_LEN 36 /* an id as text, with its NUL */

/* One of several values that stand side by side in a field. */
struct version {
	size_t n;           /* from 1, newest first: what `versions pick` takes */
	const char **value; /* one text, or several that somebody kept together; none: taken away */
	size_t values;
	const char *author;
	int64_t at_ms;
};

struct field_versions {
	const char *field; /* name as in schema/records.def; "#17" for one this version does not know */
	const char *list;  /* of which the values are ids (app/labels.h); NULL: none */
	struct version *version;
	size_t versions;
	const char *proposal; /* the changes of all versions put together (app/proposal.h); NULL: there is none */
};

/* Values that somebody kept together; the first of them is what the record shows elsewhere. */
struct field_kept {
	const char *field;
	const char *list;
	const char **value;
	size_t values;
};

struct versions {
	struct field_versions *field;
	size_t fields;
	struct field_kept *kept;
	size_t kept_count;
};

struct record;
struct dot;
struct bytes;

const char *shown_id(struct pool *p, struct dot d);
const char *shown_text(struct pool *p, const struct record *r, uint32_t tag);
int64_t shown_day(const struct record *r, uint32_t tag);
bool shown_bool(const struct record *r, uint32_t tag);
struct dot shown_ref(const struct record *r, uint32_t tag); /* counter 0: none */
/* The id that the field refers to, as text. */
const char *shown_ref_id(struct pool *p, const struct record *r, uint32_t tag);
/* A set's elements: ids of the field's list in the order of that list, then what is not in it, as it stands (M3). */
struct words shown_set(struct pool *p, const struct record *r, uint32_t tag, enum list list);
/* Who wrote what shows, NULL where there is nothing. */
const char *shown_author(struct pool *p, struct app *app, const struct record *r, uint32_t tag);

/* Which fields have two versions, and which hold values that were kept together. */
enum err shown_versions(struct pool *p, struct app *app, const struct record *r, struct versions *out) MUST_CHECK;

/* --- fields of any kind; `def` is NULL for one that this version does not know (M3) --- */

struct field_def;
/* Its name, or "#17"; the list of which its values are ids, or NULL. */
const char *shown_field(struct pool *p, const struct field_def *def, uint32_t tag);
const char *shown_field_list(const struct field_def *def);
/* One value (a CBOR item) as text; NULL for null (taken away) and out of memory. */
const char *shown_value(struct pool *p, const struct field_def *def, struct bytes raw);
/* The values in one write of a REG or TEXT field. */
enum err shown_values(struct pool *p, const struct field_def *def, uint32_t tag, struct bytes raw, const char ***out,
                      size_t *count) MUST_CHECK;

#endif
