// SPDX-License-Identifier: EUPL-1.2
// Goal: the store is the same after an error as before it, on disk and in memory (V5's chain, M4's clock); ids and
// search words that people type, whatever they are, give an answer or a sentence; large records stay exact.
#include "sync/forge.h"

struct bench {
	struct world w;
	struct store *store;
	int64_t space;
};

static void bench_begin(struct bench *b)
{
	struct errctx ec = { 0 };

	world_begin(&b->w);
	world_home(&b->w, "Een");
	b->store = b->w.app[0]->store;
	assert_int_equal(app_circle(&ec, b->w.app[0], NULL, &b->space), ERR_OK);
}

static enum err put(struct bench *b, struct errctx *ec, struct draft *d, uint32_t kind, struct dot target,
                    struct dot *id)
{
	struct change c = { .space = b->space, .kind = kind, .target = target };
	enum err e = draft_writes(d, &c.writes, &c.write_count);

	assert_int_equal(e, ERR_OK);
	e = store_write(ec, b->store, &c, clock_now(&b->w.clock), id);
	draft_free(d);
	return e;
}

static struct dot contact(struct bench *b, const char *text)
{
	struct draft d = { 0 };
	struct errctx ec = { 0 };
	struct dot id = { 0 };

	draft_int(&d, F_contact_date, 20000);
	draft_long_text(&d, F_contact_text, NULL, text);
	assert_int_equal(store_begin(&ec, b->store), ERR_OK);
	assert_int_equal(put(b, &ec, &d, KIND_contact, (struct dot){ 0 }, &id), ERR_OK);
	assert_int_equal(store_commit(&ec, b->store), ERR_OK);
	return id;
}

static void expect_whole(struct bench *b, uint64_t edits)
{
	struct errctx ec = { 0 };
	uint64_t n = 0;
	uint64_t bad = 0;

	assert_int_equal(store_verify(&ec, b->store, &n, &bad), ERR_OK);
	assert_int_equal(bad, 0);
	assert_int_equal(n, edits);
}

/* What is rolled back leaves no link in the chain, no device, no tick of the clock and no number. */
static void test_rollback(void **state)
{
	struct bench b;
	struct errctx ec = { 0 };
	struct dot first;
	struct dot next;
	struct dot id;
	uint64_t edits = 0;
	uint64_t bad = 0;
	struct hlc clock;
	struct loaded l;

	(void)state;
	bench_begin(&b);
	first = contact(&b, "eerste");
	assert_int_equal(store_verify(&ec, b.store, &edits, &bad), ERR_OK);
	for (int i = 0; i < 3; i++) {
		struct draft d = { 0 };
		struct device_row row = { .space = b.space, .id = { { 7, 7, 7, (uint8_t)i } }, .state = DEVICE_NAMED };

		assert_int_equal(store_begin(&ec, b.store), ERR_OK);
		b.w.now_ms += 1000LL * 60 * 60 * 24 * 365 * 20;
		draft_int(&d, F_contact_date, 20000);
		assert_int_equal(put(&b, &ec, &d, KIND_contact, (struct dot){ 0 }, &id), ERR_OK);
		b.w.now_ms -= 1000LL * 60 * 60 * 24 * 365 * 20;
		assert_int_equal(store_device_put(&ec, b.store, &row), ERR_OK);
		if (i == 1) { /* an error in the middle: about a record that is not there */
			draft_int(&d, F_contact_date, 20001);
			assert_int_equal(put(&b, &ec, &d, KIND_none, (struct dot){ row.id, 5 }, &id), ERR_DAMAGED);
			err_clear(&ec);
		}
		store_rollback(b.store);
		assert_int_equal(store_load(&ec, b.store, (struct dot){ first.dev, first.counter + 1 }, &l),
		                 ERR_NOT_FOUND);
		assert_int_equal(store_device_by_id(&ec, b.store, row.id, &row), ERR_NOT_FOUND);
		assert_int_equal(store_next_dot(&ec, b.store, b.space, &next), ERR_OK);
		assert_int_equal(next.counter, first.counter + 1);
		expect_whole(&b, edits);
	}
	id = contact(&b, "tweede");
	assert_int_equal(id.counter, first.counter + 1);
	assert_int_equal(store_load(&ec, b.store, id, &l), ERR_OK);
	clock = l.record.stamps[0].clock;
	assert_true(clock.ms < (uint64_t)b.w.now_ms + 1000);
	store_loaded_free(&l);
	expect_whole(&b, edits + 1);
	world_reopen(&b.w, 0);
	b.store = b.w.app[0]->store;
	contact(&b, "derde");
	expect_whole(&b, edits + 2);
	world_end(&b.w);
}

