// SPDX-License-Identifier: EUPL-1.2
// The courier between devices and hosts, step by step as src/courier/session.c, export.c and own.c have it; where they
// change, this must. Every step may be the last, of the device or of the exchange, and others may act at each.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/host_inside.h"
#include "sim/must.h"

#define ROUNDS_MAX 5
#define BRANCHES_MAX 1024

// ---- What is said ----

struct branch {
	char name[REF_LEN];
	bool wanted, own, restore, settled, broken, fetch_bad, has_got, has_tip, pushing;
	int have, remote, local, got, tip, over;
};

struct put {
	const struct job_item *item;
	int commit; /* NONE: not placed yet */
};

struct session {
	struct hosts *h;
	unsigned device;
	struct host *host;
	struct refs *refs; /* what it is shown; pushes go to `truth` */
	struct refs *truth;
	struct refs shown;
	struct cache *cache;
	const struct job *job;
	const char *in;
	struct branch *b;
	size_t n;
	struct put *put;
	size_t puts;
	unsigned files;
	bool late;
	bool said_done;
	bool graded; /* something went wrong, and was told */
	bool failed; /* a line was refused, or the device died: no more lines */
	enum err e;
	courier_line_fn fn;
	void *arg;
	uint64_t cut_after; /* steps until it breaks off, 0: never */
	bool cut;
	bool cut_silently;
	struct buf queue; /* lines that come late, each with a NUL */
};

/* False where the exchange ends here. */
static bool step(struct session *s)
{
	if (s->cut)
		return false;
	if (!s->failed && s->h->step != NULL)
		s->h->step(s->h->step_arg, s->device);
	s->h->steps++;
	if ((s->cut_after > 0 && --s->cut_after == 0) || s->h->steps == s->h->cut_at) {
		s->cut = true;
		s->h->counts.cut_off++;
		return false;
	}
	if (s->failed) /* it may live on for a while, with nobody to listen */
		return true;
	if (disk_step(s->h->device[s->device].disk))
		return true;
	s->failed = true;
	s->e = ERR_IO;
	if (random_chance(s->h->rnd, 50))
		s->cut = true;
	return !s->cut;
}

static void deliver(struct session *s, char *text)
{
	struct report_line line;

	if (s->failed)
		return;
	must(report_parse(text, &line) == ERR_OK, "the courier says what cannot be read");
	s->e = s->fn(s->arg, &line);
	s->failed = s->e != ERR_OK || disk_dead(s->h->device[s->device].disk);
	if (s->failed && s->e == ERR_OK)
		s->e = ERR_IO;
}

static void say(struct session *s, enum report_kind kind, const char *a, const char *b, const char *c, const char *d)
{
	struct report_line line = { .kind = kind, .field = { a, b, c, d } };
	struct buf text = { 0 };

	must(report_write(&line, &text) == ERR_OK && text.len > 0, "the courier says what cannot be written");
	text.data[text.len - 1] = '\0';
	if (s->h->trace)
		printf("#       %u < %s\n", s->device, (char *)text.data);
	if (s->late)
		must(buf_put(&s->queue, text.data, text.len) == ERR_OK, "out of memory");
	else
		deliver(s, (char *)text.data);
	buf_free(&text);
}

static void say_oid(struct session *s, enum report_kind kind, const struct branch *b, int commit)
{
	say(s, kind, b->name, s->h->commit[commit].id, NULL, NULL);
}

static void say_fail(struct session *s, const char *grade, const char *code)
{
	s->graded = true;
	say(s, REPORT_FAIL, grade, code, "It did not work.", NULL);
}

static int branch_cmp(const void *a, const void *b)
{
	return strcmp(((const struct branch *)a)->name, ((const struct branch *)b)->name);
}

static struct branch *branch_find(struct session *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->b[i].name, name) == 0)
			return &s->b[i];
	}
	return NULL;
}

static struct branch *branch_add(struct session *s, const char *name)
{
	struct branch *b = branch_find(s, name);

