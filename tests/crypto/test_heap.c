// SPDX-License-Identifier: EUPL-1.2
// Goal (V1): what is freed is wiped, by whatever call and library: free, a block that moves or shrinks, SQLite's
// memory, the C library's own lines and streams; and so is the stack below.
//
// Seen to fail when: free() does not wipe; realloc() is the C library's; the stack is not wiped.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <malloc.h>
#include <sqlite3.h>

#include "crypto/secret.h"

#define MARK 0xA7

/* The allocator keeps its own notes in the first bytes of a block that is free. */
#define NOTES 32

static size_t marks_at(uintptr_t at, size_t len)
{
	const volatile uint8_t *p = (const volatile uint8_t *)at;
	size_t n = 0;

	for (size_t i = NOTES; i < len; i++)
		n += p[i] == MARK;
	return n;
}

static int needs_wiping(void **state)
{
	(void)state;
	if (!secret_heap()) {
		print_message("# a sanitizer has its own memory\n");
		skip();
	}
	return 0;
}

/* Small ones, which glibc keeps aside, and larger ones; none so large that it is a mapping of its own, which is gone
 * when it is freed. */
static const size_t sizes[] = { 40, 200, 1000, 2000, 20000 };

static void freed(void **state)
{
	needs_wiping(state);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t *p = malloc(sizes[i]);
		uint8_t *next = malloc(64); /* so that the block is not joined with what is above it */
		uintptr_t at = (uintptr_t)p;

		assert_true(p != NULL && next != NULL);
		memset(p, MARK, sizes[i]);
		assert_int_equal(marks_at(at, sizes[i]), sizes[i] - NOTES);
		free(p);
		assert_int_equal(marks_at(at, sizes[i]), 0);
		free(next);
	}
	free(NULL);
}

static void moved(void **state)
{
	needs_wiping(state);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t *p = malloc(sizes[i]);
		uint8_t *next = malloc(64);
		uint8_t *q = NULL;
		uintptr_t at = (uintptr_t)p;

		assert_true(p != NULL && next != NULL);
		memset(p, MARK, sizes[i]);
		q = i % 2 == 0 ? realloc(p, 4 * sizes[i]) : reallocarray(p, 4, sizes[i]);
		assert_non_null(q);
		assert_int_equal(marks_at((uintptr_t)q, sizes[i]), sizes[i] - NOTES);
		if ((uintptr_t)q != at)
			assert_int_equal(marks_at(at, sizes[i]), 0);
		at = (uintptr_t)q;
		q = realloc(q, NOTES + 8);
		assert_non_null(q);
		assert_int_equal(q[NOTES], MARK);
		if ((uintptr_t)q != at)
			assert_int_equal(marks_at(at, sizes[i]), 0);
		free(q);
		free(next);
	}
}

/* What the C library promises of realloc. */
static void promised(void **state)
{
	uint8_t *volatile p = NULL; /* volatile: gcc takes a failed realloc() for a free() */
	void *too_much = NULL;
	volatile size_t huge = SIZE_MAX / 2;

	needs_wiping(state); /* a sanitizer ends what asks for too much */
	p = realloc(NULL, 100);
	assert_non_null(p);
	memset(p, MARK, 100);
	too_much = realloc(p, huge);
	assert_null(too_much);
	for (int i = 0; i < 100; i++)
		assert_int_equal(p[i], MARK);
	assert_null(realloc(p, 0));
}

static void in_libraries(void **state)
{
	char *line = NULL;
	size_t cap = 0;
	uintptr_t at = 0;
	uint8_t *p = NULL;
	FILE *f = NULL;

	needs_wiping(state);
	p = sqlite3_malloc(5000);
	assert_non_null(p);
	memset(p, MARK, 5000);
	at = (uintptr_t)p;
	sqlite3_free(p);
	assert_int_equal(marks_at(at, 5000), 0);
	f = tmpfile();
	assert_non_null(f);
	for (int i = 0; i < 3000; i++)
		assert_int_equal(fputc(MARK, f), MARK);
	rewind(f);
	assert_int_equal(getline(&line, &cap, f), 3000);
	at = (uintptr_t)line;
	free(line);
	assert_int_equal(marks_at(at, 3000), 0);
	fclose(f);
}

static __attribute__((noinline)) uintptr_t leave_on_stack(void)
{
	volatile uint8_t deep[20000];
	volatile uintptr_t at = 0;

	for (size_t i = 0; i < sizeof(deep); i++)
		deep[i] = MARK;
	at = (uintptr_t)deep;
	return at;
}

static void on_the_stack(void **state)
{
	uintptr_t at = 0;

	needs_wiping(state); /* a sanitizer has its own stack too */
	at = leave_on_stack();
	assert_true(marks_at(at, 10000) > 9000);
	secret_wipe_stack();
	/* The call's own frame lies on the last bytes, and without optimisation it has holes. */
	assert_int_equal(marks_at(at, 20000 - 256), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(freed),        cmocka_unit_test(moved),        cmocka_unit_test(promised),
		cmocka_unit_test(in_libraries), cmocka_unit_test(on_the_stack),
	};

	return crypto_start() != ERR_OK ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
