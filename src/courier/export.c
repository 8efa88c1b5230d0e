// SPDX-License-Identifier: EUPL-1.2
// Reports what is new on a branch. What the host shows is compared with what the key process last saw: a branch that
// went back, forked or vanished is told, its new files are handed over all the same, and our own record stays (S5).
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "courier/giterr.h"
#include "courier/session.h"

/* Writes one file into `in`, whole before it has its name. The number keeps equal names of two branches apart. */
static enum err write_file(struct errctx *ec, struct session *s, const struct commit_file *file, char **path)
{
	const char *in = job_get(s->job, JOB_IN);
	git_odb_object *object = NULL;
	char *part = file_join(in, ".part");
	enum err e = ERR_OK;
	int fd = -1;
	int rc = git_odb_read(&object, s->local.odb, &file->blob);

	*path = NULL;
	if (rc != 0) {
		e = giterr_set(ec, rc, s->local.path);
		goto done;
	}
	if (part == NULL || asprintf(path, "%s/%06zu-%s", in, ++s->files, file->name) < 0) {
		*path = NULL;
		e = err_errno(ec, ENOMEM, in);
		goto done;
	}
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		e = err_errno(ec, errno, in);
		goto done;
	}
	e = file_write_fd(ec, fd, in, git_odb_object_data(object), git_odb_object_size(object));
	if (close(fd) != 0 && e == ERR_OK)
		e = err_errno(ec, errno, in);
	if (e == ERR_OK && rename(part, *path) != 0)
		e = err_errno(ec, errno, in);
done:
	git_odb_object_free(object);
	free(part);
	return e;
}

/* The files of one commit, all of them checked before the first is written. */
static enum err export_commit(struct errctx *ec, struct session *s, const char *ref, const git_oid *id)
{
	struct commit c;
	char hex[GIT_OID_HEXSZ + 1];
	enum err e = commit_read(ec, s->local.odb, s->local.path, id, &c);

	for (size_t i = 0; e == ERR_OK && i < c.files; i++) {
		char *path = NULL;

		e = write_file(ec, s, &c.file[i], &path);
		if (e == ERR_OK)
			report_line(s->report, REPORT_FILE, ref, git_oid_tostr(hex, sizeof(hex), id), c.file[i].name,
			            path);
		free(path);
	}
	return e == ERR_OK ? s->report->err : e;
}

bool branch_unfit(const struct branch *b)
{
	return b->has_remote && !b->broken && (b->fetch_err == ERR_INPUT || b->fetch_err == ERR_DAMAGED);
}

bool branch_is_over(const struct branch *b)
{
	return b->has_over && b->has_remote && !b->broken && git_oid_equal(&b->over, &b->remote);
}

/* Commits above `stop` (NULL: all), oldest first. *last: the last one that went well, where *any did. */
static enum err export_commits(struct errctx *ec, struct session *s, const struct branch *b, const git_oid *stop,
                               git_oid *last, bool *any)
{
	struct oids chain = { 0 };
	enum err e = chain_list(ec, s->local.odb, s->local.path, &b->got, stop, &chain);
	size_t i = chain.count;

	while (e == ERR_OK && i > 0) {
		e = export_commit(ec, s, b->name, &chain.id[i - 1]);
		i -= e == ERR_OK;
	}
	*any = i < chain.count;
	if (*any)
		*last = chain.id[i];
	oids_free(&chain);
	return e;
}

/* The same, then the tip line for the last one. */
static enum err export_chain(struct errctx *ec, struct session *s, const struct branch *b, const git_oid *stop)
{
	git_oid last;
	bool any = false;
	enum err e = export_commits(ec, s, b, stop, &last, &any);

	if (any)
		report_oid(s->report, REPORT_TIP, b->name, &last);
	return e;
}

enum err export_whole(struct errctx *ec, struct session *s, struct branch *b)
{
	git_oid last;
	bool any = false;

	return b->has_got ? export_commits(ec, s, b, NULL, &last, &any) : ERR_OK;
}

static enum err export_since_have(struct errctx *ec, struct session *s, const struct branch *b)
{
	enum relation rel = REL_FORKED;
	git_oid base = { { 0 } };
	bool apart = true;
	enum err e = ERR_OK;

	if (!b->has_have)
		return export_chain(ec, s, b, NULL);
	/* What the local repository lacks is not below `got`, which it holds with all that is below. */
	if (bare_holds(&s->local, &b->have))
		e = chain_relate(ec, s->local.odb, s->local.path, &b->got, &b->have, &rel, &base, &apart);
	if (e != ERR_OK || rel == REL_SAME)
		return e;
	if (rel == REL_ABOVE)
		return export_chain(ec, s, b, &b->have);
	/* Of an own branch also where the rest cannot be read: it is no place to go on from. */
	if (b->fetch_err == ERR_OK || b->own)
		report_oid(s->report, REPORT_REWOUND, b->name, &b->remote);
	return rel == REL_BELOW ? ERR_OK : export_chain(ec, s, b, apart ? NULL : &base);
}

/* Our record of a branch only ever moves forward: it is what a host that went back is healed from. To another line it
 * goes once the key process has taken that one in, and did not find it useless. */
static enum err keep_record(struct errctx *ec, struct session *s, const struct branch *b)
{
	enum relation rel = REL_ABOVE;
	git_oid base;
	bool apart = false, lost = false;
	enum err e = ERR_OK;

	if (b->has_local)
		e = chain_relate(ec, s->local.odb, s->local.path, &b->got, &b->local, &rel, &base, &apart);
	if (e == ERR_OK && rel == REL_FORKED && b->has_have && bare_holds(&s->local, &b->have) && !branch_is_over(b)) {
		e = chain_relate(ec, s->local.odb, s->local.path, &b->got, &b->have, &rel, &base, &apart);
		rel = rel == REL_SAME ? REL_ABOVE : rel;
	}
	if (e == ERR_DAMAGED)
		s->local_bad = true;
	if (e == ERR_OK && rel == REL_ABOVE) {
		/* Names that cannot stand beside each other (a/b and a/b/c) are the host's doing, not damage here. */
		e = bare_set(ec, &s->local, b->name, b->has_local ? &b->local : NULL, &b->got, &lost);
		if (e == ERR_DAMAGED)
			e = ERR_INPUT;
	}
	return e;
}

enum err export_branch(struct errctx *ec, struct session *s, struct branch *b)
{
	struct errctx own = { 0 };
	enum err e = ERR_OK;

	if (!b->has_remote) {
		if (b->has_have)
			report_line(s->report, REPORT_GONE, b->name, NULL, NULL, NULL);
		return ERR_OK;
	}
	if (b->broken) {
		err_set(&own, ERR_DAMAGED, "The branch %1 of the repository is damaged.", b->name, NULL, NULL);
		session_fail(s, ERR_DAMAGED, &own);
		return ERR_OK;
	}
	if (b->has_got && !(b->has_have && git_oid_equal(&b->have, &b->remote)))
		e = export_since_have(&own, s, b);
	if (e == ERR_DAMAGED)
		s->local_bad = true;
	if (e == ERR_OK && b->has_got && !b->own)
		e = keep_record(&own, s, b);
	if (e == ERR_NO_SPACE || e == ERR_IO) {
		*ec = own;
		return e;
	}
	if (e != ERR_OK && !s->local_bad)
		session_fail(s, e, &own);
	else if (e == ERR_OK && b->fetch_err != ERR_OK && !(b->own && branch_unfit(b)) && !branch_is_over(b))
		session_fail(s, b->fetch_err, &b->fetch_ec);
	return ERR_OK;
}
