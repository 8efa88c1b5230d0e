// SPDX-License-Identifier: EUPL-1.2
// The tables of the command line. A row that is not here does not exist: an unknown command or option is refused, never
// ignored.
#include "cli/commands.h"

#define HOME NEEDS_HOME
#define VAULT (NEEDS_HOME | NEEDS_VAULT)
#define END                                                                                                            \
	{                                                                                                              \
		.name = NULL                                                                                           \
	}

// What a person types about a conversation; the same for adding and editing.
#define CONTACT_FIELDS                                                                                                 \
	{ "circle", "CIRCLE", 0, 0 }, { "date", "DATE", 0, 0 }, { "channel", "CHANNEL", 0, 0 },                        \
	    { "who", "WHO", 0, 0 }, { "from-service", "ID", 0, 0 }, { "domain", "LIST", 0, 0 },                        \
	    { "did", "LIST", 0, 0 }, { "resident", "NICK", 0, 0 }, { "text", "TEXT", 0, 1 },                           \
	    { "text-file", "FILE", 0, 1 }, { "follow-up", "WHEN", 0, 0 },                                              \
	{                                                                                                              \
		"follows", "ID", 0, 0                                                                                  \
	}

// To whom, how and with which consent a resident is referred.
#define REFERRAL_TARGET                                                                                                \
	{ "service", "ID", 0, 1 }, { "service-name", "NAME", 0, 1 }, { "group", "GROUP", 0, 0 },                       \
	    { "domain", "DOMAIN", 0, 0 }, { "consent", "CONSENT", 0, 0 }, { "consent-what", "TEXT", 0, 0 },            \
	    { "consent-until", "DATE", 0, 0 }, { "date", "DATE", 0, 0 },                                               \
	{                                                                                                              \
		"text", "TEXT", 0, 0                                                                                   \
	}

#define RESIDENT_FIELDS                                                                                                \
	{ "reach", "HOW", 0, 0 }, { "number", "NUMBER", 0, 0 }, { "language", "LANGUAGE", 0, 0 },                      \
	{                                                                                                              \
		"note", "TEXT", 0, 0                                                                                   \
	}

#define SERVICE_FIELDS                                                                                                 \
	{ "organisation", "NAME", 0, 0 }, { "kind", "KIND", 0, 0 }, { "group", "GROUP", 0, 0 },                        \
	    { "domain", "LIST", 0, 0 }, { "description", "TEXT", 0, 0 }, { "eligibility", "TEXT", 0, 0 },              \
	    { "documents", "TEXT", 0, 0 }, { "application", "TEXT", 0, 0 }, { "phone", "NUMBER", 0, 0 },               \
	    { "email", "ADDRESS", 0, 0 }, { "website", "URL", 0, 0 }, { "address", "TEXT", 0, 0 },                     \
	    { "hours", "TEXT", 0, 0 }, { "language", "LIST", 0, 0 }, { "cost", "TEXT", 0, 0 },                         \
	    { "note", "TEXT", 0, 0 },                                                                                  \
	{                                                                                                              \
		"successor-of", "ID", 0, 0                                                                             \
	}

static const struct arg_option found_options[] = { { "remote", "URL", ARG_REQUIRED, 0 }, END };
static const struct arg_option init_options[] = { { "name", "NICK", ARG_REQUIRED, 0 },
	                                          { "recovery-sheet", "FILE", 0, 0 },
	                                          END };
static const struct arg_option recover_options[] = { { "words-file", "FILE", 0, 0 },
	                                             { "remote", "URL", 0, 0 },
	                                             { "user", "USER", 0, 0 },
	                                             { "password-file", "FILE", 0, 0 },
	                                             { "password-fd", "N", 0, 0 },
	                                             { "key-file", "FILE", 0, 0 },
	                                             { "agent", NULL, 0, 0 },
	                                             { "trust", "FINGERPRINT", 0, 0 },
	                                             { "ca", "FILE", 0, 0 },
	                                             { "name", "NICK", 0, 0 },
	                                             { "new-passphrase-file", "FILE", 0, 0 },
	                                             END };
static const struct arg_option invite_options[] = { { "space", "NAME", 0, 0 },
	                                            { "role", "ROLE", 0, 0 },
	                                            { "device", NULL, 0, 0 },
	                                            { "compare", NULL, 0, 0 },
	                                            { "out", "FILE", 0, 0 },
	                                            { "qr", NULL, 0, 0 },
	                                            END };
