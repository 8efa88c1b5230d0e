/* SPDX-License-Identifier: EUPL-1.2 */
/* Founding spaces, and the registry of devices that follows from the member records. */
#ifndef SLB_SYNC_SPACE_H
#define SLB_SYNC_SPACE_H

#include "sync/keys.h"

struct founding {
	enum space_kind kind;
	const char *name;      /* of the space */
	const char *nick;      /* of the founder */
	const char *role;      /* an id of the list `role`, NULL: none beyond member */
	int64_t neighbourhood; /* n of the space it syncs with; 0: none yet. Not for a neighbourhood. */
	const char *remote;    /* of a neighbourhood; else "" */
};

/* Founds a space with fresh keys, its first epoch and the founder's member record. Within a transaction. */
enum err space_found(struct errctx *ec, struct sync *y, const struct founding *f, struct space_row *out) MUST_CHECK;

/* One of the spaces here, by its id, or by its tag, which no two of them share. ERR_NOT_FOUND without text. */
enum err space_by_id(struct errctx *ec, struct sync *y, struct space_id id, struct space_row *out) MUST_CHECK;
enum err space_by_tag(struct errctx *ec, struct sync *y, struct tag tag, struct space_row *out) MUST_CHECK;
/* ... to which the branch refs/heads/SPACE/EPOCH/DEVICE belongs. */
enum err space_by_branch(struct errctx *ec, struct sync *y, const char *ref, struct space_row *out) MUST_CHECK;
/* Is it the branch of a device with this tag? */
bool branch_is_of(const char *ref, struct tag device);

/* Spaces that belong to no neighbourhood yet (the own one, circles founded alone) go along with this one. Within a
 * transaction. */
enum err spaces_adopt(struct errctx *ec, struct sync *y, int64_t neighbourhood) MUST_CHECK;

/* Writes a member record: a new one (`person` is none; it receives the id) or more devices for an existing one. */
struct admission {
	int64_t space;
	const char *name;         /* NULL: not written */
	const char *const *roles; /* ids of the list `role` */
	size_t role_count;
	const struct bundle *device; /* NULL: none */
};
enum err member_write(struct errctx *ec, struct sync *y, const struct admission *a, struct dot *person) MUST_CHECK;

/* Brings the registry of devices up to date with one member record. Within a transaction. */
enum err devices_register(struct errctx *ec, struct sync *y, const struct space_row *space,
                          struct dot member) MUST_CHECK;

/* Registers one device. */
enum err device_register(struct errctx *ec, struct sync *y, const struct space_row *space, const struct bundle *b,
                         struct dot member) MUST_CHECK;

#endif
