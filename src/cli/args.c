// SPDX-License-Identifier: EUPL-1.2
// Command lines by tables. A mistyped word is answered with the closest one that exists, because the person who types
// it is in the middle of something else.
#include "cli/args.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// Longest word for which the closest one is searched.
#define TYPO_MAX 40

enum global {
	GLOBAL_HOME,
	GLOBAL_NEIGHBOURHOOD,
	GLOBAL_LANG,
	GLOBAL_JSON,
	GLOBAL_QUIET,
	GLOBAL_PASSPHRASE_FILE,
	GLOBAL_PASSPHRASE_FD,
	GLOBAL_HELP,
	GLOBAL_COUNT
};

static const struct arg_option globals[GLOBAL_COUNT + 1] = {
	[GLOBAL_HOME] = { .name = "home", .value = "VALUE" },
	[GLOBAL_NEIGHBOURHOOD] = { .name = "neighbourhood", .value = "VALUE" },
	[GLOBAL_LANG] = { .name = "lang", .value = "VALUE" },
	[GLOBAL_JSON] = { .name = "json" },
	[GLOBAL_QUIET] = { .name = "quiet" },
	[GLOBAL_PASSPHRASE_FILE] = { .name = "passphrase-file", .value = "VALUE" },
	[GLOBAL_PASSPHRASE_FD] = { .name = "passphrase-fd", .value = "VALUE" },
	[GLOBAL_HELP] = { .name = "help" },
	[GLOBAL_COUNT] = { .name = NULL },
};

// Reading goes from left to right with one look back: a first word that may stand alone or begin a pair is settled by
// what follows it.
struct reading {
	struct errctx *ec;
	const struct arg_command *table;
	const char *word1; // read, but the command is not settled yet
	int argc;
	int next;
	char *const *argv;
	struct args *a;
	unsigned seen; // bits of enum global
	bool ended;    // "--" was read
};

// Edits (insert, drop, change, swap neighbours) between two words; TYPO_MAX where one is too long to be a typo.
static unsigned distance(const char *a, const char *b)
{
	unsigned row[3][TYPO_MAX + 1];
	size_t m = strlen(a);
	size_t n = strlen(b);

	if (m > TYPO_MAX || n > TYPO_MAX)
		return TYPO_MAX;
	for (size_t j = 0; j <= n; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= m; i++) {
		unsigned *cur = row[i % 3];
		const unsigned *up = row[(i - 1) % 3];
		const unsigned *up2 = row[(i + 1) % 3];

		cur[0] = (unsigned)i;
		for (size_t j = 1; j <= n; j++) {
			unsigned best = up[j - 1] + (a[i - 1] != b[j - 1]);

			if (up[j] + 1 < best)
				best = up[j] + 1;
			if (cur[j - 1] + 1 < best)
				best = cur[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && up2[j - 2] + 1 < best)
				best = up2[j - 2] + 1;
			cur[j] = best;
		}
	}
	return row[m % 3][n];
}

struct closest {
	const char *typed;
	const char *word;
	unsigned distance;
};

static void closest_try(struct closest *c, const char *word)
{
	unsigned d = distance(c->typed, word);
	size_t len = strlen(word);
	size_t limit = len < 6 ? 2 : len / 3;

	// A beginning of the word counts as close, however much is missing.
	if (strlen(c->typed) >= 3 && strncmp(c->typed, word, strlen(c->typed)) == 0)
		d = 1;
	if (d <= limit && d < len && (c->word == NULL || d < c->distance)) {
		c->word = word;
		c->distance = d;
	}
}

static void closest_option(struct closest *c, const struct arg_option *options)
{
	for (; options != NULL && options->name != NULL; options++)
		closest_try(c, options->name);
}

static const struct arg_option *option_find(const struct arg_option *options, const char *name, size_t len)
{
	for (; options != NULL && options->name != NULL; options++)
		if (strlen(options->name) == len && memcmp(options->name, name, len) == 0)
			return options;
	return NULL;
}

