// SPDX-License-Identifier: EUPL-1.2
// Tables of counts for people and for programs. What is hidden looks the same wherever it stands (D5).
#include "render/tables.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "app/dates.h"
#include "base/tr.h"
#include "base/utf8.h"
#include "render/csv.h"

#define LABEL_WIDTH 30
#define COLUMN_WIDTH 13
#define HEADER_LINES 4

static const char *label(const struct text *t, const char *nl, const char *en)
{
	return t->lang == LANG_NL ? nl : lang_tr(t->lang, en);
}

/* `len` bytes of s, then blanks up to `width` characters; to the right where `right`. */
static void padded(FILE *out, const char *s, size_t len, int width, bool right)
{
	char text[160] = "";
	int blanks = 0;

	if (len >= sizeof(text))
		len = sizeof(text) - 1;
	memcpy(text, s, len);
	blanks = width - text_width(text);
	if (blanks < 0)
		blanks = 0;
	fprintf(out, "%*s%s%*s", right ? blanks : 0, "", text, right ? 0 : blanks, "");
}

/* The words of a header that go on its n-th line, none wider than a column where words allow. */
static size_t header_part(const char *s, size_t line, const char **start)
{
	for (;; line--) {
		size_t len = 0;

		while (*s == ' ')
			s++;
		*start = s;
		while (s[len] != '\0') {
			size_t next = len;

			while (s[next] == ' ')
				next++;
			next += strcspn(s + next, " ");
			if (len > 0 && next >= COLUMN_WIDTH)
				break;
			len = next;
		}
		if (line == 0)
			return len;
		s += len;
	}
}

static void grid_head(const struct text *t, const struct grid *g)
{
	for (size_t line = 0; line < HEADER_LINES; line++) {
		bool any = false;

		for (size_t c = 0; c < g->dim[1].keys; c++) {
			const char *start = NULL;

			any = any || header_part(label(t, g->dim[1].key[c].nl, g->dim[1].key[c].en), line, &start) > 0;
		}
		if (!any)
			break;
		padded(t->out, "", 0, LABEL_WIDTH, false);
		for (size_t c = 0; c < g->dim[1].keys; c++) {
			const char *start = NULL;
			size_t len = header_part(label(t, g->dim[1].key[c].nl, g->dim[1].key[c].en), line, &start);

			padded(t->out, start, len, COLUMN_WIDTH, true);
		}
		fputc('\n', t->out);
	}
}

static void grid_text(const struct text *t, const struct grid *g)
{
	fprintf(t->out, "\n%s\n", label(t, g->nl, g->en));
	grid_head(t, g);
	for (size_t r = 0; r < g->dim[0].keys; r++) {
		const char *name = label(t, g->dim[0].key[r].nl, g->dim[0].key[r].en);

		padded(t->out, name, strlen(name), LABEL_WIDTH, false);
		for (size_t c = 0; c < g->dim[1].keys; c++) {
			const struct grid_cell *cell = &g->cell[r * g->dim[1].keys + c];
			char number[24] = "·";

			if (!cell->hidden)
				snprintf(number, sizeof(number), "%" PRIu64, cell->count);
			padded(t->out, number, strlen(number), COLUMN_WIDTH, true);
		}
		fputc('\n', t->out);
	}
}

static void band_text(const struct summary *s, char out[static 32])
{
	if (s->band[1] == 0)
		snprintf(out, 32, "%" PRIu32 "+", s->band[0]);
	else
		snprintf(out, 32, "%" PRIu32 "-%" PRIu32, s->band[0], s->band[1]);
}

static void audit_text(const struct text *t, const struct summary *s)
{
	static const char *const asked[4] = {
		TR("A: no hidden count can be worked out"),
		TR("B: each hidden count could also be large"),
		TR("C: who knows one of them learns no other"),
		TR("D: the rules themselves give nothing away"),
	};

	text_line(t, TR("Checked before it was published:"), NULL, NULL, NULL);
	for (size_t k = 0; k < 4; k++) {
		const bool passed = strcmp(s->audit[k], "passed") == 0;

		fprintf(t->out, "  %s: %s\n", lang_tr(t->lang, asked[k]),
		        lang_tr(t->lang, passed ? TR("passed") : TR("not checked")));
	}
}

