// SPDX-License-Identifier: EUPL-1.2
// Hosts, and the courier between them and the devices. The courier's half follows src/courier/ step by step; where
// that changes, this must.
#include "sim/host.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/file.h"
#include "sim/must.h"

#define NONE (-1)
#define REF_LEN 128
#define ROUNDS_MAX 5
#define BRANCHES_MAX 1024

struct commit {
	char id[JOB_OID_LEN + 1];
	int parent;
	char name[JOB_NAME_MAX + 1];
	struct buf file;
	bool lie; /* made by the host */
};

struct ref {
	char name[REF_LEN];
	int tip;
	bool broken;
};

struct refs {
	struct ref *r;
	size_t n;
	size_t cap;
};

struct host {
	char url[64];
	struct refs world[2];
	bool two; /* world[1] is shown to some */
};

/* The courier's repository of one neighbourhood on one device. */
struct cache {
	char path[DISK_PATH];
	struct refs refs;
	bool *held;
	size_t held_cap;
};

struct device {
	struct disk *disk;
	struct cache cache[HOSTS_MAX];
	size_t caches;
	int world; /* which of two it sees */
};

struct hosts {
	struct random *rnd;
	struct host_faults faults;
	bool trace;
	struct host host[HOSTS_MAX];
	size_t count;
	struct commit *commit;
	size_t commits;
	size_t commit_cap;
	struct device device[HOST_DEVICES];
	host_step_fn step;
	void *step_arg;
	struct host_counts counts;
	bool honest; /* from now on */
	uint64_t steps;
	uint64_t cut_at;
	struct refs written; /* by which device, in the place of a tip */
};

static struct hosts *in_use;

// ---- Tables ----

static struct ref *ref_find(const struct refs *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->r[i].name, name) == 0)
			return &list->r[i];
	}
	return NULL;
}

static void ref_set(struct refs *list, const char *name, int tip)
{
	struct ref *r = ref_find(list, name);

	if (r == NULL) {
		if (list->n == list->cap) {
			list->cap = list->cap == 0 ? 16 : 2 * list->cap;
			list->r = must_realloc(list->r, list->cap * sizeof(*list->r));
		}
		r = &list->r[list->n++];
		*r = (struct ref){ .tip = NONE };
		must(strlen(name) < REF_LEN, "a branch name is too long");
		strcpy(r->name, name);
	}
	r->tip = tip;
	r->broken = false;
}

static void ref_drop(struct refs *list, struct ref *r)
{
	*r = list->r[--list->n];
}

static void refs_copy(struct refs *to, const struct refs *from)
{
	to->n = 0;
	for (size_t i = 0; i < from->n; i++) {
		ref_set(to, from->r[i].name, from->r[i].tip);
		to->r[to->n - 1].broken = from->r[i].broken;
	}
}

static int commit_find(const struct hosts *h, const char *id)
{
	for (size_t i = h->commits; i-- > 0;) {
		if (strcmp(h->commit[i].id, id) == 0)
			return (int)i;
	}
	return NONE;
}

/* Its id follows from parent, name and content, as in git. */
static int commit_make(struct hosts *h, int parent, const char *name, struct bytes file, bool lie)
{
	crypto_generichash_state st;
	uint8_t hash[JOB_OID_LEN / 2];
	char id[JOB_OID_LEN + 1];
	struct commit *c = NULL;
	int known = NONE;

	crypto_generichash_init(&st, NULL, 0, sizeof(hash));
	if (parent != NONE)
		crypto_generichash_update(&st, (const uint8_t *)h->commit[parent].id, JOB_OID_LEN);
	crypto_generichash_update(&st, (const uint8_t *)name, strlen(name) + 1);
	crypto_generichash_update(&st, file.data, file.len);
	crypto_generichash_final(&st, hash, sizeof(hash));
	hex_put(hash, sizeof(hash), id);
	known = commit_find(h, id);
	if (known != NONE)
		return known;
	if (h->commits == h->commit_cap) {
		h->commit_cap = h->commit_cap == 0 ? 256 : 2 * h->commit_cap;
		h->commit = must_realloc(h->commit, h->commit_cap * sizeof(*h->commit));
	}
	c = &h->commit[h->commits++];
	*c = (struct commit){ .parent = parent, .lie = lie };
	strcpy(c->id, id);
	snprintf(c->name, sizeof(c->name), "%s", name);
	must(buf_put(&c->file, file.data, file.len) == ERR_OK, "out of memory");
	return (int)(h->commits - 1);
}

static bool held(const struct cache *c, int commit)
{
	return commit != NONE && (size_t)commit < c->held_cap && c->held[commit];
}

