/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What can still be read of a store whose vault is damaged, and putting it into a new one.
 *
 * Three kinds of things are found:
 *   base     what cannot be fetched or worked out again: kept bytes, spaces, devices, epochs, undos, letters; each of
 *            them stands twice (004_spare.sql)
 *   history  signed batches and edits, from which everything else is made; sealed files on their way
 *   traces   how far each device's batches had been applied here, by whatever table says so
 * Nothing is trusted: batches are checked again by their signatures when they are applied, edits by their shape.
 */
#ifndef SLB_STORE_SALVAGE_H
#define SLB_STORE_SALVAGE_H

#include "store/store.h"
#include "vault/pages.h"

struct salvaged_batch {
	int64_t b; /* local device number * 2^40 + sequence */
	int64_t space;
	int64_t order; /* where its first edit stands in the log; INT64_MAX: it has none that could be read */
	struct buf signed_part;
};

struct salvaged_edit {
	int64_t n;   /* place in the log */
	int64_t dot; /* local device number * 2^40 + counter */
	int64_t space;
	uint64_t seq;
	struct buf bytes;
};

struct salvaged_file {
	int64_t space;
	char ref[REF_MAX + 1];
	char name[FILE_NAME_MAX + 1];
	uint64_t edits;
	bool sent;
	struct buf file;
};

struct salvaged_state {
	int64_t r;
	int64_t space;
	struct buf bytes;
};

struct salvaged_trace {
	int64_t device; /* local number */
	uint64_t seq;
};

struct salvaged_list {
	void *item;
	size_t n;
	size_t cap;
};

struct salvage {
	struct pages_report report;
	struct salvaged_list base;  /* private */
	struct salvaged_list batch; /* of struct salvaged_batch, ascending by `order`, then b */
	struct salvaged_list
	    edit; /* of struct salvaged_edit, ascending by dot; of several with one dot the last in the log */
	struct salvaged_list outgoing; /* of struct salvaged_file */
	struct salvaged_list waiting;  /* of struct salvaged_file */
	struct salvaged_list state;    /* of struct salvaged_state: what records came to */
	struct salvaged_list trace;    /* of struct salvaged_trace, one a device */
	struct salvaged_list aside;    /* private */
	struct salvaged_list branch;   /* private */
	struct salvaged_list meta;     /* private */
	int64_t mark[3];               /* private: spare_mark */
	bool mark_found;
	uint64_t gaps; /* edits that the log counts and that could not be read */
};

/* Reads every page. An error is one of this machine, not of the vault. Free with salvage_free(), also after one. */
enum err salvage_read(struct errctx *ec, struct vault_pages *pages, struct salvage *out) MUST_CHECK;
void salvage_free(struct salvage *s);

/* Puts the base, what was set aside and small things into a new, empty store. In a transaction. */
enum err salvage_restore(struct errctx *ec, struct store *s, const struct salvage *in) MUST_CHECK;
/* Puts back one of the outgoing files as it was, sent or not. In a transaction. */
enum err salvage_outgoing(struct errctx *ec, struct store *s, const struct salvaged_file *f) MUST_CHECK;
/* How far the branches `ref` that end in /`tag` were taken in (empty `tag`: all). In a transaction. */
enum err salvage_branches(struct errctx *ec, struct store *s, const struct salvage *in, const char *tag) MUST_CHECK;

#endif
