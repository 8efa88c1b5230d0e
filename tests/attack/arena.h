/* SPDX-License-Identifier: EUPL-1.2 */
/* Where forgeries are tried: homes that know each other, all that they really made, and a look at everything a home
 * holds but for what it set aside or keeps waiting. */
#ifndef SLB_TESTS_ATTACK_ARENA_H
#define SLB_TESTS_ATTACK_ARENA_H

#include "sync/forge.h"

#include <sqlite3.h>
#include <unistd.h>

#include "attack/oracle.h"
#include "model/random.h"

#define GENUINE_MAX 200
#define TABLES_MAX 80

enum { NUL, EEN, TWEE, DRIE, HOMES }; /* West is of Nul; Plein of Een, Twee and Drie; all are in West; Twee forges */
enum { WEST, PLEIN, SPACES };

struct genuine {
	struct buf file;
	char ref[REF_MAX + 1];
	char name[FILE_NAME_MAX + 1];
	size_t space; /* SPACES: boxes or a letter */
};

struct arena {
	struct world w;
	struct random rnd;
	struct book book;
	struct genuine genuine[GENUINE_MAX];
	size_t n;
	struct space_row row[HOMES][SPACES];
	size_t device[HOMES][SPACES]; /* in the book; BOOK_DEVICES: not in this space */
	struct device_keys *keys[HOMES][SPACES];
	struct epoch_secret *secret[8]; /* as the book numbers the epochs */
	size_t own_epoch;               /* one that the forger made by himself; Een holds its key */
	sqlite3_stmt *table[HOMES][TABLES_MAX];
	size_t tables[HOMES];
	uint8_t held[HOMES][32];
};

/* ---- What a home holds ---- */

static inline void tables_open(struct arena *a, size_t home)
{
	sqlite3 *db = vault_db(a->w.app[home]->vault);
	sqlite3_stmt *list = NULL;

	assert_int_equal(
	    sqlite3_prepare_v2(
	        db,
	        "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE "
	        "'CREATE VIRTUAL%' AND name NOT IN ('set_aside', 'waiting', 'awaits', 'fork', 'telling') ORDER BY name",
	        -1, &list, NULL),
	    SQLITE_OK);
	while (sqlite3_step(list) == SQLITE_ROW) {
		char sql[100];

		assert_true(a->tables[home] < TABLES_MAX);
		snprintf(sql, sizeof(sql), "SELECT * FROM \"%s\"", (const char *)sqlite3_column_text(list, 0));
		assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &a->table[home][a->tables[home]++], NULL), SQLITE_OK);
	}
	sqlite3_finalize(list);
	assert_true(a->tables[home] > 15);
}

/* A hash of every row of every other table: what is kept, who is known, what was applied, what goes out. */
static inline void held_now(struct arena *a, size_t home, uint8_t out[static 32])
{
	crypto_generichash_state st;

	crypto_generichash_init(&st, NULL, 0, 32);
	for (size_t i = 0; i < a->tables[home]; i++) {
		sqlite3_stmt *t = a->table[home][i];
		int rc = SQLITE_OK;

		while ((rc = sqlite3_step(t)) == SQLITE_ROW) {
			for (int c = 0; c < sqlite3_column_count(t); c++) {
				const void *v = sqlite3_column_blob(t, c);
				int32_t head[2] = { (int32_t)i, sqlite3_column_bytes(t, c) };

				crypto_generichash_update(&st, (const uint8_t *)head, sizeof(head));
				if (head[1] > 0)
					crypto_generichash_update(&st, v, (size_t)head[1]);
			}
		}
		assert_int_equal(rc, SQLITE_DONE);
		sqlite3_reset(t);
	}
	crypto_generichash_final(&st, out, 32);
}

/* Room for more: what was set aside and what waits has a bound (S4), and is looked at before it goes. What is kept as
 * evidence of a fork goes too: here one member signs thousands of batches with one number (sync/test_forks.c). */
static inline void shelves_clear(struct arena *a, size_t home)
{
	assert_int_equal(
	    sqlite3_exec(
	        vault_db(a->w.app[home]->vault),
	        "DELETE FROM set_aside; DELETE FROM waiting; DELETE FROM awaits; DELETE FROM fork; DELETE FROM telling",
	        NULL, NULL, NULL),
	    SQLITE_OK);
}

/* ---- The book ---- */

