// SPDX-License-Identifier: EUPL-1.2
// Own branches, which only this device writes. What the key process hands over is committed, pushed, and called sent
// once the remote was read again and found to hold it (S2). A host that went back is healed by pushing again (S5). A
// branch that carries commits nobody here made may be the work of a copy of this device (S7): it is handed over and
// left alone, until the key process says that it is not, and then pushed over.
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "courier/session.h"

#define ROUNDS_MAX 5

static enum err no_memory(struct errctx *ec)
{
	return err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.", NULL, NULL,
	               NULL);
}

static bool is_local(const struct session *s, const git_oid *id)
{
	return bare_holds(&s->local, id);
}

static enum err relate(struct errctx *ec, struct session *s, const git_oid *a, const git_oid *b, enum relation *rel)
{
	git_oid base;
	bool apart = false;

	return chain_relate(ec, s->local.odb, s->local.path, a, b, rel, &base, &apart);
}

// ---- Placing the puts ----

/* Finds, for each put of the branch, a commit between `have` and `top` that holds its name. */
static enum err find_placed(struct errctx *ec, struct session *s, const struct branch *b, const git_oid *top)
{
	struct oids chain = { 0 };
	struct commit *c = malloc(sizeof(*c));
	enum err e = c == NULL ? no_memory(ec) : ERR_OK;

	if (e == ERR_OK)
		e = chain_list(ec, s->local.odb, s->local.path, top, b->has_have ? &b->have : NULL, &chain);
	for (size_t i = 0; e == ERR_OK && i < chain.count; i++) {
		e = commit_read(ec, s->local.odb, s->local.path, &chain.id[i], c);
		for (size_t k = 0; e == ERR_OK && k < s->puts; k++) {
			struct put *put = &s->put[k];

			for (size_t f = 0; !put->placed && strcmp(put->item->field[0], b->name) == 0 && f < c->files;
			     f++) {
				if (strcmp(c->file[f].name, put->item->field[1]) != 0)
					continue;
				put->placed = true;
				put->commit = c->id;
			}
		}
	}
	oids_free(&chain);
	free(c);
	return e;
}

/* Commits one put on top of what the branch has so far. */
static enum err place(struct errctx *ec, struct session *s, struct branch *b, struct put *put)
{
	struct buf content = { 0 };
	git_oid made;
	enum err e = file_read(ec, put->item->field[2], COMMIT_BLOB_MAX, &content);

	if (e == ERR_OK) {
		e = commit_make(ec, s->local.odb, s->local.path, b->has_tip ? &b->tip : NULL, put->item->field[1],
		                buf_bytes(&content), &made);
	} else {
		report_fail_as(s->report, GRADE_PERSON, "put", ec);
		e = ERR_NOT_FOUND;
	}
	if (e == ERR_OK) {
		b->tip = made;
		b->has_tip = true;
		put->commit = made;
		put->placed = true;
	}
	buf_free(&content);
	return e;
}

/* Where the branch stands by all we know: the later of `have` and our own record, with the puts above it. The id of a
 * commit follows from its content, so a lost record comes out as it was. */
static enum err plan(struct errctx *ec, struct session *s, struct branch *b)
{
	enum relation rel = REL_FORKED;
	enum err e = ERR_OK;

	b->has_tip = b->has_have || b->has_local;
	b->tip = b->has_have ? b->have : b->local;
	if (b->has_have && b->has_local) {
		e = relate(ec, s, &b->local, &b->have, &rel);
		if (e == ERR_OK && rel == REL_ABOVE)
			b->tip = b->local;
	}
	if (e == ERR_OK && b->has_tip)
		e = find_placed(ec, s, b, &b->tip);
	for (size_t i = 0; e == ERR_OK && i < s->puts; i++) {
		struct put *put = &s->put[i];

		if (!put->placed && strcmp(put->item->field[0], b->name) == 0)
			e = place(ec, s, b, put);
	}
	/* A file that cannot be read keeps back what comes after it, not what came before. */
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* A host that shows less than it did is told of, before it is healed. */
static enum err tell_loss(struct errctx *ec, struct session *s, const struct branch *b)
{
	enum relation rel = REL_SAME;
	enum err e = ERR_OK;

