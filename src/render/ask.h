/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A question from a program: one JSON object of texts, numbers, yes and no, and lists of texts. NUL and bytes that are
 * not UTF-8 are refused, and so is anything deeper than what is asked for here.
 */
#ifndef SLB_RENDER_ASK_H
#define SLB_RENDER_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "app/pool.h"
#include "base/buf.h"
#include "base/err.h"

struct ask;

/* ERR_INPUT, with a sentence, for what is no such object. */
enum err ask_parse(struct errctx *ec, struct bytes json, struct ask **out) MUST_CHECK;
void ask_free(struct ask *a); /* accepts NULL */

/* Borrowed until ask_free(). NULL where it is not there, null, or something else. */
const char *ask_text(const struct ask *a, const char *key);
bool ask_flag(const struct ask *a, const char *key);
int64_t ask_number(const struct ask *a, const char *key, int64_t otherwise);
/* A list of texts as "a,b,c", the pool's; NULL where there is no list; "" for an empty one. */
const char *ask_list(const struct ask *a, struct pool *p, const char *key);

#endif
