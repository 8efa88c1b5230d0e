// SPDX-License-Identifier: EUPL-1.2
// Goal: an invitation is the same text everywhere (docs/FORMAT.md), and is found again in whatever it travelled in: a
// mail with words around it, lines broken in it, marks of a reply, a mailer's quoted-printable, wide characters,
// capitals. What is cut or changed is told as damage, two different ones are never guessed between, and no text
// whatever brings a person into somebody's own space. Seen to catch: letters that end at the first line, a checksum
// that is not looked at, an own space in an ordinary invitation taken, words behind an invitation counted to it.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/codec.h"
#include "crypto/hash.h"
#include "sync/invite.h"
#include "sync/join.h"
#include "sync/letters.h"

static void count_up(uint8_t *out, size_t len, uint8_t from)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(from + i);
}

static struct invited_space space(enum space_kind kind, const char *name, uint8_t from)
{
	struct invited_space s = { .kind = kind };

	count_up(s.id.b, SPACE_ID_LEN, from);
	count_up(s.tag.b, TAG_LEN, (uint8_t)(from + 0x10));
	count_up(s.sign, SIGN_PUBLIC_LEN, (uint8_t)(from + 0x20));
	count_up(s.box, BOX_PUBLIC_LEN, (uint8_t)(from + 0x40));
	strcpy(s.name, name);
	return s;
}

static struct invitation sample(bool device)
{
	struct invitation i = {
		.expires_ms = 1800000000000, .remote = "/srv/bos.git", .device = device, .compare = device
	};

	count_up(i.secret, INVITE_SECRET_LEN, 0);
	if (device)
		i.space[i.spaces++] = space(SPACE_OWN, "Noor", 0x10);
	i.space[i.spaces++] = space(SPACE_CIRCLE, "Tafel", 0x20);
	i.space[i.spaces++] = space(SPACE_NEIGHBOURHOOD, "Bos", 0x30);
	return i;
}

static char *text_of(const struct invitation *i)
{
	struct buf b = { 0 };

	assert_int_equal(invitation_put(i, &b), ERR_OK);
	return (char *)b.data; /* NUL-terminated; free() it */
}

static enum err get(const char *text, size_t len, struct invitation *out)
{
	struct errctx ec = { 0 };
	enum err e = invitation_get(&ec, text, len, out);

	assert_int_equal(ec.code, e);
	return e;
}

static void expect_sample(const char *text, size_t len, bool device)
{
	struct invitation want = sample(device);
	struct invitation got;

	assert_int_equal(get(text, len, &got), ERR_OK);
	assert_memory_equal(&got, &want, sizeof(want));
}

/* --- the vectors of docs/FORMAT.md --- */

static const char person_text[] =
    "sleutelbos-quavqiaaaebagbafaydqqcikbmga2dqpcaireeyuculbogazdinryhi6d4ngwsosabwc643soyxwe33tfztws5ecq"
    "zicaijcemsckjrhfausukzmfuxc6asfgaytemzumvkgcztfnrmcaqcbijbuirkgi5eesssljrgu4t2qkfjfgvcvkzlvqwk2lnof2"
    "xs7laqgaylcmnsgkzthnbuwu23mnvxg64drojzxi5lwo54hs6t3pr6x474gkaydcmrtgq2tmnzyhe5dwpb5hy7qgrkaifbegrddi"
    "jxxgwbakbiveu2ukvlfowczljnvyxk6l5qgcytdmrswmz3infvgw3dnnzxvqidqofzhg5dvoz3xq6l2pn6h27t7qcayfa4eqwdip"
    "cejrkfyzdmor74vr7orzu";