void tables_summary_text(const struct text *t, const struct summary *s)
{
	char band[32];
	char share[16];

	band_text(s, band);
	snprintf(share, sizeof(share), "%" PRIu32, s->shown / 10);
	text_line(t, TR("Referrals of %1, counted over %2 circles"), s->period, band, NULL);
	if (s->grids == 0)
		text_line(t, TR("There are too few referrals to show any table safely."), NULL, NULL, NULL);
	for (size_t i = 0; i < s->grids; i++)
		grid_text(t, &s->grid[i]);
	fputc('\n', t->out);
	if (s->grids > 0) {
		text_line(t, TR("A dot is a count that is not shown, because it could point to somebody."), NULL, NULL,
		          NULL);
		text_line(t, TR("%1 per cent of the referrals stand in the tables as a number."), share, NULL, NULL);
		text_line(t, TR("Level: %1."), label(t, s->grid[0].level_nl, s->grid[0].level_en), NULL, NULL);
	}
	if (s->public_view)
		text_line(t, TR("For everybody: 7 or less is not shown, other counts are rounded to 5."), NULL, NULL,
		          NULL);
	audit_text(t, s);
	if (!s->checked)
		text_line(t, TR("Unchecked: too few tellers gave their sum to compare them."), NULL, NULL, NULL);
	text_line(t, TR("Outcome: as it stood 30 days after the quarter. Method: %1."), s->method, NULL, NULL);
}

static enum err csv_cell(const struct summary *s, const struct grid *g, size_t row, size_t column, struct buf *out)
{
	const struct grid_cell *cell = &g->cell[row * g->dim[1].keys + column];
	const char *texts[] = { s->public_view ? "public" : "coordinator",
		                g->name,
		                g->level,
		                g->dim[0].name,
		                g->dim[0].key[row].id,
		                g->dim[1].name,
		                g->dim[1].key[column].id };
	enum err e = csv_put_text(out, s->period, true);

	for (size_t i = 0; e == ERR_OK && i < sizeof(texts) / sizeof(texts[0]); i++)
		e = csv_put_text(out, texts[i], false);
	if (e == ERR_OK)
		e = cell->hidden ? csv_put_text(out, "", false) : csv_put_number(out, (int64_t)cell->count, false);
	if (e == ERR_OK)
		e = csv_put_number(out, cell->hidden, false);
	return e == ERR_OK ? csv_put_end(out) : e;
}

enum err tables_summary_csv(const struct summary *s, struct buf *out)
{
	static const char *const head[] = { "period", "view",        "table", "level", "dimension_1",
		                            "key_1",  "dimension_2", "key_2", "count", "hidden" };
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < sizeof(head) / sizeof(head[0]); i++)
		e = csv_put_text(out, head[i], i == 0);
	if (e == ERR_OK)
		e = csv_put_end(out);
	for (size_t i = 0; i < s->grids; i++) {
		const struct grid *g = &s->grid[i];

		for (size_t k = 0; e == ERR_OK && k < g->dim[0].keys * g->dim[1].keys; k++)
			e = csv_cell(s, g, k / g->dim[1].keys, k % g->dim[1].keys, out);
	}
	return e;
}

