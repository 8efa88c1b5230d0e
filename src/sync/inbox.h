/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Sealed files that come in, from a host, a stick or a colleague's laptop: verify, unseal, apply.
 *
 * Every file ends in one of five ways: applied; known already; waiting for something that is not here yet; not for
 * this device; set aside because it does not verify (S4). None of them stops the others.
 */
#ifndef SLB_SYNC_INBOX_H
#define SLB_SYNC_INBOX_H

#include "sync/keys.h"

/* What a hostile host can make a member keep. Beyond it, what would wait must be offered again, and of what does not
 * verify there is one line for all the rest. */
#define WAITING_FILES_MAX 5000
#define WAITING_BYTES_MAX (64u << 20)
#define ASIDE_FILES_MAX 1000
#define ASIDE_BYTES_MAX (64u << 10) /* of one file; of a larger one the line is kept without its bytes */

/* What a round of receiving brought. */
struct received {
	uint64_t files;
	uint64_t batches;   /* applied */
	uint64_t records;   /* new here */
	uint64_t changed;   /* known here, now different */
	uint64_t set_aside; /* new ones */
	uint64_t strange;   /* batches signed by this very device that are not here: a copy of it made them */
	uint64_t copies;    /* spaces in which this device goes on under another id for that (sync/again.h) */
	uint64_t joined;    /* spaces that became one's own */
	uint64_t keyed;     /* of which a member gave the keys to this home, that lacked them (sync/rebox.h) */
	uint64_t arrived;   /* of these, all that one was promised is here (sync/floor.h) */
	uint64_t carried;   /* records of a former own space that were written again in the joined one (sync/own.h) */
	uint64_t admitted;  /* others whom this device let in */
	uint64_t asking;    /* others who ask to be let in, and wait for a person */
	uint64_t refused;   /* that would wait, and for which there is no room: to be offered again */
	bool bundle;        /* set by the caller: it does not come from the repository (sync/bundled.h) */
	uint64_t worlds;    /* views of it that do not go together with what is shown here (sync/bundled.h) */
	struct {            /* of the last of these: a device of which more was shown there than here */
		int64_t space;
		struct device_id dev;
		uint64_t theirs;
		uint64_t here;
	} world;
	bool rebuilding;      /* set by the caller: the store is being made again from what it held (sync/rebuild.h) */
	uint64_t tried;       /* how often a file was looked into */
	struct awaits awaits; /* of the file that waits: for what */
	struct vv_entry last; /* the last batch that was applied, or kept beside: device, number and hash */
	uint64_t lines;       /* batches that were kept beside the line of their device (sync/forks.h) */
	uint64_t doubts;      /* batches that build on another line of a device than the one here */
	/* of the file that waits: that device, and the first batch that may be another; 0: none */
	struct vv_entry doubt;
	/* set by the caller: a device's tag; the highest number of a batch of it that came, applied or known */
	char watch[TAG_TEXT_LEN];
	uint64_t top;
	struct lost_list
	    *lost; /* set by the caller: what is missing at the repository (sync/lost.h); NULL: not asked */
	/* of the last file that was given to inbox_file() */
	bool useless;    /* it was set aside */
	bool waits;      /* it waits, or found no room for that */
	uint64_t useful; /* files that were applied, or known */
};

/* A batch with this header was applied or known: for what is watched for. */
void received_saw(struct received *r, const struct file_header *h);

/* Takes in one file, in a transaction of its own, and then those that waited for it, each in one of its own. Errors are
 * those of this machine (disk, memory); what is wrong with a file is recorded, not returned. */
enum err inbox_file(struct errctx *ec, struct sync *y, const char *ref, const char *name, struct bytes file,
                    struct received *r) MUST_CHECK;

/* Several batches at once, as they came, in one transaction, and then what waited for them: *taken of the first ones,
 * up to one that does not verify, waits, is no batch, or was made by a copy; 0 where that is the first, which is then
 * the caller's to offer alone. Each is applied whole, on top of those before it, and one's own edits are sealed before
 * each (S1); broken off, all of them come again (S3). It saves a sync of the disk for each, and a segment of the index.
 */
struct inbox_item {
	const char *ref;
	const char *name;
	struct bytes file;
};
#define INBOX_GROUP 64               /* files at once, and ... */
#define INBOX_GROUP_BYTES (1u << 20) /* ... bytes, at which a caller stops gathering */
enum err inbox_files(struct errctx *ec, struct sync *y, const struct inbox_item *items, size_t n, struct received *r,
                     size_t *taken) MUST_CHECK;

/* Tries what waits and may have got what it waits for by another way than a file (a space that was joined, a key, an
 * earlier version that did not write down for what), until nothing moves any more. */
enum err inbox_retry(struct errctx *ec, struct sync *y, struct received *r) MUST_CHECK;

#endif
