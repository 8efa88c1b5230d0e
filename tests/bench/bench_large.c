// SPDX-License-Identifier: EUPL-1.2
// A home of 100,000 conversations: what it weighs, how soon it is open, how long a search takes at each letter that is
// typed, how long it takes to read it through; over a vault and over plain SQLite, by the same code, in turns. Then the
// same search and the same reading by other builds of SQLite on copies of the plain database.
#include <fcntl.h>
#include <sys/stat.h>

#include "app/finding.h"
#include "bench/measure.h"
#include "bench/tape.h"
#include "bench/two_homes.h"
#include "model/draft.h"

#define CONTACTS_DEFAULT 100000
#define RESIDENTS 4000
#define PER_COMMIT 5000
#define OPENINGS 15
#define SCANS 9
#define TYPED 40 /* words typed, letter by letter */
#define SEARCH_ROUNDS 3
#define PEER_ROUNDS 3
#define FOUND_MAX 50 /* as the program's `search` */

static char scratch[200];
static unsigned contacts = CONTACTS_DEFAULT;

/* ---- Filling ---- */

static void fail(const struct errctx *ec, const char *what)
{
	home_fail(ec, what);
}

static void write_one(struct home *h, int64_t space, uint32_t kind, struct draft *d, struct dot *id)
{
	struct change c = { .space = space, .kind = kind };
	struct errctx ec = { 0 };

	if (draft_writes(d, &c.writes, &c.write_count) != ERR_OK ||
	    store_write(&ec, h->app->store, &c, home_now(h), id) != ERR_OK)
		fail(&ec, "write");
	draft_free(d);
}

static void resident_write(struct home *h, int64_t space, uint32_t n, struct dot *id)
{
	struct draft d = { 0 };
	char nick[40];

	nick_make(n, nick, sizeof(nick));
	draft_text(&d, F_resident_nick, nick);
	write_one(h, space, KIND_resident, &d, id);
}

static void contact_write(struct home *h, int64_t space, unsigned n, struct dot resident, uint64_t *chance)
{
	static const char *const domains[] = { "geld", "wonen", "papieren", "gezond", "kinderen", "taal" };
	struct draft d = { 0 };
	struct dot id;
	char text[STORY_LEN];

	story_make(chance, text);
	draft_int(&d, F_contact_date, 15000 + n / 25);
	draft_text(&d, F_contact_channel, "spreekuur");
	draft_text(&d, F_contact_who, "zelf");
	draft_set(&d, F_contact_domains, &domains[chance_next(chance) % 6], 1, NULL, 0);
	draft_ref(&d, F_contact_resident, resident);
	draft_long_text(&d, F_contact_text, NULL, text);
	if (n % 20 == 0)
		draft_int(&d, F_contact_follow_up, 15007 + n / 25);
	write_one(h, space, KIND_contact, &d, &id);
}

static void fill(struct home *h)
{
	static struct dot resident[RESIDENTS];
	struct errctx ec = { 0 };
	uint64_t chance = 2026;
	int64_t space = 0;

	if (app_circle(&ec, h->app, NULL, &space) != ERR_OK || store_begin(&ec, h->app->store) != ERR_OK)
		fail(&ec, "begin");
	for (uint32_t i = 0; i < RESIDENTS; i++)
		resident_write(h, space, i, &resident[i]);
	for (unsigned i = 0; i < contacts; i++) {
		contact_write(h, space, i, resident[chance_next(&chance) % RESIDENTS], &chance);
		if (i % PER_COMMIT == PER_COMMIT - 1 &&
		    (store_commit(&ec, h->app->store) != ERR_OK || store_begin(&ec, h->app->store) != ERR_OK))
			fail(&ec, "commit");
	}
	if (store_commit(&ec, h->app->store) != ERR_OK)
		fail(&ec, "commit");
	home_idle(h, true);
}

static double file_mb(const char *dir, const char *name)
{
	char path[600];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return stat(path, &st) == 0 ? (double)st.st_size / 1e6 : 0;
}

static void fill_both(struct home home[static 2])
{
	double took[2];

	for (int k = 0; k < 2; k++) {
		double at = cpu_us();

		fill(&home[k]);
		took[k] = (cpu_us() - at) / contacts;
	}
	line_head();
	line_ratio("filling, processor, us a conversation", took[1], took[0], took[0] / took[1], 0);
	took[1] = file_mb(home[1].dir, "plain.db");
	took[0] = file_mb(home[0].dir, "vault.db") + file_mb(home[0].dir, "vault.mark");
	line_ratio("size of the files, MB", took[1], took[0], took[0] / took[1], 1.015);
}

/* ---- Opening ---- */

