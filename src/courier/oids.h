/* SPDX-License-Identifier: EUPL-1.2 */
/* A growable list and a set of object ids. Zero-initialised both are empty and valid. */
#ifndef SLB_COURIER_OIDS_H
#define SLB_COURIER_OIDS_H

#include <git2.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct oids {
	git_oid *id;
	size_t count;
	size_t cap;
};

enum err oids_put(struct oids *list, const git_oid *id) MUST_CHECK;
void oids_free(struct oids *list);

/* Open addressing; `slot` holds 1 + an index into the list, 0 where it is empty. */
struct oidset {
	struct oids list;
	size_t *slot;
	size_t slots;
};

/* `fresh`: it was not in the set before. */
enum err oidset_add(struct oidset *set, const git_oid *id, bool *fresh) MUST_CHECK;
bool oidset_has(const struct oidset *set, const git_oid *id);
void oidset_free(struct oidset *set);

#endif
