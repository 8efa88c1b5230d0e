// SPDX-License-Identifier: EUPL-1.2
// Lists and sets of object ids. An id is the hash of what it names, so its first bytes serve as the place in the table.
#include "courier/oids.h"

#include <stdlib.h>
#include <string.h>

enum err oids_put(struct oids *list, const git_oid *id)
{
	if (list->count == list->cap) {
		size_t cap = list->cap == 0 ? 16 : list->cap * 2;
		git_oid *grown = reallocarray(list->id, cap, sizeof(*grown));

		if (grown == NULL)
			return ERR_NO_MEMORY;
		list->id = grown;
		list->cap = cap;
	}
	list->id[list->count++] = *id;
	return ERR_OK;
}

void oids_free(struct oids *list)
{
	free(list->id);
	*list = (struct oids){ 0 };
}

/* The slot that holds `id`, or the empty one where it belongs. */
static size_t find(const struct oidset *set, const git_oid *id)
{
	size_t at = 0;

	memcpy(&at, id->id, sizeof(at));
	for (at %= set->slots; set->slot[at] != 0; at = (at + 1) % set->slots) {
		if (git_oid_equal(&set->list.id[set->slot[at] - 1], id))
			break;
	}
	return at;
}

static enum err grow(struct oidset *set)
{
	size_t slots = set->slots == 0 ? 64 : set->slots * 2;
	size_t *slot = calloc(slots, sizeof(*slot));

	if (slot == NULL)
		return ERR_NO_MEMORY;
	free(set->slot);
	set->slot = slot;
	set->slots = slots;
	for (size_t i = 0; i < set->list.count; i++)
		set->slot[find(set, &set->list.id[i])] = i + 1;
	return ERR_OK;
}

enum err oidset_add(struct oidset *set, const git_oid *id, bool *fresh)
{
	enum err e = set->list.count * 2 >= set->slots ? grow(set) : ERR_OK;
	size_t at = 0;

	if (e != ERR_OK)
		return e;
	at = find(set, id);
	*fresh = set->slot[at] == 0;
	if (*fresh) {
		e = oids_put(&set->list, id);
		if (e == ERR_OK)
			set->slot[at] = set->list.count;
	}
	return e;
}

bool oidset_has(const struct oidset *set, const git_oid *id)
{
	return set->slots > 0 && set->slot[find(set, id)] != 0;
}

void oidset_free(struct oidset *set)
{
	oids_free(&set->list);
	free(set->slot);
	*set = (struct oidset){ 0 };
}
