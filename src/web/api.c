// SPDX-License-Identifier: EUPL-1.2
// Which handler answers which question, and what is embedded in the program.
#include <string.h>

#include "gen/web_assets.h"
#include "web/inside.h"

const struct web_handler *web_handler_find(const char *name)
{
	static const struct web_handler *const all[] = { web_api_desk, web_api_records, web_api_sync, web_api_circle };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		for (const struct web_handler *h = all[i]; h->name != NULL; h++) {
			if (strcmp(h->name, name) == 0)
				return h;
		}
	}
	return NULL;
}

const struct web_asset *web_asset_find(const char *name)
{
	for (size_t i = 0; i < web_assets_len; i++) {
		if (strcmp(web_assets[i].name, name) == 0)
			return &web_assets[i];
	}
	return NULL;
}
