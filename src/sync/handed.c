// SPDX-License-Identifier: EUPL-1.2
// What host and cache both lost is handed over again, from the vault (S3, S5): nothing of it was ever only there.
#include "sync/handed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/try.h"
#include "crypto/secret.h"
#include "sync/again.h"
#include "sync/carry.h"
#include "sync/epochs.h"
#include "sync/restored.h"
#include "sync/space.h"

#define LETTERS "refs/heads/join/"

/* ---- Names ---- */

static bool is_letter(const char *ref)
{
	return strncmp(ref, LETTERS, strlen(LETTERS)) == 0;
}

enum err names_add(struct names *list, const char *ref, const char *name, struct bytes file)
{
	struct seen_file *grown = NULL;

	if (strlen(name) > FILE_NAME_MAX)
		return ERR_OK;
	grown = array_grown(list->file, list->n, sizeof(*grown));
	if (grown == NULL)
		return ERR_NO_MEMORY;
	list->file = grown;
	grown = &list->file[list->n++];
	*grown = (struct seen_file){ .name = "" };
	strcpy(grown->name, name);
	if (is_letter(ref))
		hash_bytes("slb letter", file, grown->hash);
	return ERR_OK;
}

bool names_hold(const struct names *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->file[i].name, name) == 0)
			return true;
	return false;
}

/* As it was sent. */
static bool letter_is_shown(const struct names *list, const struct file_row *letter)
{
	uint8_t hash[HASH_LEN];

	hash_bytes("slb letter", buf_bytes(&letter->file), hash);
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->file[i].name, letter->name) == 0 &&
		    memcmp(list->file[i].hash, hash, sizeof(hash)) == 0)
			return true;
	return false;
}

void names_free(struct names *list)
{
	free(list->file);
	*list = (struct names){ 0 };
}

/* ---- Of a space ---- */

/* What is missing of one branch of a space. */
struct missing {
	uint64_t *batch; /* numbers of batches of this device */
	size_t batches;
	bool boxes;
	bool carried;
	size_t files;
};

/* "TAG-NUMBER", of this device. */
static bool batch_number(const char *name, struct tag mine, uint64_t *out)
{
	char tag[TAG_TEXT_LEN];
	char again[FILE_NAME_MAX + 1];
	size_t len = 0;

	tag_text(mine, tag);
	len = strlen(tag);
	if (strncmp(name, tag, len) != 0 || name[len] != '-')
		return false;
	*out = strtoull(name + len + 1, NULL, 10);
	snprintf(again, sizeof(again), "%s-%llu", tag, (unsigned long long)*out);
	return *out > 0 && strcmp(name, again) == 0;
}

static int number_cmp(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x;
	uint64_t b = *(const uint64_t *)y;

	return (a > b) - (a < b);
}

static enum err missing_one(struct missing *m, const struct space_row *space, const char *name)
{
	uint64_t number = 0;
	uint64_t *grown = NULL;

	m->files++;
	if (!batch_number(name, space->my_tag, &number)) {
		m->carried = m->carried || strstr(name, "-carry-") != NULL || strstr(name, "-snap-") != NULL;
		m->boxes = m->boxes || strstr(name, "-boxes") != NULL;
		return ERR_OK;
	}
	grown = array_grown(m->batch, m->batches, sizeof(*grown));
	if (grown == NULL)
		return ERR_NO_MEMORY;
	m->batch = grown;
	m->batch[m->batches++] = number;
	return ERR_OK;
}

/* Finds what is missing and forgets that it was sent. Boxes for single devices come by themselves then: the next sync
 * hands keys on (sync/closing.h). */
static enum err missing_find(struct errctx *ec, struct sync *y, const struct space_row *space, const char *ref,
                             const struct names *shown, struct missing *m)
{
	struct file_row *list = NULL;
	size_t n = 0;
	enum err e = store_outgoing_was_sent(ec, y->store, ref, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		if (names_hold(shown, list[i].name))
			continue;
		e = missing_one(m, space, list[i].name);
		if (e == ERR_OK)
			e = store_outgoing_forget(ec, y->store, ref, list[i].name);
	}
	store_files_free(list, n);
	if (m->batches > 0)
		qsort(m->batch, m->batches, sizeof(*m->batch), number_cmp);
	return e;
}

/* Rows of numbers without a gap, each in files of its own. A number that is not in the log went with another id. */
static enum err batches_again(struct errctx *ec, struct sync *y, const struct space_row *space, struct epoch_id epoch,
                              const struct missing *m)
{
	enum err e = ERR_OK;

	for (size_t i = 0, k = 0; e == ERR_OK && i < m->batches; i = k) {
		uint8_t hash[HASH_LEN];
		uint64_t counter = 0;

		for (k = i + 1; k < m->batches && m->batch[k] == m->batch[k - 1] + 1; k++)
			;
		e = store_batch_get(ec, y->store, space->me, m->batch[k - 1], &counter, hash);
		if (e == ERR_OK)
			e = carry_lost(ec, y, space, epoch, m->batch[i], m->batch[k - 1]);
		e = e == ERR_NOT_FOUND ? ERR_OK : e;
	}
	return e;
}

