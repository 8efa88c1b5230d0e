/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The languages of the interface. The English sentence is the key of its translation (gettext's way); the tables
 * come from schema/lang/NAME.po at build time. What has no translation is shown in English, never left out.
 * No state: the language is an argument. Every returned text is static or one of the arguments; nobody frees it.
 */
#ifndef SLB_RENDER_LANG_H
#define SLB_RENDER_LANG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum lang { LANG_NL, LANG_EN, LANG_AR, LANG_TR, LANG_COUNT };

/* "nl", "en", "ar", "tr"; a locale such as "nl_NL.UTF-8" counts by its first two letters. ERR_NOT_FOUND leaves
 * *out unchanged. */
enum err lang_parse(const char *name, enum lang *out) MUST_CHECK;
const char *lang_name(enum lang lang);

/* True where the script runs from right to left. */
bool lang_is_rtl(enum lang lang);

/* The translation of an English sentence, or the sentence itself. */
const char *lang_tr(enum lang lang, const char *msgid);

/* Appends the translation of a sentence of which the values stand in it already, as another process reports one; the
 * sentence itself where no msgid fits. Of several that fit, the one with the most words of its own counts. */
enum err lang_tr_filled(struct buf *out, enum lang lang, const char *sentence) MUST_CHECK;

/* Which plural form `n` things take, counted from 0, below LANG_FORMS. */
unsigned lang_form(enum lang lang, uint64_t n);

/* The form for `n` things; `one` is the key and the English singular, `many` the English plural. Plural rules as
 * in Unicode CLDR: nl, en, tr tell one from other; Arabic has zero, one, two, few, many, other. */
const char *lang_plural(enum lang lang, uint64_t n, const char *one, const char *many);

/* Appends `template` with %1 to %9 replaced by args[0] to args[8]; "%%" is one per cent sign. A number without a
 * value is left as it stands. */
enum err lang_fill(struct buf *out, const char *template, const char *const *args, size_t count) MUST_CHECK;

#endif