static const char *command_name(const struct arg_command *c, char out[static 64])
{
	out[0] = '\0';
	strncat(out, c->word1, 30);
	if (c->word2 != NULL) {
		strncat(out, " ", 2);
		strncat(out, c->word2, 30);
	}
	return out;
}

static const struct arg_command *command_find(const struct arg_command *t, const char *word1, const char *word2)
{
	for (; t->word1 != NULL; t++) {
		if (strcmp(t->word1, word1) != 0)
			continue;
		if (word2 == NULL ? t->word2 == NULL : t->word2 != NULL && strcmp(t->word2, word2) == 0)
			return t;
	}
	return NULL;
}

static bool command_is_pair(const struct arg_command *t, const char *word1)
{
	for (; t->word1 != NULL; t++)
		if (t->word2 != NULL && strcmp(t->word1, word1) == 0)
			return true;
	return false;
}

static enum err unknown_command(struct reading *r, const char *word)
{
	struct closest c = { .typed = word };

	for (const struct arg_command *t = r->table; t->word1 != NULL; t++)
		closest_try(&c, t->word1);
	if (c.word != NULL)
		return err_set(r->ec, ERR_USAGE, "There is no command %1. Did you mean %2?", word, c.word, NULL);
	return err_set(r->ec, ERR_USAGE, "There is no command %1. Type \"sleutelbos help\" for the list.", word, NULL,
	               NULL);
}

// A first word that needs a second: says which there are, or the closest to what was typed.
static enum err second_word(struct reading *r, const char *word1, const char *word2)
{
	struct closest c = { .typed = word2 };
	char list[ERR_ARG_LEN] = "";
	char both[2 * TYPO_MAX + 2] = "";

	for (const struct arg_command *t = r->table; t->word1 != NULL; t++) {
		if (t->word2 == NULL || strcmp(t->word1, word1) != 0)
			continue;
		if (word2 != NULL)
			closest_try(&c, t->word2);
		if (strlen(list) + strlen(t->word2) + 3 < sizeof(list)) {
			strcat(list, list[0] == '\0' ? "" : ", ");
			strcat(list, t->word2);
		}
	}
	if (word2 == NULL)
		return err_set(r->ec, ERR_USAGE, "After %1 one more word is needed: %2.", word1, list, NULL);
	if (c.word == NULL)
		return err_set(r->ec, ERR_USAGE, "There is no command %1 %2. After %1 comes one of: %3.", word1, word2,
		               list);
	strncat(both, word1, TYPO_MAX);
	strcat(both, " ");
	strncat(both, c.word, TYPO_MAX);
	return err_set(r->ec, ERR_USAGE, "There is no command %1 %2. Did you mean %3?", word1, word2, both);
}

// The first word stands alone after all.
static enum err settle(struct reading *r)
{
	const char *word = r->word1;

	r->word1 = NULL;
	r->a->command = command_find(r->table, word, NULL);
	return r->a->command != NULL ? ERR_OK : second_word(r, word, NULL);
}

static enum err word_take(struct reading *r, const char *word)
{
	struct args *a = r->a;

	if (a->command == NULL && r->word1 == NULL) {
		if (command_is_pair(r->table, word)) {
			r->word1 = word;
			return ERR_OK;
		}
		a->command = command_find(r->table, word, NULL);
		return a->command != NULL ? ERR_OK : unknown_command(r, word);
	}
	if (a->command == NULL) {
		const char *word1 = r->word1;

		a->command = command_find(r->table, word1, word);
		if (a->command != NULL) {
			r->word1 = NULL;
			return ERR_OK;
		}
		if (command_find(r->table, word1, NULL) == NULL)
			return second_word(r, word1, word);
		if (settle(r) != ERR_OK)
			return ERR_USAGE;
	}
	a->pos[a->pos_count++] = word;
	return ERR_OK;
}

static enum err unknown_option(struct reading *r, const char *typed)
{
	struct closest c = { .typed = typed + strspn(typed, "-") };
	char name[64];
	char bare[TYPO_MAX + 1] = "";
	char guess[TYPO_MAX + 3] = "--";

