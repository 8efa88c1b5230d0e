/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The recovery sheet: 16 words on paper that open a home of which the passphrase is forgotten.
 *
 * Only the key file must be there; the vault may be open meanwhile, in this process or another, and where it can be had
 * it knows how many sheets there were. Words live in guarded memory (V1) and come from a file, a descriptor or a
 * prompt, never from argv or the environment.
 */
#ifndef SLB_APP_RECOVERY_H
#define SLB_APP_RECOVERY_H

#include "app/session.h"

#define SHEET_WORD_COUNT 16
#define SHEET_WORD_TEXT 5 /* four letters and a NUL */

/* A sheet as it goes on paper. In guarded memory. */
struct sheet_view {
	uint32_t number;
	int64_t day; /* of issue, days since 1970-01-01 in local time */
	char word[SHEET_WORD_COUNT][SHEET_WORD_TEXT];
};

/* Writes a sheet down; durable when it returns ERR_OK. */
typedef enum err (*sheet_write_fn)(void *arg, struct errctx *ec, const struct sheet_view *sheet);

/* What became of the sheet that was written. */
enum sheet_fate {
	SHEET_NOT_WRITTEN, /* nothing to clear away */
	SHEET_USELESS,     /* written, and it opens nothing: take it back */
	SHEET_MAY_OPEN,    /* the disk failed at the deciding moment: keep it, and the one before */
	SHEET_OPENS,
};
struct sheet_issued {
	enum sheet_fate fate;
	uint32_t number;
	uint32_t before;  /* number of the sheet that no longer opens; 0: there was none */
	bool noted;       /* the open vault knows of it, and will make it a device of every space (sync/paper.h) */
	bool noted_later; /* it will, when it is opened the next time */
};

/* Issues a new sheet with the home's passphrase: `write` first, then the key file, in which it takes the place of an
 * earlier sheet. At every instant the sheet that the key file knows is one that was written. One derivation.
 * With an open vault, its number follows on the last one that the vault knows of too, and is noted there at once. */
struct sheet_ask {
	struct bytes passphrase;
	struct app *app; /* the vault of this home where it is open, or NULL */
	sheet_write_fn write;
	void *arg;
};
enum err app_sheet_issue(struct errctx *ec, const struct app_options *o, const struct sheet_ask *ask,
                         struct sheet_issued *out) MUST_CHECK;

/* The second half, for harnesses: `kc` was opened. */
struct keychange;
struct paper;
/* `*paper`: what a vault is to keep of the sheet (sync/paper.h); paper_free() it. NULL: not asked for. */
enum err app_sheet_issue_with(struct errctx *ec, struct keychange *kc, int64_t day, sheet_write_fn write, void *arg,
                              struct paper **paper, struct sheet_issued *out) MUST_CHECK;

/* The number and day of the sheet that opens this home; number 0: none. */
struct sheet_known {
	uint32_t number;
	int64_t day;
};
enum err app_sheet_known(struct errctx *ec, const char *home, struct sheet_known *out) MUST_CHECK;

/* Notes in the vault the number of the sheet that its key file names, where it is a later one than was noted before.
 * Best effort; at each opening by passphrase, when a sheet was made, and as the owner of an open vault closes it. */
void app_sheet_note(struct app *app);
/* Takes up what was left of a sheet that was made while another process had the vault. At each opening; best effort. A
 * file HOME/sheet.note: sealed under a key of the master key (tag SB14), removed when it is taken. */
void app_sheet_pick_up(struct app *app, const uint8_t master[static 32]);
/* ERR_REFUSED where the key file names an earlier sheet than was noted: an older key file was put back, and what is
 * sealed to the sheet in it could be opened by words that somebody else has. */
enum err app_sheet_is_newest(struct errctx *ec, struct app *app) MUST_CHECK;

/* Words as they come in, in guarded memory; with room for a whole sheet as text. */
#define SHEET_TEXT_MAX 8192
struct sheet_text {
	size_t len;
	char text[SHEET_TEXT_MAX];
};
struct sheet_text *sheet_text_new(void);    /* empty, or NULL */
void sheet_text_free(struct sheet_text *t); /* wipes; accepts NULL */

/* How much of a sheet was typed: words so far, and the first that is no word of a sheet (0: none). */
struct sheet_so_far {
	unsigned words;
	unsigned odd;
};
struct sheet_so_far app_sheet_so_far(struct bytes typed);

/* Do these words open this home? ERR_INPUT: they are not the words of a sheet, told before anything is tried.
 * ERR_LOCKED: they are, but of another or of a sheet that was replaced. */
enum err app_sheet_opens(struct errctx *ec, const struct app_options *o, struct bytes words) MUST_CHECK;
/* Gives the home a new passphrase; the old one no longer opens it. The sheet still does. */
enum err app_recover(struct errctx *ec, const struct app_options *o, struct bytes words,
                     struct bytes passphrase) MUST_CHECK;

#endif
