/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What every device must come to, computed by other means than the program's: no vectors and no folding one after the
 * other, but for each edit the set of edits that its author had read, and one sentence for each class of field
 * (docs/MERGE.md). It reads the bytes of edits and writes canonical dumps with a CBOR of its own, and shares no code
 * with src/model.
 *
 * Edits are numbered within their space, in the order in which they became known here. Two edits may have one name
 * where a home goes on beside a copy of it; nobody may ever hold both. What is written again under another name (S7) is
 * another edit, of the same origin.
 *
 * Who belongs to a space, and which edits count, it works out from batches: of each the set of batches that its author
 * had, by definitions that call each other (docs/MERGE.md, "Removals"), with no order of depth and no settling step by
 * step.
 */
#ifndef SLB_TESTS_SIM_MODEL_H
#define SLB_TESTS_SIM_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define MODEL_EDITS 2048 /* of one space */
#define MODEL_SPACES 96

/* A set of edits of one space. */
struct set {
	uint64_t w[MODEL_EDITS / 64];
};

void set_add(struct set *s, size_t i);
bool set_has(const struct set *s, size_t i);
void set_drop(struct set *s, size_t i);
/* All of `part`? */
bool set_holds(const struct set *s, const struct set *part);
void set_join(struct set *s, const struct set *more);
size_t set_size(const struct set *s);

struct model;

struct model *model_new(void);
void model_free(struct model *m);

/* The number of a space by its id of 16 bytes; new ones are added. */
size_t model_space(struct model *m, const uint8_t *id);

/* An edit as the log of its author holds it, and what its author had read: taken up, and its number returned. `twin`:
 * there may be another of this name. */
#define MODEL_DAMAGED (-1) /* not an edit */
#define MODEL_OTHER (-2)   /* there is another edit of this name */
int model_add(struct model *m, size_t space, struct bytes edit, const struct set *past, bool twin);
/* The same for an edit that was written as another one before. */
int model_again(struct model *m, size_t space, struct bytes edit, const struct set *past, size_t was);
/* Is it the same edit, under whatever name: one clock, the same words, about the same things? */
bool model_same(const struct model *m, size_t space, struct bytes edit, size_t was);
/* The first of all edits that it was. */
size_t model_origin(const struct model *m, size_t space, size_t edit);
/* Of what all in `has` was written as, is something there twice? Only what counts. *twice: one of the two. */
bool model_doubled(struct model *m, size_t space, const struct set *has, const struct set *batches, int cut,
                   size_t *twice);
/* The number that its author gave it. */
uint64_t model_counter(const struct model *m, size_t space, size_t edit);
/* Does it make a record, or change one, that people write (neither a member nor the name of their space)? */
bool model_personal(const struct model *m, size_t space, size_t edit);
/* Was its record erased by one of these? */
bool model_erased(const struct model *m, size_t space, const struct set *has, size_t edit);
/* Is there an edit by `dev` in the other space that says what this one says, whatever it refers to? */
bool model_carried(const struct model *m, size_t space, size_t edit, size_t to, const struct set *has,
                   const uint8_t dev[static 8]);
/* The number of an edit by the same bytes; MODEL_DAMAGED where no author is known to have made it, MODEL_OTHER where
 * its author made another one of that name. */
int model_find(const struct model *m, size_t space, struct bytes edit);
/* The device that made it. */
void model_author(struct bytes edit, uint8_t dev[static 8]);
void model_maker(const struct model *m, size_t space, size_t edit, uint8_t dev[static 8]);
size_t model_count(const struct model *m, size_t space);
/* The clock of an edit in milliseconds; whose counter it is. */
uint64_t model_clock(const struct model *m, size_t space, size_t edit);
/* Is all that the authors of these edits had read among them, or among those of `beside`? */
bool model_closed(const struct model *m, size_t space, const struct set *has, const struct set *beside);
const struct set *model_past(const struct model *m, size_t space, size_t edit);

/* What a home holds: of several edits or batches of one name, that one is meant. */
struct model_held {
	const struct set *edits;
	const struct set *batches;
};
/* Batches are numbered within their space as edits are. `body` is what its author sealed, and its edits are known:
 * taken up, and its number returned. MODEL_DAMAGED where the body is none or it builds on what is not known. `held`: of
 * its author's home; NULL: nothing there has a twin. */
int model_batch(struct model *m, size_t space, const uint8_t dev[static 8], uint64_t seq, struct bytes body,
                const struct model_held *held);
