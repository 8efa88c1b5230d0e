// SPDX-License-Identifier: EUPL-1.2
// Small steps that every use case takes.
#include "app/within.h"

#include "sync/floor.h"
#include "sync/own.h"
#include "sync/restored.h"

enum err within_no_memory(struct errctx *ec)
{
	return err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.", NULL, NULL,
	               NULL);
}

enum err within_pool(struct errctx *ec, const struct pool *p, enum err e)
{
	return (e == ERR_OK && p->failed) || e == ERR_NO_MEMORY ? within_no_memory(ec) : e;
}

enum err within_not_restored(struct errctx *ec, struct app *app)
{
	struct sync y = { app->store, app->zip, app->rng, app->clock };

	return restored_refuse(ec, &y);
}

enum err within_arrived(struct errctx *ec, struct app *app, int64_t space)
{
	struct sync y = { app->store, app->zip, app->rng, app->clock };

	enum err e = floor_refuse(ec, &y, space);

	return e == ERR_OK ? store_may_write(ec, app->store, space) : e;
}

enum err app_own_name(struct errctx *ec, struct app *app, char *out)
{
	struct sync y = { app->store, app->zip, app->rng, app->clock };
	struct space_row own;
	enum err e = own_space(ec, &y, &own);

	out[0] = '\0';
	if (e == ERR_OK)
		app_author(app, (struct dot){ own.me, 1 }, out);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err within_load(struct errctx *ec, struct app *app, const char *id, uint32_t kind, struct loaded *out)
{
	struct dot d = { 0 };
	enum err e = store_find(ec, app->store, id, kind, &d);

	*out = (struct loaded){ 0 };
	if (e == ERR_OK)
		e = store_load(ec, app->store, d, out);
	if (e == ERR_OK && record_is_erased(&out->record)) {
		store_loaded_free(out);
		*out = (struct loaded){ 0 };
		e = err_set(ec, ERR_NOT_FOUND, "%1 has been erased.", id, NULL, NULL);
	}
	return e;
}

bool within_peek(struct app *app, struct dot id, uint32_t kind, struct loaded *out)
{
	struct errctx why = { 0 };
	enum err e = ERR_OK;

	*out = (struct loaded){ 0 };
	if (dot_is_none(id))
		return false;
	e = store_load(&why, app->store, id, out);
	app_unread_note(app, &why, e);
	if (e != ERR_OK)
		return false;
	if (out->record.kind == kind && !record_is_erased(&out->record))
		return true;
	store_loaded_free(out);
	*out = (struct loaded){ 0 };
	return false;
}

bool within_gone(struct app *app, struct dot id)
{
	struct loaded l = { 0 };
	bool gone = false;

	if (dot_is_none(id) || store_load(NULL, app->store, id, &l) != ERR_OK)
		return false;
	gone = record_is_erased(&l.record);
	store_loaded_free(&l);
	return gone;
}

enum err within_end(struct errctx *ec, struct app *app, enum err e)
{
	/* What was decided without reading all of it is not written. */
	if (e == ERR_OK)
		e = app_unread(ec, app);
	if (e == ERR_OK)
		return store_commit(ec, app->store);
	store_rollback(app->store);
	return e;
}

const char *within_space_name(struct pool *p, struct app *app, int64_t space)
{
	struct space_row row = { 0 };
	struct errctx why = { 0 };
	enum err e = store_space_get(&why, app->store, space, &row);

	app_unread_note(app, &why, e);
	if (e != ERR_OK || row.kind == SPACE_OWN)
		return NULL;
	return pool_str(p, row.name);
}

enum err within_circle_filter(struct errctx *ec, struct app *app, const char *circle, int64_t *space)
{
	*space = 0;
	return circle == NULL ? ERR_OK : app_circle(ec, app, circle, space);
}

enum err within_role(struct errctx *ec, struct app *app, const struct space_row *space, const char *role, bool *out)
{
	struct device_row me;
	struct loaded l;
	struct bytes text = { 0 };
	enum err e = store_device_by_id(ec, app->store, space->me, &me);

	*out = false;
	if (e == ERR_OK)
		e = store_load(ec, app->store, me.member, &l);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; record_element_text(&l.record, F_member_role, i, &text); i++)
		*out = *out || (text.len == strlen(role) && memcmp(text.data, role, text.len) == 0);
	store_loaded_free(&l);
	return ERR_OK;
}
