// SPDX-License-Identifier: EUPL-1.2
// The canonical dump for people and scripts. It is streamed, because a log can be large.
#include "render/dump.h"

#include <inttypes.h>
#include <string.h>

#define DEPTH_MAX 20

struct level {
	bool map;
	bool key;     /* the next item of a map is a key */
	int64_t left; /* items, keys counted */
};

struct printer {
	FILE *out;
	struct level level[DEPTH_MAX];
	int depth;
	bool first; /* nothing printed at this place yet */
	bool bad;
};

static void print_text(FILE *out, const uint8_t *p, size_t len)
{
	fputc('"', out);
	for (size_t i = 0; i < len; i++) {
		if (p[i] == '"' || p[i] == '\\')
			fprintf(out, "\\%c", p[i]);
		else if (p[i] < 0x20 || p[i] == 0x7F)
			fprintf(out, "\\u%04x", p[i]);
		else
			fputc(p[i], out);
	}
	fputc('"', out);
}

static void print_scalar(FILE *out, const struct dump_item *item, bool key)
{
	switch (item->type) {
	case DUMP_INT:
		fprintf(out, key ? "\"%" PRId64 "\"" : "%" PRId64, item->number);
		break;
	case DUMP_BYTES:
		fputs("\"x", out);
		for (size_t i = 0; i < item->bytes.len; i++)
			fprintf(out, "%02x", item->bytes.data[i]);
		fputc('"', out);
		break;
	case DUMP_TEXT:
		print_text(out, item->bytes.data, item->bytes.len);
		break;
	case DUMP_BOOL:
		fputs(item->number ? "true" : "false", out);
		break;
	default:
		fputs("null", out);
	}
}

/* Ends the arrays and maps that are full. */
static void close_full(struct printer *p)
{
	while (p->depth > 0 && p->level[p->depth - 1].left == 0) {
		p->depth--;
		fputc(p->level[p->depth].map ? '}' : ']', p->out);
	}
}

static bool print_item(void *arg, const struct dump_item *item)
{
	struct printer *p = arg;
	struct level *l = p->depth > 0 ? &p->level[p->depth - 1] : NULL;
	bool key = l != NULL && l->map && l->key;

	if (l == NULL)
		fputs(p->first ? "\n" : ",\n", p->out);
	else if (!p->first && !(l->map && !l->key))
		fputc(',', p->out);
	p->first = false;
	if (l != NULL) {
		l->left--;
		l->key = !l->key;
	}
	if (item->type == DUMP_ARRAY || item->type == DUMP_MAP) {
		bool map = item->type == DUMP_MAP;

		if (p->depth == DEPTH_MAX || key) {
			p->bad = true;
			return false;
		}
		fputc(map ? '{' : '[', p->out);
		p->level[p->depth++] = (struct level){ map, map, map ? 2 * item->number : item->number };
		p->first = item->number > 0;
	} else {
		print_scalar(p->out, item, key);
		if (key)
			fputc(':', p->out);
	}
	close_full(p);
	return true;
}

enum err dump_print(struct errctx *ec, const struct dump_space *spaces, size_t count, FILE *out)
{
	fputc('[', out);
	for (size_t i = 0; i < count; i++) {
		struct printer p = { .out = out, .first = true };

		fputs(i > 0 ? ",\n{\"space\":" : "\n{\"space\":", out);
		print_text(out, (const uint8_t *)spaces[i].name, strlen(spaces[i].name));
		fprintf(out, ",\"id\":\"%s\",\"records\":[", spaces[i].id);
		if (app_dump_walk(buf_bytes(&spaces[i].state), print_item, &p) != ERR_OK || p.bad || p.depth != 0)
			return err_set(ec, ERR_DAMAGED, "A record in the vault is damaged. Run verify.", NULL, NULL,
			               NULL);
		fputs("]}", out);
	}
	fputs("]\n", out);
	return ERR_OK;
}
