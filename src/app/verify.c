// SPDX-License-Identifier: EUPL-1.2
// Is everything whole (V2, V5)?
#include "app/verify.h"

#include <inttypes.h>
#include <stdio.h>

#include "store/store.h"
#include "vault/vault.h"

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
	out->replaced = report.sum_known && !report.sum_matches && out->bad_pages == 0;
	snprintf(out->first, sizeof(out->first), "%s", report.first);
	if (e != ERR_OK && e != ERR_DAMAGED)
		return e;
	log = store_verify(ec, app->store, &out->edits, &out->bad_edits);
	out->log_whole = log == ERR_OK && out->bad_edits == 0;
	snprintf(places, sizeof(places), "%" PRIu64, out->bad_edits);
	if (e == ERR_OK && !out->log_whole)
		e = log != ERR_OK ? log
		                  : err_set(ec, ERR_DAMAGED, "The log in this vault is damaged in %1 places.", places,
		                            NULL, NULL);
	return e;
}
