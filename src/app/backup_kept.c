// SPDX-License-Identifier: EUPL-1.2
// What a backup may hold of what is kept for other layers. A restored home comes back through another member or the
// recovery sheet, as a new device (S7): it needs no key that opens what others wrote or will write, so a backup that
// somebody opens years later opens nothing of the circle's traffic, and destroying an epoch's key stays final (K3).
#include "app/backup_kept.h"

#include <string.h>

#include "sync/keys.h"

/* Everything that is kept, by the layer that keeps it. A name that ends in ':' or '/' stands for all that begin so.
 * **What is not listed here goes**: whoever keeps something new decides here whether it may travel. */
static const struct {
	const char *name;
	enum backup_class class;
} kinds[] = {
	/* sync/keys.c */
	{ "device", BACKUP_SIGN_ONLY }, /* the old signing key vouches for the new device */
	{ "epoch:", BACKUP_GOES },
	{ "control:", BACKUP_STAYS }, /* what the next batch was to say: a space's founding, the ids of its epochs */
	{ "genesis", BACKUP_STAYS },
	/* sync/box_keys.c, sync/carry.c */
	{ "boxed", BACKUP_STAYS },   /* the id of an epoch */
	{ "boxused", BACKUP_STAYS }, /* that a box came */
	{ "box:", BACKUP_GOES },
	/* store/compact.c, sync/compaction.c, sync/snapshot.c */
	{ "base", BACKUP_STAYS },     /* where the log begins: numbers and hashes */
	{ "refused:", BACKUP_STAYS }, /* a snapshot that differed */
	{ "base-parent", BACKUP_STAYS },
	{ "base-at", BACKUP_STAYS },
	{ "aside-seen", BACKUP_STAYS },
	{ "compact-asked", BACKUP_STAYS },
	{ "told-done", BACKUP_GOES },   /* of this home alone */
	{ "closed:", BACKUP_STAYS },    /* when an epoch was closed */
	{ "snap:", BACKUP_GOES },       /* parts of a snapshot that is coming in: they are at the host */
	{ "carries", BACKUP_STAYS },    /* a count */
	{ "bundled:", BACKUP_STAYS },   /* numbers of batches */
	{ "lost:", BACKUP_STAYS },      /* the same, and a branch */
	{ "carrier:", BACKUP_STAYS },   /* a branch */
	{ "repository", BACKUP_STAYS }, /* a hash: which word of a coordinator was followed */
	{ "access:", BACKUP_STAYS },    /* how to come in at the host: a restored home must get there to come back */
	/* sync/letters.c, sync/join.c */
	{ "mailbox", BACKUP_STAYS }, /* the name of a branch */
	/* app/noticed.c: what a repository was noticed to do, names of branches and commits */
	{ "noticed:", BACKUP_STAYS },
	{ "ask", BACKUP_STAYS },   /* whom one asked to be let in, and their public key */
	{ "ask:", BACKUP_STAYS },  /* the same, for each invitation that was used */
	{ "floor", BACKUP_STAYS }, /* how far every device had come */
	/* sync/again.c, sync/rejoin.c, sync/restored.c: the keys that wait to be let in, and what belongs to them, are
	 * of this home alone; what unsealed edits had seen belongs to the edits */
	{ "again:spans", BACKUP_STAYS },
	{ "again:old", BACKUP_STAYS },
	{ "again:floor", BACKUP_GOES },
	{ "again:keys", BACKUP_GOES },
	{ "again", BACKUP_GOES },
	{ "back", BACKUP_GOES },
	{ "rejoin:", BACKUP_STAYS }, /* public keys */
	/* sync/rebox.c: what one asked for goes with the box secret that it is about */
	{ "rebox", BACKUP_GOES },
	{ "rebox:", BACKUP_STAYS }, /* public keys */
	/* sync/invitation.c, sync/admit.c, sync/requests.c */
	{ "invite:", BACKUP_GOES },    /* the secret of an invitation, which this device alone answers */
	{ "used:", BACKUP_STAYS },     /* a hash of who used one */
	{ "request:", BACKUP_STAYS },  /* public keys */
	{ "declined:", BACKUP_STAYS }, /* the ids of requests that one turned down */
	{ "held:", BACKUP_STAYS },     /* public keys, and what their owner calls itself */
	/* sync/paper.c */
	{ "paper", BACKUP_GOES },         /* the key under which a home speaks to its recovery sheet */
	{ "paper-device", BACKUP_STAYS }, /* which device of which sheet is where: the next one removes it */
	{ "paper-letter", BACKUP_STAYS }, /* hashes */
	/* app/drafts.c: what was typed and not saved yet; app/residents.c: who is not whom */
	{ "draft:", BACKUP_STAYS },
	{ "notsame:", BACKUP_STAYS },
	/* app/tally*.c: what one did once and never does again stays, so that T2 holds after a restore too */
	{ "tally/secret/", BACKUP_GOES },
	{ "tally/told/", BACKUP_STAYS },
	{ "tally/signed/", BACKUP_STAYS },
	{ "tally/summed/", BACKUP_STAYS },
	{ "tally/answered/", BACKUP_STAYS },
	{ "tally/skip/", BACKUP_STAYS },
};

enum backup_class backup_class_of(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = strlen(kinds[i].name);
		char last = kinds[i].name[len - 1];

		if (last == ':' || last == '/' ? strncmp(name, kinds[i].name, len) == 0
		                               : strcmp(name, kinds[i].name) == 0)
			return kinds[i].class;
	}
	return BACKUP_GOES;
}

/* Keeps the rows that stay at the front of the list; the others end up behind them. */
static size_t rows_choose(struct kept_row *rows, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		enum backup_class class = backup_class_of(rows[i].name);
		struct kept_row row = rows[i];

		if (class == BACKUP_GOES || (class == BACKUP_SIGN_ONLY && device_keys_drop_box(&row.bytes) != ERR_OK))
			continue;
		rows[i] = rows[n];
		rows[n++] = row;
	}
	return n;
}

enum err backup_kept_strip(struct errctx *ec, struct store *s)
{
	struct kept_row *rows = NULL;
	size_t count = 0;
	enum err e = store_kept_all(ec, s, &rows, &count);

	if (e == ERR_OK)
		e = store_begin(ec, s);
	if (e == ERR_OK) {
		e = store_kept_replace(ec, s, rows, rows_choose(rows, count));
		if (e == ERR_OK)
			e = store_commit(ec, s);
		if (e != ERR_OK)
			store_rollback(s);
	}
	store_kept_free(rows, count);
	return e;
}