static const char device_text_[] =
    "sleutelbos-qybfqiaaaebagbafaydqqcikbmga2dqpcaireeyuculbogazdinryhi6d4ngwsosabwc643soyxwe33tfztws5edq"
    "zibaeiscmkbkfqxdamrugy4dupb6akfeaqseizemrhg633slaqdamjsgm2dknrxha4tuoz4hu7d6qcbijbuirkgi5eesssljrgu4"
    "t2yebifcustkrkvmv2ylfnfwxc5lzpwaylcmnsgkzthnbuwu23mnvxg7bsqeaqseizeeutcokbjfivsyljof4bekmbrgiztizkum"
    "ftgk3cyebaecqsdircumr2ijffewtcnjzhvauksknkfkvsxlbmvuw24lvpf6wbambqwey3emvtgo2djnjvwy3lon5yhc4ttor2xm"
    "53ypf5hw7d5pz7ymubqgezdgnbvgy3tqoj2hm6d2pr7ancuaqkcincggqtponmcaucrkjjvivkwk5mfsws3lrov4x3amfrggzdfm"
    "ztwq2lknnwg23tplaqha4lson2hk5txpb4xu634pv7h7aebqkbyjbmgq6eitculrsgy5dydyzraytqm";
static const char words_hex[] = "11074b9d32b774b93e0c82fe0522b972657b47687cb00109e2fb191d906c30bf";

static void test_vectors(void **state)
{
	struct invitation person = sample(false);
	struct invitation device = sample(true);
	char *a = text_of(&person);
	char *b = text_of(&device);
	uint8_t id[INVITATION_ID_LEN];
	uint8_t sign[SIGN_PUBLIC_LEN];
	uint8_t bundle[2][BUNDLE_LEN];
	struct words_part parts[2];
	uint8_t words[HASH_LEN];
	char hex[2 * HASH_LEN + 1];

	(void)state;
	assert_string_equal(a, person_text);
	assert_string_equal(b, device_text_);
	expect_sample(person_text, strlen(person_text), false);
	expect_sample(device_text_, strlen(device_text_), true);
	invitation_id(person.secret, id);
	count_up(sign, sizeof(sign), 0x40);
	count_up(bundle[0], BUNDLE_LEN, 0x80);
	count_up(bundle[1], BUNDLE_LEN, 0xa0);
	for (size_t k = 0; k < 2; k++)
		parts[k] = (struct words_part){ person.space[k].id, sign, bundle[k] };
	request_words(id, parts, 2, words);
	hex_put(words, HASH_LEN, hex);
	assert_string_equal(hex, words_hex);
	free(a);
	free(b);
}

/* With what a host asks for, in all that goes along. */
static struct invitation sample_at_host(void)
{
	struct invitation i = sample(false);

	strcpy(i.remote, "ssh://git@bos.example/bos.git");
	i.access = (struct access){ .method = ACCESS_SEED, .user = "git", .secret_len = ACCESS_SEED_LEN, .pins = 1 };
	count_up(i.access.secret, ACCESS_SEED_LEN, 0);
	for (uint8_t k = 0; k < ACCESS_PIN_LEN; k++)
		i.access.pin[0][k] = (uint8_t)(0xa0 + k % 16);
	return i;
}

static const char host_text[] =
    "sleutelbos-q4bvqiaaaebagbafaydqqcikbmga2dqpcaireeyuculbogazdinryhi6d4ngwsosab4b243tna5c6l3hnf2eaytpo"
    "mxgk6dbnvygyzjpmjxxglthnf2ifbsqeaqseizeeutcokbjfivsyljof4bekmbrgiztizkumftgk3cyebaecqsdircumr2ijffew"
    "tcnjzhvauksknkfkvsxlbmvuw24lvpf6wbambqwey3emvtgo2djnjvwy3lon5yhc4ttor2xm53ypf5hw7d5pz7ymubqgezdgnbvg"
    "y3tqoj2hm6d2pr7ancuaqkcincggqtponmcaucrkjjvivkwk5mfsws3lrov4x3amfrggzdfmztwq2lknnwg23tplaqha4lson2hk"
    "5txpb4xu634pv7h7aebqkbyjbmgq6eitculrsgy5dyaqubggz3jormcaaabaibqibiga4eascqlbqgq4dyqcejbgfavcylrqgi2d"
    "mob2hq7qfmcbifbukr2jjngu6uktkvlvsw25l5augrkhjffu2t2rknkvowk3lvpibjhp54yqa";

