/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * From the words that directories elsewhere use (taxonomy terms, keywords, names of languages) to our own ids. The
 * words stand in one table in terms.c, English first, because HSDS files mostly are, then Dutch.
 */
#ifndef SLB_RENDER_TERMS_H
#define SLB_RENDER_TERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define TERMS_GROUPS 11
#define TERMS_DOMAINS 14

/* What the terms of one entry speak for. Zero-initialised it has heard nothing. */
struct terms {
	uint32_t votes[TERMS_GROUPS];
	bool domain[TERMS_DOMAINS];
};

/* A term matches a row of the table where the row's words stand in it, at the start of a word, case ignored; each
 * row that matches adds its domain and one vote for its group. */
void terms_hear(struct terms *terms, const char *term, size_t len);

/* The id of list group with most votes, of equals the one that stands first in schema/lists.def; "anders" without
 * any vote. */
const char *terms_group(const struct terms *terms);
/* Appends the ids of list domain that were spoken for, divided by commas, in the order of schema/lists.def. */
enum err terms_domains(const struct terms *terms, struct buf *out) MUST_CHECK;

/* The ISO 639 code of a language by its English or Dutch name, case ignored; NULL where it is not known. A code is
 * its own name. */
const char *terms_language(const char *name, size_t len);

/* Whether `id` is in the list of schema/lists.def: "group", "domain", "service_kind" ... */
bool terms_is_id(const char *list, const char *id, size_t len);

#endif
