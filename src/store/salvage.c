// SPDX-License-Identifier: EUPL-1.2
// What can still be read of a damaged store (V5): page by page, then sorted by what the rows say they are. Where a row
// and its spare differ, the count and sum in spare_mark decide which of them is the older page that was put back.
#include "store/salvage.h"

#include <stdlib.h>
#include <string.h>

#include "store/carve.h"
#include "store/inside.h"

#define BASE_COLUMNS 10

enum base_table { BASE_KEPT, BASE_SPACE, BASE_DEVICE, BASE_EPOCH, BASE_UNDO, BASE_LETTER, BASE_TABLES };

/* The names in spare.what, and how many columns are key there. */
static const struct {
	const char *name;
	size_t keys;
	size_t columns;
} base_tables[BASE_TABLES] = {
	[BASE_KEPT] = { "kept", 2, 3 },   [BASE_SPACE] = { "space", 1, 10 }, [BASE_DEVICE] = { "device", 1, 8 },
	[BASE_EPOCH] = { "epoch", 1, 6 }, [BASE_UNDO] = { "undo", 1, 2 },    [BASE_LETTER] = { "letter", 2, 4 },
};

struct value {
	enum carved_type type;
	int64_t number;
	struct buf bytes;
};

/* A row of one of the tables of which there is a spare, its columns in the order of the table. */
struct base_row {
	enum base_table table;
	int64_t spare;   /* the number of the spare row; 0: the row itself */
	bool superseded; /* by another of the same kind with the same key: a spare with a higher number */
	struct value v[BASE_COLUMNS];
};

struct small_row {
	struct value v[5];
};

/* ---- Lists ---- */

static void *list_add(struct salvaged_list *l, size_t size)
{
	void *at = NULL;

	if (list_grow(&l->item, l->n, &l->cap, size) != ERR_OK)
		return NULL;
	at = (uint8_t *)l->item + l->n++ * size;
	memset(at, 0, size);
	return at;
}

static void values_free(struct value *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_free(&v[i].bytes);
}

#define EACH(type, list, x) for (type *x = (list)->item; x != NULL && x < (type *)(list)->item + (list)->n; x++)

void salvage_free(struct salvage *s)
{
	struct salvaged_list *lists[] = { &s->base,  &s->batch, &s->edit,  &s->outgoing, &s->waiting,
		                          &s->state, &s->trace, &s->aside, &s->branch,   &s->meta };

	EACH(struct base_row, &s->base, row)
	values_free(row->v, BASE_COLUMNS);
	EACH(struct salvaged_batch, &s->batch, b)
	buf_free(&b->signed_part);
	EACH(struct salvaged_edit, &s->edit, edit)
	buf_free(&edit->bytes);
	EACH(struct salvaged_file, &s->outgoing, f)
	buf_free(&f->file);
	EACH(struct salvaged_file, &s->waiting, f)
	buf_free(&f->file);
	EACH(struct salvaged_state, &s->state, r)
	buf_free(&r->bytes);
	EACH(struct small_row, &s->aside, row)
	values_free(row->v, 5);
	EACH(struct small_row, &s->branch, row)
	values_free(row->v, 5);
	EACH(struct small_row, &s->meta, row)
	values_free(row->v, 5);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		free(lists[i]->item);
	*s = (struct salvage){ 0 };
}

static enum err value_copy(const struct carved_column *from, struct value *to)
{
	to->type = from->type;
	to->number = from->number;
	return buf_put(&to->bytes, from->bytes.data, from->bytes.len);
}

static enum err text_copy(const struct carved_column *from, char *to, size_t size, bool *fits)
{
	*fits = from->bytes.len < size && memchr(from->bytes.data, 0, from->bytes.len) == NULL;
	if (*fits && from->bytes.len > 0)
		memcpy(to, from->bytes.data, from->bytes.len);
	if (*fits)
		to[from->bytes.len] = '\0';
	return ERR_OK;
}

/* ---- Rows ---- */

static enum err base_add(struct salvage *s, enum base_table table, const struct carved_row *row, size_t first,
                         int64_t spare)
{
	struct base_row *to = list_add(&s->base, sizeof(*to));
	enum err e = to == NULL ? ERR_NO_MEMORY : ERR_OK;

	if (e != ERR_OK)
		return e;
	to->table = table;
	to->spare = spare;
	for (size_t i = 0; e == ERR_OK && i < base_tables[table].columns; i++)
		e = value_copy(&row->column[first + i], &to->v[i]);
	/* what is the row's number in the table stands in its own place there, not among its columns */
	if (spare == 0 && row->table && to->v[0].type == CARVED_NULL) {
		to->v[0].type = CARVED_INT;
		to->v[0].number = row->rowid;
	}
	return e;
}

