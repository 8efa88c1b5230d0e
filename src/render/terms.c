// SPDX-License-Identifier: EUPL-1.2
// The table of words behind an import: which word of a foreign directory stands for which of our domains and groups.
#include "render/terms.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

struct item {
	const char *list;
	const char *id;
};

static const struct item items[] = {
#define LIST(list)
#define ITEM(list, id, dutch, english) { #list, #id },
#include "schema/lists.def"
#undef LIST
#undef ITEM
};

/* A missing domain or group says nothing about it. */
static const struct {
	const char *word;
	const char *domain;
	const char *group;
} table[] = {
	/* money */
	{ "debt", "geld", "schulden" },
	{ "credit", "geld", "schulden" },
	{ "bankruptcy", "geld", "schulden" },
	{ "loan", "geld", "schulden" },
	{ "money", "geld", "schulden" },
	{ "financial", "geld", "welzijn" },
	{ "help pay", "geld", "welzijn" },
	{ "utilit", "geld", "welzijn" },
	{ "low income", "geld", NULL },
	{ "food", "geld", "welzijn" },
	{ "brown bag", "geld", "welzijn" },
	{ "clothing", "geld", "welzijn" },
	{ "furniture", "geld", "welzijn" },
	{ "benefits", "geld", "gemeente" },
	/* housing */
	{ "housing", "wonen", "wonen" },
	{ "shelter", "wonen", "wonen" },
	{ "homeless", "wonen", "wonen" },
	{ "rent", "wonen", "wonen" },
	{ "eviction", "wonen", "wonen" },
	{ "foreclosure", "wonen", "wonen" },
	{ "mortgage", "wonen", "wonen" },
	/* work and education */
	{ "employment", "werk", "werk" },
	{ "job", "werk", "werk" },
	{ "work", "werk", "werk" },
	{ "career", "werk", "werk" },
	{ "education services", "werk", "school" },
	{ "education", NULL, "school" },
	{ "skills", "werk", "school" },
	/* paperwork */
	{ "information and referral", "papieren", "welzijn" },
	{ "navigating the system", "papieren", "welzijn" },
	{ "tax prep", "papieren", "welzijn" },
	{ "government", "papieren", "gemeente" },
	{ "immigra", "papieren", "recht" },
	{ "notary", "papieren", "recht" },
	/* health */
	{ "health", "gezond", "zorg" },
	{ "medical", "gezond", "zorg" },
	{ "medicina", "gezond", "zorg" },
	{ "salud", "gezond", "zorg" },
	{ "medicare", "gezond", "zorg" },
	{ "clinic", "gezond", "zorg" },
	{ "outpatient", "gezond", "zorg" },
	{ "dental", "gezond", "zorg" },
	{ "nutrition", "gezond", NULL },
	{ "dementia", "gezond", "zorg" },
	{ "disabilit", "gezond", "zorg" },
	{ "adult day", "gezond", "zorg" },
	{ "in-home", "gezond", "zorg" },
	{ "home delivered meals", "gezond", "zorg" },
	{ "residential care", "gezond", "zorg" },
	{ "counseling", "psyche", "zorg" },
	{ "mental", "psyche", "zorg" },
	{ "psychiatric", "psyche", "zorg" },
	{ "alcohol", "middelen", "zorg" },
	{ "drug", "middelen", "zorg" },
	{ "addiction", "middelen", "zorg" },
	/* home */
	{ "family", "thuis", "welzijn" },
	{ "divorce", "thuis", NULL },
	{ "domestic", "thuis", NULL },
	{ "abuse prevention", "thuis", NULL },
	{ "child abuse", "thuis", NULL },
	{ "mediation", "thuis", "recht" },
	/* children */
	{ "child", "kinderen", "welzijn" },
	{ "youth", "kinderen", "welzijn" },
	{ "parent", "kinderen", NULL },
	{ "day care", "kinderen", "welzijn" },
	{ "preschool", "kinderen", "school" },
	{ "school", "kinderen", "school" },
	/* taking part */
	{ "community services", "meedoen", "welzijn" },
	{ "recreation", "meedoen", "welzijn" },
	{ "senior", "meedoen", "welzijn" },
	{ "group support", "meedoen", "welzijn" },
	{ "support network", "meedoen", "welzijn" },
	{ "mentoring", "meedoen", "welzijn" },
	{ "congregate meals", "meedoen", "welzijn" },
	{ "arts", "meedoen", "welzijn" },
	{ "sports", "meedoen", "welzijn" },
	{ "librar", "meedoen", "welzijn" },
	{ "holiday", "meedoen", "welzijn" },
	{ "transit", "meedoen", NULL },
	/* language */
	{ "english", "taal", "school" },
	{ "literacy", "taal", "school" },
	{ "translation", "taal", NULL },
	{ "interpretation", "taal", NULL },
	{ "citizenship", "taal", NULL },
	/* police and justice */
	{ "criminal", "justitie", "recht" },
	{ "legal", NULL, "recht" },
	{ "advocacy", NULL, "recht" },
	/* Dutch */
	{ "schuld", "geld", "schulden" },
	{ "geld", "geld", "schulden" },
	{ "voedsel", "geld", "welzijn" },
	{ "wonen", "wonen", "wonen" },
	{ "huur", "wonen", "wonen" },
	{ "opvang", "wonen", "wonen" },
	{ "werk", "werk", "werk" },
	{ "baan", "werk", "werk" },
	{ "opleiding", "werk", "school" },
	{ "formulier", "papieren", NULL },
	{ "digid", "papieren", NULL },
	{ "toeslag", "papieren", NULL },
	{ "gezond", "gezond", "zorg" },
	{ "huisarts", "gezond", "zorg" },
	{ "zorg", "gezond", "zorg" },
	{ "psych", "psyche", "zorg" },
	{ "verslaving", "middelen", "zorg" },
	{ "scheiding", "thuis", NULL },
	{ "jeugd", "kinderen", "welzijn" },
	{ "kinder", "kinderen", "welzijn" },
	{ "ouderen", "meedoen", "welzijn" },
	{ "welzijn", "meedoen", "welzijn" },
	{ "taal", "taal", "school" },
	{ "inburgering", "taal", "school" },
	{ "juridisch", NULL, "recht" },
	{ "recht", NULL, "recht" },
	{ "gemeente", NULL, "gemeente" },
	{ "stadsloket", "papieren", "gemeente" },
	{ "buurtteam", NULL, "buurtteam" },
	{ "bewonersinitiatief", NULL, "initiatief" },
	{ "initiatief", NULL, "initiatief" },
};