	if (b != NULL)
		return b;
	must(s->n < BRANCHES_MAX, "too many branches");
	b = &s->b[s->n++];
	*b = (struct branch){ .have = NONE, .remote = NONE, .local = NONE, .got = NONE, .tip = NONE, .over = NONE };
	must(strlen(name) < REF_LEN, "a branch name is too long");
	strcpy(b->name, name);
	return b;
}

static bool is_wanted(const struct session *s, const char *name)
{
	for (size_t i = 0; i < s->job->count; i++) {
		const struct job_item *item = &s->job->item[i];

		if (item->kind == JOB_WANT && strncmp(name, item->field[0], strlen(item->field[0])) == 0)
			return true;
	}
	return false;
}

static int tip_shown(const struct ref *r)
{
	return r == NULL ? NONE : r->tip;
}

static void look_at_remote(struct session *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct ref *r = ref_find(s->refs, s->b[i].name);

		s->b[i].remote = tip_shown(r);
		s->b[i].broken = r != NULL && r->broken;
	}
}

static void build_table(struct session *s)
{
	s->b = must_calloc(BRANCHES_MAX, sizeof(*s->b));
	s->put = must_calloc(s->job->count + 1, sizeof(*s->put));
	for (size_t i = 0; i < s->job->count; i++) {
		const struct job_item *item = &s->job->item[i];
		struct branch *b = NULL;

		if (item->kind != JOB_HAVE && item->kind != JOB_OWN && item->kind != JOB_PUT &&
		    item->kind != JOB_RESTORE && item->kind != JOB_OVER)
			continue;
		b = branch_add(s, item->field[0]);
		b->own = b->own || item->kind == JOB_OWN || item->kind == JOB_PUT;
		b->restore = b->restore || item->kind == JOB_RESTORE;
		if (item->kind == JOB_OVER)
			b->over = commit_find(s->h, item->field[1]);
		if (item->kind == JOB_HAVE) {
			b->have = commit_find(s->h, item->field[1]);
			must(b->have != NONE, "a device has a commit that nobody made");
		}
		if (item->kind == JOB_PUT)
			s->put[s->puts++] = (struct put){ item, NONE };
	}
	for (size_t i = 0; i < s->refs->n; i++) {
		if (is_wanted(s, s->refs->r[i].name))
			branch_add(s, s->refs->r[i].name);
	}
	qsort(s->b, s->n, sizeof(*s->b), branch_cmp);
	for (size_t i = 0; i < s->n; i++) {
		struct ref *r = ref_find(&s->cache->refs, s->b[i].name);

		s->b[i].wanted = is_wanted(s, s->b[i].name);
		s->b[i].local = r == NULL ? NONE : r->tip;
	}
	look_at_remote(s);
}

/* Oldest first; each commit that came stays, wherever it breaks off. */
static void fetch_branch(struct session *s, struct branch *b)
{
	int chain[4096];
	size_t n = 0;

	for (int at = b->remote; at != NONE && !held(s->cache, at); at = s->h->commit[at].parent) {
		must(n < 4096, "a branch is too long");
		chain[n++] = at;
	}
	b->got = n == 0 ? b->remote : s->h->commit[chain[n - 1]].parent;
	b->has_got = b->got != NONE;
	while (n-- > 0) {
		if (!step(s))
			return;
		hold(s->cache, chain[n]);
		b->got = chain[n];
		b->has_got = true;
	}
}

static void fetch(struct session *s)
{
	for (size_t i = 0; i < s->n && !s->cut; i++) {
		struct branch *b = &s->b[i];

		if (b->remote == NONE || b->broken || b->settled || !(b->wanted || b->own || b->restore))
			continue;
		fetch_branch(s, b);
		if (s->cut)
			return;
	}
}

static void export_commit(struct session *s, const struct branch *b, int commit)
{
	uint64_t times = random_chance(s->h->rnd, s->h->faults.twice) ? 2 : 1;
	char path[DISK_PATH];

	while (times-- > 0 && step(s)) {
		const struct commit *c = &s->h->commit[commit];

		snprintf(path, sizeof(path), "%.60s/%06u-%s", s->in, ++s->files, c->name);
		if (!s->failed)
			disk_put(s->h->device[s->device].disk, path, buf_bytes(&c->file));
		say(s, REPORT_FILE, b->name, c->id, c->name, path);
	}
}

