/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The store: the log of edits, what they come to, and plain tables for queries, in one transaction.
 *
 * It holds other layers' secrets as "kept" bytes without knowing what they are, and it never sees a network.
 * All calls are for one thread. Functions that change something must run between store_begin() and store_commit();
 * after any error call store_rollback(). Rows are plain structs that the caller owns; lists are malloc()ed.
 */
#ifndef SLB_STORE_STORE_H
#define SLB_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/record.h"
#include "vault/vault.h"

struct store;

/* Counters and batch numbers end here: a dot is one integer in the store, and 40 bits of it are the number. */
#define STORE_NUMBER_MAX ((1ULL << 40) - 1)

/* Brings the schema up to date. The vault stays the caller's and must outlive the store. */
enum err store_open(struct errctx *ec, struct vault *vault, struct store **out) MUST_CHECK;
void store_close(struct store *s);

enum err store_begin(struct errctx *ec, struct store *s) MUST_CHECK;
enum err store_commit(struct errctx *ec, struct store *s) MUST_CHECK; /* rolls back when it fails */
void store_rollback(struct store *s);                                 /* fine without a transaction */

/* --- small things --- */

/* Never a secret: backups take all of it along. */
enum err store_meta_put(struct errctx *ec, struct store *s, const char *name, struct bytes value) MUST_CHECK;
enum err store_meta_get(struct errctx *ec, struct store *s, const char *name,
                        struct buf *out) MUST_CHECK; /* NOT_FOUND */

/* Bytes that other layers keep here, by space (0: none) and name. */
enum err store_kept_put(struct errctx *ec, struct store *s, int64_t space, const char *name,
                        struct bytes value) MUST_CHECK;
enum err store_kept_get(struct errctx *ec, struct store *s, int64_t space, const char *name,
                        struct buf *out) MUST_CHECK; /* ERR_NOT_FOUND without text */
enum err store_kept_delete(struct errctx *ec, struct store *s, int64_t space, const char *name) MUST_CHECK;
/* Calls `each` for every name that starts with `prefix`, in order; stops at the first error. */
typedef enum err (*store_kept_fn)(void *arg, const char *name, struct bytes value);
enum err store_kept_each(struct errctx *ec, struct store *s, int64_t space, const char *prefix, store_kept_fn each,
                         void *arg) MUST_CHECK;

/* All of it; store_kept_free() the rows. */
struct kept_row {
	int64_t space;
	char *name;
	struct buf bytes;
};
enum err store_kept_all(struct errctx *ec, struct store *s, struct kept_row **out, size_t *count) MUST_CHECK;
void store_kept_free(struct kept_row *rows, size_t count);
/* These rows take the place of all that is kept; not a byte of what went stays in the database, of what was deleted
 * before neither (the log still holds it until it is truncated). */
enum err store_kept_replace(struct errctx *ec, struct store *s, const struct kept_row *rows, size_t count) MUST_CHECK;

/* Destroying a key (K3). A row that is deleted or replaced leaves copies of its bytes behind: in the log, and in the
 * gaps of pages where SQLite once moved it. So, in this order: in the transaction that deletes or replaces it,
 * store_forget_ask(); after its commit, store_forget(): once it returns ERR_OK, no file of the vault holds a byte of
 * what went. Where it fails, or the power does, the wish stays: store_forget() is called again at the next opening
 * (app/session.c). It writes all that is kept anew and empties the log; with nothing asked it does nothing. Neither
 * reaches what lies outside the vault's files: backups, copies, `damaged-` folders, blocks that a disk keeps. Outside a
 * transaction. */
enum err store_forget_ask(struct errctx *ec, struct store *s) MUST_CHECK;
/* The same of rows of any table (the log, batches, records, the search index): all pages are written anew. */
enum err store_forget_ask_all(struct errctx *ec, struct store *s) MUST_CHECK;
/* Is a wish open still? */
enum err store_forget_due(struct errctx *ec, struct store *s, bool *due) MUST_CHECK;
enum err store_forget(struct errctx *ec, struct store *s) MUST_CHECK;

/* --- spaces and devices --- */

#define SPACE_NAME_MAX 120
#define REMOTE_MAX 1024

/* SPACE_GONE: an own space that gave way to that of another device of the same person (sync/own.h), or what stood for a
 * neighbourhood that one asked to join and is in by other means. */
enum space_state { SPACE_ASKED = 0, SPACE_MEMBER = 1, SPACE_GONE = 2 };

struct space_row {
	int64_t n; /* local number, from 1 */
	struct space_id id;
	enum space_kind kind;
	char name[SPACE_NAME_MAX + 1];
	struct tag tag;
	int64_t neighbourhood; /* n of the space it syncs with; its own n for a neighbourhood; 0: none */
	struct device_id me;
	struct tag my_tag;
	enum space_state state;
	char remote[REMOTE_MAX + 1];
};