static const struct arg_option join_options[] = { { "from", "FILE", 0, 1 },
	                                          { "request", NULL, 0, 1 },
	                                          { "remote", "URL", 0, 0 },
	                                          { "bring-notes", NULL, 0, 0 },
	                                          END };
static const struct arg_option space_options[] = { { "space", "NAME", 0, 0 }, END };
static const struct arg_option change_options[] = { { "new-passphrase-file", "FILE", 0, 0 }, END };
static const struct arg_option wipe_options[] = { { "yes", NULL, 0, 0 }, { "unsent-too", NULL, 0, 0 }, END };
static const struct arg_option compact_options[] = { { "aside-seen", NULL, 0, 0 }, END };
static const struct arg_option erase_options[] = { { "yes", NULL, 0, 0 }, { "along", NULL, 0, 0 }, END };
static const struct arg_option retention_set_options[] = {
	{ "circle", "CIRCLE", 0, 0 }, { "remind", "TIME", 0, 0 }, { "erase", "TIME", 0, 0 }, END
};
static const struct arg_option retention_run_options[] = {
	{ "circle", "CIRCLE", 0, 0 }, { "yes", NULL, 0, 0 }, { "count", "N", 0, 0 }, END
};
static const struct arg_option remove_options[] = { { "device", "DEVICE", 0, 0 }, { "yes", NULL, 0, 0 }, END };
static const struct arg_option approve_options[] = { { "name", "NAME", 0, 0 }, END };
static const struct arg_option circle_options[] = { { "circle", "CIRCLE", 0, 0 }, END };
static const struct arg_option resident_add_options[] = { { "circle", "CIRCLE", 0, 0 }, RESIDENT_FIELDS, END };
static const struct arg_option resident_edit_options[] = { { "nick", "NICK", 0, 0 }, RESIDENT_FIELDS, END };
static const struct arg_option resident_page_options[] = { { "out", "FILE", 0, 0 },
	                                                   { "page-lang", "LANG", 0, 0 },
	                                                   END };
static const struct arg_option sync_options[] = { { "network", "NAMES", 0, 0 }, { "unmetered", NULL, 0, 0 }, END };
static const struct arg_option contact_options[] = { CONTACT_FIELDS, END };
static const struct arg_option contact_list_options[] = {
	{ "circle", "CIRCLE", 0, 0 }, { "since", "DATE", 0, 0 }, { "open", NULL, 0, 0 }, END
};
static const struct arg_option referral_add_options[] = {
	{ "contact", "ID", ARG_REQUIRED, 0 }, { "kind", "KIND", ARG_REQUIRED, 0 }, REFERRAL_TARGET, END
};
static const struct arg_option referral_edit_options[] = { { "kind", "KIND", 0, 0 }, REFERRAL_TARGET, END };
static const struct arg_option referral_status_options[] = {
	{ "reason", "REASON", 0, 0 }, { "event", "N", 0, 0 }, { "changed", "CHANGED", 0, 0 },
	{ "kind", "KIND", 0, 0 },     REFERRAL_TARGET,        END
};
static const struct arg_option referral_list_options[] = {
	{ "circle", "CIRCLE", 0, 0 }, { "open", NULL, 0, 0 }, { "silent", NULL, 0, 0 }, END
};
static const struct arg_option run_options[] = { { "keep-going", NULL, 0, 0 }, END };
static const struct arg_option unlock_options[] = { { "minutes", "N", ARG_REQUIRED, 0 }, END };
static const struct arg_option open_options[] = {
	{ "port", "N", 0, 0 }, { "minutes", "N", 0, 0 }, { "no-browser", NULL, 0, 0 }, END
};
static const struct arg_option import_options[] = { { "format", "FORMAT", 0, 0 }, END };
static const struct arg_option service_add_options[] = { { "name", "NAME", ARG_REQUIRED, 0 }, SERVICE_FIELDS, END };
static const struct arg_option service_edit_options[] = { { "name", "NAME", 0, 0 }, SERVICE_FIELDS, END };
static const struct arg_option service_check_options[] = { { "ok", NULL, 0, 1 }, { "wrong", "TEXT", 0, 1 }, END };
static const struct arg_option pick_options[] = { { "keep", "N|both|proposal", ARG_REQUIRED, 0 }, END };
static const struct arg_option dump_options[] = { { "canonical", NULL, ARG_REQUIRED, 0 },
	                                          { "space", "NAME", 0, 0 },
	                                          END };