	strncat(bare, c.typed, TYPO_MAX);
	bare[strcspn(bare, "=")] = '\0';
	c.typed = bare;
	closest_option(&c, globals);
	if (r->a->command == NULL)
		return err_set(r->ec, ERR_USAGE,
		               "The option %1 stands before the command. First the command, then its options.", typed,
		               NULL, NULL);
	closest_option(&c, r->a->command->options);
	command_name(r->a->command, name);
	if (c.word == NULL)
		return err_set(r->ec, ERR_USAGE, "%1 has no option %2. Type \"sleutelbos help %1\" for the list.", name,
		               typed, NULL);
	strncat(guess, c.word, TYPO_MAX);
	return err_set(r->ec, ERR_USAGE, "%1 has no option %2. Did you mean %3?", name, typed, guess);
}

static enum err global_set(struct reading *r, const struct arg_option *o, const char *value)
{
	struct args *a = r->a;
	enum global which = (enum global)(o - globals);

	if ((r->seen & (1u << which)) != 0 && value != NULL)
		return err_set(r->ec, ERR_USAGE, "The option --%1 is given twice.", o->name, NULL, NULL);
	r->seen |= 1u << which;
	switch (which) {
	case GLOBAL_HOME:
		a->home = value;
		break;
	case GLOBAL_NEIGHBOURHOOD:
		a->neighbourhood = value;
		break;
	case GLOBAL_LANG:
		a->lang = value;
		break;
	case GLOBAL_JSON:
		a->json = true;
		break;
	case GLOBAL_QUIET:
		a->quiet = true;
		break;
	case GLOBAL_PASSPHRASE_FILE:
		a->passphrase_file = value;
		break;
	case GLOBAL_PASSPHRASE_FD:
		a->passphrase_fd = value;
		break;
	case GLOBAL_HELP:
		a->help = true;
		break;
	case GLOBAL_COUNT:
		assert(!"a global option without a place");
		break;
	}
	return ERR_OK;
}

static enum err option_add(struct reading *r, const struct arg_option *o, const char *value)
{
	struct args *a = r->a;

	for (unsigned i = 0; i < a->given_count; i++) {
		if (a->given[i].option == o && (o->flags & ARG_REPEAT) == 0)
			return err_set(r->ec, ERR_USAGE, "The option --%1 is given twice.", o->name, NULL, NULL);
		if (a->given[i].option != o && o->group != 0 && a->given[i].option->group == o->group)
			return err_set(r->ec, ERR_USAGE, "--%1 and --%2 do not go together. Leave one out.",
			               a->given[i].option->name, o->name, NULL);
	}
	a->given[a->given_count++] = (struct args_given){ o, value };
	return ERR_OK;
}

static enum err option_take(struct reading *r, const char *word)
{
	const char *name = word + 2;
	const char *equals = strchr(name, '=');
	const char *value = equals == NULL ? NULL : equals + 1;
	size_t len = equals == NULL ? strlen(name) : (size_t)(equals - name);
	const struct arg_option *o = option_find(globals, name, len);
	bool global = o != NULL;

	if (!global) {
		if (r->word1 != NULL && command_find(r->table, r->word1, NULL) == NULL)
			return second_word(r, r->word1, NULL);
		if (r->word1 != NULL && settle(r) != ERR_OK)
			return ERR_USAGE;
		if (r->a->command != NULL)
			o = option_find(r->a->command->options, name, len);
		if (o == NULL)
			return unknown_option(r, word);
	}
	if (o->value == NULL) {
		if (value != NULL)
			return err_set(r->ec, ERR_USAGE, "The option --%1 takes no value.", o->name, NULL, NULL);
	} else if (value == NULL) {
		const char *next = r->next < r->argc ? r->argv[r->next] : NULL;

		if (next == NULL)
			return err_set(r->ec, ERR_USAGE, "After --%1 a value is needed.", o->name, NULL, NULL);
		if (strncmp(next, "--", 2) == 0)
			return err_set(r->ec, ERR_USAGE,
			               "After --%1 a value is needed. If it begins with dashes, type --%1=%2.", o->name,
			               next, NULL);
		value = next;
		r->next++;
	}
	return global ? global_set(r, o, value) : option_add(r, o, value);
}

