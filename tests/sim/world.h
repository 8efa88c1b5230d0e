/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A world of simulated devices: the program's own objects over disks in memory, hosts in this process, and a reference
 * model that watches every device's log.
 *
 * After each call on a device world_watch() reads what its log holds more: edits of its own go to the model with the
 * set of edits that stood in the log before them; those of others must be known to the model. world_check() compares
 * a device's canonical dumps with the model's for exactly that set (M1, M2), and what it calls sent or set aside with
 * the host (S2, S4).
 */
#ifndef SLB_TESTS_SIM_WORLD_H
#define SLB_TESTS_SIM_WORLD_H

#include "app/session.h"
#include "crypto/sheet.h"
#include "sim/disk.h"
#include "sim/host.h"
#include "sim/model.h"
#include "store/store.h"

#define WORLD_DEVICES 32 /* their disks are 1 to 32; disk 0 holds the template of a vault */
#define WORLD_SPACES 12  /* of one device */
#define WORLD_IDS 8      /* of one device in one space, one after the other */
#define WORLD_BACKUPS 4
#define WORLD_READ 256 /* authors in all spaces of one device */

/* One line of a device's log, as it was seen. */
struct seen_row {
	uint32_t space;
	uint32_t edit;
};

/* What a device holds of a space. */
struct holding {
	size_t space;
	struct set has;           /* edits */
	struct set batches;       /* that the log's sealed edits and controls stand in */
	uint8_t me[8];            /* the device's id there */
	uint8_t id[WORLD_IDS][8]; /* all that it had */
	size_t ids;
	bool gone; /* it gave way to another own space */
	int cut;   /* of the model, where its log begins; MODEL_UNCUT: with the first edit */
};

/* Up to where the batches of one author were read from a device's store. */
struct read_to {
	int64_t device; /* the store's own number of it */
	uint64_t seq;
};

/* A batch that a device sealed, and the file it goes out in. */
struct sealed_file {
	unsigned player;
	size_t space;
	size_t batch;
	char name[32];
};

/* What a form was opened with. */
struct form {
	bool open;
	int64_t space; /* the device's own number of it */
	size_t model_space;
	struct set has;
	struct seen *seen;
	size_t seen_count;
};

struct world;

struct player {
	struct world *w;
	unsigned number; /* from 0 */
	struct disk *disk;
	struct app *app; /* NULL: closed */
	char home[32];
	char courier[16];
	char nick[16];
	struct clock clock;
	int64_t skew;
	int64_t latest; /* the latest time its clock ever showed */
	struct rng rng;
	struct random chance;
	struct seen_row *row;
	size_t rows;
	size_t row_cap;
	struct holding hold[WORLD_SPACES];
	size_t holds;
	struct read_to read[WORLD_READ];
	size_t reads;
	bool busy;           /* in a call */
	bool inner;          /* in a call within that one */
	bool away;           /* without a network for now */
	struct rogue *rogue; /* its home is given up; its keys are used for forgeries */
	bool lost;           /* its home is gone for good */
	bool twin;           /* it has a copy, or wrote something again under another id */
	bool again;          /* it is about to */
	bool spied;          /* it is looked at, in the middle of a call */
	bool put_back;       /* as it was, and did not find that it had sent more */
	bool in_vain;        /* the invitation it asked with was withdrawn */
	bool saved_form;     /* the edit that comes next was made with `form` */
	struct form form;
	uint8_t sheet[SHEET_SECRET_LEN]; /* its recovery sheet */
	bool has_sheet;
	struct player *from_sheet; /* the lost home that this one is in the place of */
};

/* A file that a rogue handed to a host, and the hash of its batch. */
struct gift {
	size_t space;
	uint8_t dev[8];
	uint64_t seq; /* 0: not a batch of a rogue's making */
	uint8_t hash[32];
	char remote[32];
	char ref[128];
	char name[64];
	struct buf file;
};

struct world {
	uint64_t seed;
	struct random rnd;
	bool trace;
	int64_t now_ms;
	struct hosts *hosts;
	struct model *model;
	struct player player[WORLD_DEVICES];
	size_t players;
	bool forged; /* somebody or the host made files that no device would */
	bool early;  /* homes may be copied that sealed nothing in some space yet */
	bool steady; /* disk_die_after() holds for more than one call */
	int loss;    /* of power, when a device dies: 0 by chance, 1 never, 2 always */
	struct backup *backup[WORLD_BACKUPS];
	size_t backups;
	struct gift *gift; /* files that nobody hands over again if the host loses them */
	size_t gifts;
	uint64_t removals_left;   /* so that somebody is left in the end */
	bool copies;              /* some home was copied, or put back as it was */
	bool compacts;            /* logs are cut off where that is due (K3) */
	bool refusals;            /* invitations were withdrawn or may have ended: requests may be set aside */
	struct sealed_file *file; /* of every batch that is watched for K1 */
	size_t files;
	size_t file_cap;
	uint64_t crashes, losses, checks;
	uint64_t secrets; /* epochs that were tried on the disks of removed devices */
	uint64_t cuts;    /* of a log, by homes */
	uint64_t gone;    /* records that were erased for good */
	uint64_t tried;   /* homes of which every key was tried on all that the host ever held */
};