static const struct arg_option plan_options[] = { { "period", "PERIOD", ARG_REQUIRED, 0 },
	                                          { "tellers", "LIST", 0, 0 },
	                                          { "threshold", "N", 0, 0 },
	                                          { "floor", "N", 0, 0 },
	                                          END };
static const struct arg_option period_options[] = { { "period", "PERIOD", 0, 0 }, END };
static const struct arg_option circle_period_options[] = { { "period", "PERIOD", 0, 0 },
	                                                   { "circle", "CIRCLE", 0, 0 },
	                                                   END };
static const struct arg_option summary_options[] = { { "period", "PERIOD", 0, 0 },
	                                             { "view", "VIEW", 0, 0 },
	                                             { "format", "FORMAT", 0, 0 },
	                                             { "out", "PATH", 0, 0 },
	                                             END };
static const struct arg_option protect_options[] = { { "threshold", "N", ARG_REQUIRED, 0 },
	                                             { "out", "DIR", ARG_REQUIRED, 0 },
	                                             { "hierarchy", "FILE", ARG_REPEAT, 0 },
	                                             { "audit-only", "FILE", 0, 0 },
	                                             END };
static const struct arg_option remote_options[] = { { "remote", "URL", 0, 0 }, END };
static const struct arg_option set_options[] = { { "only-here", NULL, 0, 0 }, END };
static const struct arg_option login_options[] = { { "remote", "URL", 0, 0 },    { "password-file", "FILE", 0, 0 },
	                                           { "password-fd", "N", 0, 0 }, { "key-file", "FILE", 0, 0 },
	                                           { "make-key", NULL, 0, 0 },   { "agent", NULL, 0, 0 },
	                                           { "none", NULL, 0, 0 },       { "mine", NULL, 0, 0 },
	                                           { "only-here", NULL, 0, 0 },  END };
static const struct arg_option trust_options[] = {
	{ "remote", "URL", 0, 0 }, { "ca", "FILE|system", 0, 0 }, { "anew", NULL, 0, 0 }, END
};
static const struct arg_option verify_options[] = { { "repair", NULL, 0, 0 }, END };
static const struct arg_option demo_options[] = { { "out", "DIR", 0, 0 }, END };

#define ROW(ID, W1, W2, ...) [CMD_##ID] = { .id = CMD_##ID, .word1 = W1, .word2 = W2, __VA_ARGS__ }
#define OPTIONS(T) .options = T
#define POS(NAMES, MIN, MAX) .positionals = NAMES, .min_pos = MIN, .max_pos = MAX
#define FLAGS(F) .flags = F

