/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One program, two homes: the same object code of app/ and store/ over a vault, and over a plain SQLite database with
 * the same settings. Only what is beneath SQLite differs, so the difference is the price of sealing.
 *
 * A plain home is a struct vault with a connection and a chain key and nothing else; vault_open() is wrapped by the
 * linker to make one where `homes_plain` says so.
 */
#ifndef SLB_TESTS_BENCH_TWO_HOMES_H
#define SLB_TESTS_BENCH_TWO_HOMES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/session.h"
#include "bench/peers.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "store/store.h"
#include "vault/vault_over.h"

static const uint8_t HOME_MASTER[32] = "a master key for the bench, 32 b";

/* Where the next home's database is opened plain; NULL: a vault. */
static const char *homes_plain;
/* Called for every connection that app/ gets, before it is used. */
static void (*homes_opened)(sqlite3 *db, bool plain);
/* Taken from the first vault that was opened. */
static const char *homes_settings;

enum err __real_vault_open(struct errctx *ec, const char *dir, const uint8_t master[static 32], enum vault_mode mode,
                           const struct rng *rng, struct vault **out);
enum err __wrap_vault_open(struct errctx *ec, const char *dir, const uint8_t master[static 32], enum vault_mode mode,
                           const struct rng *rng, struct vault **out);

static inline struct vault *plain_open(const char *path, const uint8_t master[static 32])
{
	struct vault *v = calloc(1, sizeof(*v));
	struct bytes none = { NULL, 0 };

	if (v == NULL || (v->chain_key = secret_new(32)) == NULL)
		exit(1);
	v->lock = -1;
	key_derive(master, "sleutelbos vault chain 1", none, v->chain_key);
	v->db = side_open(api_system(), path, NULL, homes_settings);
	api_check(api_system(), v->db, sqlite3_db_config(v->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL), "defensive");
	return v;
}

/* Nonces always come from the system: `rng` is a repeated one here, so that both homes draw the same ids. */
enum err __wrap_vault_open(struct errctx *ec, const char *dir, const uint8_t master[static 32], enum vault_mode mode,
                           const struct rng *rng, struct vault **out)
{
	enum err e = ERR_OK;

	(void)rng;
	if (homes_plain != NULL) {
		*out = plain_open(homes_plain, master);
	} else {
		e = __real_vault_open(ec, dir, master, mode, &crypto_rng, out);
		if (e == ERR_OK && homes_settings == NULL)
			homes_settings = settings_of(vault_db(*out));
	}
	if (e == ERR_OK && homes_opened != NULL)
		homes_opened(vault_db(*out), homes_plain != NULL);
	return e;
}

struct home {
	char dir[256];
	char plain[300]; /* path of the plain database; "": a vault */
	struct app *app;
	int64_t now_ms;
	uint64_t chance;
	struct clock clock;
	struct rng rng;
};

static inline int64_t home_now(void *self)
{
	struct home *h = self;

	return h->now_ms += 60000;
}

static inline void home_chance(void *self, void *out, size_t len)
{
	struct home *h = self;
	uint8_t *p = out;

	for (size_t i = 0; i < len; i++) {
		h->chance = h->chance * 6364136223846793005U + 1442695040888963407U;
		p[i] = (uint8_t)(h->chance >> 56);
	}
}

static inline void home_fail(const struct errctx *ec, const char *what)
{
	char text[512];

	fprintf(stderr, "bench: %s: %s\n", what, ec->code == ERR_OK ? "" : err_text(ec, NULL, text, sizeof(text)));
	exit(1);
}

static inline void home_open(struct home *h, bool create)
{
	struct app_options o = { .home = h->dir, .clock = &h->clock, .rng = &h->rng };
	struct errctx ec = { 0 };

	homes_plain = h->plain[0] != '\0' ? h->plain : NULL;
	if (app_open_with_key(&ec, &o, HOME_MASTER, create, "Bench", &h->app) != ERR_OK)
		home_fail(&ec, "open");
}

static inline void home_new(struct home *h, const char *under, const char *name, bool plain)
{
	*h = (struct home){ .now_ms = 1760000000000, .chance = 7 };
	h->clock = (struct clock){ home_now, h };
	h->rng = (struct rng){ home_chance, h };
	snprintf(h->dir, sizeof(h->dir), "%.200s/%s", under, name);
	if (mkdir(h->dir, 0700) != 0)
		exit(1);
	if (plain)
		snprintf(h->plain, sizeof(h->plain), "%s/plain.db", h->dir);
	home_open(h, true);
}

