// SPDX-License-Identifier: EUPL-1.2
// Recovery sheets (V4, V6): never one in the key file that is on no paper, never one on paper called good that opens
// nothing.
#include "app/recovery.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/dates.h"
#include "app/within.h"
#include "base/codec.h"
#include "base/file.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "crypto/sheet.h"
#include "sync/paper.h"
#include "vault/keychange.h"

_Static_assert(SHEET_WORD_COUNT == SHEET_WORDS && SHEET_WORD_TEXT == WORD_LEN + 1, "all words of a sheet");

struct secrets {
	uint8_t secret[SHEET_SECRET_LEN];
	struct sheet_words words;
	struct sheet_view view;
};

static enum err no_memory(struct errctx *ec, const struct app_options *o)
{
	return err_errno(ec, ENOMEM, o->home);
}

#define META_SHEET "sheet"

/* The newest sheet that the vault knows of; 0: none. */
static enum err noted_get(struct errctx *ec, struct app *app, uint32_t *out)
{
	struct buf b = { 0 };
	enum err e = store_meta_get(ec, app->store, META_SHEET, &b);

	*out = e == ERR_OK && b.len == 4 ? be32_get(b.data) : 0;
	buf_free(&b);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* ---- Making one ---- */

static void view_make(struct secrets *s, const struct keyfile_sheet *sheet)
{
	sheet_words_put(s->secret, &s->words);
	s->view.number = sheet->number;
	s->view.day = sheet->day;
	for (int i = 0; i < SHEET_WORD_COUNT; i++) {
		memcpy(s->view.word[i], s->words.word[i], WORD_LEN);
		s->view.word[i][WORD_LEN] = '\0';
	}
}

static enum err issue_commit(struct errctx *ec, struct keychange *kc, struct sheet_issued *out)
{
	enum keys_now now = KEYS_OLD;
	enum err e = keychange_commit(kc, ec, &now);

	out->fate = now == KEYS_NEW ? SHEET_OPENS : now == KEYS_OLD ? SHEET_USELESS : SHEET_MAY_OPEN;
	if (now != KEYS_UNKNOWN)
		return e;
	err_clear(ec);
	return err_set(ec, ERR_IO,
	               "The disk failed while the key file was replaced. Keep this sheet and the one before it: one of "
	               "them opens your home. Check the disk, then make a new sheet.",
	               NULL, NULL, NULL);
}

enum err app_sheet_issue_with(struct errctx *ec, struct keychange *kc, int64_t day, sheet_write_fn write, void *arg,
                              struct paper **paper, struct sheet_issued *out)
{
	struct secrets *s = secret_new(sizeof(*s));
	struct keyfile_sheet sheet = { 0, 0 };
	enum err e = s == NULL ? err_errno(ec, ENOMEM, "keys") : ERR_OK;

