// SPDX-License-Identifier: EUPL-1.2
// Bundles: written in one go, taken in part by part with the checks that files from a host pass (S3, S4). Nothing is
// marked as sent (S2); what is not at the repository goes there by the next sync of whoever took it in (S5).
#include "app/bundle.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app/again.h"
#include "app/noticed.h"
#include "app/standing.h"
#include "app/sync_of.h"
#include "app/watch.h"
#include "app/within.h"
#include "base/file.h"
#include "base/tr.h"
#include "batch/bundle.h"
#include "sync/bundled.h"
#include "sync/inbox.h"

/* ---- Making one ---- */

struct making {
	struct errctx *ec;
	FILE *out;
	struct bundle_made *made;
};

static enum err make_part(void *arg, const char *ref, const char *name, struct bytes file)
{
	struct making *m = arg;
	struct bundle_part part = { { (const uint8_t *)ref, strlen(ref) },
		                    { (const uint8_t *)name, strlen(name) },
		                    file };
	struct buf b = { 0 };
	enum err e = bundle_part_put((uint32_t)m->made->parts, &part, &b);

	if (e == ERR_OK && fwrite(b.data, 1, b.len, m->out) != b.len)
		e = err_set(m->ec, ERR_IO, "The bundle could not be written. Is there room for it?", NULL, NULL, NULL);
	m->made->parts++;
	m->made->bytes += b.len;
	buf_free(&b);
	return e;
}

/* n 0: all that is shared. */
static enum err space_meant(struct errctx *ec, struct app *app, const char *name, int64_t *n)
{
	struct space_row *list = NULL;
	size_t count = 0;
	bool shared = false;
	bool found = name == NULL;
	enum err e = store_space_list(ec, app->store, &list, &count);

	*n = 0;
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		if (list[i].neighbourhood == 0 || list[i].state == SPACE_GONE)
			continue;
		shared = true;
		if (name != NULL && !found && strcasecmp(list[i].name, name) == 0) {
			found = true;
			*n = list[i].n;
		}
	}
	free(list);
	if (e == ERR_OK && !shared)
		return err_set(ec, ERR_LATER,
		               "There is nothing to share yet. Use an invitation: sleutelbos join INVITATION", NULL,
		               NULL, NULL);
	if (e == ERR_OK && !found)
		return err_set(ec, ERR_NOT_FOUND, "There is no shared space called %1.", name, NULL, NULL);
	return e;
}

static enum err unsent_count(struct errctx *ec, struct app *app, int64_t space, uint64_t *out)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, app->store, &list, &n);

	*out = 0;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		uint64_t files = 0;
		uint64_t edits = 0;

		if (space != 0 && list[i].n != space)
			continue;
		e = store_outgoing_count(ec, app->store, list[i].n, &files, &edits);
		*out += edits;
	}
	free(list);
	return e;
}

enum err app_bundle_export(struct errctx *ec, struct app *app, const char *space, FILE *out, struct bundle_made *made)
{
	struct sync y = sync_of(app);
	struct making m = { ec, out, made };
	uint8_t head[BUNDLE_HEAD_LEN] = { 0 };
	int64_t n = 0;
	enum err e = again_may_sync(ec, app);

	*made = (struct bundle_made){ .bytes = sizeof(head) };
	if (e == ERR_OK)
		e = space_meant(ec, app, space, &n);
	if (e == ERR_OK)
		e = app_watch_before_sync(ec, app);
	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e == ERR_OK)
		e = within_end(ec, app, bundle_begin(ec, &y, n));
	if (e == ERR_OK && fwrite(head, 1, sizeof(head), out) != sizeof(head))
		e = ERR_IO;
	if (e == ERR_OK)
		e = bundle_each(ec, &y, n, make_part, &m);
	if (e == ERR_OK && made->parts > BUNDLE_PARTS_MAX)
		e = err_set(ec, ERR_REFUSED, "That is too much for one bundle. Make one for each space.", NULL, NULL,
		            NULL);
	bundle_head_put((uint32_t)made->parts, head);
	if (e == ERR_OK && (fseek(out, 0, SEEK_SET) != 0 || fwrite(head, 1, sizeof(head), out) != sizeof(head) ||
	                    fseek(out, 0, SEEK_END) != 0))
		e = ERR_IO;
	if (e == ERR_IO && (ec == NULL || ec->code == ERR_OK))
		e = err_set(ec, ERR_IO, "The bundle could not be written. Is there room for it?", NULL, NULL, NULL);
	return e == ERR_OK ? unsent_count(ec, app, n, &made->unsent) : e;
}

/* ---- Taking one in ---- */