static inline void book_epochs(struct arena *a, size_t home, size_t space)
{
	struct sync y = sync_of_home(&a->w, home);
	struct errctx ec = { 0 };
	struct epoch_row *list = NULL;
	size_t n = 0;

	assert_int_equal(store_epoch_list(&ec, y.store, a->row[home][space].n, &list, &n), ERR_OK);
	for (size_t i = 0; i < n; i++) {
		struct book_epoch *e = &a->book.epoch[a->book.epochs];
		struct epoch_secret *s = secret_new(sizeof(*s));

		assert_true(a->book.epochs < 8 && s != NULL);
		assert_int_equal(epoch_key_load(&ec, &y, a->row[home][space].n, list[i].id, s), ERR_OK);
		*e = (struct book_epoch){ .space = space };
		memcpy(e->id, list[i].id.b, 32);
		memcpy(e->key, s->key, 32);
		a->secret[a->book.epochs++] = s;
	}
	free(list);
}

static inline void book_members(struct arena *a)
{
	static const char *const names[] = { "West", "Plein" };

	a->book.spaces = SPACES;
	for (size_t h = 0; h < HOMES; h++) {
		for (size_t s = 0; s < SPACES; s++) {
			struct sync y = sync_of_home(&a->w, h);
			struct errctx ec = { 0 };
			struct book_device *d = &a->book.device[a->book.devices];

			a->device[h][s] = BOOK_DEVICES;
			if (h == NUL && s == PLEIN)
				continue;
			a->row[h][s] = space_named(&a->w, h, names[s]);
			memcpy(a->book.space[s].id, a->row[h][s].id.b, 16);
			memcpy(a->book.space[s].tag, a->row[h][s].tag.b, 5);
			assert_int_equal(device_keys_load(&ec, &y, a->row[h][s].n, &a->keys[h][s]), ERR_OK);
			d->space = s;
			memcpy(d->id, a->row[h][s].me.b, 8);
			memcpy(d->tag, a->keys[h][s]->public.tag.b, 5);
			memcpy(d->sign, a->keys[h][s]->public.sign, 32);
			a->device[h][s] = a->book.devices++;
		}
	}
	book_epochs(a, NUL, WEST);
	book_epochs(a, EEN, PLEIN);
}

static inline size_t space_of(const struct arena *a, struct bytes file)
{
	for (size_t s = 0; s < SPACES && file.data[5] == FILE_BATCH; s++) {
		if (memcmp(file.data + 8, a->book.space[s].tag, 5) == 0)
			return s;
	}
	return SPACES;
}

static inline bool genuine_has(const struct arena *a, const char *ref, const char *name)
{
	for (size_t i = 0; i < a->n; i++) {
		if (strcmp(a->genuine[i].ref, ref) == 0 && strcmp(a->genuine[i].name, name) == 0)
			return true;
	}
	return false;
}

/* What a home made since it was last asked. */
static inline void genuine_collect(struct arena *a, size_t home)
{
	struct errctx ec = { 0 };
	struct file_row *list = NULL;
	size_t n = 0;

	assert_int_equal(store_outgoing_list(&ec, a->w.app[home]->store, &list, &n), ERR_OK);
	for (size_t i = 0; i < n; i++) {
		struct genuine *g = &a->genuine[a->n];

		/* a batch that goes out once more, in a file of its own kind, is no new one */
		if (genuine_has(a, list[i].ref, list[i].name) || strstr(list[i].name, "-carry-") != NULL)
			continue;
		assert_true(++a->n < GENUINE_MAX);
		*g = (struct genuine){ .space = space_of(a, buf_bytes(&list[i].file)) };
		assert_int_equal(buf_put(&g->file, list[i].file.data, list[i].file.len), ERR_OK);
		strcpy(g->ref, list[i].ref);
		strcpy(g->name, list[i].name);
	}
	store_files_free(list, n);
}

/* Every batch that was really made must fit, in some order. */
static inline void book_fill(struct arena *a)
{
	struct judged j;
	size_t batches = 0;
	bool any = true;

	for (size_t i = 0; i < a->n; i++)
		batches += a->genuine[i].space != SPACES;
	while (any) {
		any = false;
		for (size_t i = 0; i < a->n; i++) {
			if (a->genuine[i].space == SPACES)
				continue;
			oracle_judge(&a->book, buf_bytes(&a->genuine[i].file), &j);
			if (j.verdict == WORTH_FITS) {
				assert_true(book_add(&a->book, &j));
				any = true;
			}
		}
	}
	if (a->book.batches != batches)
		print_error("of %zu batches %zu fit; the last one: %s\n", batches, a->book.batches, j.why);
	assert_int_equal(a->book.batches, batches);
}

/* ---- Beginning and end ---- */