/* The epoch that a branch of this device belongs to. ERR_NOT_FOUND without text. */
static enum err epoch_of(struct errctx *ec, struct sync *y, const struct space_row *space, const char *ref,
                         struct epoch_row *out)
{
	struct epoch_row *list = NULL;
	char name[REF_MAX + 1];
	size_t n = 0;
	bool found = false;
	enum err e = store_epoch_list(ec, y->store, space->n, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n && !found; i++) {
		branch_name(space->tag, list[i].id, space->my_tag, name);
		found = strcmp(name, ref) == 0;
		if (found)
			*out = list[i];
	}
	free(list);
	return e != ERR_OK || found ? e : ERR_NOT_FOUND;
}

static enum err boxes_again(struct errctx *ec, struct sync *y, const struct space_row *space, const char *ref)
{
	struct epoch_secret *secret = secret_new(sizeof(*secret));
	struct device_keys *keys = NULL;
	struct device_row *list = NULL;
	struct recipient *to = NULL;
	struct epoch_row epoch;
	size_t devices = 0;
	size_t n = 0;
	enum err e = secret == NULL ? ERR_NO_MEMORY : ERR_OK;

	TRY(e);
	TRY(epoch_of(ec, y, space, ref, &epoch));
	TRY(epoch.state == EPOCH_CLOSED ? ERR_NOT_FOUND : epoch_key_load(ec, y, space->n, epoch.id, secret));
	TRY(store_device_list(ec, y->store, space->n, &list, &devices));
	to = calloc(devices + 1, sizeof(*to));
	TRY(to == NULL ? ERR_NO_MEMORY : device_keys_load(ec, y, space->n, &keys));
	for (size_t i = 0; i < devices; i++) {
		if (list[i].state != DEVICE_ACTIVE && list[i].state != DEVICE_RESTING)
			continue;
		to[n].dev = list[i].id;
		memcpy(to[n++].box_public, list[i].box, BOX_PUBLIC_LEN);
	}
	if (n > 1)
		TRY(boxes_publish(ec, y, space, keys, &(struct boxing){ epoch.id, secret, to, n, "boxes" }));
done:
	free(to);
	free(list);
	device_keys_free(keys);
	secret_free(secret);
	return e == ERR_NOT_FOUND ? ERR_OK : e; /* closed: nobody needs that key any more */
}

static enum err space_again(struct errctx *ec, struct sync *y, const struct space_row *space, const char *ref,
                            const struct names *shown, size_t *again)
{
	struct missing m = { 0 };
	struct device_keys *keys = NULL;
	struct epoch_id epoch;
	enum err e = missing_find(ec, y, space, ref, shown, &m);

	if (e == ERR_OK && m.files > 0) {
		e = epoch_choose(ec, y, space, &epoch);
		if (e == ERR_NOT_FOUND) { /* the one there was went to somebody who was removed since */
			e = device_keys_load(ec, y, space->n, &keys);
			if (e == ERR_OK)
				e = epoch_begin(ec, y, space, keys, &epoch);
		}
		if (e == ERR_OK)
			e = batches_again(ec, y, space, epoch, &m);
		if (e == ERR_OK && m.carried)
			e = carry_all(ec, y, space, epoch);
		if (e == ERR_OK && m.boxes)
			e = boxes_again(ec, y, space, ref);
	}
	*again = m.files;
	device_keys_free(keys);
	free(m.batch);
	return e;
}

/* ---- Letters ---- */

static enum err letters_again(struct errctx *ec, struct sync *y, const char *ref, const struct names *shown,
                              size_t *again)
{
	struct file_row *list = NULL;
	size_t n = 0;
	enum err e = store_outgoing_was_sent(ec, y->store, ref, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		if (list[i].file.len == 0 || letter_is_shown(shown, &list[i]))
			continue;
		e = store_outgoing_unsend(ec, y->store, ref, list[i].name);
		(*again)++;
	}
	store_files_free(list, n);
	return e;
}

enum err handed_again(struct errctx *ec, struct sync *y, const char *ref, const struct names *shown, size_t *again)
{
	struct space_row space;
	struct device_row me;
	bool holds = false;
	enum err e = ERR_OK;

	*again = 0;
	if (is_letter(ref))
		return letters_again(ec, y, ref, shown, again);
	e = space_by_branch(ec, y, ref, &space);
	if (e == ERR_OK && (space.state != SPACE_MEMBER || !branch_is_of(ref, space.my_tag)))
		e = ERR_NOT_FOUND;
	if (e == ERR_OK) /* a home that waits to be let in again may not, and what the other one sent is that one's */
		e = restored_away(ec, y, space.n, &holds);
	if (e == ERR_OK && !holds)
		e = again_holds(ec, y, &space, &holds); /* what goes on under another id tells its own part anew */
	if (e == ERR_OK && !holds)
		e = store_device_by_id(ec, y->store, space.me, &me);
	if (e == ERR_OK && !holds && me.state == DEVICE_ACTIVE)
		e = space_again(ec, y, &space, ref, shown, again);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}