/* The last one that was told; NONE: none. */
static int export_commits(struct session *s, const struct branch *b, int stop)
{
	int chain[4096];
	size_t n = 0;
	int last = NONE;

	for (int at = b->got; at != NONE && at != stop; at = s->h->commit[at].parent)
		chain[n++] = at;
	while (n-- > 0 && !s->cut) {
		export_commit(s, b, chain[n]);
		if (!s->cut)
			last = chain[n];
	}
	return last;
}

static void export_chain(struct session *s, const struct branch *b, int stop)
{
	int last = export_commits(s, b, stop);

	if (last != NONE && !s->cut)
		say_oid(s, REPORT_TIP, b, last);
}

static bool is_over(const struct branch *b)
{
	return b->over != NONE && !b->broken && b->over == b->remote;
}

/* May our record of the branch move to what was got? */
static bool record_moves(struct session *s, const struct branch *b)
{
	enum relation rel = b->local == NONE ? REL_ABOVE : relate(s->h, b->got, b->local, NULL);

	if (rel == REL_FORKED && b->have != NONE && held(s->cache, b->have) && !is_over(b))
		rel = relate(s->h, b->got, b->have, NULL) == REL_SAME ? REL_ABOVE : relate(s->h, b->got, b->have, NULL);
	return rel == REL_ABOVE;
}

static void export_since_have(struct session *s, const struct branch *b)
{
	enum relation rel = REL_FORKED;
	int base = NONE;

	if (b->have == NONE) {
		export_chain(s, b, NONE);
		return;
	}
	if (held(s->cache, b->have))
		rel = relate(s->h, b->got, b->have, &base);
	if (rel == REL_SAME)
		return;
	if (rel == REL_ABOVE) {
		export_chain(s, b, b->have);
		return;
	}
	s->h->counts.rewound++;
	say_oid(s, REPORT_REWOUND, b, b->remote);
	if (rel == REL_FORKED)
		export_chain(s, b, base);
}

static void export_branch(struct session *s, struct branch *b)
{
	if (b->remote == NONE) {
		if (b->have != NONE) {
			s->h->counts.gone++;
			say(s, REPORT_GONE, b->name, NULL, NULL, NULL);
		}
		return;
	}
	if (b->broken) {
		say_fail(s, "person", "damaged");
		return;
	}
	if (b->has_got && b->have != b->remote)
		export_since_have(s, b);
	if (!s->cut && b->has_got && !b->own && record_moves(s, b)) {
		b->local = b->got;
		ref_set(&s->cache->refs, b->name, b->got);
	}
}

static void export_others(struct session *s)
{
	size_t start = s->n > 0 && random_chance(s->h->rnd, s->h->faults.twice) ? random_below(s->h->rnd, s->n) : 0;

	for (size_t i = 0; i < s->n && !s->cut; i++) {
		struct branch *b = &s->b[(start + i) % s->n];

		if (b->own)
			continue;
		if (b->wanted)
			export_branch(s, b);
		b->settled = true;
	}
}

// ---- Own branches ----

static void find_placed(struct session *s, const struct branch *b)
{
	for (int at = b->tip; at != NONE && at != b->have; at = s->h->commit[at].parent) {
		for (size_t k = 0; k < s->puts; k++) {
			if (s->put[k].commit == NONE && strcmp(s->put[k].item->field[0], b->name) == 0 &&
			    strcmp(s->put[k].item->field[1], s->h->commit[at].name) == 0)
				s->put[k].commit = at;
		}
	}
}

static bool place(struct session *s, struct branch *b, struct put *put)
{
	struct buf content = { 0 };

	if (!disk_get(s->h->device[s->device].disk, put->item->field[2], &content)) {
		say_fail(s, "person", "put");
		return false;
	}
	b->tip = commit_make(s->h, b->tip, put->item->field[1], buf_bytes(&content), false);
	b->has_tip = true;
	put->commit = b->tip;
	hold(s->cache, b->tip);
	buf_free(&content);
	return true;
}