/* ISO 639-1 where there is one, else 639-3. */
static const struct {
	const char *name;
	const char *code;
} languages[] = {
	{ "amazigh", "ber" },
	{ "arabic", "ar" },
	{ "arabisch", "ar" },
	{ "bengali", "bn" },
	{ "berber", "ber" },
	{ "bulgarian", "bg" },
	{ "bulgaars", "bg" },
	{ "cantonese", "yue" },
	{ "chinese", "zh" },
	{ "chinees", "zh" },
	{ "chinese (cantonese)", "yue" },
	{ "chinese (mandarin)", "cmn" },
	{ "dari", "prs" },
	{ "dutch", "nl" },
	{ "nederlands", "nl" },
	{ "english", "en" },
	{ "engels", "en" },
	{ "farsi", "fa" },
	{ "persian", "fa" },
	{ "french", "fr" },
	{ "frans", "fr" },
	{ "german", "de" },
	{ "duits", "de" },
	{ "hindi", "hi" },
	{ "hungarian", "hu" },
	{ "hongaars", "hu" },
	{ "italian", "it" },
	{ "italiaans", "it" },
	{ "japanese", "ja" },
	{ "korean", "ko" },
	{ "kurdish", "ku" },
	{ "koerdisch", "ku" },
	{ "mandarin", "cmn" },
	{ "papiamento", "pap" },
	{ "papiaments", "pap" },
	{ "pashto", "ps" },
	{ "polish", "pl" },
	{ "pools", "pl" },
	{ "portuguese", "pt" },
	{ "portugees", "pt" },
	{ "romanian", "ro" },
	{ "roemeens", "ro" },
	{ "russian", "ru" },
	{ "russisch", "ru" },
	{ "somali", "so" },
	{ "somalisch", "so" },
	{ "spanish", "es" },
	{ "spaans", "es" },
	{ "sranan", "srn" },
	{ "tagalog", "tl" },
	{ "taiwanese", "nan" },
	{ "tamazight", "ber" },
	{ "tigrinya", "ti" },
	{ "turkish", "tr" },
	{ "turks", "tr" },
	{ "twi", "tw" },
	{ "ukrainian", "uk" },
	{ "oekraiens", "uk" },
	{ "urdu", "ur" },
	{ "vietnamese", "vi" },
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* The number of `id` within its list of schema/lists.def. */
static size_t number_of(const char *list, const char *id, size_t len)
{
	size_t number = 0;

	for (size_t i = 0; i < COUNT(items); i++) {
		if (strcmp(items[i].list, list) != 0)
			continue;
		if (strlen(items[i].id) == len && memcmp(items[i].id, id, len) == 0)
			return number;
		number++;
	}
	return SIZE_MAX;
}

static const char *id_at(const char *list, size_t number)
{
	for (size_t i = 0; i < COUNT(items); i++)
		if (strcmp(items[i].list, list) == 0 && number-- == 0)
			return items[i].id;
	return NULL;
}

bool terms_is_id(const char *list, const char *id, size_t len)
{
	return number_of(list, id, len) != SIZE_MAX;
}

static bool speaks_of(const char *term, size_t len, const char *word)
{
	size_t word_len = strlen(word);

	for (size_t i = 0; i + word_len <= len; i++)
		if ((i == 0 || !isalnum((unsigned char)term[i - 1])) && strncasecmp(term + i, word, word_len) == 0)
			return true;
	return false;
}

void terms_hear(struct terms *terms, const char *term, size_t len)
{
	for (size_t i = 0; i < COUNT(table); i++) {
		if (!speaks_of(term, len, table[i].word))
			continue;
		if (table[i].domain != NULL)
			terms->domain[number_of("domain", table[i].domain, strlen(table[i].domain))] = true;
		if (table[i].group != NULL)
			terms->votes[number_of("group", table[i].group, strlen(table[i].group))]++;
	}
}

const char *terms_group(const struct terms *terms)
{
	size_t best = 0;

	for (size_t i = 1; i < TERMS_GROUPS; i++)
		if (terms->votes[i] > terms->votes[best])
			best = i;
	return terms->votes[best] > 0 ? id_at("group", best) : "anders";
}

enum err terms_domains(const struct terms *terms, struct buf *out)
{
	enum err e = ERR_OK;
	bool first = true;

	for (size_t i = 0; i < TERMS_DOMAINS && e == ERR_OK; i++) {
		if (!terms->domain[i])
			continue;
		if (!first)
			e = buf_put_byte(out, ',');
		if (e == ERR_OK)
			e = buf_put_str(out, id_at("domain", i));
		first = false;
	}
	return e;
}

const char *terms_language(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT(languages); i++) {
		if (strlen(languages[i].name) == len && strncasecmp(languages[i].name, name, len) == 0)
			return languages[i].code;
		if (strlen(languages[i].code) == len && strncasecmp(languages[i].code, name, len) == 0)
			return languages[i].code;
	}
	return NULL;
}
