// SPDX-License-Identifier: EUPL-1.2
// What a person waits for when a conversation is saved: `contact add` as the program does it (edit, state, chain, plain
// rows, search entry, one durable transaction), over a vault and over plain SQLite, one conversation each in turn. Then
// the same statements with the same values, taken down on the way, on other builds of SQLite and other ciphers.
//
// The least turn is what the machine can do; the median of the turns taken in pairs is what it did beside its other
// work. Counts repeat exactly.
#define MEASURE_DISK
#include "app/contacts.h"
#include "bench/measure.h"
#include "bench/tape.h"
#include "bench/two_homes.h"

#define BEFORE 2000 /* conversations that are there already */
#define RESIDENTS 200
#define TURNS 30
#define EACH 20 /* conversations in a turn: an afternoon; then the person pauses and a checkpoint is made */

struct side {
	const char *name;
	struct player player;
	struct vault *vault;
	struct turns save; /* us, of each conversation */
	struct turns cpu;
	struct turns all; /* us a conversation, of a turn with the checkpoint at its end */
	struct turns all_cpu;
	double sum[2]; /* of the turn so far: wall, processor */
	struct disk_use disk;
	struct disk_use disk_pause;
	uint64_t syncs_most; /* in one conversation */
};

static struct tape tapes[RECORDERS];
static char scratch[200];

static void opened(sqlite3 *db, bool plain)
{
	recorder[plain].db = db;
	recorder[plain].to = &tapes[plain];
}

static void conversation(struct home *h, uint64_t *chance)
{
	static const char *const domains[] = { "geld", "wonen", "papieren, geld", "gezond", "kinderen", "taal, werk" };
	static const char *const when[] = { NULL, NULL, "+1w", "tomorrow" };
	struct errctx ec = { 0 };
	char text[STORY_LEN];
	char nick[40];
	char id[ID_TEXT_LEN];
	struct contact_fields f = { .channel = "spreekuur", .who = "zelf", .did = "luisteren, invullen", .text = text };

	story_make(chance, text);
	nick_make(chance_next(chance) % RESIDENTS, nick, sizeof(nick));
	f.resident = nick;
	f.domains = domains[chance_next(chance) % 6];
	f.follow_up = when[chance_next(chance) % 4];
	if (contact_add(&ec, h->app, NULL, &f, id) != ERR_OK)
		home_fail(&ec, "contact add");
}

/* ---- Turns ---- */

struct stopwatch {
	double wall;
	double cpu;
	struct disk_use disk;
};

static struct stopwatch begin(void)
{
	return (struct stopwatch){ wall_us(), cpu_us(), disk };
}

static void saved(struct side *s, struct stopwatch w)
{
	struct disk_use used = disk_since(disk, w.disk);
	double wall = wall_us() - w.wall;
	double cpu = cpu_us() - w.cpu;

	turns_add(&s->save, wall);
	turns_add(&s->cpu, cpu);
	s->sum[0] += wall;
	s->sum[1] += cpu;
	disk_add(&s->disk, used);
	if (used.syncs > s->syncs_most)
		s->syncs_most = used.syncs;
}

/* The person pauses: the turn is over. */
static void paused(struct side *s, struct stopwatch w)
{
	turns_add(&s->all, (s->sum[0] + wall_us() - w.wall) / EACH);
	turns_add(&s->all_cpu, (s->sum[1] + cpu_us() - w.cpu) / EACH);
	disk_add(&s->disk_pause, disk_since(disk, w.disk));
	s->sum[0] = 0;
	s->sum[1] = 0;
}

static void side_idle(struct side *s)
{
	struct errctx ec = { 0 };

	if (s->vault != NULL) {
		if (vault_checkpoint(s->vault, &ec, false) != ERR_OK)
			home_fail(&ec, "checkpoint");
		return;
	}
	api_check(s->player.api, s->player.db,
	          s->player.api->wal_checkpoint_v2(s->player.db, "main", SQLITE_CHECKPOINT_FULL, NULL, NULL),
	          "checkpoint");
}

