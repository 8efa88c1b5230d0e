// SPDX-License-Identifier: EUPL-1.2
// Is everything whole (V2, V5)?
#include "app/verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/verify_parts.h"
#include "batch/batch.h"
#include "store/store.h"
#include "sync/refold.h"
#include "vault/vault.h"

enum err verify_records(struct errctx *ec, struct app *app, bool mend, struct verify_view *out)
{
	struct sync y = { .store = app->store, .zip = app->zip, .rng = app->rng, .clock = app->clock };
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, app->store, &list, &n);

	out->records = 0;
	out->bad_records = 0;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct refold *f = NULL;
		struct refolded r = { 0 };

		e = refold_open(ec, &y, &list[i], &f);
		if (e == ERR_OK)
			e = refold_space(ec, f, mend, &r);
		refold_close(f);
		out->records += r.records;
		out->bad_records += r.differing;
		out->bad_edits += r.damaged;
	}
	free(list);
	return e;
}

enum err app_verify(struct errctx *ec, struct app *app, struct verify_view *out)
{
	struct vault_report report = { 0 };
	enum err e = vault_verify(app->vault, ec, &report);
	enum err log = ERR_OK;
	char places[24];

	*out = (struct verify_view){ .pages = report.pages,
		                     .bad_pages = report.bad_pages + report.bad_frames,
		                     .frames = report.frames };
	out->vault_whole = e == ERR_OK;
	out->sum_known = report.sum_known;
	out->replaced = report.sum_known && !report.sum_matches && out->bad_pages == 0;
	snprintf(out->first, sizeof(out->first), "%s", report.first);
	if (e != ERR_OK && e != ERR_DAMAGED)
		return e;
	log = store_verify(ec, app->store, &out->edits, &out->bad_edits);
	if (log == ERR_OK)
		log = verify_records(ec, app, false, out);
	out->log_whole = log == ERR_OK && out->bad_edits == 0 && out->bad_records == 0;
	snprintf(places, sizeof(places), "%" PRIu64, out->bad_edits + out->bad_records);
	if (e == ERR_OK && !out->log_whole)
		e = log != ERR_OK ? log
		                  : err_set(ec, ERR_DAMAGED,
		                            "The log in this vault is damaged in %1 places. Make it whole again with: "
		                            "verify --repair",
		                            places, NULL, NULL);
	return e;
}
