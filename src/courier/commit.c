// SPDX-License-Identifier: EUPL-1.2
// Commits of one strict shape, made and read without libgit2's own parsers: a hostile tree or commit meets only the few
// lines below (S4), and what passes them can safely become a file name.
#include "courier/commit.h"

#include <stdio.h>
#include <string.h>

#include "courier/giterr.h"
#include "courier/loose.h"
#include "courier/watchdog.h"

#define TREE_LINE "tree "
#define PARENT_LINE "parent "
#define MODE "100644 "
#define TREE_MAX (COMMIT_FILES_MAX * (sizeof(MODE) + JOB_NAME_MAX + GIT_OID_RAWSZ))

static enum err odd(struct errctx *ec, const char *where, const git_oid *id)
{
	return err_set(
	    ec, ERR_INPUT,
	    "The repository %1 holds something that no device of ours writes (%2). It was left there; ask who "
	    "looks after the repository.",
	    where, git_oid_tostr_s(id), NULL);
}

static enum err no_memory(struct errctx *ec)
{
	return err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.", NULL, NULL,
	               NULL);
}

/* Takes `word` and 40 hex digits and a line feed off the front of `raw`. */
static bool take_oid(struct bytes *raw, const char *word, git_oid *out)
{
	size_t len = strlen(word);
	const uint8_t *hex = raw->data + len;

	if (raw->len < len + GIT_OID_HEXSZ + 1 || memcmp(raw->data, word, len) != 0 || hex[GIT_OID_HEXSZ] != '\n')
		return false;
	for (size_t i = 0; i < GIT_OID_HEXSZ; i++) {
		if (!((hex[i] >= '0' && hex[i] <= '9') || (hex[i] >= 'a' && hex[i] <= 'f')))
			return false;
	}
	if (git_oid_fromstrn(out, (const char *)hex, GIT_OID_HEXSZ) != 0)
		return false;
	raw->data += len + GIT_OID_HEXSZ + 1;
	raw->len -= len + GIT_OID_HEXSZ + 1;
	return true;
}

bool commit_parse(struct bytes raw, struct commit *out)
{
	memset(&out->parent, 0, sizeof(out->parent));
	if (!take_oid(&raw, TREE_LINE, &out->tree))
		return false;
	out->first = !take_oid(&raw, PARENT_LINE, &out->parent);
	return raw.len == sizeof(COMMIT_TAIL) - 1 && memcmp(raw.data, COMMIT_TAIL, raw.len) == 0;
}

bool tree_parse(struct bytes raw, struct commit *out)
{
	out->files = 0;
	while (raw.len > 0) {
		struct commit_file *file = &out->file[out->files];
		const uint8_t *name = raw.data + sizeof(MODE) - 1, *nul = NULL;
		size_t len = 0;

		if (out->files == COMMIT_FILES_MAX || raw.len < sizeof(MODE) ||
		    memcmp(raw.data, MODE, sizeof(MODE) - 1) != 0)
			return false;
		raw.len -= sizeof(MODE) - 1;
		nul = memchr(name, '\0', raw.len);
		len = nul == NULL ? 0 : (size_t)(nul - name);
		if (!job_name_valid((const char *)name, len) || raw.len < len + 1 + GIT_OID_RAWSZ)
			return false;
		memcpy(file->name, name, len + 1);
		if (out->files > 0 && strcmp(out->file[out->files - 1].name, file->name) >= 0)
			return false;
		memcpy(file->blob.id, nul + 1, GIT_OID_RAWSZ);
		file->size = 0;
		raw.data = nul + 1 + GIT_OID_RAWSZ;
		raw.len -= len + 1 + GIT_OID_RAWSZ;
		out->files++;
	}
	return out->files > 0;
}

