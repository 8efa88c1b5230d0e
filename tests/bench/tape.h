/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A tape of what the program asks of SQLite: every bind, step, reset and clear of the store's statements, in order,
 * with the values, taken down while the program runs and played to any database of any build of SQLite. So the sides
 * of a comparison get the same calls with the same bytes, statements kept prepared as the store keeps them.
 *
 * The program is linked so that its calls of the functions below come here first (-Wl,--wrap, in the Makefile).
 */
#ifndef SLB_TESTS_BENCH_TAPE_H
#define SLB_TESTS_BENCH_TAPE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "bench/peers.h"

#define TAPE_STATEMENTS 128

struct tape {
	uint8_t *data;
	size_t len;
	size_t room;
};

/* The statements of one connection, by number, in the order in which they were first seen. Text stays. */
struct statements {
	sqlite3 *db; /* only its statements are taken down */
	char *sql[TAPE_STATEMENTS];
	sqlite3_stmt *last[TAPE_STATEMENTS]; /* where it was last seen */
	uint32_t count;
	struct tape *to; /* NULL: nothing is taken down */
};

#define RECORDERS 2
static struct statements recorder[RECORDERS];

enum tape_op { TAPE_INT = 1, TAPE_TEXT, TAPE_BLOB, TAPE_STEP, TAPE_RESET, TAPE_CLEAR, TAPE_EXEC };

struct tape_entry {
	uint8_t op;
	uint8_t statement;
	uint8_t index; /* of a bind */
	uint8_t row;   /* of a step: it gave one */
	uint32_t len;  /* of the bytes that follow */
	int64_t value;
};

static inline void tape_put(struct tape *t, struct tape_entry e, const void *bytes)
{
	size_t padded = (e.len + 7u) & ~(size_t)7;

	if (t->len + sizeof(e) + padded > t->room) {
		t->room = (t->len + sizeof(e) + padded) * 2 + 65536;
		t->data = realloc(t->data, t->room);
		if (t->data == NULL)
			exit(1);
	}
	memcpy(t->data + t->len, &e, sizeof(e));
	memset(t->data + t->len + sizeof(e), 0, padded);
	if (e.len > 0)
		memcpy(t->data + t->len + sizeof(e), bytes, e.len);
	t->len += sizeof(e) + padded;
}

static inline struct statements *recorder_of(sqlite3 *db)
{
	for (int i = 0; i < RECORDERS; i++)
		if (recorder[i].db == db && recorder[i].to != NULL)
			return &recorder[i];
	return NULL;
}

static inline uint8_t statement_number(struct statements *s, sqlite3_stmt *st)
{
	const char *sql = sqlite3_sql(st);

	for (uint32_t i = 0; i < s->count; i++)
		if (s->last[i] == st && strcmp(s->sql[i], sql) == 0)
			return (uint8_t)i;
	for (uint32_t i = 0; i < s->count; i++) {
		if (strcmp(s->sql[i], sql) == 0) {
			s->last[i] = st;
			return (uint8_t)i;
		}
	}
	if (s->count == TAPE_STATEMENTS || (s->sql[s->count] = strdup(sql)) == NULL)
		exit(1);
	s->last[s->count] = st;
	return (uint8_t)s->count++;
}

static inline void take_down(sqlite3_stmt *st, struct tape_entry e, const void *bytes)
{
	struct statements *s = recorder_of(sqlite3_db_handle(st));

	if (s == NULL)
		return;
	e.statement = statement_number(s, st);
	tape_put(s->to, e, bytes);
}

/* ---- What the program calls in the place of SQLite ---- */

int __real_sqlite3_bind_int64(sqlite3_stmt *st, int i, sqlite3_int64 v);
int __real_sqlite3_bind_text64(sqlite3_stmt *st, int i, const char *v, sqlite3_uint64 n, void (*free)(void *),
                               unsigned char encoding);
