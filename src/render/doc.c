// SPDX-License-Identifier: EUPL-1.2
// JSON documents over jansson. Failures stick, so that a half document is never printed.
#include "render/doc.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "app/dates.h"
#include "base/buf.h"

#define DEPTH_MAX 16

struct doc {
	json_t *root;
	json_t *open[DEPTH_MAX]; /* borrowed from root */
	unsigned depth;
	bool failed;
};

struct doc *doc_new(void)
{
	return calloc(1, sizeof(struct doc));
}

void doc_free(struct doc *d)
{
	if (d != NULL)
		json_decref(d->root);
	free(d);
}

/* Takes over `value`; NULL is a failure. */
static void put(struct doc *d, const char *key, json_t *value)
{
	json_t *into = NULL;

	if (d == NULL) {
		json_decref(value);
		return;
	}
	into = d->depth > 0 ? d->open[d->depth - 1] : NULL;
	if (value == NULL || d->failed || (into == NULL && d->root != NULL)) {
		json_decref(value);
		d->failed = true;
	} else if (into == NULL) {
		d->root = value;
	} else if (key != NULL ? json_object_set_new(into, key, value) != 0 : json_array_append_new(into, value) != 0) {
		d->failed = true;
	}
}

static void open_value(struct doc *d, const char *key, json_t *value)
{
	put(d, key, value);
	if (d == NULL || d->failed)
		return;
	if (d->depth == DEPTH_MAX)
		d->failed = true;
	else
		d->open[d->depth++] = value;
}

void doc_object(struct doc *d, const char *key)
{
	open_value(d, key, json_object());
}

void doc_array(struct doc *d, const char *key)
{
	open_value(d, key, json_array());
}

void doc_end(struct doc *d)
{
	if (d == NULL || d->failed)
		return;
	if (d->depth == 0)
		d->failed = true;
	else
		d->depth--;
}

void doc_text(struct doc *d, const char *key, const char *text)
{
	put(d, key, text == NULL ? json_null() : json_string(text));
}

void doc_int(struct doc *d, const char *key, int64_t v)
{
	put(d, key, json_integer(v));
}

void doc_real(struct doc *d, const char *key, double v)
{
	put(d, key, json_real(v));
}

void doc_bool(struct doc *d, const char *key, bool v)
{
	put(d, key, json_boolean(v));
}

void doc_null(struct doc *d, const char *key)
{
	put(d, key, json_null());
}

void doc_day(struct doc *d, const char *key, int64_t day)
{
	char text[DAY_TEXT_LEN];

	day_text(day, text);
	doc_text(d, key, text[0] == '\0' ? NULL : text);
}

void doc_time(struct doc *d, const char *key, int64_t ms)
{
	char text[TIME_TEXT_LEN];

	time_text(ms, text);
	doc_text(d, key, ms == 0 ? NULL : text);
}

/* jansson does not look at what it is told of every piece; this remembers. */
struct dumped {
	struct buf text;
	bool failed;
};

static int dump_piece(const char *piece, size_t len, void *self)
{
	struct dumped *d = self;

	if (buf_put(&d->text, piece, len) != ERR_OK)
		d->failed = true;
	return d->failed ? -1 : 0;
}

enum err doc_print(struct errctx *ec, struct doc *d, FILE *out)
{
	struct dumped all = { .failed = true };
	enum err e = ERR_OK;

	if (d != NULL && !d->failed && d->root != NULL && d->depth == 0) {
		all.failed = false;
		if (json_dump_callback(d->root, dump_piece, &all, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
			all.failed = true;
	}
	if (all.failed || buf_put_byte(&all.text, '\n') != ERR_OK)
		e = err_errno(ec, ENOMEM, "");
	else if (fwrite(all.text.data, 1, all.text.len, out) != all.text.len)
		e = err_set(ec, ERR_IO, "Not everything that was printed arrived. Is the disk full?", NULL, NULL, NULL);
	buf_free(&all.text);
	doc_free(d);
	return e;
}