/* A missing error context is no crash. */
static void test_without_errctx(void **state)
{
	struct bench b;
	struct dot id = { { { 1 } }, 1 };
	struct draft d = { 0 };
	struct loaded l;

	(void)state;
	bench_begin(&b);
	assert_int_equal(store_load(NULL, b.store, id, &l), ERR_NOT_FOUND);
	assert_int_equal(store_find(NULL, b.store, "zeven", 0, &id), ERR_NOT_FOUND);
	assert_int_equal(store_begin(NULL, b.store), ERR_OK);
	draft_int(&d, F_contact_date, 1);
	assert_int_equal(put(&b, NULL, &d, KIND_none, (struct dot){ id.dev, 1ULL << 41 }, &id), ERR_DAMAGED);
	store_rollback(b.store);
	world_end(&b.w);
}

static void test_find(void **state)
{
	struct bench b;
	struct errctx ec = { 0 };
	struct dot id;
	struct dot found;
	struct dot later = { 0 };
	char text[DOT_TEXT_LEN];
	char upper[DOT_TEXT_LEN];
	char start[DOT_TEXT_LEN];
	char long_text[5000];
	static const char *const nothing[] = {
		"",   "-", "x",  "1x",  " 1",   "99999999999", "999999999999", "1099511627777", "99999999999999999999",
		"1-", "0", "5%", "5-%", "5'--", "\xff",        "1\xc3",
	};

	(void)state;
	bench_begin(&b);
	id = contact(&b, "een");
	for (int i = 0; i < 30; i++)
		later = contact(&b, "meer");
	dot_text(id, text);
	for (size_t i = 0; i <= strlen(text); i++)
		upper[i] = (char)(text[i] >= 'a' && text[i] <= 'z' ? text[i] - 32 : text[i]);
	assert_int_equal(store_find(&ec, b.store, text, 0, &found), ERR_OK);
	assert_int_equal(dot_cmp(found, id), 0);
	assert_int_equal(store_find(&ec, b.store, upper, KIND_contact, &found), ERR_OK);
	assert_int_equal(dot_cmp(found, id), 0);
	assert_int_equal(store_find(&ec, b.store, text, KIND_referral, &found), ERR_NOT_FOUND);
	err_clear(&ec);
	/* the counter alone, and every longer start */
	for (size_t len = strspn(text, "0123456789"); len <= strlen(text); len++) {
		memcpy(start, text, len);
		start[len] = '\0';
		assert_int_equal(store_find(&ec, b.store, start, KIND_contact, &found), ERR_OK);
		assert_int_equal(dot_cmp(found, id), 0);
	}
	/* a number that is a whole counter means that one, also where longer ones start with it */
	assert_true(id.counter < 10 && later.counter >= 30);
	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
		if (store_find(&ec, b.store, nothing[i], KIND_referral, &found) != ERR_NOT_FOUND)
			print_error("found \"%s\"\n", nothing[i]);
		assert_int_equal(ec.code, ERR_NOT_FOUND);
		err_clear(&ec);
	}
	memset(long_text, '1', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	assert_int_equal(store_find(&ec, b.store, long_text, 0, &found), ERR_NOT_FOUND);
	world_end(&b.w);
}

static size_t hits(struct bench *b, const char *words)
{
	struct errctx ec = { 0 };
	struct hit *list = NULL;
	size_t n = 0;
	enum err e = store_search(&ec, b->store, words, 0, 100, &list, &n);

	if (e != ERR_OK)
		print_error("search \"%.60s\": %s\n", words, ec.msg == NULL ? "" : ec.msg);
	assert_int_equal(e, ERR_OK);
	store_hits_free(list, n);
	return n;
}

static void test_search(void **state)
{
	struct bench b;
	char *many = NULL;
	static const struct {
		const char *words;
		size_t n;
	} cases[] = {
		{ "", 0 },
		{ "   ", 0 },
		{ "\"", 0 },
		{ "\"\"\"", 0 },
		{ "toeslag", 1 },
		{ "TOESLAG", 1 },
		{ "toes", 1 },
		{ "toeslag brief", 1 },
		{ "brief toeslag", 1 },
		{ "toeslag\tbrief\r\nbrief", 1 },
		{ "\"toeslag brief\"", 1 },
		{ "toeslag niets", 0 },
		{ "cafe", 1 },
		{ "café", 1 },
		{ "AND", 0 },
		{ "toeslag AND brief", 0 }, /* a word like any other */
		{ "toeslag NOT", 0 },
		{ "NEAR(toeslag brief)", 0 },
		{ "title:toeslag", 0 },
		{ "toeslag*", 1 },
		{ "*", 0 },
		{ "^toeslag", 1 },
		{ "-toeslag", 1 },
		{ "toeslag; DROP TABLE search", 0 },
		{ "'", 0 },
		{ "(", 0 },
		{ "{}", 0 },
		{ "...", 0 },
		{ "... toeslag", 1 },
		{ "toeslag ...", 1 },
		{ "%", 0 },
		{ "\xff\xfe", 0 },
		{ "\xf0\x9f\x8c\xb7", 0 },
		{ "12", 1 },
	};

	(void)state;
	bench_begin(&b);
	contact(&b, "Over de toeslag en een brief van 12 mei, in het café.");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = hits(&b, cases[i].words);

		if (n != cases[i].n)
			print_error("search \"%s\": %d\n", cases[i].words, (int)n);
		assert_int_equal(n, cases[i].n);
	}
	many = malloc(20001);
	assert_non_null(many);
	for (size_t i = 0; i < 20000; i++)
		many[i] = i % 4 == 3 ? ' ' : 'a';
	many[20000] = '\0';
	(void)hits(&b, many);
	memset(many, 'a', 20000);
	assert_int_equal(hits(&b, many), 0);
	free(many);
	world_end(&b.w);
}

