/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Who belongs to a space, with which rights, and up to where what they wrote counts (K1, K4). Pure: a function of the
 * set of *acts*, which are the parts of batches that bear on it, and of what each author had seen. Never of the order
 * in which they came: so all members decide alike (M1).
 *
 * An act counts if its author was entitled to it by acts that count in what the author had seen, and if no removal that
 * counts leaves it out.
 *
 * - Every member may let in somebody new, and add a device to the own person; nobody adds one to somebody else.
 * - Whoever can write may let in a device that is in already, for anybody's bundle can be read, and may pretend to have
 *   done so long ago. So a device is of the persons that admitted it before its first batch, and of nobody later.
 * - A device may go on under another id for which it signed (a restored home, a copy). That is out with every removal
 *   of it whose author had not seen the other id.
 * - In an own space and a circle every member may remove. In a neighbourhood coordinators grant roles, take them and
 *   remove; anybody may lay down a role of the own and remove a device of the own person.
 * - Whoever is in may remove a device that is proven to have signed two batches with one number. It may still go on
 *   under another id: a copy of a home does that by mishap.
 * - What the founder sealed in its first batch needs no right: the space's id commits to that key.
 *
 * Removals are ACT_CUT (a device, above the last batch of it that the author had seen) and ACT_TAKE (roles of a person,
 * in what its devices sealed beyond what the author had seen). Whether one counts where they remove each other is
 * settled by model/cuts.h. A removal leaves out what it names, and whatever rests on that alone: a device that was
 * admitted beyond a cut is out with the one that admitted it.
 */
#ifndef SLB_MODEL_MEMBERS_H
#define SLB_MODEL_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/vv.h"

#define ROLE_MEMBER 1u
#define ROLE_COORDINATOR 2u
#define ROLE_TELLER 4u
#define ROLE_NOBODY (1u << 31) /* no act grants it: for what nobody may do */

enum act_type {
	ACT_ADMIT = 1, /* a device of a person */
	ACT_GRANT = 2, /* roles to a person */
	ACT_TAKE = 3,  /* roles from a person */
	ACT_CUT = 4,   /* removes a device */
	ACT_ENTER = 5, /* a device's first batch: the admissions in what it had seen then say whose it is */
};

/* When something was done: in which batch, and where in it. */
struct moment {
	struct device_id author;
	uint64_t seq;   /* the author's batch, from 1 */
	uint64_t order; /* within the batch */
	const struct vv
	    *seen; /* the whole context of the batch; borrowed. An entry of the author's own means nothing */
};

struct act {
	enum act_type type;
	struct moment at;
	struct device_id device;  /* ADMIT, CUT */
	struct device_id goes_on; /* ADMIT: the device that goes on under this id and signed for it; zero: none */
	struct dot person;        /* ADMIT, GRANT, TAKE: the person's record; of one that goes on, found by settling */
	bool fresh;               /* ADMIT: the same edit made that record */
	bool proven;              /* CUT: it proves that the device signed two batches with one number */
	unsigned roles;           /* GRANT, TAKE */
	bool counts;              /* out */
	uint64_t depth;           /* out: batches in its causal past; whoever joined by a lower one is senior */
	bool binds;               /* out, ADMIT: the device's first batch had seen it, or is not known */
	/* for members.c: places in `device`; the next act about the same device (ADMIT, CUT) or person (GRANT, TAKE) */
	size_t author_at;
	size_t device_at;
	size_t goes_on_at;
	size_t next;
};

/* A device as the acts make it. */
struct standing {
	struct device_id device;
	struct dot person; /* of the first admission that counts, of those that bind if there are; none for a founder
	                    * before its record */
	uint64_t rank;     /* seniority: lower joined earlier; 0 the founder */
	bool in;           /* some admission of it counts */
	uint64_t keep;     /* its last batch that counts; UINT64_MAX: all */
	size_t first;      /* for members.c: acts about it; its first batch */
	size_t enter;
};

/* Is it in, and not removed? */
static inline bool standing_in(const struct standing *s)
{
	return s->in && s->keep == UINT64_MAX;
}

struct members {
	enum space_kind kind;
	struct device_id founder;
	struct act *act; /* the caller's; put in causal order by members_settle() */
	size_t acts;
	struct standing *device; /* ascending by id */
	size_t devices;
	size_t *person; /* for members.c: the first act about each person, ascending by person */
	size_t persons;
	size_t founder_at;
};

/* Does `what` lie in the past of `at`? */
bool moment_saw(const struct moment *at, const struct moment *what);

/* `act`, `acts`, `kind` and `founder` are set by the caller. The same act may stand there twice. ERR_NO_MEMORY is the
 * only error; members_free() frees what this made, not the acts. Time grows with the acts times the removals, and with
 * the cube of the removals. */
enum err members_settle(struct members *m) MUST_CHECK;
void members_free(struct members *m);

/* NULL: no act names it. */
const struct standing *members_find(const struct members *m, struct device_id dev);
/* Is what the device sealed in this batch left out, as a whole? Also where it never was admitted. */
bool members_void(const struct members *m, struct device_id dev, uint64_t seq);
/* Had this author one of these roles then, as a member (0: a member is enough)? By acts that count. */
bool members_may(const struct members *m, const struct moment *at, unsigned roles);
/* Does some admission of the author lie in what it had seen, whether that counts or not? */
bool members_let_in(const struct members *m, const struct moment *at);
/* Did the author know then that this device is in? */
bool members_knew(const struct members *m, const struct moment *at, struct device_id dev);
/* Was the author a device of this person then? */
bool members_is(const struct members *m, const struct moment *at, struct dot person);
/* The roles of a person by all acts that count. */
unsigned members_roles(const struct members *m, struct dot person);
/* Does the past of `at` hold every removal that counts, also of a role? Then its author told none of the removed
 * anything from there on. (A role that was taken may have undone the answer to a removal.) */
bool members_knew_removals(const struct members *m, const struct moment *at);

#endif
