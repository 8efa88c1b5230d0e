// SPDX-License-Identifier: EUPL-1.2
// A proposal for a text that was changed apart. It replaces nothing: a person saves it, or not (M2).
#include "app/proposal.h"

#include <stdlib.h>

#include "model/merge3.h"
#include "model/record.h"
#include "model/wire.h"
#include "store/store.h"

/* How many times a text may have been saved since the versions parted. */
#define STEPS_MAX 200

/* A TEXT write of one text: what it started from and what it says. */
struct step {
	bool from_text; /* false: it started from nothing */
	struct bytes from;
	struct bytes text;
};

static bool step_get(struct bytes raw, struct step *out)
{
	struct wire_in in = wire_in(raw);
	size_t n = 0;

	*out = (struct step){ .from_text = false };
	if (wire_get_array(&in, &n) != ERR_OK || n != 2)
		return false;
	if (wire_peek(&in) == WIRE_NULL) {
		if (wire_get_null(&in) != ERR_OK)
			return false;
	} else {
		out->from_text = true;
		if (wire_get_text(&in, &out->from) != ERR_OK)
			return false;
	}
	return wire_get_text(&in, &out->text) == ERR_OK && wire_at_end(&in) == ERR_OK;
}

/* The texts that a version goes back to, newest first. */
struct line {
	struct bytes *text;
	size_t n;
};

/* The edit of the log that wrote this text here; false where there is none. */
static bool step_of(const struct record_log *log, uint32_t tag, struct bytes text, struct step *out)
{
	for (size_t i = log->n; i-- > 0;) {
		const struct edit *edit = &log->item[i].edit;

		for (size_t k = 0; k < edit->write_count; k++)
			if (edit->writes[k].tag == tag && step_get(edit->writes[k].value, out) &&
			    bytes_cmp(out->text, text) == 0)
				return true;
	}
	return false;
}

static enum err line_make(const struct record_log *log, uint32_t tag, struct step from, struct line *out)
{
	struct step s = from;

	*out = (struct line){ calloc(STEPS_MAX, sizeof(*out->text)), 0 };
	if (out->text == NULL)
		return ERR_NO_MEMORY;
	while (s.from_text && out->n < STEPS_MAX) {
		out->text[out->n++] = s.from;
		if (!step_of(log, tag, s.from, &s))
			break;
	}
	return ERR_OK;
}

static bool line_has(const struct line *l, struct bytes text)
{
	for (size_t i = 0; i < l->n; i++)
		if (bytes_cmp(l->text[i], text) == 0)
			return true;
	return false;
}

/* The newest text that every version goes back to. */
static bool common(const struct line *lines, size_t count, struct bytes *out)
{
	for (size_t i = 0; i < lines[0].n; i++) {
		bool all = true;

		for (size_t k = 1; k < count && all; k++)
			all = line_has(&lines[k], lines[0].text[i]);
		if (all) {
			*out = lines[0].text[i];
			return true;
		}
	}
	return false;
}

enum err proposal_make(struct errctx *ec, struct app *app, const struct record *r, uint32_t tag, struct buf *out,
                       struct buf *base, bool *there)
{
	size_t count = tag_class(tag) == CLASS_TEXT ? record_versions(r, tag) : 0;
	struct record_log log = { 0 };
	struct bytes text[MERGE3_TEXTS_MAX];
	struct line line[MERGE3_TEXTS_MAX] = { { NULL, 0 } };
	struct bytes start = { 0 };
	enum err e = ERR_OK;

	*there = false;
	if (count < 2 || count > MERGE3_TEXTS_MAX)
		return ERR_OK;
	e = store_log_of(ec, app->store, r->id, &log);
	for (size_t i = 0; i < count && e == ERR_OK; i++) {
		const struct stamp *by = NULL;
		struct bytes raw = { 0 };
		struct step s;

		if (!record_version(r, tag, i, &raw, &by) || !step_get(raw, &s))
			goto done;
		text[count - 1 - i] = s.text; /* the oldest first */
		e = line_make(&log, tag, s, &line[count - 1 - i]);
	}
	if (e == ERR_OK && common(line, count, &start))
		e = merge3(start, text, count, out, there);
	if (e == ERR_OK && *there)
		e = buf_put(base, start.data, start.len);
done:
	for (size_t i = 0; i < count; i++)
		free(line[i].text);
	store_log_free(&log);
	return e;
}