/* ---- Sides ---- */

#define SIDES_MAX 6

static struct side homes[2] = { { .name = "vault" }, { .name = "plain" } };
static struct side sides[SIDES_MAX];
static size_t side_count;

static struct side *side_add(const char *name, const struct api *a, sqlite3 *db)
{
	struct side *s = &sides[side_count++];

	s->name = name;
	s->player = (struct player){ .api = a, .db = db, .from = &recorder[0] };
	return s;
}

static void side_file(const char *name, const struct api *a, const char *file, const char *key)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", scratch, file);
	side_add(name, a, side_open(a, path, key, homes_settings));
}

static void sides_open(void)
{
	const struct api *mc = api_mc();
	struct errctx ec = { 0 };
	struct vault *v = NULL;
	char dir[300];

	side_file("plain", api_system(), "replay.db", NULL);
	snprintf(dir, sizeof(dir), "%s/replay", scratch);
	if (mkdir(dir, 0700) != 0 || __real_vault_open(&ec, dir, HOME_MASTER, VAULT_CREATE, &crypto_rng, &v) != ERR_OK)
		home_fail(&ec, "open");
	side_add("vault", api_system(), vault_db(v))->vault = v;
	if (mc == NULL) {
		printf("SQLite3MultipleCiphers was not built (scripts/bench-peers): left out.\n");
		return;
	}
	side_file("SQLite3MC, no cipher", mc, "mc.db", NULL);
	side_file("SQLite3MC, ChaCha20", mc, "mc-chacha.db", MC_CHACHA20);
	side_file("SQLite3MC, SQLCipher 4 format", mc, "mc-cipher.db", MC_SQLCIPHER4);
}

static void sides_close(void)
{
	for (size_t i = 0; i < side_count; i++) {
		player_end(&sides[i].player);
		if (sides[i].vault != NULL)
			vault_close(sides[i].vault);
		else
			sides[i].player.api->close(sides[i].player.db);
	}
}

/* Both homes asked the same of SQLite, or the comparison is of two different things. */
static void tapes_compare(void)
{
	if (tapes[0].len == tapes[1].len && memcmp(tapes[0].data, tapes[1].data, tapes[0].len) == 0)
		return;
	fprintf(stderr, "bench: the two homes did not run the same statements\n");
	exit(1);
}

static void tapes_empty(void)
{
	tapes[0].len = 0;
	tapes[1].len = 0;
}

/* ---- The lines ---- */

/* Saving alone, and with the checkpoints that it leads to. */
static void side_lines(const char *name, const struct side *plain, const struct side *other, double goal)
{
	char text[64];

	line_turns(name, &plain->save, &other->save, goal);
	snprintf(text, sizeof(text), "%s, processor", name);
	line_ratio(text, turns_median(&plain->cpu), turns_median(&other->cpu), turns_paired(&plain->cpu, &other->cpu),
	           0);
	snprintf(text, sizeof(text), "%s + checkpoint", name);
	line_turns(text, &plain->all, &other->all, goal);
	snprintf(text, sizeof(text), "%s + checkpoint, processor", name);
	line_ratio(text, turns_median(&plain->all_cpu), turns_median(&other->all_cpu),
	           turns_paired(&plain->all_cpu, &other->all_cpu), 0);
}

static double each(uint64_t n)
{
	return (double)n / (TURNS * EACH);
}

static void disk_lines(const struct side *plain, const struct side *vault)
{
	line_value("fsyncs a conversation", each(plain->disk.syncs), each(vault->disk.syncs), 1);
	line_value("fsyncs of a pause, a conversation", each(plain->disk_pause.syncs), each(vault->disk_pause.syncs),
	           0);
	line_value("writes a conversation", each(plain->disk.writes), each(vault->disk.writes), 0);
	line_value("bytes written a conversation", each(plain->disk.bytes), each(vault->disk.bytes), 0);
	line_value("most fsyncs in one conversation", (double)plain->syncs_most, (double)vault->syncs_most, 1);
}

