// SPDX-License-Identifier: EUPL-1.2
// Which rows are one conversation, and which conversations are here already. Both are comparisons of digests, so that a
// table of many rows and a long log cost a sort and no more.
#include "app/import_talks.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/dates.h"
#include "app/residents.h"
#include "app/within.h"
#include "crypto/hash.h"

#define DIGEST_LEN 16

struct digest {
	uint8_t b[DIGEST_LEN];
};

struct id_row {
	const char *id;
	size_t row;
};

/* --- digests --- */

/* What is compared: the first three say which conversation it is, the others which of several alike. */
enum part {
	PART_SPACE,
	PART_DATE,
	PART_RESIDENT,
	PART_TEXT,
	PART_SHORT,
	PART_CHANNEL = PART_SHORT,
	PART_WHO,
	PART_DOMAINS,
	PART_DID,
	PART_WHOLE
};

struct parts {
	const char *text[PART_WHOLE]; /* NULL: empty */
};

/* Line ends may have been changed by a spreadsheet, capitals of a name by a person. */
static enum err part_put(struct buf *out, enum part part, const char *text)
{
	enum err e = ERR_OK;

	for (const char *p = text == NULL ? "" : text; *p != '\0' && e == ERR_OK; p++) {
		if (part == PART_TEXT && *p == '\r')
			continue;
		e = buf_put_byte(out, part == PART_RESIDENT ? (uint8_t)tolower((unsigned char)*p) : (uint8_t)*p);
	}
	return e == ERR_OK ? buf_put_byte(out, 0) : e;
}

/* `room` is emptied and used again. */
static enum err digest_of(struct buf *room, const struct parts *p, enum part count, struct digest *out)
{
	struct bytes all = { 0 };
	enum err e = ERR_OK;

	buf_reset(room);
	for (int i = 0; i < (int)count && e == ERR_OK; i++)
		e = part_put(room, (enum part)i, p->text[i]);
	if (e != ERR_OK)
		return e;
	all = buf_bytes(room);
	hash_parts("sleutelbos import", NULL, &all, 1, out->b, sizeof(out->b));
	return ERR_OK;
}

#define SPACE_TEXT_LEN 24

static struct parts parts_of_row(const struct import_row *r, const char *space)
{
	return (struct parts){ { [PART_SPACE] = space,
		                 [PART_DATE] = r->cell[IMPORT_date],
		                 [PART_RESIDENT] = r->cell[IMPORT_resident],
		                 [PART_TEXT] = r->cell[IMPORT_text],
		                 [PART_CHANNEL] = r->cell[IMPORT_channel],
		                 [PART_WHO] = r->cell[IMPORT_who],
		                 [PART_DOMAINS] = r->cell[IMPORT_domains],
		                 [PART_DID] = r->cell[IMPORT_did] } };
}

static void space_text(int64_t space, char out[static SPACE_TEXT_LEN])
{
	snprintf(out, SPACE_TEXT_LEN, "%lld", (long long)space);
}

/* --- rows of one conversation --- */

struct group {
	struct digest of;
	size_t row;
};

static int group_cmp(const void *a, const void *b)
{
	const struct group *x = a;
	const struct group *y = b;
	int c = memcmp(x->of.b, y->of.b, DIGEST_LEN);

	return c != 0 ? c : (x->row > y->row) - (x->row < y->row);
}

/* The id of a row in a file that we wrote; NULL for what somebody else numbered. */
static const char *own_id(const struct import_row *r)
{
	struct dot d = { 0 };

	return r->cell[IMPORT_id] != NULL && dot_parse(r->cell[IMPORT_id], &d) ? r->cell[IMPORT_id] : NULL;
}

/* What the rows of a conversation have in common: its id in a file of ours, as long as they tell of one conversation;
 * else, where it has a text, all that was said of it. Without a text two equal rows are two conversations. */
static enum err group_of(struct buf *room, const struct import_log *log, const int64_t *space, size_t row,
                         struct group *out)
{
	const struct import_row *r = &log->row[row];
	char where[SPACE_TEXT_LEN];
	char number[SPACE_TEXT_LEN];
	struct parts p = { 0 };