/* An epoch of the forger's alone, whose key he boxes to Een: so Een opens what is sealed under it. */
static inline void own_epoch_make(struct arena *a)
{
	struct epoch_secret *s = secret_new(sizeof(*s));
	struct book_epoch *e = &a->book.epoch[a->book.epochs];
	struct recipient to = { a->row[EEN][PLEIN].me, { 0 } };
	struct file_header h = { FILE_BOXES, a->row[TWEE][PLEIN].tag, a->row[TWEE][PLEIN].my_tag, { { 0 } }, 0 };
	struct buf file = { 0 };

	assert_non_null(s);
	memset(s, 7, sizeof(*s));
	memcpy(to.box_public, a->keys[EEN][PLEIN]->public.box, BOX_PUBLIC_LEN);
	recipients_hash(&to, 1, s->recipients);
	parents_hash(NULL, 0, s->parents);
	h.epoch = epoch_id_make(s->key, a->row[TWEE][PLEIN].id, s->recipients, s->parents);
	assert_int_equal(boxes_seal(&h, a->row[TWEE][PLEIN].id, s, &to, 1, &file), ERR_OK);
	assert_int_equal(give(&a->w, EEN, "boxes", buf_bytes(&file)).set_aside, 0);
	*e = (struct book_epoch){ .space = PLEIN };
	memcpy(e->id, h.epoch.b, 32);
	memcpy(e->key, s->key, 32);
	a->own_epoch = a->book.epochs;
	a->secret[a->book.epochs++] = s;
	buf_free(&file);
}

static inline void arena_begin(struct arena *a, uint64_t seed)
{
	struct dot one;

	*a = (struct arena){ .rnd = { seed } };
	forge_world(&a->w);
	invite_third(&a->w, 1);
	for (size_t round = 0; round < 2; round++) {
		for (size_t from = 0; from < HOMES; from++) {
			for (size_t to = 0; to < HOMES; to++) {
				if (from != to)
					pump(&a->w, from, to);
			}
		}
	}
	one = contact_in(&a->w, EEN, "Plein", (struct dot){ 0 }, "van een");
	contact_in(&a->w, EEN, "Plein", one, "van een, verder");
	pump(&a->w, EEN, TWEE);
	pump(&a->w, EEN, DRIE);
	contact_in(&a->w, DRIE, "Plein", (struct dot){ 0 }, "van drie");
	pump(&a->w, DRIE, TWEE);
	contact_in(&a->w, TWEE, "Plein", one, "van twee");
	pump(&a->w, TWEE, EEN);
	/* what Drie does not have */
	for (int i = 0; i < 3; i++) {
		contact_in(&a->w, EEN, "Plein", (struct dot){ 0 }, "later");
		seal_home(&a->w, EEN);
	}
	pump(&a->w, EEN, TWEE);
	contact_in(&a->w, TWEE, "Plein", one, "nog eens van twee");
	pump(&a->w, DRIE, EEN);
	pump(&a->w, TWEE, EEN);
	book_members(a);
	for (size_t h = 0; h < HOMES; h++)
		genuine_collect(a, h);
	book_fill(a);
	own_epoch_make(a);
	for (size_t h = 0; h < HOMES; h++) {
		tables_open(a, h);
		shelves_clear(a, h);
		held_now(a, h, a->held[h]);
	}
}

/* Een goes on: the forger has not seen that, unless he says so. */
static inline void life_goes_on(struct arena *a)
{
	size_t before = a->n;
	struct judged j;

	shelves_clear(a, EEN);
	contact_in(&a->w, EEN, "Plein", (struct dot){ 0 }, "het leven gaat door");
	seal_home(&a->w, EEN);
	genuine_collect(a, EEN);
	assert_int_equal(a->n, before + 1);
	oracle_judge(&a->book, buf_bytes(&a->genuine[before].file), &j);
	assert_int_equal(j.verdict, WORTH_FITS);
	assert_true(book_add(&a->book, &j));
	held_now(a, EEN, a->held[EEN]);
}

static inline void arena_end(struct arena *a)
{
	for (size_t h = 0; h < HOMES; h++) {
		for (size_t i = 0; i < a->tables[h]; i++)
			sqlite3_finalize(a->table[h][i]);
		for (size_t s = 0; s < SPACES; s++)
			device_keys_free(a->keys[h][s]);
	}
	for (size_t i = 0; i < a->book.epochs; i++)
		secret_free(a->secret[i]);
	for (size_t i = 0; i < a->n; i++)
		buf_free(&a->genuine[i].file);
	world_end(&a->w);
}

#endif
