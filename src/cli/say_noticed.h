/* SPDX-License-Identifier: EUPL-1.2 */
/* What a repository was noticed to do, for sync and status. */
#ifndef SLB_CLI_SAY_NOTICED_H
#define SLB_CLI_SAY_NOTICED_H

#include "cli/command.h"
#include "render/doc.h"

/* What is not put right yet, and what was noticed or put right since `from_ms`: an array "noticed" in an object, and in
 * words. noticed_say() returns how many there were. That this cannot be read is no failure of the command. */
void noticed_doc(struct command_call *call, struct doc *d, int64_t from_ms);
size_t noticed_say(struct command_call *call, int64_t from_ms);

#endif