/* Everything that is read passes here first: what libgit2 could not read safely is a mismatch. */
static int read_header(git_odb *odb, const char *where, const git_oid *id, size_t *size, git_object_t *type)
{
	if (loose_sound(where, id))
		return git_odb_read_header(size, type, odb, id);
	git_error_set_str(GIT_ERROR_ODB, "an object is not what its header says");
	return GIT_EMISMATCH;
}

/* Reads one object of that type, of at most `max` bytes. The caller frees it. */
static enum err read_object(struct errctx *ec, git_odb *odb, const char *where, const git_oid *id, git_object_t type,
                            size_t max, git_odb_object **out)
{
	size_t size = 0;
	git_object_t found = GIT_OBJECT_INVALID;
	int rc = read_header(odb, where, id, &size, &found);

	if (rc == 0 && (found != type || size > max))
		return odd(ec, where, id);
	if (rc == 0)
		rc = git_odb_read(out, odb, id);
	return rc == 0 ? ERR_OK : giterr_set(ec, rc, where);
}

static struct bytes object_bytes(git_odb_object *object)
{
	return (struct bytes){ git_odb_object_data(object), git_odb_object_size(object) };
}

enum err commit_head(struct errctx *ec, git_odb *odb, const char *where, const git_oid *id, struct commit *out)
{
	git_odb_object *object = NULL;
	enum err e = read_object(ec, odb, where, id, GIT_OBJECT_COMMIT, 256, &object);

	watchdog_kick();
	out->id = *id;
	out->files = 0;
	if (e == ERR_OK && !commit_parse(object_bytes(object), out))
		e = odd(ec, where, id);
	git_odb_object_free(object);
	return e;
}

enum err commit_read(struct errctx *ec, git_odb *odb, const char *where, const git_oid *id, struct commit *out)
{
	git_odb_object *object = NULL;
	enum err e = commit_head(ec, odb, where, id, out);

	if (e == ERR_OK)
		e = read_object(ec, odb, where, &out->tree, GIT_OBJECT_TREE, TREE_MAX, &object);
	if (e == ERR_OK && !tree_parse(object_bytes(object), out))
		e = odd(ec, where, &out->tree);
	for (size_t i = 0; e == ERR_OK && i < out->files; i++) {
		struct commit_file *file = &out->file[i];
		git_object_t type = GIT_OBJECT_INVALID;
		int rc = read_header(odb, where, &file->blob, &file->size, &type);

		if (rc != 0)
			e = giterr_set(ec, rc, where);
		else if (type != GIT_OBJECT_BLOB || file->size > COMMIT_BLOB_MAX)
			e = odd(ec, where, &file->blob);
	}
	git_odb_object_free(object);
	return e;
}

enum err commit_verify(struct errctx *ec, git_odb *odb, const char *where, const git_oid *id, struct commit *out)
{
	enum err e = commit_read(ec, odb, where, id, out);

	for (size_t i = 0; e == ERR_OK && i < out->files; i++) {
		git_odb_object *object = NULL;

		e = read_object(ec, odb, where, &out->file[i].blob, GIT_OBJECT_BLOB, COMMIT_BLOB_MAX, &object);
		git_odb_object_free(object);
		watchdog_kick();
	}
	return e;
}

enum err commit_make(struct errctx *ec, git_odb *odb, const char *where, const git_oid *parent, const char *name,
                     struct bytes content, git_oid *out)
{
	git_oid blob, tree;
	struct buf raw = { 0 };
	char hex[GIT_OID_HEXSZ + 1];
	enum err e = ERR_OK;
	int rc = git_odb_write(&blob, odb, content.data != NULL ? (const void *)content.data : "", content.len,
	                       GIT_OBJECT_BLOB);

