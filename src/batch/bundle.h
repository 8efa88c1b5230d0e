/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A bundle: sealed files one after the other in one file, for a stick or a mail (docs/FORMAT.md, "Bundle").
 *
 *   head, 16 bytes   "SLKU" | format 1 | zero 3 | count of parts, 4 | zero 4
 *   part             length of the branch name 1 | of the file's name 1 | zero 2 | of the file 4 | branch name | name |
 *                    file | the first 16 bytes of BLAKE2b("slb bundle part"; number of the part, 4, from 0; all before)
 *
 * Numbers are big-endian. The hash is against accidents, so that one damaged part is told and costs no other; who makes
 * one on purpose makes a fitting hash, and what such a file holds passes the same checks as one from a host.
 */
#ifndef SLB_BATCH_BUNDLE_H
#define SLB_BATCH_BUNDLE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

#define BUNDLE_HEAD_LEN 16
#define BUNDLE_PART_HEAD_LEN 8
#define BUNDLE_HASH_LEN 16
#define BUNDLE_PARTS_MAX 100000u
#define BUNDLE_REF_MAX 120
#define BUNDLE_NAME_MAX 64

struct bundle_part {
	struct bytes ref;  /* [a-z0-9/-] */
	struct bytes name; /* [a-z0-9-] */
	struct bytes file;
};

void bundle_head_put(uint32_t parts, uint8_t out[static BUNDLE_HEAD_LEN]);
/* ERR_DAMAGED: not one of ours; ERR_INPUT: of a newer format. */
enum err bundle_head_get(struct bytes head, uint32_t *parts) MUST_CHECK;

/* Appends a part. ERR_INPUT where a name or the file is empty, too long, or of other letters. */
enum err bundle_part_put(uint32_t number, const struct bundle_part *part, struct buf *out) MUST_CHECK;
/* How many bytes follow the head of a part. ERR_DAMAGED where no such part can be. */
enum err bundle_part_len(const uint8_t head[static BUNDLE_PART_HEAD_LEN], size_t *len) MUST_CHECK;
/* A whole part, its head included. ERR_DAMAGED where its hash does not fit. *out points into `part`. */
enum err bundle_part_get(uint32_t number, struct bytes part, struct bundle_part *out) MUST_CHECK;

#endif