	if (!b->has_have)
		return ERR_OK;
	if (!b->has_remote)
		report_line(s->report, REPORT_GONE, b->name, NULL, NULL, NULL);
	else if (!is_local(s, &b->have))
		rel = REL_BELOW;
	else if (!git_oid_equal(&b->remote, &b->have) && b->has_got)
		e = relate(ec, s, &b->remote, &b->have, &rel);
	if (e == ERR_OK && rel == REL_BELOW)
		report_oid(s->report, REPORT_REWOUND, b->name, &b->remote);
	return e;
}

/* Neither our record nor the host holds what was sent. What the host does hold is handed over, so that the key process
 * sees what is missing and hands that over again. */
static enum err lost(struct errctx *ec, struct session *s, struct branch *b)
{
	const git_oid none = { { 0 } };
	bool fit = b->has_remote && b->fetch_err == ERR_OK;
	enum err e = ERR_OK;

	b->settled = true;
	if (b->broken || (b->fetch_err != ERR_OK && !branch_unfit(b)))
		return export_branch(ec, s, b);
	if (b->has_remote)
		e = export_whole(ec, s, b);
	if (e == ERR_OK && s->report->err == ERR_OK)
		report_oid(s->report, REPORT_LOST, b->name, fit ? &b->remote : &none);
	return e;
}

static enum err prepare(struct errctx *ec, struct session *s, struct branch *b)
{
	enum err e = b->broken || b->fetch_err != ERR_OK ? ERR_OK : tell_loss(ec, s, b);

	if (e != ERR_OK)
		return e;
	return b->has_have && !is_local(s, &b->have) ? lost(ec, s, b) : plan(ec, s, b);
}

// ---- Settling ----

static enum err confirm(struct errctx *ec, struct session *s, struct branch *b)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < s->puts; i++) {
		const struct put *put = &s->put[i];

		if (!put->placed || strcmp(put->item->field[0], b->name) != 0)
			continue;
		e = s->remote->ops->confirm(ec, s->remote, &put->commit);
		if (e == ERR_OK)
			report_line(s->report, REPORT_SENT, b->name, put->item->field[1], NULL, NULL);
	}
	if (e == ERR_OK && !(b->has_have && git_oid_equal(&b->have, &b->tip)))
		report_oid(s->report, REPORT_TIP, b->name, &b->tip);
	b->settled = true;
	if (e != ERR_OK) {
		session_fail(s, e, ec);
		err_clear(ec);
	}
	return ERR_OK;
}

/* Our record moves before the remote's: what may have been seen by others is never forgotten here. */
static enum err record_tip(struct errctx *ec, struct session *s, struct branch *b)
{
	bool lost = false;
	enum err e = ERR_OK;

	if (b->has_local && git_oid_equal(&b->local, &b->tip))
		return ERR_OK;
	e = bare_set(ec, &s->local, b->name, b->has_local ? &b->local : NULL, &b->tip, &lost);
	if (e == ERR_OK && lost)
		e = err_set(ec, ERR_LATER, "%1 is in use by another program. Try again later.", s->local.path, NULL,
		            NULL);
	b->has_local = true;
	b->local = b->tip;
	return e;
}

/* Compares what the remote shows with what it shall hold. *push: it shall be pushed on top of what is there. */
static enum err settle(struct errctx *ec, struct session *s, struct branch *b, bool *push)
{
	enum relation rel = REL_FORKED;
	enum err e = ERR_OK;

	*push = false;
	if (b->has_tip && branch_is_over(b) && !git_oid_equal(&b->tip, &b->remote)) {
		*push = true;
		return record_tip(ec, s, b);
	}
	if (b->broken || (b->has_remote && b->fetch_err != ERR_OK)) {
		if (branch_unfit(b))
			report_oid(s->report, REPORT_AHEAD, b->name, &b->remote);
		b->settled = true;
		return export_branch(ec, s, b);
	}
	if (!b->has_remote && !b->has_tip) {
		b->settled = true;
		return ERR_OK;
	}
	if (b->has_remote && b->has_tip)
		e = relate(ec, s, &b->tip, &b->remote, &rel);
	if (e != ERR_OK)
		return e;
	if (!b->has_remote || rel == REL_ABOVE) {
		*push = true;
		return record_tip(ec, s, b);
	}
	if (rel == REL_SAME) {
		e = record_tip(ec, s, b);
		return e == ERR_OK ? confirm(ec, s, b) : e;
	}
	report_oid(s->report, REPORT_AHEAD, b->name, &b->remote);
	b->settled = true;
	return export_branch(ec, s, b);
}

/* Another device's branch that the host holds less of than we do, or something useless in place of it. */
static enum err needs_restore(struct errctx *ec, struct session *s, const struct branch *b, bool *push)
{
	enum relation rel = REL_ABOVE;
	enum err e = ERR_OK;