	if (rc != 0)
		return giterr_set(ec, rc, where);
	if (buf_put_str(&raw, MODE) != ERR_OK || buf_put(&raw, name, strlen(name) + 1) != ERR_OK ||
	    buf_put(&raw, blob.id, GIT_OID_RAWSZ) != ERR_OK) {
		e = no_memory(ec);
		goto done;
	}
	rc = git_odb_write(&tree, odb, raw.data, raw.len, GIT_OBJECT_TREE);
	if (rc != 0) {
		e = giterr_set(ec, rc, where);
		goto done;
	}
	buf_reset(&raw);
	if (buf_put_str(&raw, TREE_LINE) != ERR_OK ||
	    buf_put_str(&raw, git_oid_tostr(hex, sizeof(hex), &tree)) != ERR_OK || buf_put_byte(&raw, '\n') != ERR_OK) {
		e = no_memory(ec);
		goto done;
	}
	if (parent != NULL && (buf_put_str(&raw, PARENT_LINE) != ERR_OK ||
	                       buf_put_str(&raw, git_oid_tostr(hex, sizeof(hex), parent)) != ERR_OK ||
	                       buf_put_byte(&raw, '\n') != ERR_OK)) {
		e = no_memory(ec);
		goto done;
	}
	if (buf_put_str(&raw, COMMIT_TAIL) != ERR_OK) {
		e = no_memory(ec);
		goto done;
	}
	rc = git_odb_write(out, odb, raw.data, raw.len, GIT_OBJECT_COMMIT);
	if (rc != 0)
		e = giterr_set(ec, rc, where);
	watchdog_kick();
done:
	buf_free(&raw);
	return e;
}

enum err chain_list(struct errctx *ec, git_odb *odb, const char *where, const git_oid *tip, const git_oid *stop,
                    struct oids *out)
{
	struct commit c = { .parent = *tip };
	enum err e = ERR_OK;

	for (size_t n = 0; e == ERR_OK && !c.first && (stop == NULL || !git_oid_equal(&c.parent, stop)); n++) {
		git_oid at = c.parent;

		if (n == CHAIN_MAX)
			return odd(ec, where, tip);
		e = commit_head(ec, odb, where, &at, &c);
		if (e == ERR_OK && oids_put(out, &at) != ERR_OK)
			e = no_memory(ec);
	}
	return e;
}

/* One step of a walk down: marks the commit it stands on and goes to its parent. */
struct walk {
	struct oidset seen;
	git_oid at;
	bool ended;
};

static enum err walk_step(struct errctx *ec, git_odb *odb, const char *where, struct walk *w)
{
	struct commit c;
	bool fresh = false;
	enum err e = commit_head(ec, odb, where, &w->at, &c);

	if (e != ERR_OK)
		return e;
	if (w->seen.list.count == CHAIN_MAX)
		return odd(ec, where, &w->at);
	e = oidset_add(&w->seen, &w->at, &fresh);
	if (e != ERR_OK)
		return no_memory(ec);
	w->ended = c.first;
	w->at = c.parent;
	return ERR_OK;
}

enum err chain_relate(struct errctx *ec, git_odb *odb, const char *where, const git_oid *a, const git_oid *b,
                      enum relation *rel, git_oid *base, bool *apart)
{
	struct walk down[2] = { { .at = *a }, { .at = *b } };
	bool met = git_oid_equal(a, b);
	enum err e = ERR_OK;

	*base = *a;
	for (unsigned turn = 0; e == ERR_OK && !met && !(down[0].ended && down[1].ended); turn ^= 1) {
		struct walk *me = &down[turn], *other = &down[turn ^ 1];

		if (me->ended)
			continue;
		e = walk_step(ec, odb, where, me);
		if (e != ERR_OK || me->ended)
			continue;
		met = git_oid_equal(&me->at, &other->at) && !other->ended;
		met = met || oidset_has(&other->seen, &me->at);
		*base = me->at;
	}
	*apart = !met;
	*rel = REL_FORKED;
	if (met && git_oid_equal(a, b))
		*rel = REL_SAME;
	else if (met && git_oid_equal(base, b))
		*rel = REL_ABOVE;
	else if (met && git_oid_equal(base, a))
		*rel = REL_BELOW;
	oidset_free(&down[0].seen);
	oidset_free(&down[1].seen);
	return e;
}
