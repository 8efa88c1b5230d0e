// SPDX-License-Identifier: EUPL-1.2
// Copies wanted commits between two repositories on disk, object by named object: nothing that was not asked for and
// nothing of an unknown shape is carried (S4), and each portion survives a kill (S3). libgit2's own local transport
// takes every object there is, whatever was asked.
#include "courier/copy.h"

#include <stdlib.h>

#include "courier/giterr.h"
#include "courier/watchdog.h"

struct copier {
	const struct bare *from, *to;
	struct oids portion; /* what goes over next */
	uint64_t bytes;
	struct copy_item **waiting; /* items with commits in the pack under way */
	size_t waits;
	copy_landed_fn landed;
	void *arg;
};

static int on_pack_progress(int stage, uint32_t current, uint32_t total, void *arg)
{
	watchdog_kick();
	return 0;
}

static int on_write_progress(const git_indexer_progress *stats, void *arg)
{
	watchdog_kick();
	return 0;
}

static enum err write_pack(struct errctx *ec, const struct copier *c)
{
	git_packbuilder *pack = NULL;
	enum err e = ERR_OK;
	int rc = git_packbuilder_new(&pack, c->from->repo);

	if (rc == 0) {
		git_packbuilder_set_threads(pack, 1);
		rc = git_packbuilder_set_callbacks(pack, on_pack_progress, NULL);
	}
	for (size_t i = 0; rc == 0 && i < c->portion.count; i++)
		rc = git_packbuilder_insert(pack, &c->portion.id[i], NULL);
	if (rc != 0)
		e = giterr_set(ec, rc, c->from->path);
	if (e == ERR_OK) {
		rc = git_packbuilder_write(pack, c->to->pack_dir, 0, on_write_progress, NULL);
		if (rc == 0)
			rc = git_odb_refresh(c->to->odb);
		if (rc != 0)
			e = giterr_set(ec, rc, c->to->path);
	}
	git_packbuilder_free(pack);
	return e;
}

static enum err write_loose(struct errctx *ec, const struct copier *c, const git_oid *id)
{
	git_odb_object *object = NULL;
	git_oid written;
	enum err e = ERR_OK;
	int rc = 0;

	if (git_odb_exists(c->to->odb, id))
		return ERR_OK;
	rc = git_odb_read(&object, c->from->odb, id);
	if (rc != 0)
		return giterr_set(ec, rc, c->from->path);
	rc = git_odb_write(&written, c->to->odb, git_odb_object_data(object), git_odb_object_size(object),
	                   git_odb_object_type(object));
	if (rc != 0)
		e = giterr_set(ec, rc, c->to->path);
	git_odb_object_free(object);
	watchdog_kick();
	return e;
}

static enum err portion_close(struct errctx *ec, struct copier *c)
{
	enum err e = ERR_OK;

	if (c->portion.count > COPY_LOOSE)
		e = write_pack(ec, c);
	else
		for (size_t i = 0; e == ERR_OK && i < c->portion.count; i++)
			e = write_loose(ec, c, &c->portion.id[i]);
	c->bytes = 0;
	c->portion.count = 0;
	for (size_t i = 0; e == ERR_OK && c->landed != NULL && i < c->waits; i++)
		e = c->landed(c->arg, c->waiting[i]);
	c->waits = 0;
	return e;
}

/* What a commit needs before the commit, so that loose objects never miss what they name. */
static enum err put_commit(struct copier *c, const struct commit *commit)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < commit->files; i++) {
		c->bytes += commit->file[i].size;
		e = oids_put(&c->portion, &commit->file[i].blob);
	}
	if (e == ERR_OK)
		e = oids_put(&c->portion, &commit->tree);
	return e != ERR_OK ? e : oids_put(&c->portion, &commit->id);
}

/* The commits of one branch, oldest first. A failure of this branch goes into the item; one of the target returns. */
static enum err copy_item(struct errctx *ec, struct copier *c, struct copy_item *item)
{
	struct oids chain = { 0 };
	enum err e = ERR_OK;

	item->err =
	    chain_list(&item->ec, c->from->odb, c->from->path, &item->tip, item->has_base ? &item->base : NULL, &chain);
	item->has_got = item->has_base;
	item->got = item->base;
	if (item->err == ERR_OK && chain.count > 0)
		c->waiting[c->waits++] = item;
	for (size_t i = chain.count; e == ERR_OK && item->err == ERR_OK && i-- > 0;) {
		struct commit commit;

		item->err = commit_verify(&item->ec, c->from->odb, c->from->path, &chain.id[i], &commit);
		if (item->err != ERR_OK)
			break;
		e = put_commit(c, &commit);
		if (e != ERR_OK)
			break;
		item->has_got = true;
		item->got = chain.id[i];
		if (c->bytes >= COPY_BYTES || c->portion.count >= COPY_OBJECTS) {
			e = portion_close(ec, c);
			if (i > 0)
				c->waiting[c->waits++] = item;
		}
	}
	oids_free(&chain);
	return e;
}

enum err copy_run(struct errctx *ec, const struct bare *from, const struct bare *to, struct copy_item *items,
                  size_t count, copy_landed_fn landed, void *arg)
{
	struct copier c = { .from = from, .to = to, .landed = landed, .arg = arg };
	enum err e = ERR_OK;

	c.waiting = calloc(count + 1, sizeof(struct copy_item *));
	if (c.waiting == NULL)
		return err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.",
		               NULL, NULL, NULL);
	for (size_t i = 0; e == ERR_OK && i < count; i++)
		e = copy_item(ec, &c, &items[i]);
	if (e == ERR_OK)
		e = portion_close(ec, &c);
	oids_free(&c.portion);
	free(c.waiting);
	return e;
}

// ---- What the target lacks ----

/* Sets the item's base to the newest commit of its branch that `to` holds: what it holds it holds with everything
 * below, because packs are written whole and loose objects in the order blob, tree, commit. */
static enum err find_known(const struct bare *from, const struct bare *to, struct copy_item *item)
{
	struct commit c = { .parent = item->tip };

	item->has_base = false;
	for (size_t n = 0; n < CHAIN_MAX && !c.first; n++) {
		git_oid at = c.parent;
		enum err e = ERR_OK;

		if (bare_holds(to, &at)) {
			item->has_base = true;
			item->base = at;
			break;
		}
		e = commit_head(&item->ec, from->odb, from->path, &at, &c);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

enum err copy_new(struct errctx *ec, const struct bare *from, const struct bare *to, struct copy_item *items,
                  size_t count)
{
	struct copy_item *known = calloc(count + 1, sizeof(*known));
	size_t *place = calloc(count + 1, sizeof(*place));
	size_t n = 0;
	enum err e = ERR_OK;

	if (known == NULL || place == NULL) {
		e = err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.", NULL,
		            NULL, NULL);
		goto done;
	}
	for (size_t i = 0; i < count; i++) {
		items[i].has_got = false;
		items[i].err = find_known(from, to, &items[i]);
		if (items[i].err != ERR_OK)
			continue;
		place[n] = i;
		known[n++] = items[i];
	}
	e = copy_run(ec, from, to, known, n, NULL, NULL);
	for (size_t i = 0; i < n; i++)
		items[place[i]] = known[i];
done:
	free(known);
	free(place);
	return e;
}
