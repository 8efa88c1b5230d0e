/* SPDX-License-Identifier: EUPL-1.2 */
/* The canonical dump as one JSON document: byte strings as "x" and hex, integer keys as text, one record a line. Equal
 * states print equal bytes. */
#ifndef SLB_RENDER_DUMP_H
#define SLB_RENDER_DUMP_H

#include <stdio.h>

#include "app/syncing.h"

enum err dump_print(struct errctx *ec, const struct dump_space *spaces, size_t count, FILE *out) MUST_CHECK;

#endif
