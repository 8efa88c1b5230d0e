// SPDX-License-Identifier: EUPL-1.2
// Goal (V2): a sealed text opens as it was, under the one type, key and associated data; cut, changed, or as anything
// else it gives nothing. Empty texts are texts.
//
// Seen to fail when: the type does not lead the associated data; a text shorter than a seal is read; a box of one type
// opens as another.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/aead.h"
#include "crypto/secret.h"
#include "crypto/share.h"
#include "crypto/sign.h"

static const uint8_t KEY[AEAD_KEY_LEN] = "a key of thirty-two bytes, say.";

static void seals(void **state)
{
	static const struct {
		const char *ad;
		const char *plain;
	} cases[] = { { "", "" }, { "ad", "" }, { "", "een gesprek" }, { "ad", "een gesprek" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes ad = { (const uint8_t *)cases[i].ad, strlen(cases[i].ad) };
		struct bytes plain = { (const uint8_t *)cases[i].plain, strlen(cases[i].plain) };
		struct bytes other = { (const uint8_t *)"another", 7 };
		struct buf sealed = { 0 };
		struct buf out = { 0 };

		assert_int_equal(aead_seal(SEAL_BATCH, KEY, ad, plain, &crypto_rng, &sealed), ERR_OK);
		assert_int_equal(sealed.len, plain.len + AEAD_OVERHEAD);
		assert_int_equal(aead_unseal(SEAL_BATCH, KEY, ad, buf_bytes(&sealed), &out), ERR_OK);
		assert_int_equal(bytes_cmp(buf_bytes(&out), plain), 0);
		assert_int_equal(aead_unseal(SEAL_PAGE, KEY, ad, buf_bytes(&sealed), &out), ERR_DAMAGED);
		assert_int_equal(aead_unseal(SEAL_BATCH, KEY, other, buf_bytes(&sealed), &out), ERR_DAMAGED);
		for (size_t cut = 0; cut < sealed.len; cut++)
			assert_int_equal(aead_unseal(SEAL_BATCH, KEY, ad, (struct bytes){ sealed.data, cut }, &out),
			                 ERR_DAMAGED);
		for (size_t at = 0; at < sealed.len; at++) {
			sealed.data[at] ^= 1;
			assert_int_equal(aead_unseal(SEAL_BATCH, KEY, ad, buf_bytes(&sealed), &out), ERR_DAMAGED);
			sealed.data[at] ^= 1;
		}
		assert_int_equal(bytes_cmp(buf_bytes(&out), plain), 0); /* what failed added nothing */
		buf_free(&sealed);
		buf_free(&out);
	}
}

static void boxes(void **state)
{
	uint8_t public[BOX_PUBLIC_LEN];
	uint8_t secret[BOX_SECRET_LEN];
	uint8_t nobody[BOX_PUBLIC_LEN] = { 0 };
	struct bytes plain = { (const uint8_t *)"een sleutel", 11 };
	struct buf sealed = { 0 };
	struct buf out = { 0 };

	(void)state;
	box_keypair(&crypto_rng, public, secret);
	assert_int_equal(box_seal(BOX_RECOVERY, public, plain, &sealed), ERR_OK);
	assert_int_equal(box_unseal(BOX_RECOVERY, public, secret, buf_bytes(&sealed), &out), ERR_OK);
	assert_int_equal(bytes_cmp(buf_bytes(&out), plain), 0);
	assert_int_equal(box_unseal((enum box_type)(BOX_RECOVERY ^ 1), public, secret, buf_bytes(&sealed), &out),
	                 ERR_DAMAGED);
	for (size_t cut = 0; cut < sealed.len; cut++)
		assert_int_equal(box_unseal(BOX_RECOVERY, public, secret, (struct bytes){ sealed.data, cut }, &out),
		                 ERR_DAMAGED);
	sealed.data[sealed.len - 1] ^= 1;
	assert_int_equal(box_unseal(BOX_RECOVERY, public, secret, buf_bytes(&sealed), &out), ERR_DAMAGED);
	assert_int_equal(bytes_cmp(buf_bytes(&out), plain), 0);
	/* A public key of small order: whoever sent it, nothing is sealed to it. */
	buf_reset(&sealed);
	assert_int_equal(box_seal(BOX_RECOVERY, nobody, plain, &sealed), ERR_DAMAGED);
	assert_int_equal(sealed.len, 0);
	buf_free(&sealed);
	buf_free(&out);
	secret_wipe(secret, sizeof(secret));
}

/* Numbers of shares that cannot be are refused, with a sentence, before anything is worked out. */
static void share_numbers(void **state)
{
	static const struct {
		size_t count;
		size_t t;
		enum err e;
	} cases[] = {
		{ 0, 2, ERR_USAGE }, { SHARE_MAX + 1, 2, ERR_USAGE },
		{ 3, 0, ERR_USAGE }, { 3, SHARE_MAX + 1, ERR_USAGE },
		{ 3, 2, ERR_OK },
	};
	struct share_point points[SHARE_MAX + 1];
	uint64_t x[SHARE_MAX + 1];
	uint64_t factor[SHARE_MAX + 1];
	bool wrong[SHARE_MAX + 1];

	(void)state;
	for (unsigned i = 0; i <= SHARE_MAX; i++) {
		points[i] = (struct share_point){ i + 1, 5 };
		x[i] = i + 1;
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct errctx ec = { .code = ERR_OK };
		enum share_verdict verdict = SHARE_DISAGREE;

		assert_int_equal(share_check(points, cases[i].count, cases[i].t, &verdict, wrong, &ec), cases[i].e);
		assert_int_equal(ec.code, cases[i].e);
		if (cases[i].e == ERR_OK)
			assert_int_equal(verdict, SHARE_AGREE);
	}
	assert_int_equal(share_factors(x, 0, factor, NULL), ERR_USAGE);
	assert_int_equal(share_factors(x, SHARE_MAX + 1, factor, NULL), ERR_USAGE);
	x[1] = x[0];
	assert_int_equal(share_factors(x, 2, factor, NULL), ERR_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seals),
		cmocka_unit_test(boxes),
		cmocka_unit_test(share_numbers),
	};

	return crypto_start() != ERR_OK ? 1 : cmocka_run_group_tests_name("crypto/seal", tests, NULL, NULL);
}
