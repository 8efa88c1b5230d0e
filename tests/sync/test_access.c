// SPDX-License-Identifier: EUPL-1.2
// Goal: how one comes in at a host is written as docs/FORMAT.md says and read back the same; nothing else is read. Keys
// made here are what OpenSSH reads, keys of a person are taken where they can be used, and refused with a sentence
// where they cannot. A login that is one person's own goes to nobody.
//
// Mistakes it was seen to catch: a personal login left in what is shared; the second half of an OpenSSH key taken for
// its seed; a key with a passphrase taken as text.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/file.h"
#include "crypto/secret.h"
#include "sync/access.h"

static void fill(struct access *a)
{
	*a = (struct access){ .method = ACCESS_SEED, .user = "git", .secret_len = 32, .pins = 1, .ca_len = 0 };
	for (uint8_t i = 0; i < 32; i++) {
		a->secret[i] = i;
		a->pin[0][i] = (uint8_t)(0xa0 + i % 16);
	}
}

/* docs/FORMAT.md, "How to come in at the host" */
static const char vector[] = "85026367697458200001020304050607"
                             "08090a0b0c0d0e0f1011121314151617"
                             "18191a1b1c1d1e1f815820a0a1a2a3a4"
                             "a5a6a7a8a9aaabacadaeafa0a1a2a3a4"
                             "a5a6a7a8a9aaabacadaeaf40";

static void test_bytes(void **state)
{
	struct access *a = access_new(2);
	struct buf b = { 0 };
	char hex[512];

	fill(&a[0]);
	assert_int_equal(access_put(&a[0], &b), ERR_OK);
	hex_put(b.data, b.len, hex);
	assert_string_equal(hex, vector);
	for (size_t len = 0; len <= b.len; len++) {
		struct wire_in in = wire_in((struct bytes){ b.data, len });
		enum err e = access_get(&in, &a[1]);

		if (e == ERR_OK)
			e = wire_at_end(&in);
		assert_int_equal(e, len == b.len ? ERR_OK : ERR_DAMAGED);
	}
	assert_memory_equal(&a[0], &a[1], sizeof(a[0]));
	/* each byte changed: read as something that is written the same, or not at all */
	for (size_t i = 0; i < b.len; i++) {
		struct buf again = { 0 };
		struct wire_in in = wire_in(buf_bytes(&b));

		b.data[i] ^= 0x21;
		if (access_get(&in, &a[1]) == ERR_OK && wire_at_end(&in) == ERR_OK) {
			assert_int_equal(access_put(&a[1], &again), ERR_OK);
			assert_int_equal(bytes_cmp(buf_bytes(&again), buf_bytes(&b)), 0);
		}
		b.data[i] ^= 0x21;
		buf_free(&again);
	}
	buf_free(&b);
	secret_free(a);
}

static void test_what_is_shared(void **state)
{
	struct access *a = access_new(2);

	fill(&a[0]);
	access_shared(&a[0], &a[1]);
	assert_int_equal(a[1].method, ACCESS_SEED);
	a[0].mine = true;
	access_shared(&a[0], &a[1]);
	assert_int_equal(a[1].method, ACCESS_NONE);
	assert_int_equal(a[1].secret_len, 0);
	for (size_t i = 0; i < sizeof(a[1].secret); i++)
		assert_int_equal(a[1].secret[i], 0);
	assert_int_equal(a[1].pins, 1); /* whom to believe goes along all the same */
	assert_false(access_empty(&a[1]));
	secret_free(a);
}

static void put_file(const char *path, struct bytes content)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(content.data, 1, content.len, f), content.len);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