enum err store_space_add(struct errctx *ec, struct store *s, struct space_row *row) MUST_CHECK; /* sets n */
enum err store_space_update(struct errctx *ec, struct store *s, const struct space_row *row) MUST_CHECK;
enum err store_space_delete(struct errctx *ec, struct store *s, int64_t n) MUST_CHECK;
enum err store_space_list(struct errctx *ec, struct store *s, struct space_row **out, size_t *count) MUST_CHECK;
/* ERR_NOT_FOUND without text. */
enum err store_space_get(struct errctx *ec, struct store *s, int64_t n, struct space_row *out) MUST_CHECK;

#define DEVICE_KEY_LEN 32

enum device_state { DEVICE_NAMED = 0, DEVICE_ACTIVE = 1, DEVICE_RESTING = 2, DEVICE_REMOVED = 3 };

struct device_row {
	int64_t n;
	int64_t space;
	struct device_id id;
	struct tag tag;
	uint8_t sign[DEVICE_KEY_LEN]; /* public signing key; meaningless while DEVICE_NAMED */
	uint8_t box[DEVICE_KEY_LEN];
	struct dot member; /* the person's record */
	enum device_state state;
};

enum err store_device_by_id(struct errctx *ec, struct store *s, struct device_id id,
                            struct device_row *out) MUST_CHECK; /* ERR_NOT_FOUND without text */
/* Adds a device or fills in what was only named. A device that is known keeps its keys, tag and state: whoever names it
 * again can only add whose it is, where that is not known. */
enum err store_device_put(struct errctx *ec, struct store *s, struct device_row *row) MUST_CHECK; /* sets n */
enum err store_device_list(struct errctx *ec, struct store *s, int64_t space, struct device_row **out,
                           size_t *count) MUST_CHECK;
/* Writes whose a known device is, its box key, tag and state, as membership makes them (row->n and space tell which).
 */
enum err store_device_stand(struct errctx *ec, struct store *s, const struct device_row *row) MUST_CHECK;

/* --- contexts and batches --- */

/* What is applied here of every device of a space, one's own sealed batches included. */
enum err store_vector(struct errctx *ec, struct store *s, int64_t space, struct vv *out) MUST_CHECK;
/* The whole context of a device's last applied batch; empty when there is none. */
enum err store_context(struct errctx *ec, struct store *s, struct device_id dev, struct vv *out) MUST_CHECK;
/* Up to which batch of `of` the author had seen when it sealed this one, which is applied; 0: none. */
enum err store_seen_at(struct errctx *ec, struct store *s, struct device_id author, uint64_t seq, struct device_id of,
                       uint64_t *out) MUST_CHECK;
/* Notes that a batch names another number of a device than the one before it. store_batch_applied() does it; for
 * batches that an earlier version applied. */
enum err store_seen_put(struct errctx *ec, struct store *s, int64_t space, struct dot batch,
                        struct dot names) MUST_CHECK;
/* Of one applied batch: its last counter and its hash. ERR_NOT_FOUND without text. */
enum err store_batch_get(struct errctx *ec, struct store *s, struct device_id dev, uint64_t seq, uint64_t *counter,
                         uint8_t hash[static 32]) MUST_CHECK;
/* Records a batch as applied (or as sealed, for one's own): its signed part, its whole context. */
struct applied_batch {
	int64_t space;
	struct device_id dev;
	uint64_t seq;
	uint64_t counter;    /* of the last edit in it, or of the one before it */
	const uint8_t *hash; /* 32 bytes */
	struct bytes signed_part;
	const struct vv *context;
};
/* What changed in the context of a batch that is about to be applied, before its edits are: folding some of them asks
 * for it. store_batch_applied() does it too. */
enum err store_seen_note(struct errctx *ec, struct store *s, const struct applied_batch *b) MUST_CHECK;
enum err store_batch_applied(struct errctx *ec, struct store *s, const struct applied_batch *b) MUST_CHECK;

/* --- membership: kept for sync/membership.h --- */

/* What a batch says of who belongs to its space, and the whole context of the batch. */
enum err store_acts_put(struct errctx *ec, struct store *s, int64_t space, struct device_id dev, uint64_t seq,
                        const struct vv *context, struct bytes acts) MUST_CHECK;
/* Of every such batch of a space, by device and number. What is borrowed lives until the function returns. */
typedef enum err (*store_acts_fn)(void *arg, struct device_id dev, uint64_t seq, const struct vv *context,
                                  struct bytes acts);
enum err store_acts_each(struct errctx *ec, struct store *s, int64_t space, store_acts_fn each, void *arg) MUST_CHECK;

/* --- forks: kept for sync/forks.h --- */

