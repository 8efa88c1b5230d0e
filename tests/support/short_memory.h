/* SPDX-License-Identifier: EUPL-1.2 */
/* Memory that runs out where a test says so. A program that is linked with --wrap for the names below, as the Makefile
 * does for those that need it, gives the two questions: malloc calloc realloc strdup strndup asprintf __asprintf_chk
 * (memory), sodium_malloc crypto_pwhash (keys). Keys are derived by a quick hash there. */
#ifndef SLB_TESTS_SHORT_MEMORY_H
#define SLB_TESTS_SHORT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Given by the program. True: this call gets none. */
bool memory_is_short(void);
bool keys_are_short(void);

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);

#endif
