/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SLB_COURIER_CONFINED_H
#define SLB_COURIER_CONFINED_H

#include "base/err.h"
#include "confine/confine.h"
#include "courier/job.h"

/*
 * Confines the courier to what this job is about, after bare_start(): the folder that its cache lies in, where files
 * are left for the key process, the files that it is to send, and the remote. A remote on a disk needs no socket; for
 * a host there are those of IP, and the files by which names are looked up. Servers of this machine are within reach
 * only for the ssh agent, and for names that end in ".local", which a name service on this machine must look up.
 */
enum err courier_confine(struct errctx *ec, const struct job *job, struct confinement *active) MUST_CHECK;

#endif