int __real_sqlite3_bind_text(sqlite3_stmt *st, int i, const char *v, int n, void (*free)(void *));
int __real_sqlite3_bind_blob64(sqlite3_stmt *st, int i, const void *v, sqlite3_uint64 n, void (*free)(void *));
int __real_sqlite3_bind_int(sqlite3_stmt *st, int i, int v);
int __real_sqlite3_step(sqlite3_stmt *st);
int __real_sqlite3_reset(sqlite3_stmt *st);
int __real_sqlite3_finalize(sqlite3_stmt *st);
int __real_sqlite3_clear_bindings(sqlite3_stmt *st);
int __real_sqlite3_exec(sqlite3 *db, const char *sql, int (*each)(void *, int, char **, char **), void *arg,
                        char **msg);

int __wrap_sqlite3_bind_int64(sqlite3_stmt *st, int i, sqlite3_int64 v);
int __wrap_sqlite3_bind_text64(sqlite3_stmt *st, int i, const char *v, sqlite3_uint64 n, void (*free)(void *),
                               unsigned char encoding);
int __wrap_sqlite3_bind_text(sqlite3_stmt *st, int i, const char *v, int n, void (*free)(void *));
int __wrap_sqlite3_bind_blob64(sqlite3_stmt *st, int i, const void *v, sqlite3_uint64 n, void (*free)(void *));
int __wrap_sqlite3_bind_int(sqlite3_stmt *st, int i, int v);
int __wrap_sqlite3_step(sqlite3_stmt *st);
int __wrap_sqlite3_reset(sqlite3_stmt *st);
int __wrap_sqlite3_finalize(sqlite3_stmt *st);
int __wrap_sqlite3_clear_bindings(sqlite3_stmt *st);
int __wrap_sqlite3_exec(sqlite3 *db, const char *sql, int (*each)(void *, int, char **, char **), void *arg,
                        char **msg);

int __wrap_sqlite3_bind_int64(sqlite3_stmt *st, int i, sqlite3_int64 v)
{
	take_down(st, (struct tape_entry){ .op = TAPE_INT, .index = (uint8_t)i, .value = v }, NULL);
	return __real_sqlite3_bind_int64(st, i, v);
}

int __wrap_sqlite3_bind_int(sqlite3_stmt *st, int i, int v)
{
	take_down(st, (struct tape_entry){ .op = TAPE_INT, .index = (uint8_t)i, .value = v }, NULL);
	return __real_sqlite3_bind_int(st, i, v);
}

int __wrap_sqlite3_bind_text64(sqlite3_stmt *st, int i, const char *v, sqlite3_uint64 n, void (*free)(void *),
                               unsigned char encoding)
{
	take_down(st, (struct tape_entry){ .op = TAPE_TEXT, .index = (uint8_t)i, .len = (uint32_t)n }, v);
	return __real_sqlite3_bind_text64(st, i, v, n, free, encoding);
}

int __wrap_sqlite3_bind_text(sqlite3_stmt *st, int i, const char *v, int n, void (*free)(void *))
{
	uint32_t len = n < 0 ? (uint32_t)strlen(v) : (uint32_t)n;

	take_down(st, (struct tape_entry){ .op = TAPE_TEXT, .index = (uint8_t)i, .len = len }, v);
	return __real_sqlite3_bind_text(st, i, v, n, free);
}

int __wrap_sqlite3_bind_blob64(sqlite3_stmt *st, int i, const void *v, sqlite3_uint64 n, void (*free)(void *))
{
	take_down(st, (struct tape_entry){ .op = TAPE_BLOB, .index = (uint8_t)i, .len = (uint32_t)n }, v);
	return __real_sqlite3_bind_blob64(st, i, v, n, free);
}

int __wrap_sqlite3_step(sqlite3_stmt *st)
{
	int rc = __real_sqlite3_step(st);

	take_down(st, (struct tape_entry){ .op = TAPE_STEP, .row = rc == SQLITE_ROW }, NULL);
	return rc;
}

