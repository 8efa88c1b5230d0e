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
	bool asked;     /* asked to join, no answer yet */
	bool coming_in; /* joined, and not all is here yet: nothing can be written there */
};
enum err app_circles(struct errctx *ec, struct app *app, struct circle_view **out, size_t *count) MUST_CHECK;
void app_circles_free(struct circle_view *list, size_t count);

/* An invitation as text (NUL-terminated in `out->text`). */
struct invite_ask {
	const char *space; /* name of a circle or neighbourhood; NULL: the only circle, else the neighbourhood */
	/* member, coordinator, teller; NULL: member. The last two are held in the neighbourhood: NULL for `space` is
	 * that one then, and a circle ERR_REFUSED. */
	const char *role;
	bool device;  /* for another device of one's own: for all that is here and syncs there, or `space` alone */
	bool compare; /* whoever uses it waits until six words were compared */
};
struct invite_view {
	struct buf text;
	char id[17];
	char space[128];
	char expires[16]; /* ISO date */
	bool compare;
	size_t spaces;  /* which it is for */
	bool own_login; /* whoever joins needs a login of their own at the host: the one here is this person's alone */
};
/* ERR_REFUSED with what to do first, where there is no neighbourhood yet. */
enum err app_invite(struct errctx *ec, struct app *app, const struct invite_ask *ask,
                    struct invite_view *out) MUST_CHECK;
struct open_invite {
	char id[17];
	char space[128];
	char role[16];
	char expires[16];
	char state[12]; /* open, used, ended */
	bool device;
	bool compare;
};
enum err app_invites(struct errctx *ec, struct app *app, struct open_invite **out, size_t *count) MUST_CHECK;
enum err app_invite_withdraw(struct errctx *ec, struct app *app, const char *id) MUST_CHECK;

/* Uses an invitation: asks, and is in after the inviting device and this one have synced. `text` may have other words
 * around it. */
struct join_view {
	char space[128];  /* what it is for */
	char person[128]; /* whose device this becomes; "" for an ordinary invitation */
	bool compare;     /* the one who invited must compare the six words of `fingerprint` and approve */
	uint8_t fingerprint[FINGERPRINT_LEN];
};
/* `bring`: what was written in this home's own space may go along to the person's other devices. Without it a home
 * where something was written is ERR_REFUSED with a sentence. */
enum err app_join(struct errctx *ec, struct app *app, const char *text, size_t len, bool bring,
                  struct join_view *out) MUST_CHECK;
/* Without an invitation. The six words of `fingerprint` are read to the one who approves. */
enum err app_join_request(struct errctx *ec, struct app *app, const char *remote,
                          uint8_t fingerprint[static FINGERPRINT_LEN]) MUST_CHECK;

/* What this home asked for and was not let in to yet, one for each invitation; free() it. */
struct asked_view {
	char id[17]; /* of the invitation, or of the request */
	char space[128];
	bool device;
	bool compare;
	uint8_t fingerprint[FINGERPRINT_LEN];
};
enum err app_asked(struct errctx *ec, struct app *app, struct asked_view **out, size_t *count) MUST_CHECK;

/* A device of a person in a space, with what helps to tell which one it is. */
struct member_device {
	char id[16];
	char status[12]; /* member, resting, removed */
	char since[11];  /* ISO date, by the clock of whoever let it in */
	char heard[11]; /* ISO date of the last day on which something new of it came in here; "": never, or this one */
	int64_t quiet;  /* days since its last news came here; -1: none ever did, or it is this one */
	bool me;        /* this home */
	bool sheet;     /* a recovery sheet */
};

struct member_view {
	char id[40];
	char name[128];
	char space[128];
	char role[64];   /* "coordinator", "teller", "member", several with commas */
	char status[12]; /* requested, member, resting, removed */
	uint8_t
	    fingerprint[FINGERPRINT_LEN]; /* of the keys of all its devices; of a request, of all that it asks for */
	bool met;                         /* one compared these very words with this person */
	bool words_changed;               /* one compared words, and they are others now: a device came or went */
	bool own;                         /* in one's own space, which no other person is in */
	bool me;                          /* oneself; of a request, one's own that has no answer yet */
	char backup[16];                  /* of a request: comes back from a backup of this ISO date; "": is new */
	bool device;                      /* of a request: as another device of one's own */
	bool keys;                        /* of a request: is in, and asks for keys that it lacks */
	struct member_device *devices;
	size_t device_count;
};
/* `space`: NULL for every circle and neighbourhood, and one's own space where another device of one's own is in it. A
 * person stands there once in each space. */
enum err app_members(struct errctx *ec, struct app *app, const char *space, struct member_view **out,
                     size_t *count) MUST_CHECK;
void app_members_free(struct member_view *list, size_t count);
/* `id`: start of a request's id; `name`: what the others call this person, NULL: what it calls itself, or "?" until it
 * says so. `out` (128 bytes) receives the name. */
enum err app_approve(struct errctx *ec, struct app *app, const char *id, const char *name, char *out) MUST_CHECK;
/* Six words were compared in person with this member. It is one's own statement, for these very words: it stands in the
 * own space, where only one's own devices read it. `out` (128 bytes) receives the name. */
enum err app_met(struct errctx *ec, struct app *app, const char *id, char *out) MUST_CHECK;

#endif