static void opening(struct home home[static 2])
{
	static struct turns took[2];

	for (size_t i = 0; i < OPENINGS; i++) {
		for (size_t k = 0; k < 2; k++) {
			double at = 0;

			app_close(home[k].app);
			at = wall_us();
			home_open(&home[k], false);
			turns_add(&took[k], (wall_us() - at) / 1000);
		}
	}
	line_value("open after key derivation, ms, median", turns_median(&took[1]), turns_median(&took[0]), 50);
	line_value("open after key derivation, ms, slowest", turns_at(&took[1], 1), turns_at(&took[0], 1), 50);
}

/* ---- Searching ---- */

static char typed[4000][64];
static size_t typed_count;

static void type_word(const char *word)
{
	for (size_t len = 1; word[len - 1] != '\0' && typed_count < 4000; len++) {
		if (((uint8_t)word[len] & 0xC0) == 0x80) /* within a letter */
			continue;
		snprintf(typed[typed_count++], sizeof(typed[0]), "%.*s", (int)len, word);
	}
}

/* Names and words of which a text may hold any, each typed to its end; now and then a second one after it. */
static void type_all(void)
{
	uint64_t chance = 5;
	char word[80];

	for (int i = 0; i < TYPED; i++) {
		if (i % 4 == 0)
			nick_make(chance_next(&chance) % RESIDENTS, word, sizeof(word));
		else
			word_make(word_draw(&chance), word, sizeof(word));
		type_word(word);
	}
}

struct took {
	struct turns wall; /* ms */
	struct turns cpu;
};

static void search_once(struct home *h, const char *words, struct took *t, size_t *found)
{
	struct found_list list;
	struct errctx ec = { 0 };
	double wall = wall_us();
	double cpu = cpu_us();

	if (finding_search(&ec, h->app, words, FOUND_MAX, &list) != ERR_OK)
		fail(&ec, words);
	turns_add(&t->cpu, (cpu_us() - cpu) / 1000);
	turns_add(&t->wall, (wall_us() - wall) / 1000);
	*found = list.n;
	found_list_free(&list);
}

static struct tape search_tape;

/* The first round warms both, and is taken down for the peers. */
static void searching(struct home home[static 2])
{
	static struct took first;
	static struct took took[2];
	size_t found[2];

	type_all();
	for (int round = 0; round <= SEARCH_ROUNDS; round++) {
		for (size_t i = 0; i < typed_count; i++) {
			for (size_t n = 0; n < 2; n++) {
				size_t k = (i + n) % 2;

				recorder[1].to = round == 0 && k == 1 ? &search_tape : NULL;
				search_once(&home[k], typed[i], round == 0 ? &first : &took[k], &found[k]);
				recorder[1].to = NULL;
			}
			if (found[0] != found[1])
				exit(1);
		}
	}
	line_ratio("search at a letter typed, warm, us, median", 1000 * turns_median(&took[1].wall),
	           1000 * turns_median(&took[0].wall), turns_paired(&took[1].wall, &took[0].wall), 1.2);
	line_ratio("search at a letter typed, processor, us, median", 1000 * turns_median(&took[1].cpu),
	           1000 * turns_median(&took[0].cpu), turns_paired(&took[1].cpu, &took[0].cpu), 1.2);
	line_value("search at a letter typed, ms, p99", turns_at(&took[1].wall, 0.99), turns_at(&took[0].wall, 0.99),
	           50);
	line_value("search at a letter typed, processor, ms, p99", turns_at(&took[1].cpu, 0.99),
	           turns_at(&took[0].cpu, 0.99), 50);
	line_value("search at a letter typed, ms, slowest", turns_at(&took[1].wall, 1), turns_at(&took[0].wall, 1), 0);
}

/* ---- Reading it all ---- */

#define SCAN_SQL "SELECT sum(length(state)) FROM record"

/* Pages leave SQLite's cache, not the system's: reading from the disk itself would hide what opening them costs. */
static void scan_once(const struct api *a, sqlite3 *db, struct took *t)
{
	sqlite3_stmt *st = NULL;
	double wall = 0;
	double cpu = 0;

	api_run(a, db, "PRAGMA shrink_memory");
	wall = wall_us();
	cpu = cpu_us();
	api_check(a, db, a->prepare_v2(db, SCAN_SQL, -1, &st, NULL), SCAN_SQL);
	api_check(a, db, a->step(st), SCAN_SQL);
	turns_add(&t->cpu, (cpu_us() - cpu) / 1000);
	turns_add(&t->wall, (wall_us() - wall) / 1000);
	a->finalize(st);
}

static void scan_lines(const struct took *plain, const struct took *other, double goal)
{
	line_turns("reading all records, cache dropped, ms", &plain->wall, &other->wall, goal);
	line_ratio("reading all records, processor", turns_median(&plain->cpu), turns_median(&other->cpu),
	           turns_paired(&plain->cpu, &other->cpu), goal);
}

/* ---- Peers, on copies ---- */

struct peer {
	const char *name;
	struct player player;
	struct took scan;
	struct turns search; /* us a letter */
	struct turns search_cpu;
};

static struct peer peers[5];
static size_t peer_count;