static void plan(struct session *s, struct branch *b)
{
	b->has_tip = b->have != NONE || b->local != NONE;
	b->tip = b->have != NONE ? b->have : b->local;
	if (b->have != NONE && b->local != NONE && relate(s->h, b->local, b->have, NULL) == REL_ABOVE)
		b->tip = b->local;
	find_placed(s, b);
	for (size_t i = 0; i < s->puts && !s->cut; i++) {
		struct put *put = &s->put[i];

		if (put->commit == NONE && strcmp(put->item->field[0], b->name) == 0 && step(s) && !place(s, b, put))
			return;
	}
}

static void lost(struct session *s, struct branch *b)
{
	b->settled = true;
	if (b->broken) {
		export_branch(s, b);
		return;
	}
	if (b->has_got)
		export_commits(s, b, NONE);
	if (!s->cut && b->remote != NONE)
		say_oid(s, REPORT_LOST, b, b->remote);
	else if (!s->cut)
		say(s, REPORT_LOST, b->name, "0000000000000000000000000000000000000000", NULL, NULL);
}

static void prepare(struct session *s, struct branch *b)
{
	enum relation rel = REL_SAME;

	if (!b->broken && b->have != NONE) {
		if (b->remote == NONE) {
			s->h->counts.gone++;
			say(s, REPORT_GONE, b->name, NULL, NULL, NULL);
		} else if (!held(s->cache, b->have)) {
			rel = REL_BELOW;
		} else if (b->remote != b->have && b->has_got) {
			rel = relate(s->h, b->remote, b->have, NULL);
		}
		if (rel == REL_BELOW) {
			s->h->counts.rewound++;
			say_oid(s, REPORT_REWOUND, b, b->remote);
		}
	}
	if (b->have != NONE && !held(s->cache, b->have))
		lost(s, b);
	else
		plan(s, b);
}

static void record_tip(struct session *s, struct branch *b)
{
	b->local = b->tip;
	ref_set(&s->cache->refs, b->name, b->tip);
}

static void confirm(struct session *s, struct branch *b)
{
	for (size_t i = 0; i < s->puts; i++) {
		if (s->put[i].commit != NONE && strcmp(s->put[i].item->field[0], b->name) == 0 && step(s))
			say(s, REPORT_SENT, b->name, s->put[i].item->field[1], NULL, NULL);
	}
	if (!s->cut && b->have != b->tip)
		say_oid(s, REPORT_TIP, b, b->tip);
	b->settled = true;
}

static void settle(struct session *s, struct branch *b)
{
	enum relation rel = REL_FORKED;

	b->pushing = false;
	if (b->has_tip && is_over(b) && b->tip != b->remote) {
		b->pushing = true;
		record_tip(s, b);
		return;
	}
	if (b->broken) {
		b->settled = true;
		export_branch(s, b);
		return;
	}
	if (b->remote == NONE && !b->has_tip) {
		b->settled = true;
		return;
	}
	if (b->remote != NONE && b->has_tip)
		rel = relate(s->h, b->tip, b->remote, NULL);
	if (b->remote == NONE || rel == REL_ABOVE) {
		b->pushing = true;
		record_tip(s, b);
	} else if (rel == REL_SAME) {
		record_tip(s, b);
		confirm(s, b);
	} else {
		s->h->counts.ahead++;
		say_oid(s, REPORT_AHEAD, b, b->remote);
		b->settled = true;
		export_branch(s, b);
	}
}

static bool needs_restore(struct session *s, const struct branch *b)
{
	if (b->restore && !b->own && b->local != NONE && is_over(b) && b->local != b->remote)
		return true;
	if (!b->restore || b->own || b->local == NONE || b->broken || (b->remote != NONE && !held(s->cache, b->remote)))
		return false;
	return b->remote == NONE || relate(s->h, b->local, b->remote, NULL) == REL_ABOVE;
}

