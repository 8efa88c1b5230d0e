/* SPDX-License-Identifier: EUPL-1.2 */
/* Sending and fetching, how things stand, and whether everything is whole. */
#ifndef SLB_APP_SYNCING_H
#define SLB_APP_SYNCING_H

#include "app/session.h"
#include "app/verify.h"
#include "base/buf.h"

enum sync_result { SYNC_DONE, SYNC_LATER, SYNC_PERSON };

struct sync_view {
	uint64_t sent;     /* edits that the remote was seen to hold */
	uint64_t received; /* batches applied */
	uint64_t fresh;    /* new records */
	uint64_t changed;
	uint64_t two_versions;
	uint64_t set_aside;
	uint64_t joined;   /* spaces that became one's own */
	uint64_t carried;  /* records that went along from a home's own space into that of its person's other devices */
	uint64_t admitted; /* people this device let in */
	uint64_t asking;   /* requests that wait for somebody's word here, those of before included */
	uint64_t keyed;    /* spaces of which a member gave the keys to this home, that lacked them */
	uint64_t no_key;   /* files that cannot be read here, because their key is not */
	uint64_t healed;   /* branches pushed back to a host that had lost them */
	int64_t began_ms;  /* for app_noticed() (app/noticed.h): what was noticed since then */
	enum sync_result result;
	/* why not DONE, and what was odd: English sentences, keys of their translations */
	char why[240];
	char notice[240];
};

/* Syncs every neighbourhood that has a remote. ERR_LATER with a sentence when there is none, or when nothing came
 * through at all; what did come through stands in `out` in every case. */
enum err app_sync(struct errctx *ec, struct app *app, struct sync_view *out) MUST_CHECK;
/* When a sync last came through, as it is kept in the store: 8 bytes, milliseconds since 1970. */
#define META_LAST_SYNC "last_sync"

/* How many wait for somebody's word: people who want in, and devices that want to come back. */
enum err app_asking(struct errctx *ec, struct app *app, uint64_t *out) MUST_CHECK;

struct space_status {
	char name[128];
	char kind[16]; /* own, circle, neighbourhood */
	char epoch[12];
	size_t devices;
	uint64_t unsent;
	uint64_t no_key; /* files in it that cannot be read here, because their key is not */
	bool asked;
	bool on_sheet;         /* the recovery sheet brings it back from the repository alone */
	bool compacted;        /* its log was cut once; the counts are about the newest time (sync/compaction.h) */
	size_t erased_done;    /* devices that said that what was erased is gone there */
	size_t erased_not_yet; /* others that are in use */
	size_t erased_resting;
	size_t erased_removed;
	size_t erases_open; /* erases that are not final here */
	bool coming_in;     /* joined, and not all is here that was promised: nothing can be written there yet */
};

struct aside_view {
	char what[208];
	char why[240];
};

/* Of the files whose causes are missing, how many wait for what. */
struct waiting_view {
	uint64_t key;           /* the key that they are under */
	uint64_t author;        /* word of who their author is */
	uint64_t batch;         /* a batch before them */
	uint64_t joining;       /* this home to be let in */
	uint64_t newer_program; /* a newer version of the program */
	uint64_t unknown;       /* put there by an earlier version, not looked into since */
};

struct status_view {
	uint64_t unsent;
	char last_success[24]; /* ISO 8601 UTC, "" for never */
	int64_t days_since;    /* -1: never */
	char restored[24];     /* ISO 8601 UTC: restored from a backup of then, and not among the others yet; "": no */
	uint64_t waiting;      /* files whose causes are missing */
	struct waiting_view waiting_for;
	uint64_t asking; /* people who ask to be let in, and wait for somebody's word */
	struct aside_view *aside;
	size_t aside_count;
	struct space_status *spaces;
	size_t space_count;
	uint32_t sheet;      /* number of the recovery sheet that opens this home; 0: none */
	int64_t sheet_day;   /* its day of issue, days since 1970-01-01 */
	bool key_file_whole; /* false: it cannot be read, and this home does not open the next time */
	char check[12];      /* running, whole, damaged: the check in the background (app/watch.h) */
	char check_at[24];   /* when it last came to an end; "" for not yet */
	bool keys_locked;    /* memory of keys is kept out of swap */
	uint64_t cache_locked;
};
enum err app_status(struct errctx *ec, struct app *app, struct status_view *out) MUST_CHECK;
void app_status_free(struct status_view *s);

/* The canonical dump of the shared spaces, or of the one named ("own" for one's own): their CBOR states, space after
 * space in the order of their ids. `each` gets the space's name and id (hex) first. */
struct dump_space {
	char name[128];
	char id[40];
	struct buf state;
};
enum err app_dump(struct errctx *ec, struct app *app, const char *space, struct dump_space **out,
                  size_t *count) MUST_CHECK;
void app_dump_free(struct dump_space *list, size_t count);

/* Walks the CBOR items of a state for those who print it. `item` is called for each in order, with the number of
 * items inside for DUMP_ARRAY and of pairs for DUMP_MAP; stops at the first false. ERR_DAMAGED when it is not CBOR. */
enum dump_type { DUMP_INT, DUMP_BYTES, DUMP_TEXT, DUMP_BOOL, DUMP_NULL, DUMP_ARRAY, DUMP_MAP };
struct dump_item {
	enum dump_type type;
	int64_t number; /* of DUMP_INT and DUMP_BOOL; the count of DUMP_ARRAY and DUMP_MAP */
	struct bytes bytes;
};
typedef bool (*dump_fn)(void *arg, const struct dump_item *item);
enum err app_dump_walk(struct bytes state, dump_fn item, void *arg) MUST_CHECK;

#endif
