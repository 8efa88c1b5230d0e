/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * `sleutelbos open`: the web interface as processes.
 *
 *   sleutelbos open        asks the server that runs for a start file, or starts one first; opens the browser; ends
 *     keeper               holds the listening socket and HOME/owner/web, no keys; begins a worker anew when one ends
 *       worker, locked     serves the page on which the passphrase is typed
 *       worker, open       the same process after that: the one owner of the vault (cli/owner.h), until it locks
 *
 * So after a lock the process that held the keys has ended (V6), and the page finds the next one at the same address.
 * HOME/owner/web (0600, locked with flock by the keeper for life) holds "port door-token"; where nobody locks it, what
 * stands in it is old and means nothing.
 */
#ifndef SLB_OPEN_OPEN_H
#define SLB_OPEN_OPEN_H

#include "cli/program.h"

/* For struct program_doors. */
enum err open_run(struct errctx *ec, const struct program_open *call, struct program_opened *out) MUST_CHECK;

#endif
