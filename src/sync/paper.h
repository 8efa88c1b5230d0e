/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A recovery sheet as a device: with its words and the shared repository alone, every space of its owner comes back.
 *
 * In each space the sheet is one more device of its owner's, another one in each (crypto/sheet.h), so that the others
 * give it the keys of new epochs like any device of his; it never writes by itself and nobody waits for it. What it
 * must know to begin (which spaces there are, who founded them, the keys of the epochs of now, and how far every device
 * had come) a home leaves for it in a letter on its mailbox branch, sealed to the sheet and under a key that only the
 * words and the home have. The home keeps public keys and that one key; the words open nothing here.
 *
 * Who brings a space back does not go on as the sheet: once everything is here that the letter promises, the sheet lets
 * a fresh device of the same person in, and its own keys are forgotten.
 *
 * A home keeps "paper" (space 0): number 4 | day 4 | next device that is not used yet 4 | letter key 32 | author key 32
 * | SHEET_DEVICES bundles; per space "paper-device": number of the device 4 | its id 8; per neighbourhood
 * "paper-letter": serial number of the last letter 8 | hash of what it told 32 | hash of its heads 32 | when, ms since
 * 1970, 8.
 */
#ifndef SLB_SYNC_PAPER_H
#define SLB_SYNC_PAPER_H

#include "crypto/sheet.h"
#include "sync/inbox.h"

/* The side of a sheet that a home keeps. In guarded memory. */
struct paper {
	uint32_t number; /* of the sheet */
	uint32_t day;    /* of its issue, days since 1970-01-01 */
	uint32_t next;   /* the first device that is in no space */
	uint8_t letter[BOX_PUBLIC_LEN];
	uint8_t author[SHEET_AUTHOR_LEN];
	struct bundle device[SHEET_DEVICES];
};

/* Of these words; paper_free() it. NULL when out of memory. */
struct paper *paper_make(const uint8_t secret[static SHEET_SECRET_LEN], uint32_t number, uint32_t day);
void paper_free(struct paper *p); /* accepts NULL */
/* As bytes; they are as secret as the author key in them. ERR_DAMAGED: not such bytes. */
#define PAPER_LEN (12 + BOX_PUBLIC_LEN + SHEET_AUTHOR_LEN + SHEET_DEVICES * BUNDLE_LEN)
void paper_encode(const struct paper *p, uint8_t out[static PAPER_LEN]);
enum err paper_decode(struct bytes in, struct paper **out) MUST_CHECK;
/* From now on it is this home's sheet. Within a transaction. */
enum err paper_put(struct errctx *ec, struct sync *y, const struct paper *p) MUST_CHECK;
/* ERR_NOT_FOUND without text where there is none. */
enum err paper_get(struct errctx *ec, struct sync *y, struct paper **out) MUST_CHECK;

/* Once in each sync, before the outbox is sealed: makes the sheet a device of the space where it is none yet, and takes
 * the place of an earlier one, which is removed. Does nothing where all devices of the sheet are used. Within a
 * transaction. */
enum err paper_tend(struct errctx *ec, struct sync *y, const struct space_row *space) MUST_CHECK;
/* When everything of a neighbourhood was sent: leaves a letter where the last one does not tell what there is now. What
 * a letter promises must be at the host, or nobody could come in by it. Within a transaction. */
enum err paper_letter(struct errctx *ec, struct sync *y, int64_t neighbourhood) MUST_CHECK;
/* Would the sheet bring this space back, as far as is known here: is it a device there, and is the letter out that says
 * so? */
enum err paper_reaches(struct errctx *ec, struct sync *y, const struct space_row *space, bool *out) MUST_CHECK;

/* ---- Coming back ---- */

/* What a sheet reads with. In guarded memory; secret_free() it. */
struct paper_reader {
	uint8_t secret[SHEET_SECRET_LEN];
	uint8_t letter[BOX_PUBLIC_LEN];
	uint8_t letter_secret[BOX_SECRET_LEN];
	uint8_t author[SHEET_AUTHOR_LEN];
};
struct paper_reader *paper_reader_new(const uint8_t secret[static SHEET_SECRET_LEN]);

/* A letter that opened, without its author's word. */
struct paper_text {
	uint32_t number;
	uint32_t day;
	uint32_t next;
	uint64_t serial;
	char own[SPACE_NAME_MAX + 1]; /* the name of the own space in it, which is its owner's; "": it is not in it */
	struct buf plain;             /* buf_free() it */
};
/* ERR_NOT_FOUND: no letter for this sheet, or not from a home that had it. */
enum err paper_open(const struct paper_reader *r, struct bytes file, struct paper_text *out) MUST_CHECK;

/* The spaces of the letters that are not here yet are there from now on, "still coming in"; of each the newest letter
 * counts. `remote`: where they lie. *taken: how many. Within a transaction. */
enum err paper_take(struct errctx *ec, struct sync *y, const struct paper_reader *r, const struct paper_text *texts,
                    size_t count, const char *remote, size_t *taken) MUST_CHECK;
/* All of a space is here. Where this home brought it back with the sheet: lets a fresh device in and goes on as that.
 * The sheet's keys go, for good once store_forget() has run. Where the sheet was removed they go too, and that is all.
 * Within a transaction. */
enum err paper_give_way(struct errctx *ec, struct sync *y, const struct space_row *space) MUST_CHECK;

/* Shared by the two halves. */
enum err paper_device_note(struct errctx *ec, struct sync *y, const struct space_row *space, uint32_t number,
                           struct device_id id) MUST_CHECK;
void paper_mac(const uint8_t author[static SHEET_AUTHOR_LEN], struct bytes plain, uint8_t out[static HASH_LEN]);

#endif
