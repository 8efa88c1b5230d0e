/* SPDX-License-Identifier: EUPL-1.2 */
/* The two halves of confine(). Only confine.c includes this. */
#ifndef SLB_CONFINE_PARTS_H
#define SLB_CONFINE_PARTS_H

#include "confine/confine.h"

enum err confine_files(struct errctx *ec, const struct confine_wish *wish, struct confinement *active) MUST_CHECK;
enum err confine_calls(struct errctx *ec, const struct confine_wish *wish, struct confinement *active) MUST_CHECK;

#endif