/* n, what, k1, k2, c1 .. c9: k2 is not used where the key is one column. */
static enum err spare_add(struct salvage *s, const struct carved_row *row)
{
	struct carved_column column[CARVE_COLUMNS];
	struct carved_row flat = { .column = column };

	for (enum base_table t = 0; t < BASE_TABLES; t++) {
		const char *name = base_tables[t].name;

		if (row->column[1].bytes.len != strlen(name) ||
		    memcmp(row->column[1].bytes.data, name, strlen(name)) != 0)
			continue;
		column[0] = row->column[2];
		memcpy(column + 1, row->column + (base_tables[t].keys == 2 ? 3 : 4), 9 * sizeof(*column));
		return base_add(s, t, &flat, 0, row->rowid);
	}
	return ERR_OK;
}

static enum err trace_add(struct salvage *s, int64_t device, uint64_t seq)
{
	struct salvaged_trace *t = NULL;

	if (device <= 0 || seq == 0)
		return ERR_OK;
	EACH(struct salvaged_trace, &s->trace, old)
	{
		if (old->device != device)
			continue;
		old->seq = seq > old->seq ? seq : old->seq;
		return ERR_OK;
	}
	t = list_add(&s->trace, sizeof(*t));
	if (t == NULL)
		return ERR_NO_MEMORY;
	*t = (struct salvaged_trace){ device, seq };
	return ERR_OK;
}

static enum err batch_add(struct salvage *s, const struct carved_row *row)
{
	struct salvaged_batch *b = list_add(&s->batch, sizeof(*b));

	if (b == NULL)
		return ERR_NO_MEMORY;
	b->b = row->rowid;
	b->space = row->column[1].number;
	b->order = INT64_MAX;
	return buf_put(&b->signed_part, row->column[4].bytes.data, row->column[4].bytes.len);
}

static enum err edit_add(struct salvage *s, const struct carved_row *row)
{
	struct salvaged_edit *edit = list_add(&s->edit, sizeof(*edit));

	if (edit == NULL)
		return ERR_NO_MEMORY;
	edit->n = row->rowid;
	edit->dot = row->column[1].number;
	edit->space = row->column[3].number;
	edit->seq = (uint64_t)row->column[5].number;
	return buf_put(&edit->bytes, row->column[6].bytes.data, row->column[6].bytes.len);
}

static enum err state_add(struct salvage *s, const struct carved_row *row)
{
	struct salvaged_state *state = list_add(&s->state, sizeof(*state));

	if (state == NULL)
		return ERR_NO_MEMORY;
	state->r = row->rowid;
	state->space = row->column[1].number;
	return buf_put(&state->bytes, row->column[4].bytes.data, row->column[4].bytes.len);
}

/* outgoing: n, space, ref, name, file, edits, state; waiting: the first five of them. */
static enum err file_add(struct salvaged_list *list, const struct carved_row *row)
{
	struct salvaged_file *f = list_add(list, sizeof(*f));
	bool ref = false;
	bool name = false;
	enum err e = f == NULL ? ERR_NO_MEMORY : text_copy(&row->column[2], f->ref, sizeof(f->ref), &ref);

	if (e == ERR_OK)
		e = text_copy(&row->column[3], f->name, sizeof(f->name), &name);
	if (e == ERR_OK && (!ref || !name)) {
		list->n--;
		return ERR_OK;
	}
	if (e != ERR_OK)
		return e;
	f->space = row->column[1].number;
	if (row->n > 5) {
		f->edits = (uint64_t)row->column[5].number;
		f->sent = row->column[6].number != 0;
	}
	return buf_put(&f->file, row->column[4].bytes.data, row->column[4].bytes.len);
}

static enum err small_add(struct salvaged_list *list, const struct carved_row *row)
{
	struct small_row *to = list_add(list, sizeof(*to));
	enum err e = to == NULL ? ERR_NO_MEMORY : ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < row->n; i++)
		e = value_copy(&row->column[i], &to->v[i]);
	return e;
}

static enum err table_row(struct salvage *s, const struct carved_row *row)
{
	const struct carved_column *c = row->column;
	enum err e = ERR_OK;