int __wrap_sqlite3_reset(sqlite3_stmt *st)
{
	take_down(st, (struct tape_entry){ .op = TAPE_RESET }, NULL);
	return __real_sqlite3_reset(st);
}

/* A player keeps the statement for the next time. */
int __wrap_sqlite3_finalize(sqlite3_stmt *st)
{
	if (st != NULL)
		take_down(st, (struct tape_entry){ .op = TAPE_RESET }, NULL);
	return __real_sqlite3_finalize(st);
}

int __wrap_sqlite3_clear_bindings(sqlite3_stmt *st)
{
	take_down(st, (struct tape_entry){ .op = TAPE_CLEAR }, NULL);
	return __real_sqlite3_clear_bindings(st);
}

int __wrap_sqlite3_exec(sqlite3 *db, const char *sql, int (*each)(void *, int, char **, char **), void *arg, char **msg)
{
	struct statements *s = recorder_of(db);

	if (s != NULL)
		tape_put(s->to, (struct tape_entry){ .op = TAPE_EXEC, .len = (uint32_t)strlen(sql) + 1 }, sql);
	return __real_sqlite3_exec(db, sql, each, arg, msg);
}

/* ---- Playing ---- */

struct player {
	const struct api *api;
	sqlite3 *db;
	const struct statements *from; /* whose numbers the tape has */
	sqlite3_stmt *st[TAPE_STATEMENTS];
	uint32_t steps[TAPE_STATEMENTS]; /* since its reset */
	uint32_t now;                    /* of the statement that is being stepped */
};

static const struct player *playing; /* for functions that the statements call */

static inline sqlite3_stmt *player_statement(struct player *p, uint8_t n)
{
	if (p->st[n] == NULL)
		api_check(p->api, p->db, p->api->prepare_v2(p->db, p->from->sql[n], -1, &p->st[n], NULL),
		          p->from->sql[n]);
	return p->st[n];
}

static inline void play_entry(struct player *p, struct tape_entry e, const uint8_t *bytes)
{
	const struct api *a = p->api;
	sqlite3_stmt *st = e.op == TAPE_EXEC ? NULL : player_statement(p, e.statement);
	int rc = SQLITE_OK;

	switch ((enum tape_op)e.op) {
	case TAPE_INT:
		rc = a->bind_int64(st, e.index, e.value);
		break;
	case TAPE_TEXT:
		rc = a->bind_text(st, e.index, (const char *)bytes, (int)e.len, SQLITE_STATIC);
		break;
	case TAPE_BLOB:
		rc = a->bind_blob(st, e.index, bytes, (int)e.len, SQLITE_STATIC);
		break;
	case TAPE_STEP:
		p->now = ++p->steps[e.statement];
		rc = a->step(st);
		if (rc == (e.row ? SQLITE_DONE : SQLITE_ROW)) {
			fprintf(stderr, "bench: %s does not answer as the vault did: %s\n", a->name,
			        p->from->sql[e.statement]);
			exit(1);
		}
		break;
	case TAPE_RESET:
		p->steps[e.statement] = 0;
		rc = a->reset(st);
		break;
	case TAPE_CLEAR:
		rc = a->clear_bindings(st);
		break;
	case TAPE_EXEC:
		rc = a->exec(p->db, (const char *)bytes, NULL, NULL, NULL);
		break;
	}
	api_check(a, p->db, rc, e.op == TAPE_EXEC ? (const char *)bytes : p->from->sql[e.statement]);
}

static inline void play(struct player *p, const struct tape *t)
{
	playing = p;
	for (size_t at = 0; at < t->len;) {
		struct tape_entry e;

		memcpy(&e, t->data + at, sizeof(e));
		play_entry(p, e, t->data + at + sizeof(e));
		at += sizeof(e) + ((e.len + 7u) & ~(size_t)7);
	}
}

static inline void player_end(struct player *p)
{
	for (size_t i = 0; i < TAPE_STATEMENTS; i++) {
		if (p->st[i] != NULL)
			p->api->finalize(p->st[i]);
		p->st[i] = NULL;
	}
}

#endif