	out->row = row;
	space_text(space[row], where);
	space_text((int64_t)row, number);
	if (own_id(r) != NULL) {
		p = parts_of_row(r, where);
		p.text[PART_CHANNEL] = "id";
		p.text[PART_WHO] = own_id(r);
		p.text[PART_DOMAINS] = p.text[PART_DID] = NULL;
	} else if (r->cell[IMPORT_text] != NULL) {
		p = parts_of_row(r, where);
	} else {
		p = (struct parts){ { "row", number } };
	}
	return digest_of(room, &p, PART_WHOLE, &out->of);
}

struct order {
	const struct import_row *row;
};

static int talk_cmp(const void *a, const void *b, void *order)
{
	const struct talk *x = a;
	const struct talk *y = b;
	const struct import_row *row = ((const struct order *)order)->row;
	int c = strcmp(row[x->row].cell[IMPORT_date], row[y->row].cell[IMPORT_date]);

	return c != 0 ? c : (x->row > y->row) - (x->row < y->row);
}

static enum err rows_group(struct errctx *ec, const struct import_log *log, const int64_t *space, struct talks *out)
{
	struct group *g = calloc(log->rows + 1, sizeof(*g));
	struct buf room = { 0 };
	struct order order = { log->row };
	enum err e = g == NULL ? ERR_NO_MEMORY : ERR_OK;

	for (size_t i = 0; i < log->rows && e == ERR_OK; i++)
		e = group_of(&room, log, space, i, &g[i]);
	if (e == ERR_OK && log->rows > 1)
		qsort(g, log->rows, sizeof(*g), group_cmp);
	for (size_t i = 0; i < log->rows && e == ERR_OK; i++) {
		bool first = i == 0 || memcmp(g[i - 1].of.b, g[i].of.b, DIGEST_LEN) != 0;

		out->next[g[i].row] = NO_ROW;
		if (first)
			out->item[out->n++].row = g[i].row;
		else
			out->next[g[i - 1].row] = g[i].row;
	}
	if (e == ERR_OK && out->n > 1)
		qsort_r(out->item, out->n, sizeof(*out->item), talk_cmp, &order);
	for (size_t i = 0; i < out->n && e == ERR_OK; i++) {
		for (size_t row = out->item[i].row; row != NO_ROW; row = out->next[row])
			out->talk_of[row] = i;
	}
	buf_free(&room);
	free(g);
	return e == ERR_OK ? ERR_OK : within_no_memory(ec);
}

/* --- what is here already --- */

/* A conversation here or in the file. */
struct side {
	struct digest brief;
	struct digest whole;
	struct dot contact; /* here */
	size_t talk;        /* in the file */
	bool taken;
};

struct sides {
	struct side *item;
	size_t n;
	size_t cap;
};

static int side_cmp(const void *a, const void *b)
{
	const struct side *x = a;
	const struct side *y = b;
	int c = memcmp(x->brief.b, y->brief.b, DIGEST_LEN);

	if (c == 0)
		c = memcmp(x->whole.b, y->whole.b, DIGEST_LEN);
	if (c == 0)
		c = (x->talk > y->talk) - (x->talk < y->talk);
	return c != 0 ? c : dot_cmp(x->contact, y->contact);
}

static enum err side_add(struct sides *s, struct buf *room, const struct parts *p, struct side side)
{
	enum err e = digest_of(room, p, PART_SHORT, &side.brief);

	if (e == ERR_OK)
		e = digest_of(room, p, PART_WHOLE, &side.whole);
	if (e == ERR_OK && s->n == s->cap) {
		size_t cap = s->cap == 0 ? 64 : 2 * s->cap;
		struct side *grown = reallocarray(s->item, cap, sizeof(*grown));

		if (grown == NULL)
			return ERR_NO_MEMORY;
		s->item = grown;
		s->cap = cap;
	}
	if (e == ERR_OK)
		s->item[s->n++] = side;
	return e;
}

static const char *joined(struct pool *p, const struct words *w)
{
	size_t len = 1;
	char *all = NULL;

	if (w->n == 0)
		return NULL;
	for (size_t i = 0; i < w->n; i++)
		len += strlen(w->word[i]) + 1;
	all = pool_take(p, len);
	for (size_t i = 0; i < w->n && all != NULL; i++) {
		if (i > 0)
			strcat(all, ",");
		strcat(all, w->word[i]);
	}
	return all;
}

static enum err here_add(struct app *app, struct sides *s, struct buf *room, const struct loaded *l)
{
	struct pool pool = { 0 };
	const struct record *r = &l->record;
	const struct words domains = shown_set(&pool, r, F_contact_domains, LIST_domain);
	const struct words did = shown_set(&pool, r, F_contact_did, LIST_did);
	char date[DAY_TEXT_LEN];
	char space[SPACE_TEXT_LEN];
	bool never = false;
	struct parts p = { 0 };
	enum err e = ERR_OK;

