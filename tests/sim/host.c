// SPDX-License-Identifier: EUPL-1.2
// Hosts: what they hold, and how they lie.
#include "sim/host_inside.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "batch/batch.h"
#include "sim/must.h"

static struct hosts *in_use;

// ---- Tables ----

struct ref *ref_find(const struct refs *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->r[i].name, name) == 0)
			return &list->r[i];
	}
	return NULL;
}

void ref_set(struct refs *list, const char *name, int tip)
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

void ref_drop(struct refs *list, struct ref *r)
{
	*r = list->r[--list->n];
}

void refs_copy(struct refs *to, const struct refs *from)
{
	to->n = 0;
	for (size_t i = 0; i < from->n; i++) {
		ref_set(to, from->r[i].name, from->r[i].tip);
		to->r[to->n - 1].broken = from->r[i].broken;
	}
}

int commit_find(const struct hosts *h, const char *id)
{
	for (size_t i = h->commits; i-- > 0;) {
		if (strcmp(h->commit[i].id, id) == 0)
			return (int)i;
	}
	return NONE;
}

/* Its id follows from parent, name and content, as in git. */
int commit_make(struct hosts *h, int parent, const char *name, struct bytes file, bool lie)
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

bool held(const struct cache *c, int commit)
{
	return commit != NONE && (size_t)commit < c->held_cap && c->held[commit];
}

void hold(struct cache *c, int commit)
{
	if ((size_t)commit >= c->held_cap) {
		size_t cap = ((size_t)commit + 256) * 2;

		c->held = must_realloc(c->held, cap * sizeof(*c->held));
		memset(c->held + c->held_cap, 0, (cap - c->held_cap) * sizeof(*c->held));
		c->held_cap = cap;
	}
	c->held[commit] = true;
}

static bool descends(const struct hosts *h, int a, int from)
{
	while (a != NONE && a != from)
		a = h->commit[a].parent;
	return a == from;
}

enum relation relate(const struct hosts *h, int a, int b, int *base)
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

struct hosts *hosts_in_use(void)
{
	return in_use;
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
		snprintf(b->path, sizeof(b->path), "/sim/%u/%.100s", 1 + to, strrchr(a->path, '/') + 1);
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
int honest_tip(const struct hosts *h, int tip)
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

void host_push(struct hosts *h, const char *url, const char *ref, const char *name, struct bytes file)
{
	for (size_t i = 0; i < h->count; i++) {
		if (strcmp(h->host[i].url, url) != 0)
			continue;
		for (int k = 0; k < (h->host[i].two ? 2 : 1); k++) {
			struct ref *r = ref_find(&h->host[i].world[k], ref);

			if (r == NULL || !chain_holds(h, r->tip, name))
				ref_set(&h->host[i].world[k], ref,
				        commit_make(h, r == NULL ? NONE : r->tip, name, file, false));
		}
	}
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

const char *host_file(const struct hosts *h, size_t i, struct bytes *file)
{
	if (i >= h->commits)
		return NULL;
	*file = h->commit[i].lie ? (struct bytes){ 0 } : buf_bytes(&h->commit[i].file);
	return h->commit[i].name;
}

bool host_pushed(const struct hosts *h, const char *name, struct bytes *file)
{
	const char *other = NULL;

	for (size_t i = 0; (other = host_file(h, i, file)) != NULL; i++) {
		if (file->len > 0 && strcmp(other, name) == 0)
			return true;
	}
	return false;
}

/* Two batches that say to be the same one of the same device. */
static bool same_number(struct bytes a, struct bytes b)
{
	struct file_header x;
	struct file_header y;

	return file_header_get(a, &x) == ERR_OK && file_header_get(b, &y) == ERR_OK && x.type == FILE_BATCH &&
	       y.type == FILE_BATCH && x.seq == y.seq && memcmp(x.space.b, y.space.b, TAG_LEN) == 0 &&
	       memcmp(x.device.b, y.device.b, TAG_LEN) == 0;
}

bool host_forged(const struct hosts *h, struct bytes file)
{
	bool lie = false;

	for (size_t i = 0; i < h->commits; i++) {
		struct bytes there = buf_bytes(&h->commit[i].file);

		/* where its author forged one of that number there are two, and both are told, sealed anew perhaps */
		if (h->commit[i].lie && same_number(there, file))
			return true;
		if (bytes_cmp(there, file) != 0)
			continue;
		if (!h->commit[i].lie)
			return false;
		lie = true;
	}
	return lie;
}
