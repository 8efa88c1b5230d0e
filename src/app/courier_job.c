// SPDX-License-Identifier: EUPL-1.2
// Where a courier finds and leaves its files, and which branches it is asked for.
#include "app/courier_job.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/again.h"
#include "base/file.h"
#include "store/store.h"

enum err courier_spool(struct errctx *ec, struct app *app, const char *name, char **out)
{
	char *spool = file_join(app->home, "spool");
	enum err e = spool == NULL ? ERR_NO_MEMORY : file_make_dir(ec, spool);

	*out = NULL;
	if (e == ERR_OK) {
		*out = file_join(spool, name);
		e = *out == NULL ? ERR_NO_MEMORY : file_make_dir(ec, *out);
	}
	if (e == ERR_OK)
		e = file_clear_dir(ec, *out);
	free(spool);
	return e;
}

enum err courier_wants(struct errctx *ec, struct store *store, int64_t neighbourhood, struct job *job)
{
	struct space_row *list = NULL;
	size_t n = 0;
	enum err e = store_space_list(ec, store, &list, &n);

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		char prefix[32];
		char tag[TAG_TEXT_LEN];
		bool away = false;

		if (list[i].neighbourhood != neighbourhood || list[i].state != SPACE_MEMBER)
			continue;
		e = again_away(ec, store, list[i].n, &away);
		if (e != ERR_OK || away)
			continue;
		tag_text(list[i].tag, tag);
		snprintf(prefix, sizeof(prefix), "refs/heads/%s/", tag);
		e = job_add(ec, job, JOB_WANT, prefix, NULL, NULL);
	}
	free(list);
	return e != ERR_OK ? e : job_add(ec, job, JOB_WANT, "refs/heads/join/", NULL, NULL);
}