#define ELEMENTS 10000

/* Ten thousand elements, added and half of them taken out. */
static void test_large_set(void **state)
{
	struct bench b;
	struct errctx ec = { 0 };
	struct draft d = { 0 };
	struct dot id = { 0 };
	struct dot again = { 0 };
	struct loaded l;
	struct bytes text = { 0 };
	char(*names)[16] = calloc(ELEMENTS, sizeof(*names));
	const char **list = calloc(ELEMENTS, sizeof(*list));
	size_t n = 0;

	(void)state;
	assert_true(names != NULL && list != NULL);
	bench_begin(&b);
	for (size_t i = 0; i < ELEMENTS; i++) {
		snprintf(names[i], sizeof(names[i]), "thema-%05zu", (i * 7919) % ELEMENTS);
		list[i] = names[i];
	}
	draft_int(&d, F_contact_date, 1);
	draft_set(&d, F_contact_domains, list, ELEMENTS, NULL, 0);
	assert_int_equal(store_begin(&ec, b.store), ERR_OK);
	assert_int_equal(put(&b, &ec, &d, KIND_contact, (struct dot){ 0 }, &id), ERR_OK);
	draft_set(&d, F_contact_domains, NULL, 0, list, ELEMENTS / 2);
	assert_int_equal(put(&b, &ec, &d, KIND_none, id, &again), ERR_OK);
	assert_int_equal(store_commit(&ec, b.store), ERR_OK);
	seal_home(&b.w, 0);
	world_reopen(&b.w, 0);
	b.store = b.w.app[0]->store;
	assert_int_equal(store_load(&ec, b.store, id, &l), ERR_OK);
	while (record_element_text(&l.record, F_contact_domains, n, &text))
		n++;
	assert_int_equal(n, ELEMENTS / 2);
	store_loaded_free(&l);
	free(names);
	free(list);
	world_end(&b.w);
}

static enum err keep_more(void *arg, const char *name, struct bytes value)
{
	struct bench *b = arg;
	char other[80];
	struct buf got = { 0 };
	enum err e = ERR_OK;

	snprintf(other, sizeof(other), "z-%s", name);
	e = store_kept_put(NULL, b->store, b->space, other, value);
	if (e == ERR_OK)
		e = store_kept_get(NULL, b->store, b->space, name, &got);
	if (e == ERR_OK)
		e = store_kept_delete(NULL, b->store, b->space, name);
	buf_free(&got);
	return e;
}

/* Whoever walks the kept bytes may read, write and delete them meanwhile. */
static void test_kept_while_walking(void **state)
{
	struct bench b;
	struct errctx ec = { 0 };
	struct buf got = { 0 };
	char name[32];

	(void)state;
	bench_begin(&b);
	assert_int_equal(store_begin(&ec, b.store), ERR_OK);
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "a-%d", i);
		assert_int_equal(store_kept_put(&ec, b.store, b.space, name, (struct bytes){ (uint8_t *)name, 4 }),
		                 ERR_OK);
	}
	assert_int_equal(store_kept_each(&ec, b.store, b.space, "a-", keep_more, &b), ERR_OK);
	assert_int_equal(store_commit(&ec, b.store), ERR_OK);
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "a-%d", i);
		assert_int_equal(store_kept_get(&ec, b.store, b.space, name, &got), ERR_NOT_FOUND);
		snprintf(name, sizeof(name), "z-a-%d", i);
		assert_int_equal(store_kept_get(&ec, b.store, b.space, name, &got), ERR_OK);
	}
	buf_free(&got);
	world_end(&b.w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rollback),  cmocka_unit_test(test_without_errctx),
		cmocka_unit_test(test_find),      cmocka_unit_test(test_search),
		cmocka_unit_test(test_large_set), cmocka_unit_test(test_kept_while_walking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