/* A signed batch that is not on the line of its device which is applied here. */
struct fork_row {
	struct device_id dev;
	uint64_t seq;
	uint8_t hash[32];
	uint8_t prev[32];
	uint64_t common;  /* the last batch before it that is applied here; 0: none */
	uint64_t counter; /* of the last edit in it, or of the one before it */
};
/* `context`: what it says to have seen beyond the one before it. In a transaction. The same again changes nothing. */
enum err store_fork_put(struct errctx *ec, struct store *s, int64_t space, const struct fork_row *row,
                        const struct vv *context, struct bytes signed_part) MUST_CHECK;
/* Is there any, in any space? */
enum err store_fork_any(struct errctx *ec, struct store *s, bool *any) MUST_CHECK;
/* By the whole hash or its first bytes. ERR_NOT_FOUND without text. */
enum err store_fork_get(struct errctx *ec, struct store *s, struct device_id dev, uint64_t seq, struct bytes hash,
                        struct fork_row *out) MUST_CHECK;
/* Appends the signed part, and sets the context; either may be NULL. ERR_NOT_FOUND without text. */
enum err store_fork_parts(struct errctx *ec, struct store *s, const struct fork_row *which, struct buf *signed_part,
                          struct vv *context) MUST_CHECK;
/* All of a space, each device's causes first. free() the list. */
enum err store_fork_list(struct errctx *ec, struct store *s, int64_t space, struct fork_row **out,
                         size_t *count) MUST_CHECK;
/* The lowest number under which the device signed two batches; 0: none is known. */
enum err store_forked(struct errctx *ec, struct store *s, struct device_id dev, uint64_t *from) MUST_CHECK;
/* What this device told of one that forked, or may have. */
struct fork_told {
	uint64_t proven; /* the number of which a proof was sealed; 0: none */
	uint64_t first;  /* batches from this one on are to be handed out; 0: none */
	uint64_t handed; /* those from this one on were; 0: none */
};
enum err store_fork_told(struct errctx *ec, struct store *s, struct device_id dev, struct fork_told *out) MUST_CHECK;
enum err store_fork_tell(struct errctx *ec, struct store *s, int64_t space, struct device_id dev,
                         const struct fork_told *t) MUST_CHECK;
/* Devices of which batches are to be handed out and were not. free() the list. */
enum err store_fork_owed(struct errctx *ec, struct store *s, int64_t space, struct device_id **out,
                         size_t *count) MUST_CHECK;
/* What an author last said to have seen of a device on another line: number and hash count, the counter is 0. */
enum err store_claim_put(struct errctx *ec, struct store *s, int64_t space, struct device_id author,
                         const struct vv_entry *of) MUST_CHECK;
enum err store_claims(struct errctx *ec, struct store *s, struct device_id author, struct vv *out) MUST_CHECK;

/* An edit stands in the log and does not count; or does so again. The caller folds its record again. */
enum err store_void_set(struct errctx *ec, struct store *s, struct dot edit, bool is_void) MUST_CHECK;

/* Every edit of a space in the order of the log. */
struct space_edit {
	struct dot record;
	uint64_t seq; /* the batch; 0: not sealed yet */
	bool is_void;
	struct bytes bytes; /* edit_put()'s */
};
typedef enum err (*store_space_edit_fn)(void *arg, struct dot dot, const struct space_edit *edit);
enum err store_space_edits(struct errctx *ec, struct store *s, int64_t space, store_space_edit_fn each,
                           void *arg) MUST_CHECK;
/* The kind that a record was made with, whether that edit counts or not. ERR_NOT_FOUND without text. */
enum err store_kind_made(struct errctx *ec, struct store *s, struct dot record, uint32_t *kind) MUST_CHECK;

/* --- edits --- */

/* What a person wrote: a new record of `kind`, or more about `target`. */
struct change {
	int64_t space;
	uint32_t kind; /* KIND_none: about `target` */
	struct dot target;
	const struct write *writes; /* ascending by tag */
	size_t write_count;
	const struct seen *seen; /* the token with which it was read; NULL: everything applied here */
	size_t seen_count;
};

/* May this home write in the space? ERR_REFUSED with a sentence where it was removed, ERR_LATER where it is not in yet.
 * store_write() asks this itself. */
enum err store_may_write(struct errctx *ec, struct store *s, int64_t space) MUST_CHECK;
/* Appends an edit of one's own and applies it. Gives its dot (the record's id where it is new). */
enum err store_write(struct errctx *ec, struct store *s, const struct change *change, int64_t now_ms,
                     struct dot *out) MUST_CHECK;
/* Appends an edit of one's own as it was written before and not sealed yet, under the same dot and clock: the next one
 * there must be (store_next_dot()). It has seen what is applied here, lowered by its own `seen`. For repair. */
enum err store_write_again(struct errctx *ec, struct store *s, int64_t space, const struct edit *edit) MUST_CHECK;
/* The same with what its author had seen then: `context`, lowered by the edit's own `seen`. */
enum err store_write_seen(struct errctx *ec, struct store *s, int64_t space, const struct edit *edit,
                          const struct vv *context) MUST_CHECK;