	day_text(shown_day(r, F_contact_date), date);
	space_text(l->space, space);
	p = (struct parts){ { [PART_SPACE] = space,
		              [PART_DATE] = date,
		              [PART_RESIDENT] = resident_nick(&pool, app, shown_ref(r, F_contact_resident), &never),
		              [PART_TEXT] = shown_text(&pool, r, F_contact_text),
		              [PART_CHANNEL] = shown_text(&pool, r, F_contact_channel),
		              [PART_WHO] = shown_text(&pool, r, F_contact_who),
		              [PART_DOMAINS] = joined(&pool, &domains),
		              [PART_DID] = joined(&pool, &did) } };
	e = pool.failed ? ERR_NO_MEMORY : side_add(s, room, &p, (struct side){ .contact = r->id });
	pool_free(&pool);
	return e;
}

static int dot_ptr_cmp(const void *a, const void *b)
{
	return dot_cmp(*(const struct dot *)a, *(const struct dot *)b);
}

/* Every conversation here from the first day of the file on, but for those that were found by their id. */
static enum err here_read(struct errctx *ec, struct app *app, const char *since, const struct dots *found,
                          struct sides *out)
{
	struct dots ids = { 0 };
	struct buf room = { 0 };
	int64_t day = NO_DAY;
	enum err e = day_parse(ec, "date", since, 0, &day);

	if (e == ERR_OK)
		e = store_contacts(ec, app->store, 0, day, false, &ids);
	for (size_t i = 0; i < ids.n && e == ERR_OK; i++) {
		struct loaded l = { 0 };

		if (found->n > 0 && bsearch(&ids.d[i], found->d, found->n, sizeof(*found->d), dot_ptr_cmp) != NULL)
			continue;
		if (within_peek(app, ids.d[i], KIND_contact, &l))
			e = here_add(app, out, &room, &l);
		store_loaded_free(&l);
	}
	buf_free(&room);
	dots_free(&ids);
	return e;
}

struct claim {
	struct dot contact;
	size_t talk;
};

static int claim_cmp(const void *a, const void *b)
{
	const struct claim *x = a;
	const struct claim *y = b;
	int c = dot_cmp(x->contact, y->contact);

	return c != 0 ? c : (x->talk > y->talk) - (x->talk < y->talk);
}

/* The conversations whose id is here; sorted. Where several rows came to have one id, the oldest keeps it. */
static enum err by_id(struct app *app, const struct import_log *log, struct talks *t, struct dots *found)
{
	struct claim *claim = calloc(t->n + 1, sizeof(*claim));
	size_t n = 0;

	found->d = calloc(t->n + 1, sizeof(*found->d));
	if (found->d == NULL || claim == NULL) {
		free(claim);
		return ERR_NO_MEMORY;
	}
	for (size_t i = 0; i < t->n; i++) {
		const char *id = own_id(&log->row[t->item[i].row]);
		struct loaded l = { 0 };
		struct dot d = { 0 };

		if (id == NULL || !dot_parse(id, &d) || !within_peek(app, d, KIND_contact, &l))
			continue;
		store_loaded_free(&l);
		claim[n++] = (struct claim){ d, i };
	}
	if (n > 1)
		qsort(claim, n, sizeof(*claim), claim_cmp);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && dot_cmp(claim[i - 1].contact, claim[i].contact) == 0)
			continue;
		t->item[claim[i].talk].known = true;
		t->item[claim[i].talk].contact = claim[i].contact;
		found->d[found->n++] = claim[i].contact;
	}
	free(claim);
	return ERR_OK;
}

static void pair(struct talks *t, struct side *file, struct side *here)
{
	file->taken = true;
	here->taken = true;
	t->item[file->talk].known = true;
	t->item[file->talk].contact = here->contact;
}

/* Two runs with one brief digest: first those that are the same in everything, then the rest in their order. */
static void runs_pair(struct talks *t, struct side *file, size_t files, struct side *here, size_t heres)
{
	size_t k = 0;

	for (size_t i = 0; i < files; i++) {
		while (k < heres && memcmp(here[k].whole.b, file[i].whole.b, DIGEST_LEN) < 0)
			k++;
		if (k < heres && memcmp(here[k].whole.b, file[i].whole.b, DIGEST_LEN) == 0)
			pair(t, &file[i], &here[k++]);
	}
	k = 0;
	for (size_t i = 0; i < files; i++) {
		while (k < heres && here[k].taken)
			k++;
		if (!file[i].taken && k < heres)
			pair(t, &file[i], &here[k]);
	}
}