static enum err read_words(struct reading *r)
{
	while (r->next < r->argc) {
		const char *word = r->argv[r->next++];
		bool dashed = !r->ended && word[0] == '-' && word[1] != '\0';
		enum err e = ERR_OK;

		if (dashed && strcmp(word, "--") == 0)
			r->ended = true;
		else if (dashed && r->a->command == NULL && r->word1 == NULL &&
		         command_find(r->table, word, NULL) != NULL)
			r->a->command = command_find(r->table, word, NULL);
		else if (dashed && strcmp(word, "-h") == 0)
			r->a->help = true;
		else if (dashed && word[1] != '-')
			e = unknown_option(r, word);
		else if (dashed)
			e = option_take(r, word);
		else
			e = word_take(r, word);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

// The choices of a group, as "--ok, --wrong".
static void group_list(const struct arg_command *c, char out[static ERR_ARG_LEN])
{
	out[0] = '\0';
	if (c->pos_group == c->one_of && c->positionals != NULL)
		strncat(out, c->positionals, ERR_ARG_LEN / 2);
	for (const struct arg_option *o = c->options; o != NULL && o->name != NULL; o++) {
		if (o->group != c->one_of || strlen(out) + strlen(o->name) + 5 > ERR_ARG_LEN)
			continue;
		strcat(out, out[0] == '\0' ? "--" : ", --");
		strcat(out, o->name);
	}
}

static const struct arg_option *group_given(const struct args *a, unsigned char group)
{
	for (unsigned i = 0; i < a->given_count; i++)
		if (a->given[i].option->group == group)
			return a->given[i].option;
	return NULL;
}

static enum err check(struct errctx *ec, const struct args *a)
{
	const struct arg_command *c = a->command;
	const struct arg_option *other = c->pos_group == 0 ? NULL : group_given(a, c->pos_group);
	char name[64];
	char list[ERR_ARG_LEN];

	command_name(c, name);
	if (a->pos_count < c->min_pos)
		return err_set(ec, ERR_USAGE, "This command needs more: %1 %2.", name, c->positionals, NULL);
	if (c->max_pos != ARGS_POS_MANY && a->pos_count > c->max_pos)
		return err_set(ec, ERR_USAGE, "%1 cannot use \"%2\". Put quotes around a text of several words.", name,
		               a->pos[c->max_pos], NULL);
	if (other != NULL && a->pos_count > 0)
		return err_set(ec, ERR_USAGE, "\"%1\" and --%2 do not go together. Leave one out.", a->pos[0],
		               other->name, NULL);
	for (const struct arg_option *o = c->options; o != NULL && o->name != NULL; o++)
		if ((o->flags & ARG_REQUIRED) != 0 && !args_flag(a, o->name))
			return err_set(ec, ERR_USAGE, "%1 needs the option --%2.", name, o->name, NULL);
	if (c->one_of != 0 && group_given(a, c->one_of) == NULL && (c->pos_group != c->one_of || a->pos_count == 0)) {
		group_list(c, list);
		return err_set(ec, ERR_USAGE, "%1 needs one of these: %2.", name, list, NULL);
	}
	return ERR_OK;
}

enum err args_parse(struct errctx *ec, const struct arg_command *table, int argc, char *const *argv, struct args *a)
{
	struct reading r = { .ec = ec, .table = table, .argc = argc, .next = 1, .argv = argv, .a = a };
	size_t room = argc > 0 ? (size_t)argc : 1;
	enum err e = ERR_OK;

	*a = (struct args){ .program = argc > 0 ? argv[0] : NULL };
	a->given = calloc(room, sizeof(*a->given));
	a->pos = calloc(room, sizeof(*a->pos));
	if (a->given == NULL || a->pos == NULL)
		e = err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.", NULL,
		            NULL, NULL);
	if (e == ERR_OK)
		e = read_words(&r);
	if (e == ERR_OK && r.word1 != NULL && a->help && command_find(table, r.word1, NULL) == NULL)
		a->pos[a->pos_count++] = r.word1;
	else if (e == ERR_OK && r.word1 != NULL)
		e = settle(&r);
	if (e == ERR_OK && a->command == NULL && a->help)
		a->command = command_find(table, "help", NULL);
	if (e == ERR_OK && a->command == NULL)
		e = err_set(ec, ERR_USAGE, "Say what to do. Type \"sleutelbos help\" for the list of commands.", NULL,
		            NULL, NULL);
	if (e == ERR_OK && !a->help)
		e = check(ec, a);
	if (e != ERR_OK) {
		args_clear(a);
		a->command = NULL;
	}
	return e;
}

void args_clear(struct args *a)
{
	free(a->given);
	free(a->pos);
	a->given = NULL;
	a->pos = NULL;
	a->given_count = 0;
	a->pos_count = 0;
}

static const struct args_given *given_find(const struct args *a, const char *name, unsigned n)
{
	assert(option_find(a->command->options, name, strlen(name)) != NULL);
	for (unsigned i = 0; i < a->given_count; i++)
		if (strcmp(a->given[i].option->name, name) == 0 && n-- == 0)
			return &a->given[i];
	return NULL;
}

const char *args_get_nth(const struct args *a, const char *name, unsigned n)
{
	const struct args_given *g = given_find(a, name, n);

	return g == NULL ? NULL : g->value;
}

const char *args_get(const struct args *a, const char *name)
{
	return args_get_nth(a, name, 0);
}

bool args_flag(const struct args *a, const char *name)
{
	return given_find(a, name, 0) != NULL;
}

const char *args_pos(const struct args *a, unsigned n)
{
	return n < a->pos_count ? a->pos[n] : NULL;
}

static enum err usage_option(const struct arg_option *o, struct buf *out)
{
	enum err e = buf_put_str(out, "--");