/* The dot that the next edit of one's own in this space will have. */
enum err store_next_dot(struct errctx *ec, struct store *s, int64_t space, struct dot *out) MUST_CHECK;
/* Applies an edit of another device, from batch `seq`. ERR_DAMAGED when it is about no record of this space. */
enum err store_apply(struct errctx *ec, struct store *s, int64_t space, const struct edit *edit, struct context ctx,
                     uint64_t seq, int64_t now_ms) MUST_CHECK;
/* The same of one that does not count: it stands in the log and comes to nothing (store_void_set()). */
enum err store_apply_void(struct errctx *ec, struct store *s, int64_t space, const struct edit *edit,
                          struct context ctx, uint64_t seq, int64_t now_ms) MUST_CHECK;
/* The edits of one's own that are in no batch yet, ascending; each is edit_put()'s bytes. */
typedef enum err (*store_edit_fn)(void *arg, struct bytes edit);
enum err store_unsealed_each(struct errctx *ec, struct store *s, int64_t space, store_edit_fn each,
                             void *arg) MUST_CHECK;
enum err store_unsealed_count(struct errctx *ec, struct store *s, int64_t space, uint64_t *out) MUST_CHECK;
/* All of them up to and including the edit `last` are now in batch `seq`. */
enum err store_mark_sealed(struct errctx *ec, struct store *s, int64_t space, struct dot last, uint64_t seq) MUST_CHECK;

/* One edit as the log holds it. */
struct logged {
	struct edit edit; /* borrows from `bytes` and `pool` */
	uint64_t past;    /* edits in its causal past */
	uint64_t seq;     /* the batch of its device that carries it; 0: one's own, not sealed yet */
	bool undoes;      /* made by undo on this device */
	bool undone;      /* taken back by undo on this device */
	bool is_void;     /* does not count: beyond a removal, or beyond the role of its author */
	struct body pool;
	struct buf bytes;
};
struct record_log {
	struct logged *item;
	size_t n;
	size_t cap;
};
/* The edits of a record in the order in which they were applied here: causes first. ERR_NOT_FOUND without text. */
enum err store_log_of(struct errctx *ec, struct store *s, struct dot record, struct record_log *out) MUST_CHECK;
void store_log_free(struct record_log *log);
/* Appends the signed part of an applied or sealed batch. ERR_NOT_FOUND without text. */
enum err store_batch_signed(struct errctx *ec, struct store *s, struct device_id dev, uint64_t seq,
                            struct buf *out) MUST_CHECK;
/* The newest edit of this device to a resident, contact, referral or service that is neither undone nor an undo:
 * to `record`, or to any (dot without a counter). *of is its record. ERR_NOT_FOUND without text. */
enum err store_own_last(struct errctx *ec, struct store *s, struct dot record, struct dot *edit,
                        struct dot *of) MUST_CHECK;
/* Remembers that the edit `edit` takes back the edit `undone`; both are this device's. */
enum err store_undo_put(struct errctx *ec, struct store *s, struct dot edit, struct dot undone) MUST_CHECK;

/* Walks the keyed chain over the whole log (V5) and reads every record's state; *bad counts the links and records
 * that are not as they were written. */
enum err store_verify(struct errctx *ec, struct store *s, uint64_t *edits, uint64_t *bad) MUST_CHECK;

/* Makes every link of the chain anew with the key of this store's vault, in steps of one transaction each: for a copy
 * of a vault under another master key, before it is used. Check the original with store_verify() first: here nothing is
 * compared. `step` is told how many links are made; false stops it with ERR_LATER. NULL: nobody is told. */
typedef bool (*store_step_fn)(void *arg, uint64_t done);
enum err store_rechain(struct errctx *ec, struct store *s, store_step_fn step, void *arg) MUST_CHECK;
/* Do both hold the same, row by row in every table, but for the links of the chain? ERR_DAMAGED: they differ. Memory
 * does not grow with what they hold. `step` is told how many rows were compared. */
enum err store_same(struct errctx *ec, struct store *a, struct store *b, store_step_fn step, void *arg) MUST_CHECK;
/* Every record of a space that the log or the table of records names, in the order of their keys. */
struct dots;
enum err store_records_known(struct errctx *ec, struct store *s, int64_t space, struct dots *out) MUST_CHECK;
/* Appends a record's state as it is kept. ERR_NOT_FOUND without text. */
enum err store_state(struct errctx *ec, struct store *s, struct dot id, struct buf *out) MUST_CHECK;
/* Writes a record that was folded again, with its plain rows and its search entry; takes away one that has no edits. In
 * a transaction. */
enum err store_record_put(struct errctx *ec, struct store *s, int64_t space, const struct record *r) MUST_CHECK;
enum err store_record_delete(struct errctx *ec, struct store *s, struct dot id) MUST_CHECK;
/* Makes every plain row and search entry anew from the records. In a transaction. */
enum err store_project_again(struct errctx *ec, struct store *s) MUST_CHECK;

