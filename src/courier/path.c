// SPDX-License-Identifier: EUPL-1.2
// Remotes on a file system: a folder, a stick, a shared disk. The other repository is opened as it lies there, wanted
// commits are copied object by object in both directions, and branches move by compare-and-swap, so that two devices
// that push at once both arrive (S2, S3).
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "courier/giterr.h"
#include "courier/pack.h"
#include "courier/transport.h"

struct path_transport {
	struct transport base;
	struct bare remote;
};

static struct path_transport *of(struct transport *t)
{
	return (struct path_transport *)t;
}

static enum err path_list(struct errctx *ec, struct transport *t, const char *const *prefix, size_t prefixes,
                          struct branch_refs *out)
{
	int rc = git_odb_refresh(of(t)->remote.odb);

	if (rc != 0)
		return giterr_set(ec, rc, of(t)->remote.path);
	return bare_list(ec, &of(t)->remote, prefix, prefixes, out);
}

static enum err path_fetch(struct errctx *ec, struct transport *t, struct copy_item *items, size_t count)
{
	return copy_new(ec, &of(t)->remote, t->local, items, count);
}

static enum err move_branch(void *arg, struct copy_item *item)
{
	struct path_transport *p = arg;
	struct push_item *push = (struct push_item *)item;
	bool lost = false;

	if (push->result != PUSH_DONE || !item->has_got || (item->has_base && git_oid_equal(&item->got, &item->base)))
		return ERR_OK;
	push->err = bare_set(&push->ec, &p->remote, item->name, item->has_base ? &item->base : NULL, &item->got, &lost);
	if (push->err != ERR_OK)
		push->result = PUSH_FAILED;
	else if (lost)
		push->result = PUSH_LOST;
	item->base = item->got;
	item->has_base = true;
	return ERR_OK;
}

static enum err path_push(struct errctx *ec, struct transport *t, struct push_item *items, size_t count)
{
	struct path_transport *p = of(t);
	enum err e = bare_lock(ec, &p->remote);

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		items[i].result = PUSH_DONE;
		e = copy_run(ec, t->local, &p->remote, &items[i].copy, 1, move_branch, p);
		if (items[i].copy.err != ERR_OK)
			items[i].result = PUSH_FAILED;
	}
	bare_unlock(&p->remote);
	return e;
}

static enum err path_confirm(struct errctx *ec, struct transport *t, const git_oid *commit)
{
	struct commit c;

	return commit_verify(ec, of(t)->remote.odb, of(t)->remote.path, commit, &c);
}

static enum err path_pack(struct errctx *ec, struct transport *t)
{
	enum err e = ERR_OK;

	if (!pack_needed(&of(t)->remote))
		return ERR_OK;
	e = bare_lock(ec, &of(t)->remote);
	if (e == ERR_OK)
		e = pack_run(ec, &of(t)->remote);
	bare_unlock(&of(t)->remote);
	return e;
}

static bool path_reachable(struct transport *t)
{
	return access(of(t)->remote.pack_dir, R_OK) == 0;
}

static void path_close(struct transport *t)
{
	bare_close(&of(t)->remote);
	free(t);
}

static enum err path_drop(struct errctx *ec, struct transport *t, const char *name, const git_oid *id, bool *lost)
{
	struct path_transport *p = of(t);
	enum err e = bare_lock(ec, &p->remote);

	if (e == ERR_OK)
		e = bare_drop(ec, &p->remote, name, id, lost);
	bare_unlock(&p->remote);
	return e;
}

static const struct transport_ops path_ops = { path_list,      path_fetch, path_push,  path_confirm, path_pack,
	                                       path_reachable, NULL,       path_close, path_drop };

/* In a folder that a group writes to, what we add must be writable for the group too. Our own cache lies in a folder
 * that is closed to others, and files for the inbox ask for their own mode. */
static void share_alike(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0)
		umask(umask(077) & ~(st.st_mode & (S_IWGRP | S_IWOTH)));
}

enum err path_transport_open(struct errctx *ec, const char *path, bool create, struct bare *local,
                             struct transport **out)
{
	struct path_transport *p = calloc(1, sizeof(*p));
	enum err e = ERR_OK;

	if (p == NULL)
		return err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.",
		               NULL, NULL, NULL);
	p->base = (struct transport){ &path_ops, local };
	/* rmdir takes only an empty folder, which is as good as none. */
	if (create && (access(path, F_OK) != 0 || rmdir(path) == 0))
		e = bare_create(ec, path);
	if (e == ERR_OK)
		e = bare_open(ec, path, &p->remote);
	if (e != ERR_OK) {
		free(p);
		return e;
	}
	share_alike(path);
	*out = &p->base;
	return ERR_OK;
}