/* Once per process: libsodium, SQLite and the program, with one source of chance. */
void world_start(void);
/* Chance of libsodium starts over, so that a seed is the same after any other. */
void world_reseed(uint64_t seed);

struct world *world_new(uint64_t seed, bool trace);
void world_free(struct world *w);
__attribute__((format(printf, 2, 3))) void world_say(const struct world *w, const char *format, ...);

/* A new device with a home; returns its number. Fails the seed when it cannot be made. */
size_t world_join(struct world *w);
/* A copy of a home goes on beside the first, with the same keys; returns the copy's number. */
size_t world_clone(struct player *p);
/* Its disk as it is now is put by; false: there is no room for more. */
bool world_backup(struct player *p);
/* A home is lost. */
void world_lose(struct player *p);
/* One of these is put back as one more device, as the program's backups are (it was restored), or as it was, keys and
 * all; what it was a backup of goes on, or is lost. */
struct player *world_restore(struct world *w, bool as_it_was, bool lost);
/* May it find that a copy of it sent something that it did not, and go on under another id? What it promises to joiners
 * until then may come to nothing (docs/TESTING.md, `twins-admit`). */
bool world_unsure(struct player *p);
/* Everything that a lost home had sent is in the one that took its place, as far as its sheet reached. */
void world_came_back(struct player *p);
/* Was it restored, and is it not back in that space yet? */
bool world_away(struct player *p, const struct space_row *space);
/* Does nothing happen in this home any more? */
bool world_given_up(const struct player *p);
/* Opens a closed one. */
enum err world_open(struct player *p, struct errctx *ec) MUST_CHECK;
/* Closes and opens, with nothing going wrong. */
void world_reopen(struct player *p);
/* After the device died: what is left of its disk is opened, and everything seen before must be there. */
void world_recover(struct player *p, bool power_loss);
/* What came into the log since the last time. */
void world_watch(struct player *p);
/* After each transaction (wrap.c): homes that may write something again are looked at more often. */
void world_committed(const struct store *store);
/* Are logs cut off in the world that is played? */
bool world_compacts(void);
/* Stands everything there that was seen before? */
void world_log_again(struct player *p);
/* Is everything as the model has it? */
void world_check(struct player *p);
/* K1: of each space, what devices sealed when they knew of removals that counted then. */
void world_secrets(struct world *w);
/* K3: of each home that says that a compaction is done there, nothing that was erased opens with what it has. */
void world_erased(struct world *w);
/* Is a space not compacted as far as it could be? Says how, in a sentence; NULL: it is. */
const char *world_uncompacted(struct player *p, const struct space_row *space, char out[static 256]);
/* Is the device in, as it knows itself? */
bool world_is_in(struct player *p, const struct space_row *space);
/* Nothing waits, nothing is unsent, and all who are still in a space hold the same of it. */
void world_settled(struct world *w);
/* `wholly`: also what only names keys has come to everybody. */
bool world_is_settled(struct world *w, bool wholly);

/* Opens a form on a space of a device: what is written with it later had seen no more than now. */
void world_form(struct player *p, const struct space_row *space);
void world_form_drop(struct player *p);

/* The batches of a space that a device holds. */
const struct set *world_batches(struct player *p, size_t model_space);
/* Does something wait to be told with its next batch? */
bool world_holds_control(struct player *p, int64_t space);
/* The newest epoch of which it has the key; false: none. */
bool world_newest_epoch(struct player *p, int64_t space, struct epoch_id *out);

/* A file goes to the host, and is put there again at the end if it was lost. */
void world_push(struct player *p, const struct space_row *space, const struct gift *gift);
/* So does all that a device sent, or (`sent` false) has to send as well. */
void world_push_all(struct player *p, bool sent);
void world_push_again(struct world *w);

/* A space of a device by its name (of the neighbourhood, circle, or own space): false when it is no member of it. */
bool world_space(struct player *p, const char *name, struct space_row *out);
/* Its spaces as a list that the caller frees. */
struct space_row *world_spaces(struct player *p, size_t *n);

#endif
