// SPDX-License-Identifier: EUPL-1.2
// Turns what people typed into the writes of one edit. Only fields that differ are written, and sets as what is added
// and removed, so that saving never overwrites what came in meanwhile (M2).
#include "app/editor.h"

#include <string.h>

#include "app/dates.h"
#include "app/within.h"
#include "store/store.h"

void editor_new(struct editor *ed, struct app *app, struct errctx *ec)
{
	*ed = (struct editor){ .app = app, .ec = ec };
}

void editor_of(struct editor *ed, struct app *app, struct errctx *ec, const struct record *old)
{
	*ed = (struct editor){ .app = app, .ec = ec, .old = old };
}

void editor_free(struct editor *ed)
{
	draft_free(&ed->draft);
	pool_free(&ed->pool);
}

static bool fine(struct editor *ed, enum err e)
{
	if (ed->failed == ERR_OK)
		ed->failed = e;
	return ed->failed == ERR_OK;
}

void editor_read_with(struct editor *ed, const struct reading *r)
{
	if (fine(ed, reading_parse(ed->ec, &ed->pool, r->token, &ed->seen, &ed->seen_count)))
		ed->text_was = r->token != NULL ? r->text : NULL;
}

/* One version, and that says exactly this. */
static bool says_already(const struct editor *ed, uint32_t tag, const char *text)
{
	struct bytes now = { 0 };

	if (ed->old == NULL || record_versions(ed->old, tag) == 0)
		return text[0] == '\0';
	if (record_versions(ed->old, tag) > 1 || record_kept(ed->old, tag, 1, &now))
		return false;
	if (!record_text(ed->old, tag, &now))
		now.len = 0;
	return now.len == strlen(text) && (now.len == 0 || memcmp(now.data, text, now.len) == 0);
}

void editor_line(struct editor *ed, uint32_t tag, const char *field, const char *text, enum check_bsn bsn)
{
	if (text == NULL || !fine(ed, check_line(ed->ec, field, text, bsn)) || says_already(ed, tag, text))
		return;
	if (text[0] == '\0')
		draft_null(&ed->draft, tag);
	else
		draft_text(&ed->draft, tag, text);
}

void editor_text(struct editor *ed, uint32_t tag, const char *field, const char *text, enum check_bsn bsn)
{
	struct bytes now = { 0 };
	const char *base = NULL;

	if (text == NULL || !fine(ed, check_text(ed->ec, field, text, bsn)) || says_already(ed, tag, text))
		return;
	if (ed->old != NULL && ed->text_was != NULL) {
		base = ed->text_was;
	} else if (ed->old != NULL && record_text(ed->old, tag, &now)) {
		base = pool_text(&ed->pool, now);
		if (!fine(ed, base == NULL ? ERR_NO_MEMORY : ERR_OK))
			return;
	}
	draft_long_text(&ed->draft, tag, base, text);
}

void editor_id(struct editor *ed, uint32_t tag, const char *field, enum list list, const char *id)
{
	if (id == NULL)
		return;
	if (id[0] != '\0' && !fine(ed, check_id(ed->ec, field, list, id)))
		return;
	editor_line(ed, tag, field, id, BSN_FINE);
}

