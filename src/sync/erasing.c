// SPDX-License-Identifier: EUPL-1.2
// When an erase may become final (K3), as this home sees it: it votes for no compaction before.
#include "sync/erasing.h"

#include <stdlib.h>

#define DAY_MS (24LL * 60 * 60 * 1000)

/* Whose a device is. */
static struct dot person_of(const struct device_row *list, size_t n, struct device_id dev)
{
	for (size_t i = 0; i < n; i++)
		if (device_cmp(list[i].id, dev) == 0 && list[i].state != DEVICE_NAMED)
			return list[i].member;
	return (struct dot){ 0 };
}

static size_t persons(const struct device_row *list, size_t n)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		bool again = list[i].state != DEVICE_ACTIVE;

		for (size_t k = 0; k < i && !again; k++)
			again = list[k].state == DEVICE_ACTIVE && dot_cmp(list[k].member, list[i].member) == 0;
		found += !again;
	}
	return found;
}

enum err persons_in(struct errctx *ec, struct sync *y, const struct space_row *space, size_t *out)
{
	struct device_row *list = NULL;
	size_t n = 0;
	enum err e = store_device_list(ec, y->store, space->n, &list, &n);

	*out = persons(list, e == ERR_OK ? n : 0);
	free(list);
	return e;
}

struct judging {
	const struct device_row *device;
	size_t devices;
	size_t persons;
	const struct word_row *word;
	size_t words;
	const struct erasure_row *row;
	size_t rows;
	int64_t now_ms;
};

/* Did another person than `by` agree to it? */
static bool agreed(const struct judging *j, struct dot edit, struct dot by)
{
	for (size_t i = 0; i < j->words; i++) {
		struct dot person = person_of(j->device, j->devices, j->word[i].by.dev);

		if (!j->word[i].contests && dot_cmp(j->word[i].named, edit) == 0 && !dot_is_none(person) &&
		    dot_cmp(person, by) != 0)
			return true;
	}
	return false;
}

/* Erases in the same batch. */
static size_t together(const struct judging *j, const struct erasure_row *row)
{
	size_t n = 0;

	for (size_t i = 0; i < j->rows; i++)
		n +=
		    j->row[i].seq == row->seq && !j->row[i].final && device_cmp(j->row[i].edit.dev, row->edit.dev) == 0;
	return n;
}

static struct erasure judged(const struct judging *j, const struct erasure_row *row)
{
	struct erasure e = { .row = *row, .by = person_of(j->device, j->devices, row->edit.dev) };
	struct dot maker = person_of(j->device, j->devices, row->record.dev);
	bool own = dot_cmp(e.by, maker) == 0 && !dot_is_none(maker);

	if (row->by_term || (j->persons > 1 && !own))
		e.due_ms = row->at_ms + CONTEST_DAYS * DAY_MS;
	if (row->final)
		e.state = ERASURE_FINAL;
	else if (row->is_void)
		e.state = ERASURE_VOID;
	else if (row->contested)
		e.state = ERASURE_CONTESTED;
	else if (j->persons > 1 && together(j, row) > ERASE_MANY && !agreed(j, row->edit, e.by))
		e.state = ERASURE_ASKS;
	else
		e.state = j->now_ms < e.due_ms ? ERASURE_WAITS : ERASURE_DUE;
	return e;
}

enum err erasures_list(struct errctx *ec, struct sync *y, const struct space_row *space, struct erasure **out,
                       size_t *count)
{
	struct device_row *device = NULL;
	struct word_row *word = NULL;
	struct erasure_row *row = NULL;
	struct judging j = { .now_ms = clock_now(y->clock) };
	enum err e = store_erasures(ec, y->store, space->n, &row, &j.rows);

	*count = 0;
	*out = NULL;
	if (e == ERR_OK && j.rows > 0)
		e = store_device_list(ec, y->store, space->n, &device, &j.devices);
	if (e == ERR_OK && j.rows > 0)
		e = store_erasure_words(ec, y->store, space->n, &word, &j.words);
	if (e == ERR_OK) {
		*out = calloc(j.rows + 1, sizeof(**out));
		e = *out == NULL ? ERR_NO_MEMORY : ERR_OK;
	}
	j.device = device;
	j.word = word;
	j.row = row;
	j.persons = persons(device, j.devices);
	for (size_t i = 0; e == ERR_OK && i < j.rows; i++)
		(*out)[(*count)++] = judged(&j, &row[i]);
	free(device);
	free(word);
	free(row);
	return e;
}