	*out = (struct sheet_issued){ .fate = SHEET_NOT_WRITTEN };
	if (e == ERR_OK)
		e = keychange_sheet(kc, ec, day, s->secret, &sheet);
	if (e == ERR_OK) {
		view_make(s, &sheet);
		out->number = sheet.number;
		out->before = sheet.number - 1;
		e = write(arg, ec, &s->view);
	}
	if (e == ERR_OK && paper != NULL) {
		*paper = paper_make(s->secret, sheet.number, (uint32_t)sheet.day);
		e = *paper == NULL ? err_errno(ec, ENOMEM, "keys") : ERR_OK;
	}
	if (e == ERR_OK)
		e = issue_commit(ec, kc, out);
	secret_free(s);
	return e;
}

/* ---- A sheet that is made while another process has the vault ---- */

#define NOTE "sheet.note"
#define NOTE_LABEL "sleutelbos sheet note 1"

static struct bytes note_for(void)
{
	return (struct bytes){ (const uint8_t *)NOTE, strlen(NOTE) };
}

static bool note_write(const struct app_options *o, const struct keychange *kc, const struct paper *p)
{
	uint8_t *key = secret_new(AEAD_KEY_LEN);
	uint8_t *plain = secret_new(PAPER_LEN);
	char *path = file_join(o->home, NOTE);
	struct buf sealed = { 0 };
	enum err e = key == NULL || plain == NULL || path == NULL ? ERR_NO_MEMORY : ERR_OK;

	if (e == ERR_OK) {
		key_derive(keychange_master(kc), NOTE_LABEL, (struct bytes){ 0 }, key);
		paper_encode(p, plain);
		e = aead_seal(SEAL_SHEET_NOTE, key, note_for(), (struct bytes){ plain, PAPER_LEN }, app_rng(o),
		              &sealed);
	}
	if (e == ERR_OK)
		e = file_replace(NULL, path, buf_bytes(&sealed));
	secret_free(key);
	secret_free(plain);
	buf_free(&sealed);
	free(path);
	return e == ERR_OK;
}

static bool paper_note(struct app *app, const struct paper *p);

void app_sheet_pick_up(struct app *app, const uint8_t master[static 32])
{
	uint8_t *key = secret_new(AEAD_KEY_LEN);
	char *path = file_join(app->home, NOTE);
	struct buf sealed = { 0 };
	struct buf plain = { 0 };
	struct paper *p = NULL;

	if (key == NULL || path == NULL || !file_exists(path) ||
	    file_read(NULL, path, PAPER_LEN + AEAD_OVERHEAD, &sealed) != ERR_OK)
		goto done;
	key_derive(master, NOTE_LABEL, (struct bytes){ 0 }, key);
	if (aead_unseal(SEAL_SHEET_NOTE, key, note_for(), buf_bytes(&sealed), &plain) != ERR_OK ||
	    paper_decode(buf_bytes(&plain), &p) != ERR_OK || paper_note(app, p))
		unlink(path); /* of another key: nothing that is ours */
done:
	paper_free(p);
	buf_free(&plain);
	buf_free(&sealed);
	secret_free(key);
	free(path);
}

/* The sheet opens this home already: where this fails `status` says what it does not bring back. */
static bool paper_note(struct app *app, const struct paper *p)
{
	struct sync y = { app->store, app->zip, app->rng, app->clock };
	enum err e = store_begin(NULL, app->store);

	if (e != ERR_OK)
		return false;
	e = paper_put(NULL, &y, p);
	return within_end(NULL, app, e) == ERR_OK;
}

enum err app_sheet_issue(struct errctx *ec, const struct app_options *o, const struct sheet_ask *ask,
                         struct sheet_issued *out)
{
	struct app *app = ask->app != NULL && app_is_open(ask->app) ? ask->app : NULL;
	struct keychange *kc = NULL;
	struct paper *paper = NULL;
	uint32_t noted = 0;
	char *keys = file_join(o->home, "keys");
	enum err e = keys == NULL ? no_memory(ec, o) : ERR_OK;

	*out = (struct sheet_issued){ .fate = SHEET_NOT_WRITTEN };
	if (e == ERR_OK)
		e = keychange_by_passphrase(ec, keys, ask->passphrase, app_rng(o), &kc);
	if (e == ERR_OK && app != NULL && noted_get(NULL, app, &noted) == ERR_OK)
		keychange_sheet_after(kc, noted);
	if (e == ERR_OK)
		e = app_sheet_issue_with(ec, kc, app_day_of(clock_now(app_clock(o))), ask->write, ask->arg, &paper,
		                         out);
	if (out->fate == SHEET_OPENS && app != NULL)
		out->noted = paper_note(app, paper);
	else if (out->fate == SHEET_OPENS)
		out->noted_later = note_write(o, kc, paper);
	keychange_free(kc);
	paper_free(paper);
	if (e == ERR_OK && app != NULL)
		app_sheet_note(app);
	free(keys);
	return e;
}

enum err app_sheet_known(struct errctx *ec, const char *home, struct sheet_known *out)
{
	struct keyfile_sheet sheet = { 0, 0 };
	char *keys = file_join(home, "keys");
	enum err e = keys == NULL ? err_errno(ec, ENOMEM, home) : keyfile_sheet(ec, keys, &sheet);

	*out = (struct sheet_known){ sheet.number, sheet.day };
	free(keys);
	return e;
}

/* ---- Using one ---- */

struct sheet_text *sheet_text_new(void)
{
	struct sheet_text *t = crypto_start() == ERR_OK ? secret_new(sizeof(*t)) : NULL;

	if (t != NULL)
		memset(t, 0, sizeof(*t));
	return t;
}

void sheet_text_free(struct sheet_text *t)
{
	secret_free(t);
}

struct sheet_so_far app_sheet_so_far(struct bytes typed)
{
	struct sheet_typed t = sheet_words_look(typed);

