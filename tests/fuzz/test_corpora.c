// SPDX-License-Identifier: EUPL-1.2
// Goal: what fuzzing once found is tried again in every run of the tests: each file of tests/data/corpus/<target>/
// through the parser of that name, which must take it as its own writer would write it or refuse it.
// Mutation seen to fail here: a reserved byte of the header not compared.
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "fuzz/targets.h"

static void replay(const char *dir, void (*target)(struct bytes))
{
	DIR *d = opendir(dir);
	struct dirent *entry = NULL;
	size_t n = 0;

	assert_non_null(d);
	while ((entry = readdir(d)) != NULL) {
		struct buf b = { 0 };
		char *path = NULL;

		if (entry->d_name[0] == '.')
			continue;
		path = file_join(dir, entry->d_name);
		assert_int_equal(file_read(NULL, path, 1 << 22, &b), ERR_OK);
		target(buf_bytes(&b));
		/* and cut, and with one bit changed */
		for (size_t i = 0; i < b.len && i < 200; i++) {
			target((struct bytes){ b.data, i });
			b.data[i] ^= (uint8_t)(1u << i % 8);
			target(buf_bytes(&b));
			b.data[i] ^= (uint8_t)(1u << i % 8);
		}
		n++;
		buf_free(&b);
		free(path);
	}
	closedir(d);
	assert_true(n > 0);
}

#define TEST(name)                                                                                                     \
	static void corpus_of_##name(void **state)                                                                     \
	{                                                                                                              \
		replay("tests/data/corpus/" #name, fuzz_##name);                                                       \
	}
FUZZ_TARGETS(TEST)

int main(void)
{
#define ENTRY(name) cmocka_unit_test(corpus_of_##name),
	const struct CMUnitTest tests[] = { FUZZ_TARGETS(ENTRY) };

	return cmocka_run_group_tests_name("fuzz/corpora", tests, NULL, NULL);
}