/* One part: read, checked against its hash, given to the inbox. *more false: there is no whole part any more. */
static enum err take_part(struct errctx *ec, struct sync *y, int fd, const char *name, struct bundle_taken *t,
                          struct received *r, bool *more)
{
	struct buf b = { 0 };
	struct bundle_part part;
	char ref[BUNDLE_REF_MAX + 1];
	char file[BUNDLE_NAME_MAX + 1];
	size_t len = 0;
	enum err e = file_read_some(ec, fd, name, BUNDLE_PART_HEAD_LEN, &b);

	*more = false;
	if (e != ERR_OK || b.len < BUNDLE_PART_HEAD_LEN || bundle_part_len(b.data, &len) != ERR_OK)
		goto done;
	e = file_read_some(ec, fd, name, len, &b);
	if (e != ERR_OK || b.len != BUNDLE_PART_HEAD_LEN + len)
		goto done;
	*more = true;
	if (bundle_part_get((uint32_t)t->parts, buf_bytes(&b), &part) != ERR_OK) {
		t->damaged++;
	} else {
		memcpy(ref, part.ref.data, part.ref.len);
		ref[part.ref.len] = '\0';
		memcpy(file, part.name.data, part.name.len);
		file[part.name.len] = '\0';
		e = inbox_file(ec, y, ref, file, part.file, r);
	}
	t->parts++;
done:
	buf_free(&b);
	return e;
}

static enum err world_note(struct errctx *ec, struct app *app, const struct received *r)
{
	struct noticed n = { .what = NOTICED_WORLDS };
	struct space_row space;
	enum err e = store_space_get(ec, app->store, r->world.space, &space);

	if (e == ERR_OK)
		e = store_begin(ec, app->store);
	if (e != ERR_OK)
		return e;
	n.neighbourhood = space.neighbourhood;
	noticed_device(r->world.dev, n.ref);
	noticed_batch(app, r->world.dev, r->world.theirs, n.had);
	noticed_batch(app, r->world.dev, r->world.here, n.shown);
	return within_end(ec, app, noticed_put(ec, app, &n));
}

static enum err import_head(struct errctx *ec, int fd, const char *name, uint32_t *parts)
{
	struct buf head = { 0 };
	enum err e = file_read_some(ec, fd, name, BUNDLE_HEAD_LEN, &head);

	if (e == ERR_OK)
		e = bundle_head_get(buf_bytes(&head), parts);
	buf_free(&head);
	if (e == ERR_DAMAGED)
		return err_set(ec, e, "%1 is not a bundle, or its beginning is damaged. Ask for it again.", name, NULL,
		               NULL);
	if (e == ERR_INPUT)
		return err_set(ec, e, "%1 was made by a newer version of the program. Install that first.", name, NULL,
		               NULL);
	return e;
}

static void counts(const struct received *r, struct sync_view *v)
{
	v->received = r->batches;
	v->fresh = r->records;
	v->changed = r->changed;
	v->set_aside = r->set_aside;
	v->joined = r->joined;
	v->carried = r->carried;
	v->admitted = r->admitted;
	if (r->copies > 0)
		strcpy(
		    v->notice,
		    TR("There is another copy of this home, and it wrote too. From now on this is a device of its own, "
		       "beside that one. Nothing is lost."));
}

enum err app_bundle_import(struct errctx *ec, struct app *app, int fd, const char *name, struct bundle_taken *out)
{
	struct sync y = sync_of(app);
	struct received r = { .bundle = true };
	struct side_by_side before = { 0 };
	struct side_by_side after = { 0 };
	uint32_t parts = 0;
	bool more = true;
	bool again = false;
	enum err e = again_may_sync(ec, app);

	*out = (struct bundle_taken){ .v = { .began_ms = app_now_ms(app) } };
	if (e == ERR_OK)
		e = import_head(ec, fd, name, &parts);
	if (e == ERR_OK)
		e = app_watch_before_sync(ec, app);
	if (e == ERR_OK)
		e = standing_load(ec, app, &before);
	while (e == ERR_OK && more && out->parts < parts)
		e = take_part(ec, &y, fd, name, out, &r, &more);
	out->cut = e == ERR_OK && out->parts < parts;
	if (e == ERR_OK)
		e = inbox_retry(ec, &y, &r);
	if (e == ERR_OK)
		e = again_after_round(ec, app, &again);
	if (e == ERR_OK && r.worlds > 0)
		e = world_note(ec, app, &r);
	counts(&r, &out->v);
	out->worlds = r.worlds > 0;
	if (e == ERR_OK)
		e = standing_load(ec, app, &after);
	if (e == ERR_OK)
		out->v.two_versions = standing_new(&before, &after);
	if (e == ERR_OK)
		e = app_asking(ec, app, &out->v.asking);
	out->foreign = parts > 0 && !out->cut && out->damaged == 0 && r.useful == 0;
	standing_free(&before);
	standing_free(&after);
	return e;
}