static void test_at_a_host(void **state)
{
	struct invitation want = sample_at_host();
	struct invitation got;
	char *text = text_of(&want);

	assert_string_equal(text, host_text);
	assert_int_equal(get(text, strlen(text), &got), ERR_OK);
	assert_memory_equal(&got, &want, sizeof(want));
	free(text);
}

/* --- what it travels in --- */

/* `text` with `what` put in after every `every` characters. */
static size_t broken(const char *text, size_t every, const char *what, char *out)
{
	size_t n = 0;

	for (size_t i = 0; text[i] != '\0'; i++) {
		/* the word in front is never broken: mailers break where they must, after 70 characters and more */
		if (i > 0 && i % every == 0) {
			memcpy(out + n, what, strlen(what));
			n += strlen(what);
		}
		out[n++] = text[i];
	}
	out[n] = '\0';
	return n;
}

static const struct {
	const char *what;
	const char *before;
	size_t every;
	const char *between;
	const char *after;
} mails[] = {
	{ "alone", "", 10000, "", "" },
	{ "with an end of line", "", 10000, "", "\r\n" },
	{ "in a sentence", "Hoi Fatma, hier is hij: ", 10000, "", " Groetjes, Noor" },
	{ "words behind it, in letters it could have", "", 10000, "", "\ngroetjes van noor\n" },
	{ "broken into lines", "Hoi,\n\n", 76, "\n", "\n\ngroetjes" },
	{ "broken into lines with carriage returns", "", 72, "\r\n", "\r\n" },
	{ "in a reply", "On Monday Noor wrote:\n> hoi\n>\n> ", 70, "\n> ", "\n> tot dan\n" },
	{ "in a reply to a reply", ">> ", 70, "\n>> ", "\n>> dag\n" },
	{ "as a mailer codes it", "Subject: hoi\n\n", 75, "=\r\n", "=\r\n\r\n-- =\r\nNoor" },
	{ "with blanks and tabs", "\t ", 40, " \t", " " },
	{ "after the name of the program", "Typ: sleutelbos join, of sleutelbos-join.\n", 10000, "", "\n" },
};

static void test_mails(void **state)
{
	static char text[16384];
	static char whole[32768];

	(void)state;
	for (size_t i = 0; i < sizeof(mails) / sizeof(mails[0]); i++) {
		for (int device = 0; device < 2; device++) {
			(void)broken(device ? device_text_ : person_text, mails[i].every, mails[i].between, text);
			snprintf(whole, sizeof(whole), "%s%s%s", mails[i].before, text, mails[i].after);
			print_message("# %s\n", mails[i].what);
			expect_sample(whole, strlen(whole), device);
		}
	}
}

static void test_capitals_and_wide(void **state)
{
	static char text[4096];
	static char wide[8192];
	size_t n = strlen(person_text);

	(void)state;
	for (size_t i = 0; i < n; i++)
		text[i] = (char)(person_text[i] >= 'a' && person_text[i] <= 'z' ? person_text[i] - 32 : person_text[i]);
	expect_sample(text, n, false);
	wide[0] = (char)0xff;
	wide[1] = (char)0xfe;
	for (size_t i = 0; i < n; i++) {
		wide[2 + 2 * i] = person_text[i];
		wide[3 + 2 * i] = '\0';
	}
	expect_sample(wide, 2 + 2 * n, false);
}

/* --- what is no invitation --- */

static void test_damaged(void **state)
{
	struct invitation got;
	char text[sizeof(person_text)];
	size_t n = strlen(person_text);

	(void)state;
	assert_int_equal(get("", 0, &got), ERR_DAMAGED);
	assert_int_equal(get("hallo", 5, &got), ERR_DAMAGED);
	assert_int_equal(get("sleutelbos-", 11, &got), ERR_DAMAGED);
	for (size_t i = 0; i < n; i++) { /* cut at every place */
		assert_int_equal(get(person_text, i, &got), ERR_DAMAGED);
	}
	for (size_t i = 0; i < n; i++) { /* every character another */
		strcpy(text, person_text);
		text[i] = text[i] == 'b' ? 'c' : 'b';
		assert_int_equal(get(text, n, &got), ERR_DAMAGED);
	}
}