/* What src/store/query.c has under this name: rows up to the limit are wanted whole. */
static void wanted(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	(void)n;
	(void)args;
	playing->api->result_int(ctx, playing->now <= FOUND_MAX);
}

static void peer_add(const char *name, const struct api *a, const char *plain, const char *rekey)
{
	struct peer *p = &peers[peer_count++];
	char path[300];
	char command[900];
	sqlite3 *db = NULL;

	snprintf(path, sizeof(path), "%s/peer%zu.db", scratch, peer_count);
	snprintf(command, sizeof(command), "cp '%s' '%s'", plain, path);
	if (system(command) != 0)
		exit(1);
	api_check(a, db, a->open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), path);
	if (rekey != NULL) {
		api_run(a, db, "PRAGMA journal_mode=DELETE; PRAGMA synchronous=OFF");
		api_run(a, db, rekey);
	}
	api_run(a, db, homes_settings);
	p->name = name;
	p->player = (struct player){ .api = a, .db = db, .from = &recorder[1] };
	api_check(a, db, a->create_function(db, "wanted", 0, SQLITE_UTF8, NULL, wanted, NULL, NULL), "wanted");
	printf("%-50s %10s %10.1f MB\n", name, "", file_mb(scratch, path + strlen(scratch) + 1));
}

#define MC_REKEY(cipher) "PRAGMA cipher='" cipher "'; PRAGMA legacy=0; PRAGMA rekey='a passphrase for the bench'"

static void peers_open(const char *plain)
{
	const struct api *mc = api_mc();

	peer_add("SQLite", api_system(), plain, NULL);
	if (mc == NULL) {
		printf("SQLite3MultipleCiphers was not built (scripts/bench-peers): left out.\n");
		return;
	}
	peer_add("SQLite3MC, no cipher", mc, plain, NULL);
	peer_add("SQLite3MC, ChaCha20", mc, plain, MC_REKEY("chacha20"));
	peer_add("SQLite3MC, SQLCipher 4 format", mc, plain, MC_REKEY("sqlcipher"));
}

static void peers_measure(void)
{
	for (size_t turn = 0; turn < PEER_ROUNDS; turn++) {
		for (size_t i = 0; i < peer_count; i++) {
			struct peer *p = &peers[(turn + i) % peer_count];
			double wall = 0;
			double cpu = 0;

			scan_once(p->player.api, p->player.db, &p->scan);
			if (turn == 0)
				play(&p->player, &search_tape); /* to warm it */
			wall = wall_us();
			cpu = cpu_us();
			play(&p->player, &search_tape);
			turns_add(&p->search, (wall_us() - wall) / (double)typed_count);
			turns_add(&p->search_cpu, (cpu_us() - cpu) / (double)typed_count);
		}
	}
	for (size_t i = 2; i < peer_count; i++) {
		printf("%s against its own library without a cipher\n", peers[i].name);
		line_turns("statements of the search, us a letter", &peers[1].search, &peers[i].search, 0);
		line_ratio("statements of the search, processor", turns_median(&peers[1].search_cpu),
		           turns_median(&peers[i].search_cpu), turns_paired(&peers[1].search_cpu, &peers[i].search_cpu),
		           0);
		scan_lines(&peers[1].scan, &peers[i].scan, 0);
	}
}

static void peers_close(void)
{
	for (size_t i = 0; i < peer_count; i++) {
		player_end(&peers[i].player);
		peers[i].player.api->close(peers[i].player.db);
	}
}

static void opened(sqlite3 *db, bool plain)
{
	recorder[plain].db = db;
}

int main(void)
{
	static struct took scan[2];
	struct home home[2];
	char command[300];
	const char *build = getenv("BUILD");
	const char *count = getenv("BENCH_CONTACTS");

	if (count != NULL)
		contacts = (unsigned)atoi(count);
	snprintf(scratch, sizeof(scratch), "%.150s/bench-large-XXXXXX", build != NULL ? build : "build");
	if (app_start() != ERR_OK || mkdtemp(scratch) == NULL)
		return 1;
	homes_opened = opened;
	home_new(&home[0], scratch, "sealed", false);
	home_new(&home[1], scratch, "open", true);
	printf("A home of %u conversations and %u residents, never synced, on %s\n", contacts, RESIDENTS,
	       disk_kind(scratch));
	fill_both(home);
	opening(home);
	searching(home);
	for (size_t i = 0; i < SCANS; i++)
		for (size_t k = 0; k < 2; k++)
			scan_once(api_system(), home_db(&home[k]), &scan[k]);
	scan_lines(&scan[1], &scan[0], 3.6);
	app_close(home[0].app);
	app_close(home[1].app);
	peers_open(home[1].plain);
	peers_measure();
	peers_close();
	snprintf(command, sizeof(command), "rm -rf '%s'", scratch);
	return system(command) == 0 ? 0 : 1;
}