const struct arg_command commands[CMD_COUNT + 1] = {
	ROW(HELP, "help", NULL, POS("[COMMAND]", 0, 2)),
	ROW(VERSION, "--version", NULL, FLAGS(0)),
	ROW(INIT, "init", NULL, OPTIONS(init_options), FLAGS(NEW_PASSPHRASE)),
	ROW(NEIGHBOURHOOD_FOUND, "neighbourhood", "found", POS("NAME", 1, 1), OPTIONS(found_options), FLAGS(VAULT)),
	ROW(CIRCLE_FOUND, "circle", "found", POS("NAME", 1, 1), FLAGS(VAULT)),
	ROW(CIRCLE_LIST, "circle", "list", FLAGS(VAULT)),
	ROW(INVITE, "invite", NULL, OPTIONS(invite_options), FLAGS(VAULT | ASKS_AGAIN)),
	ROW(INVITE_LIST, "invite", "list", OPTIONS(space_options), FLAGS(VAULT)),
	ROW(INVITE_WITHDRAW, "invite", "withdraw", POS("ID", 1, 1), FLAGS(VAULT)),
	ROW(JOIN, "join", NULL, POS("INVITATION", 0, 1), .pos_group = 1, .one_of = 1, OPTIONS(join_options),
	    FLAGS(VAULT)),
	ROW(MEMBER_LIST, "member", "list", OPTIONS(space_options), FLAGS(VAULT)),
	ROW(MEMBER_APPROVE, "member", "approve", POS("ID", 1, 1), OPTIONS(approve_options), FLAGS(VAULT | ASKS_AGAIN)),
	ROW(MEMBER_DECLINE, "member", "decline", POS("ID", 1, 1), FLAGS(VAULT | ASKS_AGAIN)),
	ROW(MEMBER_MET, "member", "met", POS("ID", 1, 1), OPTIONS(space_options), FLAGS(VAULT | ASKS_AGAIN)),
	ROW(MEMBER_REMOVE, "member", "remove", POS("ID", 1, 1), OPTIONS(remove_options), FLAGS(VAULT | ASKS_AGAIN)),
	ROW(RESIDENT_ADD, "resident", "add", POS("NICK", 1, 1), OPTIONS(resident_add_options), FLAGS(VAULT)),
	ROW(RESIDENT_EDIT, "resident", "edit", POS("ID", 1, 1), OPTIONS(resident_edit_options), FLAGS(VAULT)),
	ROW(RESIDENT_SHOW, "resident", "show", POS("ID", 1, 1), FLAGS(VAULT)),
	ROW(RESIDENT_PAGE, "resident", "page", POS("ID", 1, 1), OPTIONS(resident_page_options), FLAGS(VAULT)),
	ROW(RESIDENT_LIST, "resident", "list", OPTIONS(circle_options), FLAGS(VAULT)),
	ROW(CONTACT_ADD, "contact", "add", OPTIONS(contact_options), FLAGS(VAULT)),
	ROW(CONTACT_EDIT, "contact", "edit", POS("ID", 1, 1), OPTIONS(contact_options), FLAGS(VAULT)),
	ROW(CONTACT_SHOW, "contact", "show", POS("ID", 1, 1), FLAGS(VAULT)),
	ROW(CONTACT_LIST, "contact", "list", OPTIONS(contact_list_options), FLAGS(VAULT)),
	ROW(REFERRAL_ADD, "referral", "add", .one_of = 1, OPTIONS(referral_add_options), FLAGS(VAULT)),
	ROW(REFERRAL_EDIT, "referral", "edit", POS("ID", 1, 1), OPTIONS(referral_edit_options), FLAGS(VAULT)),
	ROW(REFERRAL_STATUS, "referral", "status", POS("ID|CODE STATUS", 2, 2), OPTIONS(referral_status_options),
	    FLAGS(VAULT)),
	ROW(REFERRAL_LIST, "referral", "list", OPTIONS(referral_list_options), FLAGS(VAULT)),
	ROW(REFERRAL_SHOW, "referral", "show", POS("ID", 1, 1), FLAGS(VAULT)),
	ROW(RUN, "run", NULL, POS("FILE|-", 1, 1), OPTIONS(run_options), FLAGS(VAULT)),
	ROW(UNLOCK, "unlock", NULL, OPTIONS(unlock_options), FLAGS(HOME)),
	ROW(LOCK, "lock", NULL, FLAGS(HOME)),
	ROW(OPEN, "open", NULL, OPTIONS(open_options)),
	ROW(SERVICE_IMPORT, "service", "import", POS("PATH", 1, 1), OPTIONS(import_options),
	    FLAGS(VAULT | PERSON_MAY_LOOK)),
	ROW(SERVICE_SEARCH, "service", "search", POS("WORDS", 1, ARGS_POS_MANY), FLAGS(VAULT)),
	ROW(SERVICE_ADD, "service", "add", OPTIONS(service_add_options), FLAGS(VAULT)),
	ROW(SERVICE_EDIT, "service", "edit", POS("ID", 1, 1), OPTIONS(service_edit_options), FLAGS(VAULT)),
	ROW(SERVICE_SHOW, "service", "show", POS("ID", 1, 1), FLAGS(VAULT)),
	ROW(SERVICE_LIST, "service", "list", FLAGS(VAULT)),
	ROW(SERVICE_CHECK, "service", "check", POS("ID", 1, 1), .one_of = 1, OPTIONS(service_check_options),
	    FLAGS(VAULT)),
	ROW(SEARCH, "search", NULL, POS("WORDS", 1, ARGS_POS_MANY), FLAGS(VAULT)),
	ROW(TODAY, "today", NULL, FLAGS(VAULT)),
	ROW(VERSIONS_LIST, "versions", "list", FLAGS(VAULT)),
	ROW(VERSIONS_PICK, "versions", "pick", POS("ID FIELD", 2, 2), OPTIONS(pick_options), FLAGS(VAULT)),
	ROW(SYNC, "sync", NULL, OPTIONS(sync_options), FLAGS(VAULT | PERSON_MAY_LOOK)),
	ROW(STATUS, "status", NULL, FLAGS(VAULT)),
	ROW(BUNDLE_EXPORT, "bundle", "export", POS("FILE", 1, 1), OPTIONS(space_options), FLAGS(VAULT)),
	ROW(BUNDLE_IMPORT, "bundle", "import", POS("FILE", 1, 1), FLAGS(VAULT | PERSON_MAY_LOOK)),
	ROW(VERIFY, "verify", NULL, OPTIONS(verify_options), FLAGS(VAULT | PERSON_MAY_LOOK)),
	ROW(DUMP, "dump", NULL, OPTIONS(dump_options), FLAGS(VAULT)),
	ROW(TALLY_PLAN, "tally", "plan", OPTIONS(plan_options), FLAGS(VAULT)),
	ROW(TALLY_PREVIEW, "tally", "preview", OPTIONS(circle_period_options), FLAGS(VAULT)),
	ROW(TALLY_CONTRIBUTE, "tally", "contribute", OPTIONS(circle_period_options), FLAGS(VAULT)),
	ROW(TALLY_SKIP, "tally", "skip", OPTIONS(circle_period_options), FLAGS(VAULT)),
	ROW(TALLY_COUNT, "tally", "count", OPTIONS(period_options), FLAGS(VAULT)),
	ROW(TALLY_COMBINE, "tally", "combine", OPTIONS(period_options), FLAGS(VAULT)),
	ROW(TALLY_STATUS, "tally", "status", OPTIONS(period_options), FLAGS(VAULT)),
	ROW(SUMMARY, "summary", NULL, OPTIONS(summary_options), FLAGS(VAULT)),
	ROW(PROTECT, "protect", NULL, POS("TABLE.csv", 1, 1), OPTIONS(protect_options)),
	ROW(DEMO, "demo", NULL, OPTIONS(demo_options)),
	ROW(REMOTE_SHOW, "remote", "show", OPTIONS(remote_options), FLAGS(VAULT)),
	ROW(REMOTE_SET, "remote", "set", POS("URL", 1, 1), OPTIONS(set_options), FLAGS(VAULT)),
	ROW(REMOTE_LOGIN, "remote", "login", POS("[USER]", 0, 1), OPTIONS(login_options), FLAGS(VAULT)),
	ROW(REMOTE_TRUST, "remote", "trust", POS("[FINGERPRINT]", 0, 1), OPTIONS(trust_options), FLAGS(VAULT)),
	ROW(PASSPHRASE_CHANGE, "passphrase", "change", OPTIONS(change_options), FLAGS(NEEDS_HOME)),
	ROW(RECOVERY_SHEET, "recovery", "sheet", POS("FILE", 1, 1), FLAGS(NEEDS_HOME)),
	ROW(RECOVER, "recover", NULL, OPTIONS(recover_options), FLAGS(NEW_PASSPHRASE)),
	ROW(REKEY, "rekey", NULL, FLAGS(VAULT | USES_PASSPHRASE)),
	ROW(EXPORT, "export", NULL, POS("DIR", 1, 1), FLAGS(VAULT | ASKS_AGAIN)),
	ROW(IMPORT, "import", NULL, POS("FILE.csv", 1, 1), OPTIONS(circle_options), FLAGS(VAULT)),
	ROW(BACKUP, "backup", NULL, POS("FILE", 1, 1), FLAGS(VAULT | ASKS_AGAIN)),
	ROW(RESTORE, "restore", NULL, POS("FILE", 1, 1)),
	ROW(REJOIN, "rejoin", NULL, FLAGS(VAULT | ASKS_AGAIN)),
	ROW(WIPE, "wipe", NULL, OPTIONS(wipe_options)),
	ROW(HISTORY, "history", NULL, POS("ID", 1, 1), FLAGS(VAULT)),
	ROW(UNDO, "undo", NULL, POS("[ID]", 0, 1), FLAGS(VAULT)),
	ROW(ERASE, "erase", NULL, POS("ID", 1, 1), OPTIONS(erase_options), FLAGS(VAULT)),
	ROW(ERASE_LIST, "erase", "list", FLAGS(VAULT)),
	ROW(ERASE_CONTEST, "erase", "contest", POS("ID", 1, 1), FLAGS(VAULT)),
	ROW(ERASE_CONFIRM, "erase", "confirm", POS("[ID]", 0, 1), FLAGS(VAULT)),
	ROW(RETENTION_SHOW, "retention", "show", OPTIONS(circle_options), FLAGS(VAULT)),
	ROW(RETENTION_SET, "retention", "set", OPTIONS(retention_set_options), FLAGS(VAULT)),
	ROW(RETENTION_RUN, "retention", "run", OPTIONS(retention_run_options), FLAGS(VAULT)),
	ROW(COMPACT, "compact", NULL, OPTIONS(compact_options), FLAGS(VAULT)),
	[CMD_COUNT] = { .word1 = NULL },
};