static void test_several(void **state)
{
	struct invitation other = sample(false);
	struct invitation got;
	static char text[8192];
	char *second = NULL;

	(void)state;
	snprintf(text, sizeof(text), "%s\n\n> %s\n", person_text, person_text); /* the same twice is one */
	expect_sample(text, strlen(text), false);
	other.secret[0] ^= 1;
	second = text_of(&other);
	snprintf(text, sizeof(text), "%s\n\n> %s\n", person_text, second);
	assert_int_equal(get(text, strlen(text), &got), ERR_INPUT);
	snprintf(text, sizeof(text), "%.100s\n\n%s\n", second, person_text); /* a damaged one beside a whole one */
	expect_sample(text, strlen(text), false);
	free(second);
}

/* --- well coded, and not to be believed --- */

static void own_space_for_a_person(struct invitation *i)
{
	i->space[0].kind = SPACE_OWN;
}

static void own_space_second(struct invitation *i)
{
	i->device = i->compare = true;
	i->space[2] = i->space[1];
	i->space[1] = space(SPACE_OWN, "Ander", 0x70);
	i->spaces = 3;
}

static void no_neighbourhood(struct invitation *i)
{
	i->spaces = 1;
}

static void two_neighbourhoods(struct invitation *i)
{
	i->space[0].kind = SPACE_NEIGHBOURHOOD;
}

static void same_space_twice(struct invitation *i)
{
	i->space[0].id = i->space[1].id;
}

static void three_for_a_person(struct invitation *i)
{
	i->space[2] = i->space[1];
	i->space[1] = space(SPACE_CIRCLE, "Markt", 0x70);
	i->spaces = 3;
}

static void never_ends(struct invitation *i)
{
	i->expires_ms = INT64_MAX;
}

static const struct {
	const char *what;
	void (*change)(struct invitation *i);
} bad[] = {
	{ "an own space, for a person", own_space_for_a_person },
	{ "an own space behind a circle", own_space_second },
	{ "no neighbourhood", no_neighbourhood },
	{ "two neighbourhoods", two_neighbourhoods },
	{ "one space twice", same_space_twice },
	{ "three spaces, for a person", three_for_a_person },
	{ "no end", never_ends },
};

static void test_not_believed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct invitation one = sample(false);
		struct invitation got;
		char *text = NULL;

		bad[i].change(&one);
		text = text_of(&one);
		print_message("# %s\n", bad[i].what);
		assert_int_equal(get(text, strlen(text), &got), ERR_DAMAGED);
		free(text);
	}
}

/* Sixteen spaces with long names and a long address: the most there is. */
static void test_largest(void **state)
{
	struct invitation i = sample(true);
	struct invitation got;
	char *text = NULL;

	(void)state;
	memset(i.remote, 'r', REMOTE_MAX);
	i.space[INVITE_SPACES - 1] = i.space[2];
	for (uint8_t k = 1; k + 1 < INVITE_SPACES; k++) {
		i.space[k] = space(SPACE_CIRCLE, "", (uint8_t)(0x40 + k));
		memset(i.space[k].name, 'n', SPACE_NAME_MAX);
	}
	i.spaces = INVITE_SPACES;
	text = text_of(&i);
	assert_int_equal(get(text, strlen(text), &got), ERR_OK);
	assert_memory_equal(&got, &i, sizeof(i));
	assert_true(strlen(text) < 8192);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),      cmocka_unit_test(test_at_a_host),
		cmocka_unit_test(test_mails),        cmocka_unit_test(test_capitals_and_wide),
		cmocka_unit_test(test_damaged),      cmocka_unit_test(test_several),
		cmocka_unit_test(test_not_believed), cmocka_unit_test(test_largest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
