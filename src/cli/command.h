/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a command's handler gets and gives.
 *
 * A handler reads call->args, calls app/, and prints through render/ to call->io->out: with --json exactly one
 * document (render/doc.h), else calm text. It prints nothing when it fails: the error text in call->ec is printed
 * by the dispatcher, which also turns the result into the exit status. Handlers stand in cmd_*.c, one file for each
 * part of the program; dispatch.c lists them by command.
 */
#ifndef SLB_CLI_COMMAND_H
#define SLB_CLI_COMMAND_H

#include <stdbool.h>

#include "app/secret_text.h"
#include "app/session.h"
#include "base/err.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/io.h"
#include "render/lang.h"

struct command_call {
	struct app *app; /* open where the command NEEDS_VAULT, else NULL */
	const struct args *args;
	struct io *io;
	struct errctx *ec;
	enum lang lang;
	/* Home and courier as resolved; for `init`, which opens for itself. */
	const struct app_options *options;
	const struct confinement *confined; /* of this process; NULL: not at all */
	/* Where the command USES_PASSPHRASE: what was typed for it. Borrowed. */
	const struct secret_text *passphrase;
	/* Set by a command that has printed its document and fails all the same (a sync that did not come through):
	 * then only the sentence follows, on io->err. */
	bool printed;
	/* Set by a command with PERSON_MAY_LOOK that is done, but found something a person should look at: exit 1. */
	bool look;
};

typedef enum err (*command_fn)(struct command_call *call);

/* The handler of a command; NULL for those that main.c runs itself (help, --version, run, unlock, lock). */
command_fn command_handler(int id);

/* Asks for the passphrase as the command line says (--passphrase-file, --passphrase-fd, terminal); `fresh`: one that
 * is chosen now, typed twice. *out is the caller's to free with secret_text_free(). */
enum err command_passphrase(struct command_call *call, bool fresh, struct secret_text **out) MUST_CHECK;

/* The passphrase that is to come, for `passphrase change`: from `file` (NULL: the terminal, typed twice). */
enum err command_new_passphrase(struct command_call *call, const char *file, struct secret_text **out) MUST_CHECK;

/* One line of an answer from the terminal, shown as it is typed and, where `cleared`, wiped from the screen after
 * Enter. Errors as passphrase_read(). */
enum err command_line(struct command_call *call, const char *prompt, bool cleared, struct secret_text **out) MUST_CHECK;

/* Prints one translated sentence with its end of line to `io->out`, unless --json or --quiet. `msg` is an English
 * literal in TR(); arguments for %1 %2 %3 may be NULL. */
void command_say(struct command_call *call, const char *msg, const char *a1, const char *a2, const char *a3);

/* --- cmd_space.c: init, neighbourhood, circle, member --- */
enum err cmd_init(struct command_call *call) MUST_CHECK;
enum err cmd_neighbourhood_found(struct command_call *call) MUST_CHECK;
enum err cmd_circle_found(struct command_call *call) MUST_CHECK;
enum err cmd_circle_list(struct command_call *call) MUST_CHECK;
enum err cmd_member_list(struct command_call *call) MUST_CHECK;
enum err cmd_member_approve(struct command_call *call) MUST_CHECK;
enum err cmd_member_met(struct command_call *call) MUST_CHECK;

/* --- cmd_remote.c --- */
enum err cmd_remote_show(struct command_call *call) MUST_CHECK;
enum err cmd_remote_set(struct command_call *call) MUST_CHECK;
enum err cmd_remote_login(struct command_call *call) MUST_CHECK;
enum err cmd_remote_trust(struct command_call *call) MUST_CHECK;

/* Shows the key of an ssh host that nobody trusts here yet, and asks whether it is the right one. */
enum err remote_host_known(struct command_call *call, const char *url) MUST_CHECK;
/* What the options say of how to come in, for a command without a vault; NULL where they say nothing.
 * app_access_free() it. */
enum err remote_access_read(struct command_call *call, const char *url, struct access **out) MUST_CHECK;
/* A path as the caller means it, made absolute; the address of a host as it is. free() it. */
enum err remote_address(struct command_call *call, const char *typed, char **out) MUST_CHECK;

/* --- cmd_invite.c: invite, join --- */
enum err cmd_invite(struct command_call *call) MUST_CHECK;
enum err cmd_invite_list(struct command_call *call) MUST_CHECK;
enum err cmd_invite_withdraw(struct command_call *call) MUST_CHECK;
enum err cmd_join(struct command_call *call) MUST_CHECK;

/* --- cmd_bundle.c --- */
enum err cmd_bundle_export(struct command_call *call) MUST_CHECK;
enum err cmd_bundle_import(struct command_call *call) MUST_CHECK;

/* --- cmd_removal.c --- */
enum err cmd_member_decline(struct command_call *call) MUST_CHECK;
enum err cmd_member_remove(struct command_call *call) MUST_CHECK;

/* --- cmd_passphrase.c --- */
enum err cmd_passphrase_change(struct command_call *call) MUST_CHECK;

/* --- cmd_recovery.c: recovery sheet, recover, rekey --- */
enum err cmd_recovery_sheet(struct command_call *call) MUST_CHECK;
enum err cmd_recover(struct command_call *call) MUST_CHECK;
enum err cmd_rekey(struct command_call *call) MUST_CHECK;