/* The chain alone, in steps: starts zeroed, goes on where edits were added. ERR_DAMAGED without text: a link is not as
 * it was written. */
struct store_walk {
	bool at_end;  /* as of the last step */
	int64_t next; /* private from here on */
	uint64_t chains;
	uint8_t link[VAULT_CHAIN_LEN];
};
enum err store_walk_step(struct errctx *ec, struct store *s, struct store_walk *w, unsigned links) MUST_CHECK;
/* The last links, and in every space one's own newest batch and unsealed edits against how far one's own batches are
 * said to go: so that no number is ever given out twice. ERR_DAMAGED without text. */
enum err store_tail_check(struct errctx *ec, struct store *s, unsigned links) MUST_CHECK;

/* --- going on under another id: for sync/again.h; all within a transaction --- */

/* Takes back the batches of a device above `last` (its number, last counter and hash; seq 0: all of them): nobody else
 * has them. Their edits are not sealed any more; `context` is the whole context of `last`. */
enum err store_unpublish(struct errctx *ec, struct store *s, int64_t space, const struct vv_entry *last,
                         const struct vv *context) MUST_CHECK;
/* Takes every edit that is not sealed out of the log of a space, and gives them in its order. What they came to is
 * still in their records: the caller folds those again. Makes the links behind them anew (V5). */
struct taken_edit {
	int64_t n; /* the place that it had */
	struct dot dot;
	struct dot undone; /* which edit it took back on this device; none */
	struct buf bytes;  /* edit_put()'s */
};
enum err store_take_out(struct errctx *ec, struct store *s, int64_t space, struct taken_edit **out,
                        size_t *count) MUST_CHECK;
void store_taken_free(struct taken_edit *list, size_t count);
/* Outgoing files of a space that were not sent, whose names start so. */
enum err store_outgoing_drop(struct errctx *ec, struct store *s, int64_t space, const char *prefix) MUST_CHECK;
/* Every branch of a neighbourhood will be told from its beginning again. */
enum err store_branch_forget(struct errctx *ec, struct store *s, int64_t neighbourhood) MUST_CHECK;

/* --- epochs --- */

enum epoch_state { EPOCH_KEY_ONLY = 0, EPOCH_OPEN = 1, EPOCH_CLOSED = 2 };

struct epoch_row {
	struct epoch_id id;
	int64_t space;
	struct device_id creator;
	uint64_t removals_seen;
	enum epoch_state state;
	uint64_t rank;
};

enum err store_epoch_put(struct errctx *ec, struct store *s, const struct epoch_row *row) MUST_CHECK;
/* Highest rank first. */
enum err store_epoch_list(struct errctx *ec, struct store *s, int64_t space, struct epoch_row **out,
                          size_t *count) MUST_CHECK;

/* --- erasing and compacting (sync/erasing.h, sync/compaction.h) --- */

enum erasure_what {
	ERASURE_ERASES = 1,
	ERASURE_CONTESTS = 2,
	ERASURE_AGREES = 3,
	ERASURE_BY_TERM = 4, /* erases, under the retention rule of its space */
};

/* An edit that erases a record. */
struct erasure_row {
	struct dot edit;
	struct dot record;
	int64_t at_ms;  /* when it came here */
	uint64_t seq;   /* its batch; 0: not sealed yet, or final */
	bool final;     /* not in the log any more: nothing brings the record back */
	bool is_void;   /* does not count */
	bool contested; /* by an edit that counts */
	bool by_term;   /* under the retention rule of its space */
};
/* In the order in which they came here; free() the list. */
enum err store_erasures(struct errctx *ec, struct store *s, int64_t space, struct erasure_row **out,
                        size_t *count) MUST_CHECK;
/* What was said of an erase by an edit in the log that counts. */
struct word_row {
	struct dot by;    /* the edit that says it */
	struct dot named; /* the erasing edit */
	uint64_t seq;     /* the batch of `by`; 0: not sealed yet */
	bool contests;    /* false: agrees */
};
enum err store_erasure_words(struct errctx *ec, struct store *s, int64_t space, struct word_row **out,
                             size_t *count) MUST_CHECK;
/* Nothing of what the search index knew stays in it. */
enum err store_search_optimize(struct errctx *ec, struct store *s) MUST_CHECK;

/* Where the log of a space begins: everything at or below `at` was replaced by what its records came to. */
struct base {
	bool is;          /* false: the log is whole */
	uint64_t round;   /* of the proposal */
	uint8_t hash[32]; /* of the snapshot */
	struct vv at;     /* up to which batch of each device; with counters and hashes */
};
/* vv_free() its vector. */
enum err store_base(struct errctx *ec, struct store *s, int64_t space, struct base *out) MUST_CHECK;
/* Appends what a record came to there. ERR_NOT_FOUND without text. */
enum err store_base_state(struct errctx *ec, struct store *s, struct dot record, struct buf *out) MUST_CHECK;
typedef enum err (*store_base_fn)(void *arg, struct dot record, struct bytes state);
enum err store_base_each(struct errctx *ec, struct store *s, int64_t space, store_base_fn each, void *arg) MUST_CHECK;
/* Takes out of the log everything at or below the new base (edits, the signed parts of batches; numbers, hashes, what
 * their authors had seen and what they said of membership stay), and puts these states in its place. What is erased
 * there is final. Asks that nothing of it stays in any file (store_forget()). In a transaction. */