	if (carved_is(row, "niiiiibb") && c[7].bytes.len == VAULT_CHAIN_LEN) {
		e = trace_add(s, c[1].number >> COUNTER_BITS, (uint64_t)c[5].number);
		return e == ERR_OK ? edit_add(s, row) : e;
	}
	if (carved_is(row, "niibb") && c[3].bytes.len == 32) {
		e = trace_add(s, row->rowid >> COUNTER_BITS, (uint64_t)row->rowid & STORE_NUMBER_MAX);
		return e == ERR_OK ? batch_add(s, row) : e;
	}
	if (carved_is(row, "niiibb") && c[4].bytes.len == VV_HASH_LEN)
		return trace_add(s, row->rowid, (uint64_t)c[2].number);
	if (carved_is(row, "niiib"))
		return state_add(s, row);
	if (carved_is(row, "nittbii")) {
		if (c[5].number == 0 && c[6].number == 0) {
			struct carved_column letter[4] = { c[2], c[3], c[1], c[4] };
			struct carved_row as_letter = { .column = letter };

			e = base_add(s, BASE_LETTER, &as_letter, 0, 0);
		}
		return e == ERR_OK ? file_add(&s->outgoing, row) : e;
	}
	if (carved_is(row, "nittb"))
		return file_add(&s->waiting, row);
	if (carved_is(row, "nttib"))
		return small_add(&s->aside, row);
	if (carved_is(row, "nbitbibbit") || carved_is(row, "nibbbbii") || carved_is(row, "ni"))
		return base_add(s, row->n == 10 ? BASE_SPACE : row->n == 8 ? BASE_DEVICE : BASE_UNDO, row, 0, 0);
	if (carved_is(row, "niii")) {
		s->mark_found = true;
		for (int i = 0; i < 3; i++)
			s->mark[i] = c[1 + i].number;
		return ERR_OK;
	}
	if (row->n == 13 && c[0].type == CARVED_NULL && c[1].type == CARVED_TEXT)
		return spare_add(s, row);
	return ERR_OK;
}

/* Tables without row numbers, among the entries of indexes. */
static enum err keyed_row(struct salvage *s, const struct carved_row *row)
{
	if (carved_is(row, "itb"))
		return base_add(s, BASE_KEPT, row, 0, 0);
	if (carved_is(row, "biiiii"))
		return base_add(s, BASE_EPOCH, row, 0, 0);
	if (carved_is(row, "itt"))
		return small_add(&s->branch, row);
	if (carved_is(row, "tb"))
		return small_add(&s->meta, row);
	return ERR_OK;
}

static enum err on_row(void *arg, const struct carved_row *row)
{
	return row->table ? table_row(arg, row) : keyed_row(arg, row);
}

/* ---- Sorting ---- */

static int by_dot(const void *a, const void *b)
{
	const struct salvaged_edit *x = a;
	const struct salvaged_edit *y = b;

	if (x->dot != y->dot)
		return x->dot < y->dot ? -1 : 1;
	return (x->n > y->n) - (x->n < y->n);
}

static int by_key(const void *a, const void *b)
{
	const struct salvaged_batch *x = a;
	const struct salvaged_batch *y = b;

	return (x->b > y->b) - (x->b < y->b);
}

static int by_order(const void *a, const void *b)
{
	const struct salvaged_batch *x = a;
	const struct salvaged_batch *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return by_key(a, b);
}

static void edits_sort(struct salvage *s)
{
	struct salvaged_edit *edit = s->edit.item;
	int64_t last = 0;
	size_t kept = 0;

	if (s->edit.n == 0)
		return;
	for (size_t i = 0; i < s->edit.n; i++)
		last = edit[i].n > last ? edit[i].n : last;
	s->gaps = (uint64_t)last > s->edit.n ? (uint64_t)last - s->edit.n : 0;
	qsort(edit, s->edit.n, sizeof(*edit), by_dot);
	for (size_t i = 0; i < s->edit.n; i++) {
		if (kept > 0 && edit[kept - 1].dot == edit[i].dot) {
			buf_free(&edit[kept - 1].bytes);
			edit[kept - 1] = edit[i];
		} else {
			edit[kept++] = edit[i];
		}
	}
	s->edit.n = kept;
}

