/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The pages of a vault that is not open, one by one and without SQLite: for repair, where a single damaged page would
 * keep SQLite from all the others. Nothing on disk is changed.
 */
#ifndef SLB_VAULT_PAGES_H
#define SLB_VAULT_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "base/err.h"

/* Bytes of a page that hold content; the rest is the seal's. */
#define PAGES_USABLE 4056
#define PAGES_SIZE 4096

struct vault_pages;

struct pages_report {
	uint64_t pages;     /* of the database as its last commit left it */
	uint64_t bad_pages; /* do not open, or are missing */
	uint64_t frames;    /* of the log, that open */
	uint64_t bad_frames;
	bool log_cut;      /* the log ends before what vault.mark says was synced, or is gone, or is damaged */
	bool mark_missing; /* nothing tells how long the log must be */
	bool sum_known;
	bool sum_matches; /* else a page was replaced by an older one */
};

/* Takes the owner's lock of the vault in `dir`, carries out a swap that waits (vault/swap.h), and reads the log.
 * ERR_LATER: another program has it open. ERR_NOT_FOUND: there is none. ERR_DAMAGED: the key is another, or nothing is
 * left that tells which file this is. */
enum err vault_pages_open(struct errctx *ec, const char *dir, const uint8_t master[static 32], const struct rng *rng,
                          struct vault_pages **out) MUST_CHECK;
void vault_pages_close(struct vault_pages *p); /* accepts NULL */

uint32_t vault_pages_count(const struct vault_pages *p);
/* Page `number` (from 1) as the last whole commit left it, out of the log or the database. ERR_DAMAGED without text
 * where it does not open: `out` is zeroed then. */
enum err vault_pages_get(struct vault_pages *p, uint32_t number, uint8_t out[static PAGES_SIZE]) MUST_CHECK;

/* Whole frames of the log that lie beyond its damage, oldest first: transactions that were saved and that opening would
 * have to drop. *more is false past the last one. */
enum err vault_pages_stray(struct vault_pages *p, uint32_t *cursor, uint8_t out[static PAGES_SIZE],
                           bool *more) MUST_CHECK;

/* Looks at every page. */
enum err vault_pages_report(struct vault_pages *p, struct pages_report *out) MUST_CHECK;

#endif