/* Compare and swap, against what the host really has. */
static void push(struct session *s, struct branch *b)
{
	struct ref *r = NULL;
	int base = NONE;
	int tip = b->own ? b->tip : b->local;

	if (!step(s))
		return;
	r = ref_find(s->truth, b->name);
	base = tip_shown(r);
	/* An honest host takes its own lies back from nobody. */
	if (base != b->remote || (s->h->honest && !b->own && honest_tip(s->h, tip) != tip)) {
		s->h->counts.lost_races++;
		return;
	}
	ref_set(s->truth, b->name, tip);
	if (s->refs != s->truth)
		ref_set(s->refs, b->name, tip);
	s->h->counts.pushes++;
	(void)step(s); /* it may die before it looks */
}

static void own_run(struct session *s)
{
	for (size_t i = 0; i < s->n && !s->cut; i++) {
		if (s->b[i].own)
			prepare(s, &s->b[i]);
	}
	for (int round = 0; round < ROUNDS_MAX && !s->cut; round++) {
		bool any = false;

		for (size_t i = 0; i < s->n && !s->cut; i++) {
			struct branch *b = &s->b[i];

			b->pushing = false;
			if (b->own && !b->settled)
				settle(s, b);
			else if (round == 0)
				b->pushing = needs_restore(s, b);
			any = any || b->pushing;
		}
		if (!any || s->cut)
			break;
		for (size_t i = 0; i < s->n && !s->cut; i++) {
			if (s->b[i].pushing)
				push(s, &s->b[i]);
		}
		if (s->cut)
			return;
		look_at_remote(s);
		fetch(s);
		for (size_t i = 0; round == 0 && i < s->n && !s->cut; i++) {
			if (s->b[i].pushing && !s->b[i].own && s->b[i].remote == s->b[i].local) {
				s->h->counts.restored++;
				say_oid(s, REPORT_RESTORED, &s->b[i], s->b[i].remote);
			}
		}
	}
	for (size_t i = 0; i < s->n && !s->cut; i++) {
		if (s->b[i].own && !s->b[i].settled)
			say_fail(s, "now", "race");
	}
}

// ---- A run ----

static struct host *host_of(struct hosts *h, const char *url, bool create)
{
	for (size_t i = 0; i < h->count; i++) {
		if (strcmp(h->host[i].url, url) == 0)
			return &h->host[i];
	}
	if (!create)
		return NULL;
	must(h->count < HOSTS_MAX, "too many hosts");
	snprintf(h->host[h->count].url, sizeof(h->host[0].url), "%s", url);
	return &h->host[h->count++];
}

static struct cache *cache_of(struct device *d, const char *path)
{
	for (size_t i = 0; i < d->caches; i++) {
		if (strcmp(d->cache[i].path, path) == 0)
			return &d->cache[i];
	}
	must(d->caches < CACHES_MAX, "too many caches");
	snprintf(d->cache[d->caches].path, DISK_PATH, "%s", path);
	return &d->cache[d->caches++];
}

/* Some branches as they were some commits ago, or not at all. */
static void show_stale(struct session *s)
{
	refs_copy(&s->shown, s->truth);
	for (size_t i = 0; i < s->shown.n;) {
		struct ref *r = &s->shown.r[i];

		if (random_chance(s->h->rnd, 20)) {
			ref_drop(&s->shown, r);
			continue;
		}
		for (uint64_t back = random_below(s->h->rnd, 3); back > 0 && s->h->commit[r->tip].parent != NONE;
		     back--)
			r->tip = s->h->commit[r->tip].parent;
		i++;
	}
	s->refs = &s->shown;
	s->h->counts.stale++;
}

