/* SPDX-License-Identifier: EUPL-1.2 */
/* A vault over a disk that can fail, with four rows in its database and four in its log, and the two files of it that
 * SQLite has open: for calls that SQLite itself does not make. */
#ifndef SLB_TESTS_VAULT_SCENE_H
#define SLB_TESTS_VAULT_SCENE_H

#include "vault/disk.h"
#include "vault/vault_over.h"

#define SCENE_ROWS 8

struct scene {
	const struct rng *rng;
	char *dir;
	struct disk *disk;
	struct vault *v;
	sqlite3_file *main;
	sqlite3_file *log;
	struct buf db; /* as they are on disk */
	struct buf wal;
};

/* What is on disk now is what assert_unchanged() compares with. */
static inline void scene_look(struct scene *s)
{
	buf_free(&s->db);
	buf_free(&s->wal);
	s->db = kit_read(s->dir, "vault.db");
	s->wal = kit_read(s->dir, "vault.db-wal");
}

static inline void scene_begin(struct scene *s, const struct rng *rng)
{
	*s = (struct scene){ .rng = rng, .dir = kit_dir(), .disk = disk_new() };
	assert_int_equal(vault_open_over(NULL, s->dir, KIT_MASTER, VAULT_CREATE, rng, &s->disk->base, &s->v), ERR_OK);
	kit_fill(s->v, SCENE_ROWS / 2);
	assert_int_equal(vault_checkpoint(s->v, NULL, false), ERR_OK);
	kit_fill(s->v, SCENE_ROWS / 2);
	assert_int_equal(sqlite3_file_control(vault_db(s->v), "main", SQLITE_FCNTL_FILE_POINTER, &s->main), SQLITE_OK);
	assert_int_equal(sqlite3_file_control(vault_db(s->v), "main", SQLITE_FCNTL_JOURNAL_POINTER, &s->log),
	                 SQLITE_OK);
	scene_look(s);
}

static inline void assert_unchanged(const struct scene *s)
{
	struct buf db = kit_read(s->dir, "vault.db");
	struct buf wal = kit_read(s->dir, "vault.db-wal");

	assert_int_equal(bytes_cmp(buf_bytes(&db), buf_bytes(&s->db)), 0);
	assert_int_equal(bytes_cmp(buf_bytes(&wal), buf_bytes(&s->wal)), 0);
	buf_free(&db);
	buf_free(&wal);
}

/* Whatever becomes of the vault. */
static inline void scene_drop(struct scene *s)
{
	vault_close(s->v);
	buf_free(&s->db);
	buf_free(&s->wal);
	kit_dir_free(s->dir);
	disk_free(s->disk);
}

/* Opened again it is whole, with its eight rows. */
static inline void scene_end(struct scene *s)
{
	struct vault_report r;

	vault_close(s->v);
	s->v = kit_open(s->dir, VAULT_OPEN, s->rng);
	assert_int_equal(kit_number(s->v, "SELECT count(*) FROM t"), SCENE_ROWS);
	assert_int_equal(vault_verify(s->v, NULL, &r), ERR_OK);
	scene_drop(s);
}

#endif