struct base_item {
	struct dot record;
	struct bytes state;
};
enum err store_compact(struct errctx *ec, struct store *s, int64_t space, const struct base *base,
                       const struct base_item *item, size_t n) MUST_CHECK;
/* For who goes on from a snapshot: everything of a space goes out of the log, the records, and what is known of
 * batches; then its batches are there by number, counter and hash, and their last contexts. In a transaction. */
enum err store_space_reset(struct errctx *ec, struct store *s, int64_t space) MUST_CHECK;
enum err store_batch_skeleton(struct errctx *ec, struct store *s, int64_t space, struct dot batch, uint64_t counter,
                              const uint8_t hash[static 32]) MUST_CHECK;
enum err store_head_put(struct errctx *ec, struct store *s, int64_t space, const struct vv_entry *head,
                        const struct vv *context) MUST_CHECK;
/* Of one device, what changed in its contexts up to batch `upto`, by the other device and in order. */
typedef enum err (*store_seen_fn)(void *arg, struct dot batch, struct dot names);
enum err store_seen_each(struct errctx *ec, struct store *s, struct device_id author, uint64_t upto, store_seen_fn each,
                         void *arg) MUST_CHECK;
/* What the author of a logged edit had seen, by the tables; vv_free() it. */
enum err store_logged_context(struct errctx *ec, struct store *s, int64_t space, const struct logged *l,
                              struct vv *out) MUST_CHECK;

/* --- files on their way --- */

#define REF_MAX 120
#define FILE_NAME_MAX 64

struct file_row {
	int64_t n;
	int64_t space;
	char ref[REF_MAX + 1];
	char name[FILE_NAME_MAX + 1];
	uint64_t edits;  /* outgoing only */
	struct buf file; /* buf_free() it */
};
void store_files_free(struct file_row *list, size_t count);

/* A second file of the same ref and name is ignored. */
enum err store_outgoing_put(struct errctx *ec, struct store *s, int64_t space, const char *ref, const char *name,
                            struct bytes file, uint64_t edits) MUST_CHECK;
enum err store_outgoing_list(struct errctx *ec, struct store *s, struct file_row **out, size_t *count) MUST_CHECK;
/* What was sent on a branch, in the order in which it was sealed; of most only the name is left. */
enum err store_outgoing_was_sent(struct errctx *ec, struct store *s, const char *ref, struct file_row **out,
                                 size_t *count) MUST_CHECK;
/* Letters about joining, sent or not, of which the bytes are here. */
enum err store_letters_list(struct errctx *ec, struct store *s, struct file_row **out, size_t *count) MUST_CHECK;
/* What was sent is to be sent again as it was: only where its bytes are still here, as those of letters are. */
enum err store_outgoing_unsend(struct errctx *ec, struct store *s, const char *ref, const char *name) MUST_CHECK;
/* It never was sent, as far as is known here, and may be put again under that name. */
enum err store_outgoing_forget(struct errctx *ec, struct store *s, const char *ref, const char *name) MUST_CHECK;
/* Only for what the remote was seen to hold (S2). Of letters about joining the bytes stay: nobody could write those
 * again; of those for a recovery sheet the newest alone. */
enum err store_outgoing_sent(struct errctx *ec, struct store *s, const char *ref, const char *name) MUST_CHECK;
/* Files and edits of a space that are sealed and not yet sent. */
enum err store_outgoing_count(struct errctx *ec, struct store *s, int64_t space, uint64_t *files,
                              uint64_t *edits) MUST_CHECK;

/* What a waiting file waits for; the numbers are in the database. */
enum awaited {
	AWAITS_UNKNOWN = 0, /* put there by an earlier version */
	AWAITS_KEPT = 1,    /* bytes of its space that will be kept under the name `id`: a key */
	AWAITS_AUTHOR = 2,  /* a device of its space with the tag `id`, other than the `seq` that are known */
	AWAITS_BATCH = 3,   /* batch `seq` of the device `id` */
	AWAITS_SPACE = 4,   /* its space to be one's own */
	AWAITS_PROGRAM = 5, /* a newer program */
	AWAITS_LINE = 6, /* batch `seq` of a device, but another one than that which is here: device, 8 bytes of hash */
};
#define AWAITED_KINDS 7
#define AWAITED_ID_MAX 80

struct awaits {
	enum awaited what;
	uint8_t id[AWAITED_ID_MAX];
	size_t id_len;
	uint64_t seq;
};

