// SPDX-License-Identifier: EUPL-1.2
// One job from start to end: open, list, fetch, report what is new, push, pack. Every step may be killed and the whole
// run again (S3): commits have ids that follow from their content, branches move by compare-and-swap, and nothing is
// remembered outside the repositories. A run that finds nothing new costs one listing (S6).
#include "courier/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "courier/pack.h"

#define ASIDE_MAX 100

static enum err no_memory(struct errctx *ec)
{
	return err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.", NULL, NULL,
	               NULL);
}

// ---- The local repository ----

static enum err move_aside(struct errctx *ec, const char *path)
{
	enum err e = ERR_OK;
	char *aside = NULL;

	for (int n = 1; n <= ASIDE_MAX; n++) {
		struct stat st;

		free(aside);
		if (asprintf(&aside, "%s.damaged-%d", path, n) < 0)
			return no_memory(ec);
		if (lstat(aside, &st) != 0)
			break;
	}
	if (rename(path, aside) != 0)
		e = err_errno(ec, errno, path);
	free(aside);
	return e;
}

/* Somebody else's folder in place of ours would decide what we fetch and push. */
static enum err check_owner(struct errctx *ec, const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0 || st.st_uid == geteuid())
		return ERR_OK;
	return err_set(ec, ERR_LOCKED, "%1 belongs to another user. Remove it, or use a folder of your own.", path,
	               NULL, NULL);
}

static enum err open_local(struct errctx *ec, struct session *s)
{
	const char *path = job_get(s->job, JOB_REPO);
	enum err e = check_owner(ec, path);
	struct stat st;

	if (e != ERR_OK)
		return e;
	if (lstat(path, &st) == 0) {
		if (bare_open(NULL, path, &s->local) == ERR_OK)
			return bare_lock(ec, &s->local);
		/* An empty folder is not worth keeping. */
		if (rmdir(path) != 0)
			e = move_aside(ec, path);
	}
	if (e == ERR_OK)
		e = bare_create(ec, path);
	/* a file system without modes has none to give; the home it lies in is closed to others where it can be */
	if (e == ERR_OK && chmod(path, 0700) != 0 && errno != EPERM)
		e = err_errno(ec, errno, path);
	if (e == ERR_OK)
		e = bare_open(ec, path, &s->local);
	return e == ERR_OK ? bare_lock(ec, &s->local) : e;
}

// ---- The table of branches ----

static int compare_branches(const void *a, const void *b)
{
	return strcmp(((const struct branch *)a)->name, ((const struct branch *)b)->name);
}

static int compare_name(const void *name, const void *branch)
{
	return strcmp(name, ((const struct branch *)branch)->name);
}

struct branch *session_find(const struct session *s, const char *name)
{
	return s->count == 0 ? NULL : bsearch(name, s->branch, s->count, sizeof(*s->branch), compare_name);
}

static enum err add_branch(struct errctx *ec, struct session *s, const char *name)
{
	if (s->count == s->cap) {
		size_t cap = s->cap == 0 ? 64 : s->cap * 2;
		struct branch *grown = reallocarray(s->branch, cap, sizeof(*grown));

		if (grown == NULL)
			return no_memory(ec);
		s->branch = grown;
		s->cap = cap;
	}
	s->branch[s->count] = (struct branch){ .name = strdup(name) };
	if (s->branch[s->count].name == NULL)
		return no_memory(ec);
	s->count++;
	return ERR_OK;
}

static void sort_branches(struct session *s)
{
	size_t kept = 0;

	if (s->count > 0)
		qsort(s->branch, s->count, sizeof(*s->branch), compare_branches);
	for (size_t i = 0; i < s->count; i++) {
		if (kept > 0 && strcmp(s->branch[kept - 1].name, s->branch[i].name) == 0)
			free(s->branch[i].name);
		else
			s->branch[kept++] = s->branch[i];
	}
	s->count = kept;
}

static bool is_wanted(const struct session *s, const char *name)
{
	for (size_t i = 0; i < s->wants; i++) {
		if (strncmp(name, s->prefix[i], strlen(s->prefix[i])) == 0)
			return true;
	}
	return false;
}

/* Does the item speak of one branch? */
static bool names_branch(const struct job_item *item)
{
	return item->kind == JOB_HAVE || item->kind == JOB_OWN || item->kind == JOB_PUT || item->kind == JOB_RESTORE ||
	       item->kind == JOB_OVER || item->kind == JOB_DROP;
}

static enum err read_oid(struct errctx *ec, const char *text, git_oid *out)
{
	return git_oid_fromstr(out, text) == 0 ? ERR_OK : err_set(ec, ERR_USAGE, "%1 is no commit.", text, NULL, NULL);
}

