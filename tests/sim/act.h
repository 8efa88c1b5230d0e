/* SPDX-License-Identifier: EUPL-1.2 */
/* What devices of a simulated world do: each function is one call of the program, watched by the model afterwards. */
#ifndef SLB_TESTS_SIM_ACT_H
#define SLB_TESTS_SIM_ACT_H

#include "app/syncing.h"
#include "sim/world.h"

/* The device may die in the calls that follow, at a step below `steps` from here. */
void act_arm(struct player *p, uint64_t steps);
/* Ends a call: a device that died comes back, what is new is watched. ERR_IO where it died, else `e`. */
enum err act_end(struct player *p, enum err e);

/* Closes and opens. */
void act_reopen(struct player *p);
/* One exchange. `view` may be NULL. */
enum err act_sync(struct player *p, struct sync_view *view);
bool act_found(struct player *p, const char *name, const char *remote); /* remote NULL: a circle */
/* `by` invites `who` to a space by its name, who asks to join. False where one of them may not or died. */
bool act_invite(struct player *by, struct player *who, const char *space);
/* Another device of the same person, with what was written there. */
bool act_invite_device(struct player *by, struct player *who);
/* Has it invitations that nobody used yet? */
bool act_invites_open(struct player *by);
/* An invitation that is withdrawn after it was used to ask. */
bool act_invite_withdrawn(struct player *by, struct player *who, const char *space);
bool act_request(struct player *who, const char *remote);
/* Lets in whoever asks without an invitation. */
bool act_approve(struct player *by);

/* Writes something, drawn from the world's chance: true where it was acknowledged. */
bool act_write(struct player *p);
/* Logs a contact in a circle by its name, or changes one that is there. */
bool act_log_in(struct player *p, const char *circle, bool change);
/* The id of some record of a kind, in a space of a kind, where it may write; false: there is none. */
bool act_some_id(struct player *p, uint32_t kind, enum space_kind where, char out[static DOT_TEXT_LEN]);
/* Erases a record, contests such an erase, says yes to many, asks for a compaction. */
bool act_erase(struct player *p);
bool act_contest(struct player *p);
bool act_confirm(struct player *p);
bool act_compact(struct player *p);
/* A restored home asks to come back. */
bool act_rejoin(struct player *p);
/* A recovery sheet is made of a home that has none. */
bool act_sheet(struct player *p);
/* The home is lost, and comes back into a new one from its sheet and the repository. False: not now. */
bool act_comeback(struct player *lost, struct player *into, const char *remote);
/* A copy of the home, a backup of it, or one that is put back. False: not this one, now. */
bool act_twin(struct player *p);
/* Removes somebody from one of its spaces. False where there is nobody or it may not. */
bool act_remove(struct player *by);
/* Removes the person of another device, by name of the space. */
bool act_remove_from(struct player *by, struct player *who, const char *space);
/* Writes to member records by hand, as the program would let nobody: roles, devices, names. */
bool act_overstep(struct player *p);

/* A device that turns against the others (rogue.c): its home does nothing from then on. False: not this one, now. */
struct rogue;
bool rogue_turn(struct player *p);
void rogue_act(struct player *p);
void rogue_free(struct rogue *r);

/* A batch by this device's key that no program would make, offered to its host. */
bool act_forge(struct player *p);

#endif