struct waiting_put {
	int64_t space;
	const char *ref;
	const char *name;
	struct bytes file;
	struct tag author; /* of the batch that it says to be; zeros: it is none */
	uint64_t number;
	struct awaits awaits;
};
/* *other tells that another file stands under this ref and name already; nothing was put then. */
enum err store_waiting_put(struct errctx *ec, struct store *s, const struct waiting_put *put, bool *other) MUST_CHECK;
/* It waits for something else now. */
enum err store_waiting_for(struct errctx *ec, struct store *s, int64_t n, const struct awaits *awaits) MUST_CHECK;
/* buf_free() its file. ERR_NOT_FOUND without text. */
enum err store_waiting_get(struct errctx *ec, struct store *s, int64_t n, struct file_row *out) MUST_CHECK;
enum err store_waiting_delete(struct errctx *ec, struct store *s, int64_t n) MUST_CHECK;
enum err store_waiting_count(struct errctx *ec, struct store *s, uint64_t *out) MUST_CHECK;
/* Files that wait and their bytes; costs nothing after the first time. */
enum err store_waiting_of(struct errctx *ec, struct store *s, int64_t space, uint64_t *out) MUST_CHECK; /* files */
/* Appends all of a space. */
struct waiting_rows;
enum err store_waiting_list(struct errctx *ec, struct store *s, int64_t space, struct waiting_rows *out) MUST_CHECK;
enum err store_waiting_size(struct errctx *ec, struct store *s, uint64_t *files, uint64_t *bytes) MUST_CHECK;
/* How many wait for what, by enum awaited. */
enum err store_waiting_kinds(struct errctx *ec, struct store *s, uint64_t out[static AWAITED_KINDS]) MUST_CHECK;

/* How many of this space wait for a key. */
enum err store_waiting_keys(struct errctx *ec, struct store *s, int64_t space, uint64_t *out) MUST_CHECK;
/* ... that say to be by the device with this tag. */
enum err store_waiting_keys_of(struct errctx *ec, struct store *s, int64_t space, struct tag author,
                               uint64_t *out) MUST_CHECK;
/* ... that were opened, are signed by the device with this tag or say so, and wait for something else; sealed under
 * another epoch than this one. */
enum err store_waiting_causes_of(struct errctx *ec, struct store *s, int64_t space, struct tag author,
                                 struct epoch_id but, uint64_t *out) MUST_CHECK;
/* Takes away what waits and is sealed under this epoch. */
enum err store_waiting_drop(struct errctx *ec, struct store *s, int64_t space, struct epoch_id epoch) MUST_CHECK;
/* What this space's files wait for will never be: those that do are tried once more. */
enum err store_waiting_in_vain(struct errctx *ec, struct store *s, int64_t space,
                               const struct awaits *awaits) MUST_CHECK;
/* Batches that waiting files wait for, and that do not wait here themselves; at most 1,000. free() the list. */
struct awaited_batch {
	int64_t space;
	struct device_id dev;
	uint64_t seq;
};
enum err store_awaited_batches(struct errctx *ec, struct store *s, struct awaited_batch **out,
                               size_t *count) MUST_CHECK;

/* Rows of waiting files, in the order in which they came. free() the list. */
struct waiting_rows {
	int64_t *n;
	size_t count;
	size_t cap;
};
/* Appends those that wait for just this. */
enum err store_waiting_on(struct errctx *ec, struct store *s, const struct awaits *awaits,
                          struct waiting_rows *out) MUST_CHECK;
/* Appends those that say to be this batch, and so are it or another with its number. */
enum err store_waiting_same(struct errctx *ec, struct store *s, struct tag author, uint64_t number,
                            struct waiting_rows *out) MUST_CHECK;
/* Appends those whose author is known now. */
enum err store_waiting_authors(struct errctx *ec, struct store *s, struct waiting_rows *out) MUST_CHECK;
/* Appends all for which what they wait for is here, or a batch with their number, by the tables alone; and those of
 * which that cannot be told: AWAITS_UNKNOWN, AWAITS_PROGRAM, and files of a space that is gone. */
enum err store_waiting_ready(struct errctx *ec, struct store *s, struct waiting_rows *out) MUST_CHECK;
/* Goes up whenever a device gets its keys here; also when that is rolled back. */
uint64_t store_devices_seen(const struct store *s);

/* Where a file came from, and something that tells files of one name apart. */
#define ASIDE_WHAT_MAX (REF_MAX + FILE_NAME_MAX + 20)

struct aside_row {
	char what[ASIDE_WHAT_MAX + 1];
	char why[ERR_ARG_LEN]; /* an English sentence, the key of its translation */
	int64_t at_ms;
};
/* `added` tells whether it was new. */
enum err store_aside_put(struct errctx *ec, struct store *s, const char *what, const char *why, int64_t now_ms,
                         struct bytes file, bool *added) MUST_CHECK;
