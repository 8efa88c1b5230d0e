/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A release: the tables of one quarter as everybody may see them. Made from totals by disclosure control; a hidden cell
 * carries nothing but that it is hidden (D5).
 *
 * Body (CBOR):
 *   [1, plan hash, manifest hash, period, tables version, level or null, [count or null...],
 *    [A, B, C, D], shown, [from, to], checked, method]
 *   counts  the cells that some table shows at that level, in the order of tally_cells(); null is hidden
 *   A..D    0 not run, 1 passed; a release never holds a failed audit
 *   shown   thousandths of the count in inner cells that the release shows, as sdc_release_share() may tell it
 *   from/to the band that the number of circles is in; to is 0 where it has no end
 *   checked more than t sums agreed
 *   method  "sdc-1": rules and audits as docs/DISCLOSURE.md has them
 */
#ifndef SLB_TALLY_RELEASE_H
#define SLB_TALLY_RELEASE_H

#include <stdbool.h>

#include "disclose/disclose.h"
#include "tally/sum.h"
#include "tally/tables.h"

#define RELEASE_METHOD "sdc-1"
#define RELEASE_NO_LEVEL SIZE_MAX
#define RELEASE_SHARE_PERCENT 80
#define RELEASE_MIN_CIRCLES 3 /* behind a count that is shown */

struct release_cell {
	struct tally_cell at;
	bool hidden;
	uint64_t count; /* 0 where hidden */
};

enum release_check { RELEASE_NOT_RUN = 0, RELEASE_PASSED = 1 };

struct release {
	struct quarter period;
	uint8_t plan[HASH_LEN];
	uint8_t manifest[HASH_LEN];
	size_t level; /* of tally_levels(), or RELEASE_NO_LEVEL: no level shows enough, there are no cells */
	struct release_cell *cell;
	size_t cells;
	enum release_check audit[4]; /* A, B, C, D */
	uint32_t shown;              /* thousandths */
	uint32_t band[2];
	bool checked;
};

struct release_in {
	const struct totals *totals;
	const uint8_t *manifest; /* HASH_LEN bytes */
	uint64_t circles;
	struct sdc_limits limits;
};

/* Disclosure control over all tables at the finest level that shows enough, audited. ERR_REFUSED when no pattern could
 * be audited; ERR_DAMAGED when tables disagree over a margin. free with release_free(). */
enum err release_make(const struct plan *p, const struct release_in *in, struct release *out,
                      struct errctx *ec) MUST_CHECK;
void release_free(struct release *r);

enum err release_put(const struct release *r, struct buf *body) MUST_CHECK;
/* ERR_DAMAGED for anything release_put() would not write; ERR_LATER for tables of a newer version. */
enum err release_parse(struct bytes body, struct release *out, struct errctx *ec) MUST_CHECK;

/* The band that a number of circles falls in. */
void release_band(uint64_t circles, uint32_t band[static 2]);

#endif