static void hold(struct cache *c, int commit)
{
	if ((size_t)commit >= c->held_cap) {
		size_t cap = ((size_t)commit + 256) * 2;

		c->held = must_realloc(c->held, cap * sizeof(*c->held));
		memset(c->held + c->held_cap, 0, (cap - c->held_cap) * sizeof(*c->held));
		c->held_cap = cap;
	}
	c->held[commit] = true;
}

enum relation { REL_SAME, REL_ABOVE, REL_BELOW, REL_FORKED };

static bool descends(const struct hosts *h, int a, int from)
{
	while (a != NONE && a != from)
		a = h->commit[a].parent;
	return a == from;
}

static enum relation relate(const struct hosts *h, int a, int b, int *base)
{
	int meet = b;

	while (meet != NONE && !descends(h, a, meet))
		meet = h->commit[meet].parent;
	if (base != NULL)
		*base = meet;
	if (a == b)
		return REL_SAME;
	return meet == b ? REL_ABOVE : meet == a ? REL_BELOW : REL_FORKED;
}

// ---- A world ----

struct hosts *hosts_new(struct random *rnd)
{
	struct hosts *h = must_calloc(1, sizeof(*h));

	h->rnd = rnd;
	return h;
}

static void cache_clear(struct cache *c)
{
	free(c->refs.r);
	free(c->held);
	*c = (struct cache){ 0 };
}

void hosts_free(struct hosts *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < h->commits; i++)
		free(h->commit[i].file.data);
	free(h->commit);
	free(h->written.r);
	for (size_t i = 0; i < HOSTS_MAX; i++) {
		free(h->host[i].world[0].r);
		free(h->host[i].world[1].r);
	}
	for (size_t i = 0; i < HOST_DEVICES; i++) {
		for (size_t k = 0; k < h->device[i].caches; k++)
			cache_clear(&h->device[i].cache[k]);
	}
	if (in_use == h)
		in_use = NULL;
	free(h);
}

void hosts_use(struct hosts *h, host_step_fn step, void *arg)
{
	in_use = h;
	if (h != NULL) {
		h->step = step;
		h->step_arg = arg;
	}
}

void hosts_faults(struct hosts *h, const struct host_faults *f)
{
	h->faults = *f;
}

void hosts_cut_after(struct hosts *h, uint64_t n)
{
	h->cut_at = n == 0 ? 0 : h->steps + n;
}

uint64_t hosts_steps(const struct hosts *h)
{
	return h->steps;
}

void hosts_trace(struct hosts *h, bool on)
{
	h->trace = on;
}

void hosts_device(struct hosts *h, unsigned device, struct disk *disk)
{
	must(device < HOST_DEVICES, "too many devices");
	h->device[device].disk = disk;
}

void host_cache_lose(struct hosts *h, unsigned device)
{
	for (size_t k = 0; k < h->device[device].caches; k++)
		cache_clear(&h->device[device].cache[k]);
	h->device[device].caches = 0;
}

void host_cache_copy(struct hosts *h, unsigned from, unsigned to)
{
	host_cache_lose(h, to);
	for (size_t k = 0; k < h->device[from].caches; k++) {
		const struct cache *a = &h->device[from].cache[k];
		struct cache *b = &h->device[to].cache[k];

		*b = (struct cache){ 0 };
		snprintf(b->path, sizeof(b->path), "/sim/%u/%.100s", to, strrchr(a->path, '/') + 1);
		refs_copy(&b->refs, &a->refs);
		for (size_t i = 0; i < h->commits; i++) {
			if (held(a, (int)i))
				hold(b, (int)i);
		}
	}
	h->device[to].caches = h->device[from].caches;
}

struct host_counts host_counts(const struct hosts *h)
{
	return h->counts;
}