enum err store_aside_count(struct errctx *ec, struct store *s, uint64_t *out) MUST_CHECK;
enum err store_aside_list(struct errctx *ec, struct store *s, struct aside_row **out, size_t *count) MUST_CHECK;

struct branch_row {
	char ref[REF_MAX + 1];
	char oid[65];
};
enum err store_branch_put(struct errctx *ec, struct store *s, int64_t neighbourhood, const char *ref,
                          const char *oid) MUST_CHECK;
/* The one that was not sent of just this name. */
enum err store_outgoing_drop_one(struct errctx *ec, struct store *s, int64_t space, const char *name) MUST_CHECK;
/* It is no branch of ours any more. */
enum err store_branch_delete(struct errctx *ec, struct store *s, int64_t neighbourhood, const char *ref) MUST_CHECK;
enum err store_branch_list(struct errctx *ec, struct store *s, int64_t neighbourhood, struct branch_row **out,
                           size_t *count) MUST_CHECK;

/* --- records and queries --- */

/* A record with the memory it borrows from. */
struct loaded {
	struct record record;
	int64_t space;
	struct buf bytes;
};
enum err store_load(struct errctx *ec, struct store *s, struct dot id, struct loaded *out) MUST_CHECK; /* NOT_FOUND */
void store_loaded_free(struct loaded *l);

/* Ids that a query gives, in its order. free() the list. */
struct dots {
	struct dot *d;
	size_t n;
	size_t cap;
};
void dots_free(struct dots *d);

/* A whole id, or a start of one that only one record (of `kind`; 0: any) has. A number alone is a whole counter
 * first. ERR_NOT_FOUND, or ERR_USAGE when several fit. */
enum err store_find(struct errctx *ec, struct store *s, const char *text, uint32_t kind, struct dot *out) MUST_CHECK;
enum err store_of_kind(struct errctx *ec, struct store *s, uint32_t kind, int64_t space, struct dots *out) MUST_CHECK;
enum err store_contacts(struct errctx *ec, struct store *s, int64_t space, int64_t since_day, bool open_only,
                        struct dots *out) MUST_CHECK;
/* How many of a space are of this day or before, with no follow-up that is open. */
enum err store_contacts_old(struct errctx *ec, struct store *s, int64_t space, int64_t until_day,
                            uint64_t *out) MUST_CHECK;
enum err store_follow_ups(struct errctx *ec, struct store *s, int64_t until_day, struct dots *out) MUST_CHECK;
/* silent_before: with `silent_only`, those sent on or before this day that had no answer. */
enum err store_referrals(struct errctx *ec, struct store *s, int64_t space, bool open_only, bool silent_only,
                         int64_t silent_before, struct dots *out) MUST_CHECK;
enum err store_referrals_sent(struct errctx *ec, struct store *s, int64_t space, int64_t from_day, int64_t to_day,
                              struct dots *out) MUST_CHECK;
enum err store_referrals_of(struct errctx *ec, struct store *s, struct dot contact, struct dots *out) MUST_CHECK;
enum err store_contacts_of(struct errctx *ec, struct store *s, struct dot resident, struct dots *out) MUST_CHECK;
enum err store_referral_by_code(struct errctx *ec, struct store *s, const char *code, struct dot *out) MUST_CHECK;
enum err store_services(struct errctx *ec, struct store *s, int64_t space, struct dots *out) MUST_CHECK;
enum err store_service_by_source(struct errctx *ec, struct store *s, int64_t space, const char *source,
                                 struct dot *out) MUST_CHECK;
enum err store_residents(struct errctx *ec, struct store *s, int64_t space, struct dots *out) MUST_CHECK;
enum err store_resident_by_nick(struct errctx *ec, struct store *s, int64_t space, const char *nick,
                                struct dot *out) MUST_CHECK;
/* Residents whose nickname has a word that sounds like one of `nick` (model/sounds.h). */
enum err store_residents_sounding(struct errctx *ec, struct store *s, int64_t space, const char *nick,
                                  struct dots *out) MUST_CHECK;
enum err store_two_versions(struct errctx *ec, struct store *s, struct dots *out) MUST_CHECK;

/* Full-text search; every word is a prefix, accents do not count, the first 64 words do.
 * What is written like the words comes first, then names that sound like them (model/sounds.h), each by how well it
 * fits. Where more than 500 fit, residents and services of that name come first, then the newest. In a snippet, what
 * was found stands between the bytes 2 and 3. */
struct hit {
	struct dot id;
	uint32_t kind;
	char *snippet;
};
enum err store_search(struct errctx *ec, struct store *s, const char *words, uint32_t kind, unsigned limit,
                      struct hit **out, size_t *count) MUST_CHECK;
void store_hits_free(struct hit *hits, size_t count);

/* The canonical dump of a space: its records' states in the order of their ids, one CBOR item after the other. */
enum err store_dump(struct errctx *ec, struct store *s, int64_t space, struct buf *out) MUST_CHECK;

#endif