static void grid_doc(struct doc *d, const struct grid *g, bool preview)
{
	doc_object(d, NULL);
	doc_text(d, "name", g->name);
	doc_text(d, "level", g->level);
	doc_array(d, "dimensions");
	doc_text(d, NULL, g->dim[0].name);
	doc_text(d, NULL, g->dim[1].name);
	doc_end(d);
	doc_array(d, "cells");
	for (size_t r = 0; r < g->dim[0].keys; r++) {
		for (size_t c = 0; c < g->dim[1].keys; c++) {
			const struct grid_cell *cell = &g->cell[r * g->dim[1].keys + c];

			doc_object(d, NULL);
			doc_array(d, "keys");
			doc_text(d, NULL, g->dim[0].key[r].id);
			doc_text(d, NULL, g->dim[1].key[c].id);
			doc_end(d);
			if (cell->hidden)
				doc_null(d, "count");
			else
				doc_int(d, "count", (int64_t)cell->count);
			if (preview) {
				doc_bool(d, "any", cell->count > 0);
				doc_int(d, "capped", (int64_t)cell->capped);
			} else {
				doc_bool(d, "hidden", cell->hidden);
			}
			doc_end(d);
		}
	}
	doc_end(d);
	doc_end(d);
}

void tables_summary_doc(struct doc *d, const struct summary *s)
{
	static const char *const letter[] = { "A", "B", "C", "D" };
	char band[32];

	band_text(s, band);
	doc_object(d, NULL);
	doc_text(d, "period", s->period);
	doc_text(d, "view", s->public_view ? "public" : "coordinator");
	doc_array(d, "tables");
	for (size_t i = 0; i < s->grids; i++)
		grid_doc(d, &s->grid[i], false);
	doc_end(d);
	doc_object(d, "audit");
	for (size_t k = 0; k < 4; k++)
		doc_text(d, letter[k], s->audit[k]);
	doc_end(d);
	doc_real(d, "shown_share", (double)s->shown / 1000);
	doc_text(d, "contributors", band);
	doc_bool(d, "checked", s->checked);
	doc_text(d, "method", s->method);
	doc_end(d);
}

/* Inner cells only: the margins are sums that anybody can make. */
static void preview_grid(const struct text *t, const struct grid *g)
{
	fprintf(t->out, "\n%s\n", label(t, g->nl, g->en));
	for (size_t r = 0; r + 1 < g->dim[0].keys; r++) {
		for (size_t c = 0; c + 1 < g->dim[1].keys; c++) {
			const struct grid_cell *cell = &g->cell[r * g->dim[1].keys + c];
			char count[24];

			if (cell->count == 0)
				continue;
			snprintf(count, sizeof(count), "%" PRIu64, cell->count);
			fputs("  ", t->out);
			text_line(t, TR("%1, %2: %3"), label(t, g->dim[0].key[r].nl, g->dim[0].key[r].en),
			          label(t, g->dim[1].key[c].nl, g->dim[1].key[c].en), count);
		}
	}
}

void tables_preview_text(const struct text *t, const struct tally_preview *p)
{
	char count[24];
	char cap[16];
	char day[DAY_TEXT_LEN];

	snprintf(count, sizeof(count), "%" PRIu64, p->referrals);
	snprintf(cap, sizeof(cap), "%" PRIu32, p->cap);
	day_text(p->opens, day);
	text_line(t, TR("%1, %2: %3 referrals that were sent in this quarter."), p->circle, p->period, count);
	text_line(t, TR("They count as they stand on %1."), day, NULL, NULL);
	for (size_t i = 0; i < p->grids; i++)
		preview_grid(t, &p->grid[i]);
	fputc('\n', t->out);
	text_line(t, TR("With each count goes whether there is any, and the count again up to %1."), cap, NULL, NULL);
	text_line(t, TR("All else is zero. No name, date, text or person goes along."), NULL, NULL, NULL);
	text_line(t, TR("Nobody can read these counts: each teller gets a part that says nothing by itself."), NULL,
	          NULL, NULL);
}

void tables_preview_doc(struct doc *d, const struct tally_preview *p)
{
	doc_text(d, "period", p->period);
	doc_text(d, "circle", p->circle);
	doc_day(d, "opens", p->opens);
	doc_int(d, "referrals", (int64_t)p->referrals);
	doc_int(d, "threshold", p->cap);
	doc_array(d, "tables");
	for (size_t i = 0; i < p->grids; i++)
		grid_doc(d, &p->grid[i], true);
	doc_end(d);
}