static void sh(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static enum err key_of(const char *file, struct access *out)
{
	struct buf b = { 0 };
	enum err e = file_read(NULL, file, 65536, &b);

	assert_int_equal(e, ERR_OK);
	e = access_key_read(NULL, buf_bytes(&b), "git", out);
	buf_free(&b);
	return e;
}

/* OpenSSH itself finds in the private key the public one that we tell. */
static void test_made_keys(void **state)
{
	struct access *a = access_new(2);
	struct buf private = { 0 }, public = { 0 }, told = { 0 };

	for (int i = 0; i < 5; i++) {
		access_key_make(&crypto_rng, "git", &a[0]);
		buf_reset(&private);
		buf_reset(&public);
		buf_reset(&told);
		assert_int_equal(access_key_text(&a[0], &private), ERR_OK);
		assert_int_equal(access_public_text(&a[0], &public), ERR_OK);
		put_file("key", buf_bytes(&private));
		sh("ssh-keygen -y -f key >key.told");
		assert_int_equal(file_read(NULL, "key.told", 4096, &told), ERR_OK);
		assert_true(told.len >= public.len);
		assert_memory_equal(told.data, public.data, public.len);
		/* and our own file reads back as the same seed */
		assert_int_equal(key_of("key", &a[1]), ERR_OK);
		assert_int_equal(a[1].method, ACCESS_SEED);
		assert_memory_equal(a[0].secret, a[1].secret, ACCESS_SEED_LEN);
	}
	buf_free(&private);
	buf_free(&public);
	buf_free(&told);
	secret_free(a);
}

static void test_keys_of_a_person(void **state)
{
	static const struct {
		const char *make, *file;
		enum err want;
		enum access_method method;
	} cases[] = {
		{ "ssh-keygen -q -t ed25519 -N '' -f ed", "ed", ERR_OK, ACCESS_SEED },
		{ "ssh-keygen -q -t ecdsa -b 256 -N '' -f ec", "ec", ERR_OK, ACCESS_KEY },
		{ "ssh-keygen -q -t ecdsa -b 521 -N '' -f ec5", "ec5", ERR_OK, ACCESS_KEY },
		{ "openssl ecparam -genkey -name prime256v1 -noout >ecpem", "ecpem", ERR_OK, ACCESS_KEY },
		{ "ssh-keygen -q -t rsa -b 2048 -N '' -f rsa", "rsa", ERR_REFUSED, 0 },
		{ "ssh-keygen -q -t rsa -b 2048 -m PEM -N '' -f rsapem", "rsapem", ERR_REFUSED, 0 },
		{ "openssl genpkey -algorithm RSA -out rsa8 2>/dev/null", "rsa8", ERR_REFUSED, 0 },
		{ "ssh-keygen -q -t ed25519 -N 'wachtzin' -f locked", "locked", ERR_REFUSED, 0 },
		{ "ssh-keygen -q -t ecdsa -N 'wachtzin' -f locked2", "locked2", ERR_REFUSED, 0 },
		{ "ssh-keygen -q -t ecdsa -m PEM -N 'wachtzin' -f locked3", "locked3", ERR_REFUSED, 0 },
		{ "true", "ed.pub", ERR_INPUT, 0 },
		{ "head -c 200 ed >cut", "cut", ERR_INPUT, 0 },
		{ "echo hallo >text", "text", ERR_INPUT, 0 },
		{ "sed 's/^b3Blb/b3Blc/' ed >odd", "odd", ERR_INPUT, 0 },
	};
	struct access *a = access_new(1);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sh(cases[i].make);
		memset(a, 0, sizeof(*a));
		if (key_of(cases[i].file, a) != cases[i].want || a->method != cases[i].method)
			fail_msg("%s", cases[i].make);
	}
	secret_free(a);
}

static void test_fingerprints(void **state)
{
	uint8_t pin[32], again[32];
	char text[FINGERPRINT_TEXT_LEN];

	for (int i = 0; i < 200; i++) {
		rng_fill(&crypto_rng, pin, sizeof(pin));
		fingerprint_put(pin, text);
		assert_true(fingerprint_get(text, again));
		assert_memory_equal(pin, again, sizeof(pin));
		text[49] = '='; /* the 43rd character is gone */
		assert_false(fingerprint_get(text, again));
	}
	assert_false(fingerprint_get("SHA256:", again));
	assert_false(fingerprint_get("MD5:00:11", again));
}

static int in_scratch(void **state)
{
	const char *dir = getenv("TMPDIR");

	return crypto_start() != ERR_OK || (dir != NULL && chdir(dir) != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),        cmocka_unit_test(test_what_is_shared),
		cmocka_unit_test(test_made_keys),    cmocka_unit_test(test_keys_of_a_person),
		cmocka_unit_test(test_fingerprints),
	};

	return cmocka_run_group_tests(tests, in_scratch, NULL);
}