/* For `init --recovery-sheet`: is FILE a name that a new sheet can have (ERR_INPUT, ERR_REFUSED), and then the sheet
 * itself. *number is what it got. */
enum err recovery_file_check(struct command_call *call, const char *path) MUST_CHECK;
enum err recovery_sheet_make(struct command_call *call, const char *path, const struct secret_text *passphrase,
                             uint32_t *number) MUST_CHECK;
/* --- cmd_backup.c --- */
enum err cmd_backup(struct command_call *call) MUST_CHECK;
enum err cmd_restore(struct command_call *call) MUST_CHECK;
enum err cmd_rejoin(struct command_call *call) MUST_CHECK;
enum err cmd_wipe(struct command_call *call) MUST_CHECK;

/* --- cmd_sync.c: sync, status, dump --- */
enum err cmd_sync(struct command_call *call) MUST_CHECK;
enum err cmd_status(struct command_call *call) MUST_CHECK;
enum err cmd_dump(struct command_call *call) MUST_CHECK;

/* --- cmd_verify.c --- */
enum err cmd_verify(struct command_call *call) MUST_CHECK;

/* --- cmd_tally.c: tally, summary --- */
enum err cmd_tally_plan(struct command_call *call) MUST_CHECK;
enum err cmd_tally_preview(struct command_call *call) MUST_CHECK;
enum err cmd_tally_contribute(struct command_call *call) MUST_CHECK;
enum err cmd_tally_skip(struct command_call *call) MUST_CHECK;
enum err cmd_tally_count(struct command_call *call) MUST_CHECK;
enum err cmd_tally_combine(struct command_call *call) MUST_CHECK;
enum err cmd_tally_status(struct command_call *call) MUST_CHECK;
enum err cmd_summary(struct command_call *call) MUST_CHECK;

/* --- cmd_protect.c --- */
enum err cmd_protect(struct command_call *call) MUST_CHECK;

/* --- cmd_demo.c --- */
enum err cmd_demo(struct command_call *call) MUST_CHECK;

/* --- cmd_resident.c, cmd_contact.c, cmd_referral.c, cmd_service.c, cmd_find.c, cmd_versions.c --- */
enum err cmd_resident_add(struct command_call *call) MUST_CHECK;
enum err cmd_resident_edit(struct command_call *call) MUST_CHECK;
enum err cmd_resident_show(struct command_call *call) MUST_CHECK;
enum err cmd_resident_page(struct command_call *call) MUST_CHECK; /* cmd_resident_page.c */
enum err cmd_resident_list(struct command_call *call) MUST_CHECK;
enum err cmd_contact_add(struct command_call *call) MUST_CHECK;
enum err cmd_contact_edit(struct command_call *call) MUST_CHECK;
enum err cmd_contact_show(struct command_call *call) MUST_CHECK;
enum err cmd_contact_list(struct command_call *call) MUST_CHECK;
enum err cmd_referral_add(struct command_call *call) MUST_CHECK;
enum err cmd_referral_edit(struct command_call *call) MUST_CHECK;
enum err cmd_referral_status(struct command_call *call) MUST_CHECK;
enum err cmd_referral_list(struct command_call *call) MUST_CHECK;
enum err cmd_referral_show(struct command_call *call) MUST_CHECK;
enum err cmd_service_import(struct command_call *call) MUST_CHECK;
enum err cmd_service_search(struct command_call *call) MUST_CHECK;
enum err cmd_service_add(struct command_call *call) MUST_CHECK;
enum err cmd_service_edit(struct command_call *call) MUST_CHECK;
enum err cmd_service_show(struct command_call *call) MUST_CHECK;
enum err cmd_service_list(struct command_call *call) MUST_CHECK;
enum err cmd_service_check(struct command_call *call) MUST_CHECK;
enum err cmd_search(struct command_call *call) MUST_CHECK;
enum err cmd_today(struct command_call *call) MUST_CHECK;
enum err cmd_versions_list(struct command_call *call) MUST_CHECK;
enum err cmd_versions_pick(struct command_call *call) MUST_CHECK;

/* --- cmd_export.c --- */
enum err cmd_export(struct command_call *call) MUST_CHECK;
enum err cmd_import(struct command_call *call) MUST_CHECK;

/* --- cmd_erase.c --- */
enum err cmd_erase(struct command_call *call) MUST_CHECK;
enum err cmd_erase_list(struct command_call *call) MUST_CHECK;
enum err cmd_erase_contest(struct command_call *call) MUST_CHECK;
enum err cmd_erase_confirm(struct command_call *call) MUST_CHECK;
enum err cmd_compact(struct command_call *call) MUST_CHECK;

/* --- cmd_retention.c --- */
enum err cmd_retention_show(struct command_call *call) MUST_CHECK;
enum err cmd_retention_set(struct command_call *call) MUST_CHECK;
enum err cmd_retention_run(struct command_call *call) MUST_CHECK;

/* --- cmd_history.c --- */
enum err cmd_history(struct command_call *call) MUST_CHECK;
enum err cmd_undo(struct command_call *call) MUST_CHECK;

#endif