static inline sqlite3 *home_db(const struct home *h)
{
	return vault_db(h->app->vault);
}

/* What a program does when a person pauses. */
static inline void home_idle(struct home *h, bool truncate)
{
	struct errctx ec = { 0 };

	if (h->plain[0] != '\0')
		api_check(api_system(), home_db(h),
		          sqlite3_wal_checkpoint_v2(home_db(h), "main",
		                                    truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_FULL,
		                                    NULL, NULL),
		          "checkpoint");
	else if (vault_checkpoint(h->app->vault, &ec, truncate) != ERR_OK)
		home_fail(&ec, "checkpoint");
}

/* ---- What people write: made up, in words whose frequencies fall as those of speech do ---- */

#define WORDS 6000
#define STORY_MIN 80
#define STORY_MAX 520
#define STORY_LEN (STORY_MAX + 1)

static inline uint32_t chance_next(uint64_t *s)
{
	*s = *s * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(*s >> 32);
}

/* The commonest are short; later ones are put together. */
static inline void word_make(uint32_t n, char *out, size_t room)
{
	static const char *const stem[] = {
		"de",   "het",    "van",    "een",   "en",   "ik",     "dat",    "is",     "niet",   "met",   "voor",
		"huur", "brief",  "geld",   "werk",  "zorg", "taal",   "kind",   "school", "buurt",  "wacht", "toe",
		"slag", "formul", "afspr",  "dag",   "bel",  "len",    "woning", "jaar",   "moeder", "vader", "dokter",
		"gem",  "uit",    "over",   "post",  "bank", "schuld", "regel",  "aan",    "in",     "op",    "door",
		"mee",  "naar",   "hulp",   "vraag", "ziek", "kam",    "lief",   "maand",  "avond",  "eerst", "vriend",
		"zus",  "juf",    "kaart",  "plan",  "nood", "rust",   "samen",  "trap",   "water",  "fiets", "nieuw",
		"oud",  "papier", "klacht", "ruzie", "spel", "zaal"
	};
	static const char *const tail[] = { "en",  "je",   "heid", "ing", "er",  "lijk", "s",    "baar",
		                            "man", "huis", "dag",  "tje", "aar", "is",   "loos", "vol" };
	size_t at = (size_t)snprintf(out, room, "%s", stem[n % 72]);

	for (n /= 72; n > 0; n /= 16)
		at += (size_t)snprintf(out + at, room - at, "%s", tail[n % 16]);
}

/* The n-th commonest word is drawn about as often as 1/n says. */
static inline uint32_t word_draw(uint64_t *s)
{
	double u = (chance_next(s) >> 8) / 16777216.0;

	return (uint32_t)(u * u * u * WORDS);
}

/* 300 bytes on average. */
static inline void story_make(uint64_t *s, char out[static STORY_LEN])
{
	size_t len = STORY_MIN + chance_next(s) % (STORY_MAX - STORY_MIN);
	size_t at = 0;

	while (at < len) {
		char word[80];
		size_t n = 0;

		word_make(word_draw(s), word, sizeof(word));
		n = strlen(word);
		if (n > len - at)
			n = len - at;
		memcpy(out + at, word, n);
		at += n;
		if (at < len)
			out[at++] = ' ';
	}
	out[len] = '\0';
}

static const char *const FIRST_NAMES[] = { "Mohammed", "Fatima",  "Noûr",    "Ayşe",   "Jan",    "Truus",
	                                   "Sevgi",    "Ahmed",   "Khadija", "Willem", "Anneke", "Mehmet",
	                                   "Samira",   "Youssef", "Ingrid",  "Emine" };

static inline void nick_make(uint32_t n, char *out, size_t room)
{
	if (n < 16)
		snprintf(out, room, "%s", FIRST_NAMES[n]);
	else
		snprintf(out, room, "%s %c%c", FIRST_NAMES[n % 16], 'A' + (int)(n / 16 % 26),
		         'a' + (int)(n / 416 % 26));
}

#endif
