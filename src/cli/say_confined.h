/* SPDX-License-Identifier: EUPL-1.2 */
/* What the processes of the program have given up, for status. */
#ifndef SLB_CLI_SAY_CONFINED_H
#define SLB_CLI_SAY_CONFINED_H

#include "cli/command.h"
#include "render/doc.h"

/* An array "confinement" in an object, one entry a process; and in words. That the courier cannot be asked is no
 * failure of the command. */
void confined_doc(struct command_call *call, struct doc *d);
void confined_say(struct command_call *call);

#endif