	*push = b->restore && !b->own && b->has_local && branch_is_over(b) && !git_oid_equal(&b->local, &b->remote);
	if (*push || !b->restore || b->own || !b->has_local || b->broken || (b->has_remote && !is_local(s, &b->remote)))
		return ERR_OK;
	if (b->has_remote)
		e = relate(ec, s, &b->local, &b->remote, &rel);
	*push = e == ERR_OK && rel == REL_ABOVE;
	return e;
}

static struct push_item push_of(const struct branch *b)
{
	return (struct push_item){ .copy = { .name = b->name,
		                             .tip = b->own ? b->tip : b->local,
		                             .has_base = b->has_remote,
		                             .base = b->remote } };
}

/* A failure of one branch does not stop the others, unless the disk says no. */
static enum err branch_failed(struct errctx *ec, struct session *s, struct branch *b, enum err e)
{
	b->settled = true;
	if (e == ERR_OK || e == ERR_NO_SPACE || e == ERR_IO)
		return e;
	session_branch_failed(s, e, ec);
	err_clear(ec);
	return ERR_OK;
}

static enum err collect(struct errctx *ec, struct session *s, bool first, struct push_item *item, size_t *items)
{
	enum err e = ERR_OK;

	*items = 0;
	for (size_t i = 0; e == ERR_OK && !s->local_bad && i < s->count; i++) {
		struct branch *b = &s->branch[i];
		bool push = false;

		if (b->own && !b->settled)
			e = settle(ec, s, b, &push);
		else if (first)
			e = needs_restore(ec, s, b, &push);
		if (e != ERR_OK)
			e = branch_failed(ec, s, b, e);
		else if (push)
			item[(*items)++] = push_of(b);
	}
	return e;
}

/* Pushes, and reads the remote again. */
static enum err push_and_look(struct errctx *ec, struct session *s, struct push_item *item, size_t items)
{
	enum err e = s->remote->ops->push(ec, s->remote, item, items);

	for (size_t i = 0; e == ERR_OK && i < items; i++) {
		struct branch *b = session_find(s, item[i].copy.name);

		if (item[i].result != PUSH_FAILED)
			continue;
		b->settled = true;
		if (item[i].copy.err != ERR_OK)
			session_branch_failed(s, item[i].copy.err, &item[i].copy.ec);
		else
			session_fail(s, item[i].err, &item[i].ec);
	}
	if (e == ERR_OK && !s->local_bad)
		e = session_list(ec, s);
	return e == ERR_OK && !s->local_bad ? session_fetch(ec, s) : e;
}

static void tell_restored(struct session *s, const struct push_item *item, size_t items)
{
	for (size_t i = 0; i < items; i++) {
		const struct branch *b = session_find(s, item[i].copy.name);

		if (!b->own && b->has_remote && git_oid_equal(&b->remote, &item[i].copy.tip))
			report_oid(s->report, REPORT_RESTORED, b->name, &b->remote);
	}
}

static void tell_unsettled(struct session *s)
{
	struct errctx ec = { 0 };

	for (size_t i = 0; i < s->count; i++) {
		if (!s->branch[i].own || s->branch[i].settled)
			continue;
		err_set(&ec, ERR_LATER, "The branch %1 kept changing at the repository. Try again.", s->branch[i].name,
		        NULL, NULL);
		report_fail_as(s->report, GRADE_NOW, "race", &ec);
		err_clear(&ec);
	}
}

enum err own_run(struct errctx *ec, struct session *s)
{
	struct push_item *item = calloc(s->count + 1, sizeof(*item));
	size_t items = 0;
	enum err e = item == NULL ? no_memory(ec) : ERR_OK;

	for (size_t i = 0; e == ERR_OK && !s->local_bad && i < s->count; i++) {
		struct branch *b = &s->branch[i];

		if (!b->own)
			continue;
		e = prepare(ec, s, b);
		if (e != ERR_OK)
			e = branch_failed(ec, s, b, e);
	}
	for (int round = 0; e == ERR_OK && !s->local_bad && round < ROUNDS_MAX; round++) {
		e = collect(ec, s, round == 0, item, &items);
		if (e != ERR_OK || s->local_bad || items == 0)
			break;
		e = push_and_look(ec, s, item, items);
		if (e == ERR_OK && round == 0)
			tell_restored(s, item, items);
	}
	if (e == ERR_OK && !s->local_bad)
		tell_unsettled(s);
	free(item);
	return e;
}
