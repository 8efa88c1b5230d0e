// SPDX-License-Identifier: EUPL-1.2
// K1: nothing that was sealed by somebody who knew of a removal that counts can be read with what the removed has.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/must.h"
#include "sim/world_inside.h"
#include "sync/box_keys.h"
#include "sync/keys.h"

struct box_at {
	struct bytes file;
	struct space_id space;
};

static enum err box_opens(void *arg, const uint8_t public[static BOX_PUBLIC_LEN],
                          const uint8_t box_secret[static BOX_SECRET_LEN])
{
	const struct box_at *b = arg;
	struct epoch_secret secret;

	return boxes_unseal(b->file, b->space, public, box_secret, &secret);
}

/* Neither the epoch's key nor a box with it came to a device that was removed. */
static void secret_kept(struct player *by, const char *wrote, struct player *gone, const struct space_row *there,
                        struct epoch_id epoch)
{
	struct sync y = { gone->app->store, gone->app->zip, gone->app->rng, gone->app->clock };
	struct epoch_secret secret;
	struct bytes file = { 0 };
	const char *name = NULL;

	by->w->secrets++;
	if (epoch_key_load(NULL, &y, there->n, epoch, &secret) == ERR_OK)
		must_fail("device %u wrote %s under an epoch whose key device %u has, which was removed (K1)",
		          by->number, wrote, gone->number);
	for (size_t i = 0; (name = host_file(by->w->hosts, i, &file)) != NULL; i++) {
		struct box_at box = { file, there->id };

		if (file.len > 64 && file.data[5] == FILE_BOXES && memcmp(file.data + 18, epoch.b, EPOCH_ID_LEN) == 0 &&
		    box_pairs_try(NULL, &y, there, box_opens, &box) == ERR_OK)
			must_fail("%s holds a box for device %u, which was removed (K1)", name, gone->number);
	}
}

static void secret_check(struct world *w, const struct sealed_file *f)
{
	const struct set *past = model_batch_past(w->model, f->space, f->batch);
	struct model_devices known;
	struct set end;
	struct bytes file = { 0 };
	struct epoch_id epoch;

	/* a copy's batch of that name may have been pushed in its place */
	if (model_batch_twins(w->model, f->space, f->batch) || !model_removes(w->model, f->space, past) ||
	    !host_pushed(w->hosts, f->name, &file))
		return;
	memcpy(epoch.b, file.data + 18, EPOCH_ID_LEN);
	model_members(w->model, f->space, past, &known);
	world_together(w, f->space, &end);
	for (size_t i = 0; i < w->players; i++) {
		struct player *p = &w->player[i];
		struct space_row space;

		if (i == f->player || p->app == NULL || disk_dead(p->disk) || !world_space_of(p, f->space, &space))
			continue;
		for (size_t k = 0; k < known.n; k++) {
			/* whose removal was answered gets the keys that it lacks: nobody may say that it was out */
			if (!known.d[k].in && memcmp(known.d[k].id, space.me.b, 8) == 0 &&
			    !model_is_in(w->model, f->space, &end, space.me.b))
				secret_kept(&w->player[f->player], f->name, p, &space, epoch);
		}
	}
	free(known.d);
}

void world_secrets(struct world *w)
{
	for (size_t i = 0; i < w->files; i++)
		secret_check(w, &w->file[i]);
}
