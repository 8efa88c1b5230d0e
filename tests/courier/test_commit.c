// SPDX-License-Identifier: EUPL-1.2
// Goal: the readers of foreign commits and trees take exactly the one shape that is written, whatever bytes they meet;
// and how two commits stand to each other is found as a simple count of their ancestors would find it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "courier/bare.h"
#include "courier/commit.h"

/* A small generator of its own: the same cases in every run. */
static uint64_t seed;

static uint32_t chance(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

#define OID_A "0123456789abcdef0123456789abcdef01234567"
#define COMMIT "tree " OID_A "\nparent " OID_A "\n" COMMIT_TAIL

static void test_one_byte_more_less_or_other_is_refused(void **state)
{
	const size_t len = sizeof(COMMIT) - 1;
	char text[sizeof(COMMIT) + 1];
	struct commit c;

	assert_true(commit_parse((struct bytes){ (const uint8_t *)COMMIT, len }, &c));
	assert_false(c.first);
	for (size_t i = 0; i < len; i++)
		assert_false(commit_parse((struct bytes){ (const uint8_t *)COMMIT, i }, &c));
	memcpy(text, COMMIT, len);
	text[len] = '\n';
	assert_false(commit_parse((struct bytes){ (const uint8_t *)text, len + 1 }, &c));
	for (size_t i = 0; i < len; i++) {
		bool in_id = (i >= 5 && i < 45) || (i >= 53 && i < 93);

		for (int byte = 0; byte < 256; byte++) {
			bool hex = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');

			memcpy(text, COMMIT, len);
			if ((unsigned char)text[i] == byte)
				continue;
			text[i] = (char)byte;
			assert_int_equal(commit_parse((struct bytes){ (const uint8_t *)text, len }, &c), in_id && hex);
		}
	}
}

/* Writes what tree_parse() read, as the format says. */
static size_t tree_write(const struct commit *c, uint8_t *out)
{
	size_t len = 0;

	for (size_t i = 0; i < c->files; i++) {
		len += (size_t)sprintf((char *)out + len, "100644 %s", c->file[i].name) + 1;
		memcpy(out + len, c->file[i].blob.id, 20);
		len += 20;
	}
	return len;
}

/* Whatever is accepted is exactly what we would have written: no second spelling, nothing hidden. */
static void test_trees_that_are_accepted_read_back_the_same(void **state)
{
	unsigned accepted = 0;

	seed = 1;
	for (int round = 0; round < 200000; round++) {
		uint8_t raw[512], again[COMMIT_FILES_MAX * 96];
		size_t len = 0;
		struct commit c;
		unsigned entries = 1 + chance(3);

		for (unsigned i = 0; i < entries; i++) {
			len +=
			    (size_t)sprintf((char *)raw + len, "100644 %c-%u", (char)('a' + chance(4)), chance(100)) +
			    1;
			for (int k = 0; k < 20; k++)
				raw[len++] = (uint8_t)chance(256);
		}
		for (uint32_t changes = chance(3); changes > 0; changes--)
			raw[chance((uint32_t)len)] = (uint8_t)chance(256);
		len -= chance(8) == 0 ? chance((uint32_t)len) : 0;
		if (!tree_parse((struct bytes){ raw, len }, &c))
			continue;
		accepted++;
		assert_int_equal(tree_write(&c, again), len);
		assert_memory_equal(raw, again, len);
		for (size_t i = 0; i < c.files; i++)
			assert_true(job_name_valid(c.file[i].name, strlen(c.file[i].name)));
	}
	assert_true(accepted > 20000);
}

static struct bare repo;
static char dir[128];

static int open_repo(void **state)
{
	snprintf(dir, sizeof(dir), "%.100s/slb-commit-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(dir) == NULL || strlen(dir) + 6 > sizeof(dir))
		return 1;
	strcat(dir, "/repo");
	return bare_start(NULL) != ERR_OK || bare_create(NULL, dir) != ERR_OK || bare_open(NULL, dir, &repo) != ERR_OK;
}

static int close_repo(void **state)
{
	char command[256];

	bare_close(&repo);
	bare_stop();
	*strrchr(dir, '/') = '\0';
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

#define NODES 60

/* Seen to fail with walk_step() marking the parent instead of the commit itself. */
static void test_relations_are_those_of_the_ancestors(void **state)
{
	git_oid id[NODES];
	int parent[NODES];

	seed = 7;
	for (int i = 0; i < NODES; i++) {
		char name[16];

		/* Some start a history of their own. */
		parent[i] = i == 0 || chance(12) == 0 ? -1 : (int)chance((uint32_t)i);
		snprintf(name, sizeof(name), "n-%d", i);
		assert_int_equal(commit_make(NULL, repo.odb, dir, parent[i] < 0 ? NULL : &id[parent[i]], name,
		                             (struct bytes){ (const uint8_t *)name, strlen(name) }, &id[i]),
		                 ERR_OK);
	}
	for (int a = 0; a < NODES; a++) {
		for (int b = 0; b < NODES; b++) {
			bool above[NODES] = { false }; /* ancestors of a, itself included */
			enum relation want = REL_FORKED, rel = REL_SAME;
			git_oid base;
			bool apart = false;
			int common = -1;

			for (int n = a; n >= 0; n = parent[n])
				above[n] = true;
			for (int n = b; n >= 0 && common < 0; n = parent[n])
				common = above[n] ? n : -1;
			if (a == b)
				want = REL_SAME;
			else if (common == b)
				want = REL_ABOVE;
			else if (common == a)
				want = REL_BELOW;
			assert_int_equal(chain_relate(NULL, repo.odb, dir, &id[a], &id[b], &rel, &base, &apart),
			                 ERR_OK);
			assert_int_equal(rel, want);
			assert_int_equal(apart, common < 0);
			if (common >= 0)
				assert_true(git_oid_equal(&base, &id[common]));
		}
	}
}

/* The id of a commit is fixed for ever: a changed byte in what commit_make() writes would make every device that lost
 * its cache look like a copy of itself. Computed with git hash-object. */
static void test_known_commit(void **state)
{
	git_oid first, second;

	assert_int_equal(
	    commit_make(NULL, repo.odb, dir, NULL, "b-1", (struct bytes){ (const uint8_t *)"one", 3 }, &first), ERR_OK);
	assert_string_equal(git_oid_tostr_s(&first), "d987501fcd236d08e795841e708baebbdd5eb7f7");
	assert_int_equal(
	    commit_make(NULL, repo.odb, dir, &first, "b-2", (struct bytes){ (const uint8_t *)"two", 3 }, &second),
	    ERR_OK);
	assert_string_equal(git_oid_tostr_s(&second), "9838a06ed5eb0c809e3639385ae5300549ed4d09");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_byte_more_less_or_other_is_refused),
		cmocka_unit_test(test_trees_that_are_accepted_read_back_the_same),
		cmocka_unit_test(test_relations_are_those_of_the_ancestors),
		cmocka_unit_test(test_known_commit),
	};

	return cmocka_run_group_tests(tests, open_repo, close_repo);
}