/* Batches go in again in the order in which their edits came; one without edits just before the next of its device. */
static void batches_sort(struct salvage *s)
{
	struct salvaged_batch *batch = s->batch.item;
	int64_t order = INT64_MAX;

	if (s->batch.n == 0)
		return;
	qsort(batch, s->batch.n, sizeof(*batch), by_key);
	EACH(struct salvaged_edit, &s->edit, edit)
	{
		struct salvaged_batch key = { .b = (edit->dot >> COUNTER_BITS << COUNTER_BITS) | (int64_t)edit->seq };
		struct salvaged_batch *b = NULL;

		if (edit->seq == 0 || edit->seq > STORE_NUMBER_MAX)
			continue;
		b = bsearch(&key, batch, s->batch.n, sizeof(*batch), by_key);
		if (b != NULL && edit->n < b->order)
			b->order = edit->n;
	}
	for (size_t i = s->batch.n; i-- > 0;) {
		if (i + 1 == s->batch.n || batch[i].b >> COUNTER_BITS != batch[i + 1].b >> COUNTER_BITS)
			order = INT64_MAX;
		if (batch[i].order > order)
			batch[i].order = order;
		order = batch[i].order;
	}
	qsort(batch, s->batch.n, sizeof(*batch), by_order);
}

static int value_cmp(const struct value *a, const struct value *b)
{
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return bytes_cmp(buf_bytes(&a->bytes), buf_bytes(&b->bytes));
}

/* Rows of one table before their spares, then by key. */
static int key_cmp(const struct base_row *a, const struct base_row *b)
{
	int order = 0;

	if (a->table != b->table)
		return a->table < b->table ? -1 : 1;
	if ((a->spare != 0) != (b->spare != 0))
		return a->spare == 0 ? -1 : 1;
	for (size_t i = 0; order == 0 && i < base_tables[a->table].keys; i++)
		order = value_cmp(&a->v[i], &b->v[i]);
	return order;
}

static int by_age(const void *a, const void *b)
{
	const struct base_row *x = *(const struct base_row *const *)a;
	const struct base_row *y = *(const struct base_row *const *)b;
	int order = key_cmp(x, y);

	if (order == 0)
		order = (x->spare > y->spare) - (x->spare < y->spare);
	return order != 0 ? order : (x > y) - (x < y); /* as they were read */
}

/* Of several rows with one key the last counts. */
static enum err base_supersede(struct salvage *s)
{
	const struct base_row **order = calloc(s->base.n + 1, sizeof(*order));
	struct base_row *row = s->base.item;

	if (order == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < s->base.n; i++)
		order[i] = &row[i];
	qsort(order, s->base.n, sizeof(*order), by_age);
	for (size_t i = 0; i + 1 < s->base.n; i++)
		row[order[i] - row].superseded = key_cmp(order[i], order[i + 1]) == 0;
	free(order);
	return ERR_OK;
}

/* ---- Reading ---- */

struct carving {
	struct vault_pages *pages;
	struct salvage *to;
};

static bool carving_page(void *arg, uint32_t number, uint8_t *out)
{
	return vault_pages_get(((struct carving *)arg)->pages, number, out) == ERR_OK;
}

static enum err carving_row(void *arg, const struct carved_row *row)
{
	return on_row(((struct carving *)arg)->to, row);
}

enum err salvage_read(struct errctx *ec, struct vault_pages *pages, struct salvage *out)
{
	struct carving carving = { pages, out };
	struct carver c = { carving_page, carving_row, &carving, PAGES_SIZE, PAGES_USABLE };
	uint8_t page[PAGES_SIZE];
	uint32_t cursor = 0;
	bool more = true;
	enum err e = ERR_OK;

	*out = (struct salvage){ 0 };
	e = vault_pages_report(pages, &out->report);
	for (uint32_t i = 1; e == ERR_OK && i <= vault_pages_count(pages); i++) {
		if (vault_pages_get(pages, i, page) == ERR_OK)
			e = carve_page(&c, page, i == 1);
	}
	while (e == ERR_OK && out->report.log_cut && more) {
		e = vault_pages_stray(pages, &cursor, page, &more);
		if (e == ERR_OK && more)
			e = carve_page(&c, page, false);
	}
	memset(page, 0, sizeof(page));
	if (e == ERR_OK)
		e = base_supersede(out);
	if (e != ERR_OK)
		return err_set(ec, e, "There is not enough memory. Close other programs and try again.", NULL, NULL,
		               NULL);
	edits_sort(out);
	batches_sort(out);
	return ERR_OK;
}

/* ---- Putting it into a new store ---- */

