// SPDX-License-Identifier: EUPL-1.2
// Names to keys of how they sound. Pure: text in, letters out.
#include "model/sounds.h"

#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

/* A longer word has the key of its beginning. */
#define WORD_MAX 48

/* U+00C0 to U+017F without accents, in lower case; '.' has no key, '$' is the s of sh. */
static const char latin[] = "aaaaaaaceeeeiiiidnooooo.ouuuuytsaaaaaaaceeeeiiiidnooooo.ouuuuyty"
                            "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"
                            "lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
_Static_assert(sizeof(latin) == 0x180 - 0xC0 + 1, "one letter for each code point");

/* The letter of a code point in lower case; 0: it stands between words, 1: it is not heard. */
static char letter(uint32_t c)
{
	if (c >= 'a' && c <= 'z')
		return (char)c;
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	if (c == 0xC7 || c == 0xE7)
		return 's'; /* ç */
	if (c >= 0xC0 && c < 0x180 && latin[c - 0xC0] != '.')
		return latin[c - 0xC0];
	/* accents of their own, apostrophes and the like: Nu`man, Sa'id */
	if ((c >= 0x300 && c < 0x370) || c == '\'' || c == '`' || c == 0x2019 || c == 0x2018 || c == 0x2BF ||
	    c == 0x2BE)
		return 1;
	return 0;
}

static bool is_vowel(char c)
{
	return c != '\0' && strchr("aeiouy", c) != NULL;
}

/* Does the word go on with this at `i`? */
static bool at(const char *w, size_t i, const char *part)
{
	return strncmp(w + i, part, strlen(part)) == 0;
}

struct key {
	char c[2 * WORD_MAX + 2]; /* x is two */
	size_t n;
	bool heard; /* there is a consonant */
	bool vowel; /* the first vowel has been put */
	bool apart; /* a vowel stood since the last consonant */
	bool tail;  /* another vowel than the first one did */
};

static void put_consonant(struct key *k, char c)
{
	if (k->n == 0 || k->apart || k->c[k->n - 1] != c)
		k->c[k->n++] = c;
	k->apart = false;
	k->tail = false;
	k->heard = true;
}

static void put_vowel(struct key *k, char c)
{
	if (!k->vowel)
		k->c[k->n++] = c;
	else if (!k->apart)
		k->tail = true;
	k->vowel = true;
	k->apart = true;
}

/* A j or w within a word: Marwa is Maroua, but in Swen it is no first vowel. */
static void put_half_vowel(struct key *k, char c)
{
	if (k->vowel)
		put_vowel(k, c);
	k->apart = true;
}

/* The s of many spellings; returns its length, 0 where there is none. */
static size_t sibilant(const char *w, size_t i)
{
	static const char *const spelt[] = {
		"tsch", "tsj", "tch", "sch", "sh", "sj", "dj", "tj", "cz", "ts", "z", "s"
	};

	for (size_t k = 0; k < sizeof(spelt) / sizeof(spelt[0]); k++) {
		if (at(w, i, spelt[k]))
			return strlen(spelt[k]);
	}
	if (i > 0 && at(w, i, "ch"))
		return 2;
	if (w[i] == 'c' && (w[i + 1] == 'e' || w[i + 1] == 'i' || w[i + 1] == 'y'))
		return 1;
	return i > 0 && w[i] == 'j' && w[i - 1] == 'i' && is_vowel(w[i + 1]) ? 1 : 0;
}

/* A vowel, or two letters that are one; returns the length, 0 where there is none. */
static size_t vowel(struct key *k, const char *w, size_t i)
{
	char next = w[i + 1];

	if (i == 0 && (w[0] == 'j' || w[0] == 'y') && is_vowel(next))
		return 0;
	switch (w[i]) {
	case 'a':
		put_vowel(k, next == 'i' || next == 'y' || next == 'j' ? 'e' : 'a');
		return 1;
	case 'o':
	case 'u':
		put_vowel(k, 'o');
		return 1;
	case 'e':
	case 'i':
	case 'y':
		put_vowel(k, 'e');
		return 1;
	case 'j':
	case 'w':
		if (i == 0)
			return 0;
		put_half_vowel(k, w[i]);
		return 1;
	default:
		return 0;
	}
}

/* Everything else; returns the length. */
static size_t consonant(struct key *k, const char *w, size_t i)
{
	bool last = w[i + 1] == '\0';

	if (at(w, i, "kh") || at(w, i, "ch")) {
		put_consonant(k, 'h');
		return 2;
	}
	if (at(w, i, "ph")) {
		put_consonant(k, 'f');
		return 2;
	}
	switch (w[i]) {
	case 'h':
		/* Sarah, Ghali */
		if (!last && (i == 0 || is_vowel(w[i - 1])))
			put_consonant(k, 'h');
		break;
	case 'c':
	case 'q':
		put_consonant(k, 'k');
		break;
	case 'x':
		put_consonant(k, 'k');
		put_consonant(k, 's');
		break;
	case 'v':
		put_consonant(k, 'f');
		break;
	case 'd':
		put_consonant(k, i == 0 ? 'd' : 't');
		break;
	case 'b':
		put_consonant(k, last && i > 0 ? 'p' : 'b');
		break;
	case 'y':
		put_consonant(k, 'j');
		break;
	default:
		put_consonant(k, w[i]);
	}
	return 1;
}

static enum err word_put(const char *w, struct buf *out)
{
	struct key k = { .n = 0 };
	size_t i = 0;
	enum err e = ERR_OK;

	if (w[0] == '\0' || w[1] == '\0')
		return ERR_OK;
	if (at(w, 0, "ou") && is_vowel(w[2])) {
		put_consonant(&k, 'w'); /* Ouafa, Wafa */
		i = 2;
	}
	while (w[i] != '\0') {
		size_t n = sibilant(w, i);

		if (n > 0)
			put_consonant(&k, 's');
		else
			n = vowel(&k, w, i);
		i += n > 0 ? n : consonant(&k, w, i);
	}
	if (!k.heard || k.n < 2)
		return ERR_OK;
	if (k.tail)
		k.c[k.n++] = 'a';
	e = buf_put(out, k.c, k.n);
	return e == ERR_OK ? buf_put_byte(out, ' ') : e;
}

enum err sounds_put(struct bytes text, struct buf *out)
{
	struct buf copy = { 0 };
	char word[WORD_MAX + 1] = { 0 };
	size_t n = 0;
	const char *p = NULL;
	enum err e = buf_put(&copy, text.data, text.len);

	if (e == ERR_OK)
		e = buf_terminate(&copy);
	p = e == ERR_OK && utf8_valid(copy.data, copy.len) ? (const char *)copy.data : "";
	while (e == ERR_OK && *p != '\0') {
		char c = letter(utf8_next(&p));

		if (c > 1 && n < WORD_MAX)
			word[n++] = c;
		if (c == 0 || *p == '\0') {
			word[n] = '\0';
			e = word_put(word, out);
			n = 0;
		}
	}
	buf_free(&copy);
	return e;
}
