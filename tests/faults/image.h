/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Looks for words and keys in the whole memory of a process, its own or another's.
 *
 * What is looked for must not itself be what is found: it is kept back to front, here and by whoever asks. Any 12 bytes
 * in a row of it count as found.
 */
#ifndef SLB_TESTS_FAULTS_IMAGE_H
#define SLB_TESTS_FAULTS_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define IMAGE_FRAGMENT 12

struct image;

struct image *image_new(void);
void image_free(struct image *im);

/* `backwards` is copied. Shorter than a fragment, it is an error. A text is looked for as it is, in small letters, and
 * in UTF-16 of both kinds. */
void image_text(struct image *im, const char *name, const char *backwards);
void image_bytes(struct image *im, const char *name, const uint8_t *backwards, size_t len);
/* The same for bytes that are not turned round yet: turns them in place. */
void image_turn(uint8_t *bytes, size_t len);

struct image_place {
	const char *name; /* of what was found */
	uint64_t at;
	bool guarded;   /* in memory that is locked and stays out of an image (mlock, MADV_DONTDUMP) */
	char where[80]; /* the mapping: its name, "" for memory of no file */
};
struct image_result {
	size_t places;  /* where something was found */
	size_t outside; /* of these, not in guarded memory */
	struct image_place first[16];
	uint64_t bytes; /* that were looked at */
};

/* Looks through all memory of process `pid` (0: this one) that can be written, is not backed by a file or was copied
 * from one, and whatever it may not read itself. False where the system does not let anybody look. */
bool image_scan(struct image *im, pid_t pid, struct image_result *out);

#endif