/* What the job says of each branch. */
static enum err mark_branches(struct errctx *ec, struct session *s)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < s->count; i++)
		s->branch[i].wanted = is_wanted(s, s->branch[i].name);
	for (size_t i = 0; e == ERR_OK && i < s->job->count; i++) {
		const struct job_item *item = &s->job->item[i];
		struct branch *b = names_branch(item) ? session_find(s, item->field[0]) : NULL;

		if (b == NULL)
			continue;
		b->own = b->own || item->kind == JOB_OWN || item->kind == JOB_PUT;
		b->restore = b->restore || item->kind == JOB_RESTORE;
		if (item->kind == JOB_PUT)
			s->put[s->puts++].item = item;
		if (item->kind == JOB_HAVE) {
			b->has_have = true;
			e = read_oid(ec, item->field[1], &b->have);
		}
		if (item->kind == JOB_OVER) {
			b->has_over = true;
			e = read_oid(ec, item->field[1], &b->over);
		}
	}
	return e;
}

/* What to ask the remote for: the wanted prefixes, and the branches to push that lie below none of them. */
static enum err choose_prefixes(struct errctx *ec, struct session *s)
{
	s->prefix = calloc(s->job->count + 1, sizeof(*s->prefix));
	if (s->prefix == NULL)
		return no_memory(ec);
	for (size_t i = 0; i < s->job->count; i++) {
		if (s->job->item[i].kind == JOB_WANT)
			s->prefix[s->wants++] = s->job->item[i].field[0];
	}
	s->prefixes = s->wants;
	for (size_t i = 0; i < s->job->count; i++) {
		const struct job_item *item = &s->job->item[i];

		if (!names_branch(item) || item->kind == JOB_HAVE || item->kind == JOB_OVER ||
		    is_wanted(s, item->field[0]))
			continue;
		/* A row of puts is of one branch. */
		if (s->prefixes == s->wants || strcmp(s->prefix[s->prefixes - 1], item->field[0]) != 0)
			s->prefix[s->prefixes++] = item->field[0];
	}
	return ERR_OK;
}

static void set_refs(struct session *s, const struct branch_refs *refs, bool remote)
{
	for (size_t i = 0; i < s->count; i++) {
		struct branch *b = &s->branch[i];
		const struct branch_ref *ref = branch_refs_find(refs, b->name);

		if (remote) {
			b->has_remote = ref != NULL;
			b->broken = ref != NULL && ref->broken;
			if (ref != NULL)
				b->remote = ref->id;
		} else {
			b->has_local = ref != NULL;
			/* A branch of ours without its commit: the cache lost objects. */
			s->local_bad =
			    s->local_bad || (ref != NULL && (ref->broken || !bare_holds(&s->local, &ref->id)));
			if (ref != NULL)
				b->local = ref->id;
		}
	}
}

enum err session_list(struct errctx *ec, struct session *s)
{
	struct branch_refs refs = { 0 };
	enum err e = s->remote->ops->list(ec, s->remote, s->prefix, s->prefixes, &refs);

	if (e == ERR_OK)
		set_refs(s, &refs, true);
	branch_refs_free(&refs);
	return e;
}

/* The branches that the job names or the remote shows, with what the remote and the local repository hold of each. */
static enum err build_table(struct errctx *ec, struct session *s)
{
	struct branch_refs there = { 0 }, here = { 0 };
	enum err e = choose_prefixes(ec, s);

	s->put = calloc(s->job->count + 1, sizeof(*s->put));
	if (e == ERR_OK && s->put == NULL)
		e = no_memory(ec);
	for (size_t i = 0; e == ERR_OK && i < s->job->count; i++) {
		if (names_branch(&s->job->item[i]))
			e = add_branch(ec, s, s->job->item[i].field[0]);
	}
	if (e == ERR_OK)
		e = s->remote->ops->list(ec, s->remote, s->prefix, s->prefixes, &there);
	for (size_t i = 0; e == ERR_OK && i < there.count; i++)
		e = add_branch(ec, s, there.ref[i].name);
	sort_branches(s);
	if (e == ERR_OK)
		e = mark_branches(ec, s);
	set_refs(s, &there, true);
	if (e == ERR_OK) {
		e = bare_list(ec, &s->local, s->prefix, s->prefixes, &here);
		s->local_bad = e == ERR_DAMAGED;
		set_refs(s, &here, false);
	}
	branch_refs_free(&there);
	branch_refs_free(&here);
	return e;
}

// ---- Fetch ----

enum err session_fetch(struct errctx *ec, struct session *s)
{
	struct copy_item *item = calloc(s->count + 1, sizeof(*item));
	size_t n = 0;
	enum err e = ERR_OK;

	if (item == NULL)
		return no_memory(ec);
	for (size_t i = 0; i < s->count; i++) {
		struct branch *b = &s->branch[i];

		if (!b->has_remote || b->broken || b->settled || !(b->wanted || b->own || b->restore))
			continue;
		b->has_got =
		    (b->has_local && git_oid_equal(&b->local, &b->remote)) || bare_holds(&s->local, &b->remote);
		b->got = b->remote;
		b->fetch_err = ERR_OK;
		if (!b->has_got)
			item[n++] = (struct copy_item){ .name = b->name, .tip = b->remote };
	}
	if (n > 0)
		e = s->remote->ops->fetch(ec, s->remote, item, n);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		struct branch *b = session_find(s, item[i].name);

		b->has_got = item[i].has_got;
		b->got = item[i].got;
		b->fetch_err = item[i].err;
		b->fetch_ec = item[i].ec;
	}
	free(item);
	return e;
}