	if (e == ERR_OK)
		e = buf_put_str(out, o->name);
	if (e == ERR_OK && o->value != NULL)
		e = buf_put_str(out, " ");
	if (e == ERR_OK && o->value != NULL)
		e = buf_put_str(out, o->value);
	if (e == ERR_OK && (o->flags & ARG_REPEAT) != 0)
		e = buf_put_str(out, " ...");
	return e;
}

// All options of one group together, at the place of the first: "(--ok | --wrong TEXT)".
static enum err usage_group(const struct arg_command *c, const struct arg_option *first, struct buf *out)
{
	bool needed = c->one_of == first->group;
	bool with_pos = c->pos_group == first->group;
	enum err e = buf_put_str(out, needed ? "(" : "[");

	if (e == ERR_OK && with_pos)
		e = buf_put_str(out, c->positionals);
	for (const struct arg_option *o = first; e == ERR_OK && o->name != NULL; o++) {
		if (o->group != first->group)
			continue;
		if (o != first || with_pos)
			e = buf_put_str(out, " | ");
		if (e == ERR_OK)
			e = usage_option(o, out);
	}
	return e == ERR_OK ? buf_put_str(out, needed ? ")" : "]") : e;
}

static bool group_begins(const struct arg_command *c, const struct arg_option *o)
{
	for (const struct arg_option *p = c->options; p != o; p++)
		if (p->group == o->group)
			return false;
	return true;
}

enum err args_usage(const struct arg_command *c, struct buf *out)
{
	char name[64];
	enum err e = buf_put_str(out, command_name(c, name));

	if (e == ERR_OK && c->positionals != NULL && c->pos_group == 0) {
		e = buf_put_str(out, " ");
		if (e == ERR_OK)
			e = buf_put_str(out, c->positionals);
	}
	for (const struct arg_option *o = c->options; e == ERR_OK && o != NULL && o->name != NULL; o++) {
		bool needed = (o->flags & ARG_REQUIRED) != 0;

		if (o->group != 0 && !group_begins(c, o))
			continue;
		e = buf_put_str(out, needed || o->group != 0 ? " " : " [");
		if (e == ERR_OK)
			e = o->group != 0 ? usage_group(c, o, out) : usage_option(o, out);
		if (e == ERR_OK && !needed && o->group == 0)
			e = buf_put_str(out, "]");
	}
	return e;
}
