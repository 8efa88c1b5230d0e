/* SPDX-License-Identifier: EUPL-1.2 */
/* Parts of a courier's job that every run of it needs. Private to app/. */
#ifndef SLB_APP_COURIER_JOB_H
#define SLB_APP_COURIER_JOB_H

#include <stdint.h>

#include "app/session.h"
#include "courier/job.h"

/* HOME/spool/NAME, emptied of what an earlier run left; free() the path. */
enum err courier_spool(struct errctx *ec, struct app *app, const char *name, char **out) MUST_CHECK;

/* HOME/courier/NAME, where a courier keeps a repository: the one folder of the home that is all its own. One that an
 * earlier version kept beside the vault is moved there. free() the path. */
#define COURIER_FOLDER "courier"
enum err courier_cache(struct errctx *ec, struct app *app, const char *name, char **out) MUST_CHECK;
/* The cache of a neighbourhood. */
enum err courier_cache_of(struct errctx *ec, struct app *app, int64_t neighbourhood, char **out) MUST_CHECK;

/* The remote with what is known of how to come in there: by the vault, or where none is open by `app->access`. The only
 * place where a login leaves this process: into the job, which goes to the courier in memory. */
enum err courier_remote(struct errctx *ec, struct app *app, const char *url, struct job *job) MUST_CHECK;

/* refs/heads/TAG/ of every space in `store` that syncs with the neighbourhood, and the letters about joining. */
struct store;
enum err courier_wants(struct errctx *ec, struct store *store, int64_t neighbourhood, struct job *job) MUST_CHECK;

#endif