static void bind_value(sqlite3_stmt *st, int i, const struct value *v)
{
	if (v->type == CARVED_INT)
		sqlite3_bind_int64(st, i, v->number);
	else if (v->type == CARVED_TEXT)
		sqlite3_bind_text64(st, i, v->bytes.len == 0 ? "" : (const char *)v->bytes.data, v->bytes.len,
		                    SQLITE_STATIC, SQLITE_UTF8);
	else if (v->type == CARVED_BLOB)
		bind_blob(st, i, v->bytes.data, v->bytes.len);
}

static enum err values_put(struct errctx *ec, struct store *s, enum statement which, const struct value *v, size_t n)
{
	sqlite3_stmt *st = stmt(ec, s, which);

	NEED(st);
	for (size_t i = 0; i < n; i++)
		bind_value(st, (int)i + 1, &v[i]);
	return run(ec, s, st);
}

enum base_choice { BASE_SPARES, BASE_ROWS, BASE_BOTH };

static enum base_choice base_choose(const struct salvage *s)
{
	int64_t rows = 0;
	int64_t sum = 0;

	EACH(struct base_row, &s->base, row)
	{
		if (row->spare != 0 && !row->superseded) {
			rows++;
			sum += row->spare;
		}
	}
	if (s->mark_found && rows == s->mark[0] && sum == s->mark[1])
		return BASE_SPARES;
	return s->report.bad_pages == 0 && !s->report.log_cut ? BASE_ROWS : BASE_BOTH;
}

static enum err base_put(struct errctx *ec, struct store *s, const struct base_row *row)
{
	static const enum statement statements[BASE_TABLES] = {
		[BASE_KEPT] = ST_kept_put,   [BASE_SPACE] = ST_space_restore, [BASE_DEVICE] = ST_device_restore,
		[BASE_EPOCH] = ST_epoch_put, [BASE_UNDO] = ST_undo_restore,   [BASE_LETTER] = ST_letter_restore,
	};

	return values_put(ec, s, statements[row->table], row->v, base_tables[row->table].columns);
}

/* Rows after spares: where both are put, the row itself wins. */
static enum err base_restore(struct errctx *ec, struct store *s, const struct salvage *in)
{
	enum base_choice choice = base_choose(in);
	enum err e = ERR_OK;

	for (int pass = 0; pass < 2; pass++) {
		if ((pass == 0 && choice == BASE_ROWS) || (pass == 1 && choice == BASE_SPARES))
			continue;
		EACH(struct base_row, &in->base, row)
		{
			if (e == ERR_OK && (row->spare != 0) == (pass == 0) && !row->superseded)
				e = base_put(ec, s, row);
		}
	}
	return e;
}

enum err salvage_restore(struct errctx *ec, struct store *s, const struct salvage *in)
{
	enum err e = base_restore(ec, s, in);

	EACH(struct small_row, &in->meta, row)
	{
		if (e == ERR_OK)
			e = values_put(ec, s, ST_meta_put, row->v, 2);
	}
	EACH(struct small_row, &in->aside, row)
	{
		if (e == ERR_OK)
			e = values_put(ec, s, ST_aside_put, row->v + 1, 4);
	}
	return e == ERR_OK ? clock_load(ec, s) : e;
}

enum err salvage_outgoing(struct errctx *ec, struct store *s, const struct salvaged_file *f)
{
	sqlite3_stmt *st = stmt(ec, s, ST_outgoing_restore);

	NEED(st);
	sqlite3_bind_int64(st, 1, f->space);
	bind_text(st, 2, f->ref);
	bind_text(st, 3, f->name);
	bind_blob(st, 4, f->file.data, f->file.len);
	sqlite3_bind_int64(st, 5, (int64_t)f->edits);
	sqlite3_bind_int(st, 6, f->sent);
	return run(ec, s, st);
}

enum err salvage_branches(struct errctx *ec, struct store *s, const struct salvage *in, const char *tag)
{
	enum err e = ERR_OK;

	EACH(struct small_row, &in->branch, row)
	{
		const struct buf *ref = &row->v[1].bytes;
		size_t len = strlen(tag);

		if (e == ERR_OK && (len == 0 || (ref->len > len && ref->data[ref->len - len - 1] == '/' &&
		                                 memcmp(ref->data + ref->len - len, tag, len) == 0)))
			e = values_put(ec, s, ST_branch_put, row->v, 3);
	}
	return e;
}