void editor_set(struct editor *ed, uint32_t tag, const char *field, enum list list, const char *text)
{
	struct words want = { 0 };
	struct words gone = { 0 };
	struct words come = { 0 };
	struct words have = { 0 };
	struct bytes element = { 0 };
	size_t n = 0;

	if (text == NULL || !fine(ed, words_split(&ed->pool, text, &want)))
		return;
	while (ed->old != NULL && record_element(ed->old, tag, n, &element))
		n++;
	have.word = pool_take(&ed->pool, (n + 1) * sizeof(*have.word));
	gone.word = pool_take(&ed->pool, (n + 1) * sizeof(*gone.word));
	come.word = pool_take(&ed->pool, (want.n + 1) * sizeof(*come.word));
	if (!fine(ed, ed->pool.failed ? ERR_NO_MEMORY : ERR_OK))
		return;
	for (size_t i = 0; i < n; i++) {
		if (!record_element_text(ed->old, tag, i, &element))
			continue;
		have.word[have.n] = pool_text(&ed->pool, element);
		if (!fine(ed, have.word[have.n] == NULL ? ERR_NO_MEMORY : ERR_OK))
			return;
		if (!words_have(&want, have.word[have.n]))
			gone.word[gone.n++] = have.word[have.n];
		have.n++;
	}
	for (size_t i = 0; i < want.n; i++) {
		if (words_have(&have, want.word[i]))
			continue;
		if (!fine(ed, list == LIST_none ? check_line(ed->ec, field, want.word[i], BSN_FINE)
		                                : check_id(ed->ec, field, list, want.word[i])))
			return;
		come.word[come.n++] = want.word[i];
	}
	if (come.n + gone.n > 0)
		draft_set(&ed->draft, tag, come.word, come.n, gone.word, gone.n);
}

void editor_day(struct editor *ed, uint32_t tag, int64_t day)
{
	int64_t now = NO_DAY;

	if (ed->old != NULL && record_versions(ed->old, tag) <= 1 && !record_int(ed->old, tag, &now))
		now = NO_DAY;
	if (now == day && (ed->old == NULL || record_versions(ed->old, tag) <= 1))
		return;
	if (day == NO_DAY)
		draft_null(&ed->draft, tag);
	else
		draft_int(&ed->draft, tag, day);
}

void editor_bool(struct editor *ed, uint32_t tag, bool v)
{
	bool now = false;

	if (ed->old != NULL && record_versions(ed->old, tag) <= 1 && !record_bool(ed->old, tag, &now))
		now = false;
	if (now != v || (ed->old != NULL && record_versions(ed->old, tag) > 1))
		draft_bool(&ed->draft, tag, v);
}

void editor_ref(struct editor *ed, uint32_t tag, struct dot ref)
{
	struct dot now = { 0 };
	bool single = ed->old == NULL || record_versions(ed->old, tag) <= 1;

	if (ed->old == NULL || !record_ref(ed->old, tag, &now))
		now = (struct dot){ 0 };
	if (single && (dot_cmp(now, ref) == 0 || (dot_is_none(now) && dot_is_none(ref))))
		return;
	if (dot_is_none(ref))
		draft_null(&ed->draft, tag);
	else
		draft_ref(&ed->draft, tag, ref);
}

void editor_event(struct editor *ed, uint32_t tag, const char *status, int64_t day, const char *reason)
{
	draft_event(&ed->draft, tag, status, day, reason);
}

void editor_retract(struct editor *ed, uint32_t tag, struct dot which)
{
	draft_retract(&ed->draft, tag, which);
}

bool editor_changed(const struct editor *ed)
{
	return ed->draft.count > 0;
}

enum err editor_write(struct editor *ed, int64_t space, uint32_t kind, struct dot *id)
{
	struct change change = { .space = space, .kind = kind, .seen = ed->seen, .seen_count = ed->seen_count };
	struct dot written = { 0 };
	enum err e = ed->failed;

	if (e == ERR_OK)
		e = draft_writes(&ed->draft, &change.writes, &change.write_count);
	if (e == ERR_NO_MEMORY)
		e = err_set(ed->ec, e, "There is not enough memory. Close other programs and try again.", NULL, NULL,
		            NULL);
	if (e == ERR_OK && (change.write_count > 0 || kind != KIND_none)) {
		if (kind == KIND_none)
			change.target = ed->old->id;
		e = within_arrived(ed->ec, ed->app, space);
		if (e == ERR_OK)
			e = store_write(ed->ec, ed->app->store, &change, app_now_ms(ed->app), &written);
	}
	if (e == ERR_OK && id != NULL)
		*id = kind == KIND_none ? ed->old->id : written;
	editor_free(ed);
	return e;
}
