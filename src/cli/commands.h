/* SPDX-License-Identifier: EUPL-1.2 */
/* Every command there is: how it is written and what it needs before it can run. What a command does stands elsewhere.
 */
#ifndef SLB_CLI_COMMANDS_H
#define SLB_CLI_COMMANDS_H

#include "cli/args.h"

enum command {
	CMD_HELP,
	CMD_VERSION,
	CMD_INIT,
	CMD_NEIGHBOURHOOD_FOUND,
	CMD_CIRCLE_FOUND,
	CMD_CIRCLE_LIST,
	CMD_INVITE,
	CMD_INVITE_LIST,
	CMD_INVITE_WITHDRAW,
	CMD_JOIN,
	CMD_MEMBER_LIST,
	CMD_MEMBER_APPROVE,
	CMD_MEMBER_DECLINE,
	CMD_MEMBER_MET,
	CMD_MEMBER_REMOVE,
	CMD_RESIDENT_ADD,
	CMD_RESIDENT_EDIT,
	CMD_RESIDENT_SHOW,
	CMD_RESIDENT_LIST,
	CMD_CONTACT_ADD,
	CMD_CONTACT_EDIT,
	CMD_CONTACT_SHOW,
	CMD_CONTACT_LIST,
	CMD_REFERRAL_ADD,
	CMD_REFERRAL_EDIT,
	CMD_REFERRAL_STATUS,
	CMD_REFERRAL_LIST,
	CMD_REFERRAL_SHOW,
	CMD_RUN,
	CMD_UNLOCK,
	CMD_LOCK,
	CMD_OPEN,
	CMD_SERVICE_IMPORT,
	CMD_SERVICE_SEARCH,
	CMD_SERVICE_ADD,
	CMD_SERVICE_EDIT,
	CMD_SERVICE_SHOW,
	CMD_SERVICE_LIST,
	CMD_SERVICE_CHECK,
	CMD_SEARCH,
	CMD_TODAY,
	CMD_VERSIONS_LIST,
	CMD_VERSIONS_PICK,
	CMD_SYNC,
	CMD_STATUS,
	CMD_BUNDLE_EXPORT,
	CMD_BUNDLE_IMPORT,
	CMD_VERIFY,
	CMD_DUMP,
	CMD_TALLY_PLAN,
	CMD_TALLY_PREVIEW,
	CMD_TALLY_CONTRIBUTE,
	CMD_TALLY_SKIP,
	CMD_TALLY_COUNT,
	CMD_TALLY_COMBINE,
	CMD_TALLY_STATUS,
	CMD_SUMMARY,
	CMD_PROTECT,
	CMD_DEMO,
	CMD_REMOTE_SHOW,
	CMD_REMOTE_SET,
	CMD_REMOTE_LOGIN,
	CMD_REMOTE_TRUST,
	CMD_PASSPHRASE_CHANGE,
	CMD_RECOVERY_SHEET,
	CMD_RECOVER,
	CMD_REKEY,
	CMD_EXPORT,
	CMD_IMPORT,
	CMD_BACKUP,
	CMD_RESTORE,
	CMD_REJOIN,
	CMD_WIPE,
	CMD_HISTORY,
	CMD_UNDO,
	CMD_ERASE,
	CMD_ERASE_LIST,
	CMD_ERASE_CONTEST,
	CMD_ERASE_CONFIRM,
	CMD_COMPACT,
	CMD_COUNT
};

enum command_flags {
	NEEDS_HOME = 1,       /* a home must exist (exit 4) */
	NEEDS_VAULT = 2,      /* runs with the vault open: in the owner where there is one, else after the passphrase */
	ASKS_AGAIN = 4,       /* asks for the passphrase although the vault is open */
	NEW_PASSPHRASE = 8,   /* the passphrase is chosen here: typed twice */
	PERSON_MAY_LOOK = 16, /* may end with exit status 1 */
	USES_PASSPHRASE = 32, /* the handler gets the passphrase itself: asked again where the vault was open */
};

/* Ends with a row whose word1 is NULL; otherwise row i has id i. */
extern const struct arg_command commands[CMD_COUNT + 1];

#endif
