// SPDX-License-Identifier: EUPL-1.2
// Which handler runs which command.
#include "cli/command.h"

static const command_fn handlers[CMD_COUNT] = {
#if __has_include("cli/cmd_space.c")
	[CMD_INIT] = cmd_init,
	[CMD_NEIGHBOURHOOD_FOUND] = cmd_neighbourhood_found,
	[CMD_CIRCLE_FOUND] = cmd_circle_found,
	[CMD_CIRCLE_LIST] = cmd_circle_list,
	[CMD_INVITE] = cmd_invite,
	[CMD_INVITE_LIST] = cmd_invite_list,
	[CMD_JOIN] = cmd_join,
	[CMD_MEMBER_LIST] = cmd_member_list,
	[CMD_MEMBER_APPROVE] = cmd_member_approve,
	[CMD_MEMBER_MET] = cmd_member_met,
	[CMD_REMOTE_SHOW] = cmd_remote_show,
	[CMD_REMOTE_SET] = cmd_remote_set,
#endif
#if __has_include("cli/cmd_sync.c")
	[CMD_SYNC] = cmd_sync,
	[CMD_STATUS] = cmd_status,
	[CMD_VERIFY] = cmd_verify,
	[CMD_DUMP] = cmd_dump,
#endif
#if __has_include("cli/cmd_tally.c")
	[CMD_TALLY_PLAN] = cmd_tally_plan,
	[CMD_TALLY_PREVIEW] = cmd_tally_preview,
	[CMD_TALLY_CONTRIBUTE] = cmd_tally_contribute,
	[CMD_TALLY_SKIP] = cmd_tally_skip,
	[CMD_TALLY_COUNT] = cmd_tally_count,
	[CMD_TALLY_COMBINE] = cmd_tally_combine,
	[CMD_TALLY_STATUS] = cmd_tally_status,
	[CMD_SUMMARY] = cmd_summary,
#endif
#if __has_include("cli/cmd_protect.c")
	[CMD_PROTECT] = cmd_protect,
#endif
#if __has_include("cli/cmd_demo.c")
	[CMD_DEMO] = cmd_demo,
#endif
	[CMD_RESIDENT_ADD] = cmd_resident_add,
	[CMD_RESIDENT_EDIT] = cmd_resident_edit,
	[CMD_RESIDENT_SHOW] = cmd_resident_show,
	[CMD_RESIDENT_LIST] = cmd_resident_list,
	[CMD_CONTACT_ADD] = cmd_contact_add,
	[CMD_CONTACT_EDIT] = cmd_contact_edit,
	[CMD_CONTACT_SHOW] = cmd_contact_show,
	[CMD_CONTACT_LIST] = cmd_contact_list,
	[CMD_REFERRAL_ADD] = cmd_referral_add,
	[CMD_REFERRAL_EDIT] = cmd_referral_edit,
	[CMD_REFERRAL_STATUS] = cmd_referral_status,
	[CMD_REFERRAL_LIST] = cmd_referral_list,
	[CMD_REFERRAL_SHOW] = cmd_referral_show,
	[CMD_SERVICE_IMPORT] = cmd_service_import,
	[CMD_SERVICE_SEARCH] = cmd_service_search,
	[CMD_SERVICE_ADD] = cmd_service_add,
	[CMD_SERVICE_EDIT] = cmd_service_edit,
	[CMD_SERVICE_SHOW] = cmd_service_show,
	[CMD_SERVICE_LIST] = cmd_service_list,
	[CMD_SERVICE_CHECK] = cmd_service_check,
	[CMD_SEARCH] = cmd_search,
	[CMD_TODAY] = cmd_today,
	[CMD_VERSIONS_LIST] = cmd_versions_list,
	[CMD_VERSIONS_PICK] = cmd_versions_pick,
};

command_fn command_handler(int id)
{
	return id >= 0 && id < CMD_COUNT ? handlers[id] : NULL;
}
