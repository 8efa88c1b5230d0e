/* SPDX-License-Identifier: EUPL-1.2 */
/* The key file as bytes: a head, slots and a trailer, the same twice (docs/FORMAT.md, "Key file"). Only the key file's
 * own files include this. */
#ifndef SLB_VAULT_KEYCOPY_H
#define SLB_VAULT_KEYCOPY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct keyslot {
	uint32_t type;
	struct bytes body;
};

/* Reads the file and finds a copy of which the checksum holds; `copy` lies in `file`. *twice is false where the other
 * is not the same. ERR_DAMAGED: neither is whole. ERR_NOT_FOUND: no such file. */
enum err keycopy_read(struct errctx *ec, const char *path, struct buf *file, struct bytes *copy,
                      bool *twice) MUST_CHECK;

/* Of a whole copy. */
const uint8_t *keycopy_id(struct bytes copy);
/* Start with *at = 0; false at the end. */
bool keycopy_next(struct bytes copy, size_t *at, struct keyslot *out);
/* ERR_DAMAGED where the keyed check over the whole copy does not hold. */
enum err keycopy_check(struct errctx *ec, struct bytes copy, const uint8_t *master) MUST_CHECK;

/* A new copy: its head, then its slots, then the trailer; and twice that is a file. */
enum err keycopy_begin(struct buf *out, const uint8_t *key_id) MUST_CHECK;
enum err keycopy_slot(struct buf *out, uint32_t type, struct bytes body) MUST_CHECK;
enum err keycopy_end(struct buf *out, const uint8_t *master, struct buf *file) MUST_CHECK;

/* One change at a time: locks the directory of the key file until *fd is closed. ERR_LATER where it is taken. */
enum err keycopy_lock(struct errctx *ec, const char *path, int *fd) MUST_CHECK;

#endif