	return (struct sheet_so_far){ t.count, t.odd };
}

/* Which sheet opens this home, for somebody who holds another. */
static enum err other_sheet(struct errctx *ec, const char *keys, uint32_t replaced)
{
	struct keyfile_sheet sheet = { 0, 0 };
	char was[16];
	char number[16];
	char day[DAY_TEXT_LEN];
	enum err e = keyfile_sheet(ec, keys, &sheet);

	if (e != ERR_OK)
		return e;
	snprintf(was, sizeof(was), "%u", replaced);
	snprintf(number, sizeof(number), "%u", sheet.number);
	day_text(sheet.day, day);
	if (sheet.number == 0)
		return err_set(ec, ERR_LOCKED, "No recovery sheet was made for this home. Nothing was changed.", NULL,
		               NULL, NULL);
	if (replaced != 0)
		return err_set(
		    ec, ERR_LOCKED,
		    "This is sheet number %1. It was replaced by number %2 of %3. Take that one. Nothing was "
		    "changed.",
		    was, number, day);
	return err_set(ec, ERR_LOCKED,
	               "These words are not of this home. Its sheet is number %1 of %2. Nothing was changed.", number,
	               day, NULL);
}

static enum err begin(struct errctx *ec, const struct app_options *o, struct bytes words, struct keychange **out)
{
	uint8_t *secret = secret_new(SHEET_SECRET_LEN);
	char *keys = file_join(o->home, "keys");
	uint32_t replaced = 0;
	enum err e = secret == NULL || keys == NULL ? no_memory(ec, o) : sheet_words_get(ec, words, secret);

	*out = NULL;
	if (e == ERR_OK) {
		e = keychange_by_sheet(ec, keys, secret, app_rng(o), &replaced, out);
		if (e == ERR_LOCKED)
			e = other_sheet(ec, keys, replaced);
	}
	secret_free(secret);
	free(keys);
	return e;
}

enum err app_sheet_opens(struct errctx *ec, const struct app_options *o, struct bytes words)
{
	struct keychange *kc = NULL;
	enum err e = begin(ec, o, words, &kc);

	keychange_free(kc);
	return e;
}

enum err app_recover(struct errctx *ec, const struct app_options *o, struct bytes words, struct bytes passphrase)
{
	struct keychange *kc = NULL;
	enum keys_now now = KEYS_OLD;
	enum err e = begin(ec, o, words, &kc);

	if (e == ERR_OK)
		e = keychange_passphrase(kc, ec, passphrase, app_clock(o));
	if (e == ERR_OK)
		e = keychange_commit(kc, ec, &now);
	keychange_free(kc);
	if (e == ERR_OK || now != KEYS_UNKNOWN)
		return e;
	err_clear(ec);
	return err_set(ec, ERR_IO,
	               "The disk failed while the key file was replaced. Try the new passphrase; where it does not "
	               "open, use the sheet again.",
	               NULL, NULL, NULL);
}

/* ---- Which sheet was the newest? The key file alone cannot tell: an older one is whole too. ---- */

void app_sheet_note(struct app *app)
{
	struct sheet_known known = { 0, 0 };
	uint32_t noted = 0;
	uint8_t number[4];
	enum err e = app_sheet_known(NULL, app->home, &known);

	if (e == ERR_OK)
		e = noted_get(NULL, app, &noted);
	if (e != ERR_OK || known.number <= noted || store_begin(NULL, app->store) != ERR_OK)
		return;
	be32_put(number, known.number);
	e = store_meta_put(NULL, app->store, META_SHEET, (struct bytes){ number, sizeof(number) });
	(void)!within_end(NULL, app, e);
}

enum err app_sheet_is_newest(struct errctx *ec, struct app *app)
{
	struct sheet_known known = { 0, 0 };
	uint32_t noted = 0;
	char old[12];
	char new[12];
	enum err e = app_sheet_known(ec, app->home, &known);

	if (e == ERR_OK)
		e = noted_get(ec, app, &noted);
	if (e != ERR_OK || known.number >= noted)
		return e;
	snprintf(old, sizeof(old), "%u", known.number);
	snprintf(new, sizeof(new), "%u", noted);
	return err_set(
	    ec, ERR_REFUSED,
	    "An older key file was put in this home: it knows recovery sheet %1, and sheet %2 was made later. "
	    "Nothing was changed. First make a new sheet with: recovery sheet FILE",
	    old, new, NULL);
}