/* Branches of epochs that are over, where nothing was added since (K3). */
static void drop_run(struct session *s)
{
	for (size_t i = 0; i < s->job->count && !s->cut; i++) {
		const struct job_item *item = &s->job->item[i];
		struct ref *r = NULL;
		struct ref *own = NULL;
		int id = NONE;

		if (item->kind != JOB_DROP || !step(s))
			continue;
		id = commit_find(s->h, item->field[1]);
		r = ref_find(s->truth, item->field[0]);
		if (r != NULL && r->tip != id)
			continue;
		if (r != NULL)
			ref_drop(s->truth, r);
		r = s->refs != s->truth ? ref_find(s->refs, item->field[0]) : NULL;
		if (r != NULL)
			ref_drop(s->refs, r);
		own = ref_find(&s->cache->refs, item->field[0]);
		if (own != NULL && own->tip == id)
			ref_drop(&s->cache->refs, own);
		s->h->counts.removed++;
		say(s, REPORT_DROPPED, item->field[0], item->field[1], NULL, NULL);
	}
}

static void exchange(struct session *s)
{
	if (!step(s))
		return;
	build_table(s);
	fetch(s);
	if (!s->cut)
		export_others(s);
	if (!s->cut)
		own_run(s);
	if (!s->cut && !s->graded)
		drop_run(s);
}

static void draw_faults(struct session *s)
{
	const struct host_faults *f = &s->h->faults;

	if (random_chance(s->h->rnd, f->broken_off)) {
		s->cut_after = 1 + random_below(s->h->rnd, 15);
		s->cut_silently = random_chance(s->h->rnd, 50);
	}
	s->late = random_chance(s->h->rnd, f->late);
	if (random_chance(s->h->rnd, f->stale))
		show_stale(s);
}

static void report_late(struct session *s)
{
	char *at = (char *)s->queue.data;
	char *end = s->queue.len == 0 ? at : at + s->queue.len;

	while (at < end && !s->failed) {
		char *next = at + strlen(at) + 1;

		if (!disk_step(s->h->device[s->device].disk)) {
			s->failed = true;
			s->e = ERR_IO;
		}
		deliver(s, at);
		at = next;
	}
}

enum err host_courier(struct errctx *ec, const char *program, const struct job *job, courier_line_fn fn, void *arg)
{
	struct hosts *h = hosts_in_use();
	struct session s = { .h = h, .job = job, .fn = fn, .arg = arg, .in = job_get(job, JOB_IN) };
	bool create = false;

	must(h != NULL && strncmp(program, "sim:", 4) == 0, "an exchange outside a world");
	s.device = (unsigned)strtoul(program + 4, NULL, 10);
	for (size_t i = 0; i < job->count; i++)
		create = create || job->item[i].kind == JOB_CREATE;
	s.host = host_of(h, job_get(job, JOB_REMOTE), create);
	s.cache = cache_of(&h->device[s.device], job_get(job, JOB_REPO));
	h->counts.sessions++;
	if (h->trace)
		for (size_t i = 0; i < job->count; i++)
			printf("#       %u > %d %s %s\n", s.device, (int)job->item[i].kind,
			       job->item[i].field[0] != NULL ? job->item[i].field[0] : "",
			       job->item[i].field[1] != NULL ? job->item[i].field[1] : "");
	if (disk_dead(h->device[s.device].disk))
		return err_set(ec, ERR_LATER, "dead", NULL, NULL, NULL);
	if (s.host == NULL || random_chance(h->rnd, h->faults.unreachable)) {
		static const char *const grades[] = { "later", "now", "person" };

		say_fail(&s, s.host == NULL ? "later" : grades[random_below(h->rnd, 3)], "no-remote");
		return s.e;
	}
	s.truth = s.refs = &s.host->world[s.host->two ? h->device[s.device].world : 0];
	draw_faults(&s);
	exchange(&s);
	if (s.cut && !s.cut_silently)
		say_fail(&s, "later", "broken-off");
	report_late(&s);
	if (s.e == ERR_OK && s.cut && s.cut_silently)
		s.e = err_set(ec, ERR_LATER, "The exchange with the repository broke off (%1). Try again later.",
		              "the courier ended early", NULL, NULL);
	free(s.b);
	free(s.put);
	free(s.shown.r);
	free(s.queue.data);
	return s.e;
}