static size_t run_length(const struct sides *s, size_t from)
{
	size_t n = from;

	while (n < s->n && memcmp(s->item[n].brief.b, s->item[from].brief.b, DIGEST_LEN) == 0)
		n++;
	return n - from;
}

static void sides_pair(struct talks *t, struct sides *file, struct sides *here)
{
	size_t i = 0;
	size_t k = 0;

	if (file->n > 1)
		qsort(file->item, file->n, sizeof(*file->item), side_cmp);
	if (here->n > 1)
		qsort(here->item, here->n, sizeof(*here->item), side_cmp);
	while (i < file->n && k < here->n) {
		int c = memcmp(file->item[i].brief.b, here->item[k].brief.b, DIGEST_LEN);
		size_t files = run_length(file, i);
		size_t heres = run_length(here, k);

		if (c == 0)
			runs_pair(t, &file->item[i], files, &here->item[k], heres);
		i += c <= 0 ? files : 0;
		k += c >= 0 ? heres : 0;
	}
}

static enum err known_find(struct errctx *ec, struct app *app, const struct import_log *log, const int64_t *space,
                           struct talks *t)
{
	struct sides file = { 0 };
	struct sides here = { 0 };
	struct dots found = { 0 };
	struct buf room = { 0 };
	enum err e = by_id(app, log, t, &found);

	for (size_t i = 0; i < t->n && e == ERR_OK; i++) {
		const size_t row = t->item[i].row;
		char where[SPACE_TEXT_LEN];
		struct parts p = { 0 };

		if (t->item[i].known)
			continue;
		space_text(space[row], where);
		p = parts_of_row(&log->row[row], where);
		e = side_add(&file, &room, &p, (struct side){ .talk = i });
	}
	if (e == ERR_OK && file.n > 0)
		e = here_read(ec, app, log->row[t->item[0].row].cell[IMPORT_date], &found, &here);
	if (e == ERR_OK)
		sides_pair(t, &file, &here);
	free(file.item);
	free(here.item);
	dots_free(&found);
	buf_free(&room);
	return e == ERR_NO_MEMORY ? within_no_memory(ec) : e;
}

/* --- rows by the id they have in the file --- */

static int id_cmp(const void *a, const void *b)
{
	return strcmp(((const struct id_row *)a)->id, ((const struct id_row *)b)->id);
}

bool talks_find(const struct talks *t, const struct import_log *log, const char *id, struct dot *out)
{
	const struct id_row key = { .id = id };
	const struct id_row *found = t->ids == 0 ? NULL : bsearch(&key, t->by_id, t->ids, sizeof(*t->by_id), id_cmp);

	if (found == NULL)
		return false;
	*out = t->item[t->talk_of[found->row]].contact;
	return true;
}

enum err talks_read(struct errctx *ec, struct app *app, const struct import_log *log, const int64_t *space,
                    struct talks *out)
{
	enum err e = ERR_OK;

	*out = (struct talks){ .item = calloc(log->rows + 1, sizeof(*out->item)),
		               .next = calloc(log->rows + 1, sizeof(*out->next)),
		               .talk_of = calloc(log->rows + 1, sizeof(*out->talk_of)),
		               .by_id = calloc(log->rows + 1, sizeof(*out->by_id)) };
	if (out->item == NULL || out->next == NULL || out->talk_of == NULL || out->by_id == NULL)
		return within_no_memory(ec);
	e = rows_group(ec, log, space, out);
	for (size_t i = 0; i < log->rows && e == ERR_OK; i++) {
		if (own_id(&log->row[i]) != NULL)
			out->by_id[out->ids++] = (struct id_row){ own_id(&log->row[i]), i };
	}
	if (e == ERR_OK && out->ids > 1)
		qsort(out->by_id, out->ids, sizeof(*out->by_id), id_cmp);
	return e == ERR_OK ? known_find(ec, app, log, space, out) : e;
}

void talks_free(struct talks *t)
{
	free(t->item);
	free(t->next);
	free(t->talk_of);
	free(t->by_id);
	*t = (struct talks){ 0 };
}
