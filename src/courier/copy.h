/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Carries commits from one repository on disk to another, in packs of at most COPY_BYTES or COPY_OBJECTS, each written
 * whole and durable before the branches that need it move: a kill costs the portion under way and no more. A portion
 * of COPY_LOOSE objects or fewer goes over as loose objects: a pack and its index would weigh more than a day's work.
 */
#ifndef SLB_COURIER_COPY_H
#define SLB_COURIER_COPY_H

#include "base/err.h"
#include "courier/bare.h"
#include "courier/commit.h"

#define COPY_BYTES (16u << 20)
#define COPY_OBJECTS 8192u
#define COPY_LOOSE 12u

/* One branch to carry over. The caller owns it and `name`; the struct must not move while it is being copied. */
struct copy_item {
	const char *name;
	git_oid tip;
	bool has_base;
	git_oid base; /* carried over already; the copy starts above it */
	/* How far it got: at the end this is `tip`, or the last good commit below what was refused. */
	bool has_got;
	git_oid got;
	enum err err; /* why it stopped; `ec` holds the text */
	struct errctx ec;
};

/* Called after each portion, for every item whose commits up to `got` are now safe at the target. */
typedef enum err (*copy_landed_fn)(void *arg, struct copy_item *item);

/* Copies all of them, oldest commit first. An item that fails does not stop the others; what is returned is a failure
 * that concerns all (disk full). `landed` may be NULL. */
enum err copy_run(struct errctx *ec, const struct bare *from, const struct bare *to, struct copy_item *items,
                  size_t count, copy_landed_fn landed, void *arg) MUST_CHECK;

/* The same for what `to` lacks: each item's base becomes the newest commit of its branch that `to` holds. */
enum err copy_new(struct errctx *ec, const struct bare *from, const struct bare *to, struct copy_item *items,
                  size_t count) MUST_CHECK;

#endif