// ---- The run ----

void session_branch_failed(struct session *s, enum err e, const struct errctx *ec)
{
	if (e == ERR_DAMAGED)
		s->local_bad = true;
	else
		session_fail(s, e, ec);
}

void session_fail(struct session *s, enum err e, const struct errctx *ec)
{
	struct errctx gone = { 0 };
	enum grade grade = GRADE_NONE;
	const char *code = NULL;

	if (s->remote != NULL && s->remote->ops->grade != NULL && s->remote->ops->grade(s->remote, &grade, &code)) {
		report_fail_as(s->report, grade, code, ec);
		return;
	}
	if (s->remote == NULL || s->remote->ops->reachable(s->remote)) {
		report_fail(s->report, e, NULL, ec);
		return;
	}
	err_set(&gone, ERR_LATER, "The repository %1 went away during the exchange. Try again when it is there.",
	        job_get(s->job, JOB_REMOTE), NULL, NULL);
	report_fail(s->report, ERR_LATER, "no-remote", &gone);
}

static enum err export_others(struct errctx *ec, struct session *s)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && !s->local_bad && s->report->err == ERR_OK && i < s->count; i++) {
		if (s->branch[i].own)
			continue;
		if (s->branch[i].wanted)
			e = export_branch(ec, s, &s->branch[i]);
		s->branch[i].settled = true;
	}
	return e;
}

static enum err pack_both(struct errctx *ec, struct session *s)
{
	enum err e = ERR_OK;

	if (pack_needed(&s->local)) {
		e = pack_run(ec, &s->local);
		s->local_bad = s->local_bad || e == ERR_DAMAGED;
	}
	return e == ERR_OK ? s->remote->ops->pack(ec, s->remote) : e;
}

/* Branches of epochs that are over, where nothing was added since (K3). One that cannot be removed now stays for
 * another time: that is no failure of the exchange. */
static void drop_run(struct session *s)
{
	for (size_t i = 0; i < s->job->count; i++) {
		const struct job_item *item = &s->job->item[i];
		struct branch *b = item->kind == JOB_DROP ? session_find(s, item->field[0]) : NULL;
		struct errctx why = { 0 };
		git_oid id;
		bool lost = false;

		if (b == NULL || git_oid_fromstr(&id, item->field[1]) != 0)
			continue;
		if (b->has_remote && (s->remote->ops->drop == NULL ||
		                      s->remote->ops->drop(&why, s->remote, b->name, &id, &lost) != ERR_OK || lost))
			continue;
		(void)!bare_drop(&why, &s->local, b->name, &id, &lost);
		report_oid(s->report, REPORT_DROPPED, b->name, &id);
	}
}

static enum err open_remote(struct errctx *ec, struct session *s)
{
	enum err e = transport_open(ec, s->job, &s->local, &s->remote);

	if (e == ERR_USAGE)
		report_fail(s->report, e, "transport", ec);
	else if (e == ERR_NOT_FOUND)
		report_fail(s->report, e, "no-remote", ec);
	else if (e != ERR_OK)
		report_fail(s->report, e, NULL, ec);
	return e;
}

static enum err exchange(struct errctx *ec, struct session *s)
{
	enum err e = build_table(ec, s);

	if (e == ERR_OK && !s->local_bad)
		e = session_fetch(ec, s);
	if (e == ERR_OK && !s->local_bad)
		e = export_others(ec, s);
	if (e == ERR_OK && !s->local_bad)
		e = own_run(ec, s);
	if (e == ERR_OK && !s->local_bad && s->report->err == ERR_OK)
		drop_run(s);
	if (e == ERR_OK && !s->local_bad && job_get(s->job, JOB_PACK) != NULL)
		e = pack_both(ec, s);
	return e;
}

static void close_session(struct session *s)
{
	if (s->remote != NULL)
		s->remote->ops->close(s->remote);
	bare_close(&s->local);
	for (size_t i = 0; i < s->count; i++)
		free(s->branch[i].name);
	free(s->branch);
	free(s->prefix);
	free(s->put);
	*s = (struct session){ .job = s->job, .report = s->report, .local = BARE_CLOSED, .files = s->files };
}

void session_run(const struct job *job, struct report *report)
{
	struct session s = { .job = job, .report = report, .local = BARE_CLOSED };

	for (bool again = true, remade = false; again;) {
		struct errctx ec = { 0 };
		enum err e = open_local(&ec, &s);

		again = false;
		if (e != ERR_OK) {
			report_fail(report, e, NULL, &ec);
		} else if (open_remote(&ec, &s) == ERR_OK) {
			e = exchange(&ec, &s);
			again = s.local_bad && !remade;
			if (e != ERR_OK && !again)
				session_fail(&s, e, &ec);
		}
		close_session(&s);
		if (again) {
			struct errctx aside = { 0 };

			remade = true;
			e = move_aside(&aside, job_get(job, JOB_REPO));
			if (e != ERR_OK) {
				report_fail(report, e, NULL, &aside);
				again = false;
			}
		}
	}
}