/* The number of a batch by its body; MODEL_DAMAGED where no author is known to have made it. */
int model_batch_find(const struct model *m, size_t space, const uint8_t dev[static 8], uint64_t seq, struct bytes body);
/* The one of these; MODEL_DAMAGED: none. `among` NULL: any. */
int model_batch_in(const struct model *m, size_t space, const uint8_t dev[static 8], uint64_t seq,
                   const struct set *among);
/* Are there two batches of this name? */
bool model_batch_twins(const struct model *m, size_t space, size_t batch);
/* Keeps of `past` what a context can say that names batches: of each device but `me`, its first batches of which
 * everything is there. */
void model_whole_batches(const struct model *m, size_t space, const uint8_t me[static 8], const struct set *batches,
                         struct set *past);
const struct set *model_batch_past(const struct model *m, size_t space, size_t batch);
size_t model_batches(const struct model *m, size_t space);
/* Its author, and the number its author gave it. */
uint64_t model_batch_by(const struct model *m, size_t space, size_t batch, uint8_t dev[static 8]);
/* Is the edit of that name in one of these batches? */
bool model_had(const struct model *m, size_t space, const struct set *batches, const uint8_t dev[static 8],
               uint64_t counter);
/* The edits of these batches. */
void model_edits_of(const struct model *m, size_t space, const struct set *batches, struct set *out);

/* Appends the canonical dump of the space for somebody who holds exactly these edits, and these batches, and whose log
 * begins at this cut. */
void model_dump(struct model *m, size_t space, const struct set *has, const struct set *batches, int cut,
                struct buf *out);

/* Where a log was cut off (K3), numbered within the space: which batches lay below, which of their edits counted, and
 * which erases are final. What lies below a cut is judged for good. */
#define MODEL_UNCUT (-1)
void model_batch_hash(struct model *m, size_t space, size_t batch, const uint8_t hash[static 32]);
/* The batch with this hash; MODEL_DAMAGED: nobody made one. */
int model_batch_hashed(const struct model *m, size_t space, const uint8_t hash[static 32]);
/* The cut by the hash of its snapshot; MODEL_UNCUT: nobody cut there. */
int model_cut_find(const struct model *m, size_t space, const uint8_t hash[static 32]);
int model_cut(struct model *m, size_t space, const uint8_t hash[static 32], int before, const struct set *batches);
/* Which batches and edits lie below it. */
const struct set *model_cut_batches(const struct model *m, size_t space, int cut);
const struct set *model_cut_edits(const struct model *m, size_t space, int cut);
/* What everything came to there. */
void model_cut_dump(struct model *m, size_t space, int cut, struct buf *out);
/* Entries of dumps in any order, put in order of their records; those of which nothing counts are left out. */
void model_states(struct bytes entries, struct buf *out);
/* Does this edit lie below, about a record that is erased there for good, and says more than that? Nobody who cut there
 * may be able to read it. */
bool model_cut_gone(const struct model *m, size_t space, int cut, size_t edit);
/* How many records are erased there for good that were not at the cut before. */
size_t model_cut_erases(const struct model *m, size_t space, int cut);
/* The batch that has this body, whoever made it; MODEL_DAMAGED: none. */
int model_batch_body(const struct model *m, size_t space, struct bytes body);

/* A device as somebody sees it who holds these batches. */
struct model_device {
	uint8_t id[8];
	uint8_t person[8]; /* the record of its person; counter 0: none */
	uint64_t person_counter;
	bool named;    /* some admission names it, or it is the founder's */
	bool in;       /* and one of them counts, and no removal does */
	uint64_t keep; /* its last batch that counts; UINT64_MAX: all */
};
struct model_devices {
	struct model_device *d; /* ascending by id */
	size_t n;
};
void model_members(const struct model *m, size_t space, const struct set *batches, struct model_devices *out);
bool model_is_in(const struct model *m, size_t space, const struct set *batches, const uint8_t dev[static 8]);
/* Does any of these batches remove a device? */
bool model_removes(const struct model *m, size_t space, const struct set *batches);
/* Was anybody removed anywhere? */
bool model_quarrels(const struct model *m);
/* How many removals these batches hold, and how many of them count. */
struct model_removals {
	size_t made, count;
};
struct model_removals model_removals(const struct model *m, size_t space, const struct set *batches);

/* For people: "17-ab12 contact 3: tag 8 ..." */
void model_tell(const struct model *m, size_t space, size_t edit);

#endif