static void lines(void)
{
	printf("Saving a conversation: %d turns of %d after %d others, a checkpoint after each, on %s; us\n", TURNS,
	       EACH, BEFORE, disk_kind(scratch));
	line_head();
	side_lines("contact add", &homes[1], &homes[0], 1.2);
	disk_lines(&homes[1], &homes[0]);
	printf("Only the statements of those turns, played\n");
	side_lines("durable insert", &sides[0], &sides[1], 1.2);
	for (size_t i = 3; i < side_count; i++) {
		printf("%s against its own library without a cipher\n", sides[i].name);
		side_lines("durable insert", &sides[2], &sides[i], 0);
	}
}

/* What is there already is put there without syncs. */
static void before(struct home home[static 2], uint64_t chance[static 2])
{
	static const char hasty[] = "PRAGMA synchronous=OFF";
	static const char durable[] = "PRAGMA synchronous=FULL";

	for (int k = 0; k < 2; k++) {
		api_run(api_system(), home_db(&home[k]), hasty);
		for (int i = 0; i < BEFORE; i++)
			conversation(&home[k], &chance[k]);
		api_run(api_system(), home_db(&home[k]), durable);
		home_idle(&home[k], false);
	}
	tapes_compare();
	sides_open();
	for (size_t i = 0; i < side_count; i++) {
		api_run(sides[i].player.api, sides[i].player.db, hasty);
		play(&sides[i].player, &tapes[0]);
		api_run(sides[i].player.api, sides[i].player.db, durable);
		side_idle(&sides[i]);
	}
}

/* One conversation on every side, each time in another order. */
static void one_each(struct home home[static 2], uint64_t chance[static 2], size_t n)
{
	tapes_empty();
	for (size_t k = 0; k < 2; k++) {
		size_t i = (n + k) % 2;
		struct stopwatch w = begin();

		conversation(&home[i], &chance[i]);
		saved(&homes[i], w);
	}
	tapes_compare();
	for (size_t k = 0; k < side_count; k++) {
		struct side *s = &sides[(n + k) % side_count];
		struct stopwatch w = begin();

		play(&s->player, &tapes[0]);
		saved(s, w);
	}
}

static void pause_each(struct home home[static 2], size_t turn)
{
	for (size_t k = 0; k < 2; k++) {
		size_t i = (turn + k) % 2;
		struct stopwatch w = begin();

		home_idle(&home[i], false);
		paused(&homes[i], w);
	}
	for (size_t k = 0; k < side_count; k++) {
		struct side *s = &sides[(turn + k) % side_count];
		struct stopwatch w = begin();

		side_idle(s);
		paused(s, w);
	}
}

int main(void)
{
	char command[300];
	struct home home[2];
	uint64_t chance[2] = { 99, 99 };
	const char *build = getenv("BUILD");

	snprintf(scratch, sizeof(scratch), "%.150s/bench-vault-XXXXXX", build != NULL ? build : "build");
	if (app_start() != ERR_OK || mkdtemp(scratch) == NULL)
		return 1;
	homes_opened = opened;
	home_new(&home[0], scratch, "sealed", false);
	home_new(&home[1], scratch, "open", true);
	before(home, chance);
	for (size_t turn = 0; turn < TURNS; turn++) {
		for (size_t i = 0; i < EACH; i++)
			one_each(home, chance, turn * EACH + i);
		pause_each(home, turn);
	}
	lines();
	sides_close();
	app_close(home[0].app);
	app_close(home[1].app);
	snprintf(command, sizeof(command), "rm -rf '%s'", scratch);
	return system(command) == 0 ? 0 : 1;
}