uint64_t host_digest(const struct hosts *h)
{
	uint64_t sum = h->steps;

	for (size_t i = 0; i < h->commits; i++) {
		for (const char *p = h->commit[i].id; *p != '\0'; p++)
			sum = (sum ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
	}
	return sum;
}

// ---- Lies ----

static struct host *some_host(struct hosts *h)
{
	return h->count == 0 ? NULL : &h->host[random_below(h->rnd, h->count)];
}

static struct refs *some_refs(struct hosts *h)
{
	struct host *host = some_host(h);

	return host == NULL ? NULL : &host->world[host->two ? random_below(h->rnd, 2) : 0];
}

static struct ref *some_ref(struct hosts *h, struct refs *list)
{
	return list == NULL || list->n == 0 ? NULL : &list->r[random_below(h->rnd, list->n)];
}

bool host_go_back(struct hosts *h)
{
	struct refs *list = some_refs(h);
	struct ref *r = some_ref(h, list);
	uint64_t back = 1 + random_below(h->rnd, 3);

	if (r == NULL)
		return false;
	while (back-- > 0 && h->commit[r->tip].parent != NONE)
		r->tip = h->commit[r->tip].parent;
	h->counts.went_back++;
	return true;
}

bool host_drop(struct hosts *h)
{
	struct refs *list = some_refs(h);
	struct ref *r = some_ref(h, list);

	if (r == NULL)
		return false;
	ref_drop(list, r);
	h->counts.dropped++;
	return true;
}

bool host_two_worlds(struct hosts *h)
{
	struct host *host = some_host(h);

	if (host == NULL || host->two)
		return false;
	refs_copy(&host->world[1], &host->world[0]);
	host->two = true;
	for (size_t i = 0; i < HOST_DEVICES; i++)
		h->device[i].world = (int)random_below(h->rnd, 2);
	h->counts.worlds++;
	return true;
}

/* refs/heads/TAG/EPOCH/ and a device tag that nobody has. */
static void strange_ref(struct hosts *h, const struct ref *beside, char *out)
{
	const char *end = strrchr(beside->name, '/');
	size_t len = (size_t)(end - beside->name) + 1;

	memcpy(out, beside->name, len);
	for (size_t i = 0; i < 8; i++)
		out[len + i] = (char)('a' + random_below(h->rnd, 26));
	out[len + 8] = '\0';
}

bool host_show_again(struct hosts *h)
{
	struct refs *list = some_refs(h);
	struct ref *r = some_ref(h, list);
	char name[REF_LEN];
	int tip = NONE;

	if (r == NULL || list->n >= HOST_REFS)
		return false;
	strange_ref(h, r, name);
	for (uint64_t n = 1 + random_below(h->rnd, 6); n > 0; n--) {
		const struct commit *c = &h->commit[random_below(h->rnd, h->commits)];
		struct buf copy = { 0 };

		must(buf_put(&copy, c->file.data, c->file.len) == ERR_OK, "out of memory");
		tip = commit_make(h, tip, c->name, buf_bytes(&copy), true);
		buf_free(&copy);
	}
	ref_set(list, name, tip);
	h->counts.again++;
	return true;
}

/* A commit on top of a branch that its device never made. */
static bool lie_on_top(struct hosts *h, const char *name, struct bytes file)
{
	struct refs *list = some_refs(h);
	struct ref *r = some_ref(h, list);

	if (r == NULL)
		return false;
	r->tip = commit_make(h, r->tip, name, file, true);
	return true;
}

bool host_swap(struct hosts *h)
{
	const struct commit *c = h->commits == 0 ? NULL : &h->commit[random_below(h->rnd, h->commits)];
	struct buf copy = { 0 };
	char name[JOB_NAME_MAX + 1];
	bool done = false;

	if (c == NULL)
		return false;
	strcpy(name, c->name);
	must(buf_put(&copy, c->file.data, c->file.len) == ERR_OK, "out of memory");
	done = lie_on_top(h, name, buf_bytes(&copy));
	buf_free(&copy);
	h->counts.swapped += done;
	return done;
}

bool host_flip(struct hosts *h)
{
	struct refs *list = some_refs(h);
	struct ref *r = some_ref(h, list);
	struct buf copy = { 0 };
	char name[JOB_NAME_MAX + 1];
	int parent = NONE;

	if (r == NULL)
		return false;
	strcpy(name, h->commit[r->tip].name);
	parent = h->commit[r->tip].parent;
	must(buf_put(&copy, h->commit[r->tip].file.data, h->commit[r->tip].file.len) == ERR_OK, "out of memory");
	if (copy.len > 0)
		copy.data[random_below(h->rnd, copy.len)] ^= (uint8_t)(1u << random_below(h->rnd, 8));
	r->tip = commit_make(h, parent, name, buf_bytes(&copy), true);
	buf_free(&copy);
	h->counts.flipped++;
	return true;
}

bool host_break(struct hosts *h)
{
	struct ref *r = some_ref(h, some_refs(h));

	if (r == NULL)
		return false;
	r->broken = true;
	h->counts.broken++;
	return true;
}

void host_offer(struct hosts *h, struct bytes forged)
{
	struct refs *list = some_refs(h);
	struct ref *r = some_ref(h, list);
	char name[REF_LEN];

	if (r == NULL)
		return;
	strange_ref(h, r, name);
	ref_set(list, name, commit_make(h, NONE, strrchr(name, '/') + 1, forged, true));
	h->counts.forged++;
}

/* The newest commit of a branch that no lie is below. */
static int honest_tip(const struct hosts *h, int tip)
{
	int last = tip;

	for (int at = tip; at != NONE; at = h->commit[at].parent) {
		if (h->commit[at].lie)
			last = h->commit[at].parent;
	}
	return last;
}

void host_honest(struct hosts *h)
{
	h->honest = true;
	for (size_t i = 0; i < h->count; i++) {
		struct host *host = &h->host[i];

		for (int w = 0; w <= (host->two ? 1 : 0); w++) {
			for (size_t k = 0; k < host->world[w].n; k++) {
				struct ref *r = &host->world[w].r[k];
				struct ref *one = ref_find(&host->world[0], r->name);
				int tip = honest_tip(h, r->tip);

				r->broken = false;
				r->tip = tip;
				if (w == 1 && tip != NONE &&
				    (one == NULL || relate(h, tip, one->tip, NULL) == REL_ABOVE))
					ref_set(&host->world[0], r->name, tip);
			}
		}
		for (size_t k = 0; k < host->world[0].n;) {
			if (host->world[0].r[k].tip == NONE)
				ref_drop(&host->world[0], &host->world[0].r[k]);
			else
				k++;
		}
		host->two = false;
	}
}

static bool chain_holds(const struct hosts *h, int tip, const char *name)
{
	for (; tip != NONE; tip = h->commit[tip].parent) {
		if (!h->commit[tip].lie && strcmp(h->commit[tip].name, name) == 0)
			return true;
	}
	return false;
}

bool host_holds(const struct hosts *h, const char *ref, const char *name)
{
	for (size_t i = 0; i < h->count; i++) {
		struct ref *r = ref_find(&h->host[i].world[0], ref);

		if (r != NULL && chain_holds(h, r->tip, name))
			return true;
	}
	return false;
}

/* Commits are only made here when they are pushed, and a name has its device's tag and number in it. */
bool host_held(const struct hosts *h, const char *ref, const char *name)
{
	(void)ref;
	for (size_t i = 0; i < h->commits; i++) {
		if (!h->commit[i].lie && strcmp(h->commit[i].name, name) == 0)
			return true;
	}
	return false;
}

bool host_forged(const struct hosts *h, struct bytes file)
{
	bool lie = false;

	for (size_t i = 0; i < h->commits; i++) {
		if (bytes_cmp(buf_bytes(&h->commit[i].file), file) != 0)
			continue;
		if (!h->commit[i].lie)
			return false;
		lie = true;
	}
	return lie;
}

// ---- The courier ----

struct branch {
	char name[REF_LEN];
	bool wanted, own, restore, settled, broken, fetch_bad, has_got, has_tip, pushing;
	int have, remote, local, got, tip;
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
	*b = (struct branch){ .have = NONE, .remote = NONE, .local = NONE, .got = NONE, .tip = NONE };
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

/* Is this a branch that the device writes, whatever the job says? */
static bool is_writer(const struct session *s, const char *name)
{
	const struct ref *r = ref_find(&s->h->written, name);

	return r != NULL && r->tip == (int)s->device;
}

/* The tip that the device is shown, of what the host has. */
static int tip_shown(const struct session *s, const struct ref *r)
{
	if (r == NULL)
		return NONE;
	return s->h->faults.own_lies || !is_writer(s, r->name) ? r->tip : honest_tip(s->h, r->tip);
}

static void look_at_remote(struct session *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct ref *r = ref_find(s->refs, s->b[i].name);

		s->b[i].remote = tip_shown(s, r);
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
		    item->kind != JOB_RESTORE)
			continue;
		b = branch_add(s, item->field[0]);
		b->own = b->own || item->kind == JOB_OWN || item->kind == JOB_PUT;
		b->restore = b->restore || item->kind == JOB_RESTORE;
		if (item->kind == JOB_HAVE) {
			b->have = commit_find(s->h, item->field[1]);
			must(b->have != NONE, "a device has a commit that nobody made");
		}
		if (item->kind == JOB_PUT)
			s->put[s->puts++] = (struct put){ item, NONE };
	}
	for (size_t i = 0; i < s->refs->n; i++) {
		if (is_wanted(s, s->refs->r[i].name) && tip_shown(s, &s->refs->r[i]) != NONE)
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

static void export_chain(struct session *s, const struct branch *b, int stop)
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
	if (last != NONE && !s->cut)
		say_oid(s, REPORT_TIP, b, last);
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
	if (!s->cut && b->has_got && !b->own &&
	    (b->local == NONE || relate(s->h, b->got, b->local, NULL) == REL_ABOVE)) {
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
		b->settled = true;
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
	base = tip_shown(s, r);
	/* An honest host takes its own lies back from nobody. */
	if (base != b->remote || (s->h->honest && !b->own && honest_tip(s->h, tip) != tip)) {
		s->h->counts.lost_races++;
		return;
	}
	if (b->own)
		ref_set(&s->h->written, b->name, (int)s->device);
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
	must(d->caches < HOSTS_MAX, "too many caches");
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
	char *end = at + s->queue.len;

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
	struct hosts *h = in_use;
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
