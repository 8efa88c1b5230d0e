/* SPDX-License-Identifier: EUPL-1.2 */
/* Neighbourhoods, circles, members, invitations. */
#ifndef SLB_APP_SPACES_H
#define SLB_APP_SPACES_H

#include "app/session.h"
#include "base/buf.h"

#define FINGERPRINT_LEN 32

/* Founds a neighbourhood whose repository is at `remote` (made there when its path does not exist yet). The founder
 * is its first coordinator. ERR_REFUSED when one is in a neighbourhood of that name already. */
enum err app_found_neighbourhood(struct errctx *ec, struct app *app, const char *name, const char *remote) MUST_CHECK;
/* Founds a circle; it syncs with the neighbourhood chosen, or with none when there is none yet. */
enum err app_found_circle(struct errctx *ec, struct app *app, const char *name) MUST_CHECK;

struct circle_view {
	char *name;
	char *neighbourhood; /* "" */
	size_t members;
	bool asked; /* asked to join, no answer yet */
};
enum err app_circles(struct errctx *ec, struct app *app, struct circle_view **out, size_t *count) MUST_CHECK;
void app_circles_free(struct circle_view *list, size_t count);

/* An invitation as text (NUL-terminated in `out`). `space`: name of a circle or neighbourhood; NULL: the only circle,
 * else the neighbourhood. `role`: member, coordinator, teller; NULL: member. The last two are held in the
 * neighbourhood: NULL is that one then, and a circle ERR_REFUSED. */
struct invite_view {
	struct buf text;
	char space[128];
	char expires[16]; /* ISO date */
};
enum err app_invite(struct errctx *ec, struct app *app, const char *space, const char *role,
                    struct invite_view *out) MUST_CHECK;
struct open_invite {
	char id[17];
	char space[128];
	char role[16];
	char expires[16];
	char state[12]; /* open, used, ended */
};
enum err app_invites(struct errctx *ec, struct app *app, struct open_invite **out, size_t *count) MUST_CHECK;
enum err app_invite_withdraw(struct errctx *ec, struct app *app, const char *id) MUST_CHECK;

/* Uses an invitation: asks, and is in after the inviting device and this one have synced. `space` receives the name
 * (128 bytes). */
enum err app_join(struct errctx *ec, struct app *app, const char *text, size_t len, char *space) MUST_CHECK;
/* Without an invitation. The six words of `fingerprint` are read to the one who approves. */
enum err app_join_request(struct errctx *ec, struct app *app, const char *remote,
                          uint8_t fingerprint[static FINGERPRINT_LEN]) MUST_CHECK;

struct member_view {
	char id[40];
	char name[128];
	char space[128];
	char role[64];                        /* "coordinator", "teller", "member", several with commas */
	char status[12];                      /* requested, member, resting, removed */
	char backup[16];                      /* requested: comes back from a backup of this ISO date; "": is new */
	uint8_t fingerprint[FINGERPRINT_LEN]; /* of the first device's keys */
	bool met;
	bool me;
	char (*devices)[16];
	size_t device_count;
};
/* `space`: NULL for every circle and neighbourhood. */
enum err app_members(struct errctx *ec, struct app *app, const char *space, struct member_view **out,
                     size_t *count) MUST_CHECK;
void app_members_free(struct member_view *list, size_t count);
/* `id`: start of a request's id; `name`: what the others call this person, NULL: "?" until they say it themselves. */
enum err app_approve(struct errctx *ec, struct app *app, const char *id, const char *name) MUST_CHECK;
/* Six words were compared in person with this member. */
enum err app_met(struct errctx *ec, struct app *app, const char *id) MUST_CHECK;

struct remote_view {
	char neighbourhood[128];
	char url[1100];
};
enum err app_remote_show(struct errctx *ec, struct app *app, struct remote_view *out) MUST_CHECK;
enum err app_remote_set(struct errctx *ec, struct app *app, const char *url) MUST_CHECK;

#endif
