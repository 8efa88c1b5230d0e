/* SPDX-License-Identifier: EUPL-1.2 */
/* A passphrase or another secret line of text, in guarded and locked memory that is wiped when freed (V1). What reads
 * it (a terminal, a file, a descriptor) lives above; what derives a key from it lives below. */
#ifndef SLB_APP_SECRET_TEXT_H
#define SLB_APP_SECRET_TEXT_H

#include <stddef.h>

/* Longest secret, in bytes. */
#define SECRET_TEXT_MAX 1024

struct secret_text {
	size_t len;
	char
	    text[SECRET_TEXT_MAX + 4]; /* followed by a NUL that does not count; room for a line end while it is read */
};

/* An empty one, or NULL when there is no (lockable) memory left. */
struct secret_text *secret_text_new(void);
/* Wipes and frees; accepts NULL. */
void secret_text_free(struct secret_text *s);

#endif
