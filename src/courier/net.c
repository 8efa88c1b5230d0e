// SPDX-License-Identifier: EUPL-1.2
// Remotes behind ssh and https, through libgit2. Nothing new costs one connection and one listing (S6); something to
// send at most one more. What comes lands in a scratch repository and is looked at before it is kept, so the cache
// holds only what is whole and of the known shape (S4); it comes and goes in portions, each of which a kill cannot undo
// (S3). A branch counts as pushed when the host says that it moved it, or shows it afterwards (S2).
#include "courier/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "courier/giterr.h"
#include "courier/sanitizer.h"
#include "courier/watchdog.h"

static struct net *of(struct transport *t)
{
	return (struct net *)t;
}

static enum err no_memory(struct errctx *ec)
{
	return err_set(ec, ERR_NO_MEMORY, "There is not enough memory. Close other programs and try again.", NULL, NULL,
	               NULL);
}

// ---- One connection ----

static void disconnect(struct net *n)
{
	if (n->remote != NULL) {
		(void)git_remote_disconnect(n->remote);
		git_remote_free(n->remote);
		n->remote = NULL;
	}
	bare_scratch_end(&n->scratch);
}

static int compare_refs(const void *a, const void *b)
{
	return strcmp(((const struct branch_ref *)a)->name, ((const struct branch_ref *)b)->name);
}

/* Keeps what could be a branch of ours, each once. */
static enum err take_heads(struct errctx *ec, struct net *n)
{
	const git_remote_head **list = NULL;
	size_t count = 0, kept = 0;
	int rc = git_remote_ls(&list, &count, n->remote);

	if (rc != 0)
		return net_failed(ec, n, rc);
	watchdog_kick();
	branch_refs_free(&n->heads);
	for (size_t i = 0; i < count; i++)
		kept += job_ref_valid(list[i]->name);
	if (kept > REFS_MAX)
		return err_set(ec, ERR_REFUSED,
		               "The repository has too many branches. Whoever looks after it should split it.", NULL,
		               NULL, NULL);
	n->heads.ref = calloc(kept + 1, sizeof(*n->heads.ref));
	if (n->heads.ref == NULL)
		return no_memory(ec);
	n->heads.cap = kept + 1;
	for (size_t i = 0; i < count; i++) {
		struct branch_ref *ref = &n->heads.ref[n->heads.count];

		if (!job_ref_valid(list[i]->name))
			continue;
		*ref = (struct branch_ref){ .name = strdup(list[i]->name), .id = list[i]->oid };
		if (ref->name == NULL)
			return no_memory(ec);
		n->heads.count++;
	}
	if (n->heads.count > 1)
		qsort(n->heads.ref, n->heads.count, sizeof(*n->heads.ref), compare_refs);
	for (size_t i = 1; i < n->heads.count; i++) {
		if (strcmp(n->heads.ref[i - 1].name, n->heads.ref[i].name) == 0)
			return err_set(ec, ERR_DAMAGED, "The branch %1 of the repository is damaged.",
			               n->heads.ref[i].name, NULL, NULL);
	}
	return ERR_OK;
}

static enum err connect_for(struct errctx *ec, struct net *n, bool push)
{
	git_remote_connect_options options;
	enum err e = ERR_OK;
	int rc = 0;

	disconnect(n);
	n->tried = false;
	n->no = NO_NOTHING;
	n->said[0] = '\0';
	n->grade = GRADE_NONE;
	n->fresh = false;
	n->pushing = push;
	e = bare_scratch(ec, n->base.local, &n->scratch);
	if (e != ERR_OK)
		return e;
	rc = git_remote_connect_options_init(&options, GIT_REMOTE_CONNECT_OPTIONS_VERSION);
	net_callbacks(n, &options.callbacks);
	options.proxy_opts.type = GIT_PROXY_NONE;
	/* within the host only: then what we tell it reaches nobody else */
	options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
	watchdog_kick();
	if (rc == 0)
		rc = git_remote_create_anonymous(&n->remote, n->scratch.repo, n->url);
	LEAKS_OF_OTHERS_BEGIN();
	if (rc == 0)
		rc = git_remote_connect_ext(n->remote, push ? GIT_DIRECTION_PUSH : GIT_DIRECTION_FETCH, &options);
	LEAKS_OF_OTHERS_END();
	watchdog_kick();
	if (rc != 0)
		return net_failed(ec, n, rc);
	n->no = NO_NOTHING;
	e = take_heads(ec, n);
	n->fresh = e == ERR_OK;
	return e;
}

// ---- Listing ----

static bool asked_for(const char *const *prefix, size_t prefixes, const char *name)
{
	for (size_t i = 0; i < prefixes; i++) {
		size_t len = strlen(prefix[i]);

		if (prefix[i][len - 1] == '/' ? strncmp(name, prefix[i], len) == 0 : strcmp(name, prefix[i]) == 0)
			return true;
	}
	return false;
}

static enum err net_list(struct errctx *ec, struct transport *t, const char *const *prefix, size_t prefixes,
                         struct branch_refs *out)
{
	struct net *n = of(t);
	enum err e = n->fresh ? ERR_OK : connect_for(ec, n, false);

	*out = (struct branch_refs){ 0 };
	if (e != ERR_OK)
		return e;
	n->fresh = false;
	out->ref = calloc(n->heads.count + 1, sizeof(*out->ref));
	if (out->ref == NULL)
		return no_memory(ec);
	out->cap = n->heads.count + 1;
	for (size_t i = 0; i < n->heads.count; i++) {
		if (!asked_for(prefix, prefixes, n->heads.ref[i].name))
			continue;
		out->ref[out->count] = n->heads.ref[i];
		out->ref[out->count].name = strdup(n->heads.ref[i].name);
		if (out->ref[out->count].name == NULL)
			return no_memory(ec);
		out->count++;
	}
	return ERR_OK;
}

// ---- Fetching ----

static int fetch_options(struct net *n, git_fetch_options *options)
{
	int rc = git_fetch_options_init(options, GIT_FETCH_OPTIONS_VERSION);

	net_callbacks(n, &options->callbacks);
	options->proxy_opts.type = GIT_PROXY_NONE;
	options->follow_redirects = GIT_REMOTE_REDIRECT_NONE;
	options->download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	options->update_fetchhead = 0;
	return rc;
}

/* What this home has of these branches, and of no other: then the first question says it all, and what comes is what
 * is new, whatever else is here. */
static enum err tell_what_is_here(struct errctx *ec, struct net *n, const struct copy_item *items, size_t count)
{
	const char *names[NET_PORTION];
	struct branch_refs refs = { 0 };
	enum err e = ERR_OK;

	for (size_t i = 0; i < count; i++)
		names[i] = items[i].name;
	e = bare_list(ec, n->base.local, names, count, &refs);
	if (e == ERR_OK)
		e = bare_scratch_refs(ec, &n->scratch, refs.ref, refs.count);
	branch_refs_free(&refs);
	return e;
}

static enum err fetch_portion(struct errctx *ec, struct net *n, struct copy_item *items, size_t count)
{
	git_fetch_options options;
	char *spec[NET_PORTION] = { NULL };
	git_strarray specs = { spec, count };
	enum err e = ERR_OK;
	int rc = 0;

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		if (asprintf(&spec[i], "%s:%s", items[i].name, items[i].name) < 0) {
			spec[i] = NULL;
			e = no_memory(ec);
		}
	}
	if (e == ERR_OK)
		e = tell_what_is_here(ec, n, items, count);
	if (e == ERR_OK) {
		rc = fetch_options(n, &options);
		if (rc == 0)
			rc = git_remote_download(n->remote, &specs, &options);
		watchdog_kick();
		if (rc == 0)
			rc = git_odb_refresh(n->scratch.odb);
		if (rc != 0)
			e = net_failed(ec, n, rc);
	}
	if (e == ERR_OK)
		e = copy_new(ec, &n->scratch, n->base.local, items, count);
	for (size_t i = 0; i < count; i++)
		free(spec[i]);
	return e;
}

/* The host may have moved on since the listing that the items are from. */
static size_t still_there(const struct net *n, struct copy_item *items, size_t count)
{
	size_t there = 0;

	while (there < count) {
		const struct branch_ref *ref = branch_refs_find(&n->heads, items[there].name);

		if (ref == NULL)
			break;
		items[there].tip = ref->id;
		there++;
	}
	return there;
}

static enum err net_fetch(struct errctx *ec, struct transport *t, struct copy_item *items, size_t count)
{
	struct net *n = of(t);
	bool connected = n->remote != NULL && !n->pushing && git_remote_connected(n->remote) == 1;
	enum err e = ERR_OK;

	for (size_t at = 0; e == ERR_OK && at < count;) {
		size_t portion = count - at < NET_PORTION ? count - at : NET_PORTION;

		if (!connected)
			e = connect_for(ec, n, false);
		connected = false;
		if (e == ERR_OK)
			portion = still_there(n, items + at, portion);
		if (e == ERR_OK && portion > 0)
			e = fetch_portion(ec, n, items + at, portion);
		disconnect(n);
		n->fresh = false;
		if (e == ERR_OK && portion == 0)
			portion = 1; /* a branch that is gone by now: the next sync tells */
		at += portion;
	}
	return e;
}

// ---- Pushing ----

static int push_options(struct net *n, git_push_options *options)
{
	int rc = git_push_options_init(options, GIT_PUSH_OPTIONS_VERSION);

	net_callbacks(n, &options->callbacks);
	options->proxy_opts.type = GIT_PROXY_NONE;
	options->follow_redirects = GIT_REMOTE_REDIRECT_NONE;
	options->pb_parallelism = 1;
	return rc;
}

/* How far this branch goes in the portion under way: up to its tip, or to where the portion is full. */
static enum err choose_tip(struct net *n, struct push_item *item, uint64_t *bytes, size_t *objects, git_oid *tip)
{
	struct copy_item *c = &item->copy;
	struct oids chain = { 0 };
	struct commit *commit = malloc(sizeof(*commit));
	const struct bare *local = n->base.local;

	c->err = commit == NULL
	             ? no_memory(&c->ec)
	             : chain_list(&c->ec, local->odb, local->path, &c->tip, c->has_base ? &c->base : NULL, &chain);
	*tip = c->tip;
	for (size_t i = chain.count; c->err == ERR_OK && i-- > 0;) {
		c->err = commit_read(&c->ec, local->odb, local->path, &chain.id[i], commit);
		for (size_t f = 0; c->err == ERR_OK && f < commit->files; f++)
			*bytes += commit->file[f].size;
		*objects += 2 + (c->err == ERR_OK ? commit->files : 0);
		*tip = chain.id[i];
		if (*bytes >= COPY_BYTES || *objects >= COPY_OBJECTS)
			break;
	}
	free(commit);
	oids_free(&chain);
	return c->err;
}

/* Is the remote's branch where it was when the item was made? */
static bool as_believed(const struct net *n, const struct push_item *item)
{
	const struct branch_ref *ref = branch_refs_find(&n->heads, item->copy.name);

	return ref == NULL ? !item->copy.has_base : item->copy.has_base && git_oid_equal(&ref->id, &item->copy.base);
}

struct portion {
	struct branch_ref *ref; /* names are borrowed from the items */
	char **spec;
	size_t count;
};

/* Chooses what goes over this connection. The "+" of its refspecs is for a line that is to be replaced: where the
 * branch stands was read on this very connection, and the host moves it from there or not at all. *more: something is
 * left for another. */
static enum err fill_portion(struct errctx *ec, struct net *n, struct portion *p, bool *more)
{
	uint64_t bytes = 0;
	size_t objects = 0;
	enum err e = ERR_OK;

	*more = false;
	p->count = 0;
	for (size_t i = 0; e == ERR_OK && i < n->items; i++) {
		struct push_item *item = &n->item[i];
		struct branch_ref *ref = &p->ref[p->count];

		if (item->result != PUSH_WAITING)
			continue;
		if (bytes >= COPY_BYTES || objects >= COPY_OBJECTS) {
			*more = true;
			break;
		}
		if (!as_believed(n, item)) {
			item->result = PUSH_LOST;
			continue;
		}
		*ref = (struct branch_ref){ .name = strdup(item->copy.name) };
		if (ref->name == NULL || asprintf(&p->spec[p->count], "+%s:%s", ref->name, ref->name) < 0) {
			p->spec[p->count] = NULL;
			free(ref->name);
			return no_memory(ec);
		}
		p->count++;
		if (choose_tip(n, item, &bytes, &objects, &ref->id) != ERR_OK)
			item->result = PUSH_FAILED;
		if (item->result == PUSH_FAILED) {
			p->count--;
			free(ref->name);
			free(p->spec[p->count]);
		}
	}
	return e;
}

/* What the host said of the branches of this portion: they stand there now, or not. */
static void note_portion(struct net *n, const struct portion *p)
{
	for (size_t i = 0; i < n->items; i++) {
		struct push_item *item = &n->item[i];

		for (size_t k = 0; item->result == PUSH_DONE && k < p->count; k++) {
			if (strcmp(p->ref[k].name, item->copy.name) != 0)
				continue;
			item->copy.has_base = true;
			item->copy.base = p->ref[k].id;
			if (!git_oid_equal(&p->ref[k].id, &item->copy.tip))
				item->result = PUSH_WAITING; /* the rest goes with the next portion */
		}
	}
}

static enum err push_portion(struct errctx *ec, struct net *n, struct portion *p, bool *more)
{
	git_push_options options;
	git_strarray specs = { p->spec, 0 };
	enum err e = fill_portion(ec, n, p, more);
	int rc = 0;

	if (e == ERR_OK && p->count > 0)
		e = bare_scratch_refs(ec, &n->scratch, p->ref, p->count);
	if (e == ERR_OK && p->count > 0) {
		specs.count = p->count;
		rc = push_options(n, &options);
		/* unless the host says more of a branch, somebody must look where it stands */
		for (size_t i = 0; i < n->items; i++) {
			for (size_t k = 0; k < p->count; k++) {
				if (strcmp(p->ref[k].name, n->item[i].copy.name) == 0)
					n->item[i].result = PUSH_LOST;
			}
		}
		if (rc == 0)
			rc = git_remote_upload(n->remote, &specs, &options);
		watchdog_kick();
		if (rc != 0 && rc != GIT_ENONFASTFORWARD)
			e = net_failed(ec, n, rc);
		else
			note_portion(n, p);
	}
	for (size_t i = 0; i < p->count; i++) {
		free(p->ref[i].name);
		free(p->spec[i]);
	}
	return e;
}

/* What the host confirmed needs no further look; one branch that went otherwise does. */
static enum err remember(struct errctx *ec, struct net *n)
{
	n->fresh = true;
	for (size_t i = 0; i < n->items; i++) {
		const struct push_item *item = &n->item[i];
		struct branch_ref *ref = branch_refs_find(&n->heads, item->copy.name);

		n->fresh = n->fresh && item->result != PUSH_LOST;
		if (item->result != PUSH_DONE)
			continue;
		if (ref == NULL) {
			struct branch_ref *grown =
			    reallocarray(n->heads.ref, n->heads.count + 1, sizeof(*n->heads.ref));

			if (grown == NULL)
				return no_memory(ec);
			n->heads.ref = grown;
			ref = &grown[n->heads.count];
			*ref = (struct branch_ref){ .name = strdup(item->copy.name) };
			if (ref->name == NULL)
				return no_memory(ec);
			n->heads.count++;
			n->heads.cap = n->heads.count;
			ref->id = item->copy.tip;
			qsort(n->heads.ref, n->heads.count, sizeof(*n->heads.ref), compare_refs);
		} else {
			ref->id = item->copy.tip;
		}
	}
	return ERR_OK;
}

static enum err net_push(struct errctx *ec, struct transport *t, struct push_item *items, size_t count)
{
	struct net *n = of(t);
	struct portion p = { calloc(count + 1, sizeof(*p.ref)), calloc(count + 1, sizeof(*p.spec)), 0 };
	bool more = true;
	enum err e = p.ref == NULL || p.spec == NULL ? no_memory(ec) : ERR_OK;

	n->item = items;
	n->items = count;
	for (size_t i = 0; i < count; i++)
		items[i].result = PUSH_WAITING;
	while (e == ERR_OK && more) {
		e = connect_for(ec, n, true);
		if (e == ERR_OK)
			e = push_portion(ec, n, &p, &more);
		for (size_t i = 0; e == ERR_OK && i < count; i++)
			more = more || items[i].result == PUSH_WAITING;
		disconnect(n);
	}
	if (e == ERR_OK)
		e = remember(ec, n);
	else
		n->fresh = false;
	n->item = NULL;
	n->items = 0;
	free(p.ref);
	free(p.spec);
	return e;
}

// ---- The rest ----

/* The host said that it moved the branch, or listed it: that is all it can say. */
static enum err net_confirm(struct errctx *ec, struct transport *t, const git_oid *commit)
{
	return ERR_OK;
}

static enum err net_pack(struct errctx *ec, struct transport *t)
{
	return ERR_OK;
}

static bool net_reachable(struct transport *t)
{
	return true;
}

static bool net_grade(struct transport *t, enum grade *grade, const char **code)
{
	struct net *n = of(t);

	*grade = n->grade;
	*code = n->code;
	n->grade = GRADE_NONE;
	return *grade != GRADE_NONE;
}

static void net_close(struct transport *t)
{
	struct net *n = of(t);

	disconnect(n);
	branch_refs_free(&n->heads);
	free(n);
}

/* The host moves it from where it stood on this very connection, or not at all. */
static enum err net_drop(struct errctx *ec, struct transport *t, const char *name, const git_oid *id, bool *lost)
{
	struct net *n = of(t);
	git_push_options options;
	struct push_item item = { .copy = { .name = name, .has_base = true, .base = *id } };
	char *spec = NULL;
	git_strarray specs = { &spec, 1 };
	enum err e = connect_for(ec, n, true);
	int rc = 0;

	*lost = e == ERR_OK && !as_believed(n, &item);
	if (e == ERR_OK && !*lost) {
		if (asprintf(&spec, ":%s", name) < 0) {
			spec = NULL;
			e = no_memory(ec);
		}
		item.result = PUSH_LOST; /* unless the host says more of it */
		n->item = &item;
		n->items = 1;
		if (e == ERR_OK)
			rc = push_options(n, &options);
		if (e == ERR_OK && rc == 0)
			rc = git_remote_upload(n->remote, &specs, &options);
		watchdog_kick();
		if (rc != 0)
			e = net_failed(ec, n, rc);
		*lost = item.result != PUSH_DONE;
		n->item = NULL;
		n->items = 0;
		free(spec);
	}
	disconnect(n);
	n->fresh = false;
	return e;
}

static const struct transport_ops net_ops = { net_list,      net_fetch, net_push,  net_confirm, net_pack,
	                                      net_reachable, net_grade, net_close, net_drop };

bool net_address_get(const char *url, struct net_address *out)
{
	const char *start = strstr(url, "://");
	const char *end = NULL, *at = NULL, *colon = NULL;
	bool scheme = start != NULL;

	start = scheme ? start + 3 : url;
	end = start + strcspn(start, scheme ? "/?#" : ":");
	for (const char *c = start; c < end; c++)
		at = *c == '@' ? c : at;
	start = at == NULL ? start : at + 1;
	out->ssh = strncmp(url, "https://", 8) != 0;
	snprintf(out->port, sizeof(out->port), "%s", out->ssh ? "22" : "443");
	colon = *start == '[' ? memchr(start, ']', (size_t)(end - start)) : NULL;
	colon = memchr(colon == NULL ? start : colon, ':', (size_t)(end - (colon == NULL ? start : colon)));
	if (colon != NULL && end - colon - 1 < (long)sizeof(out->port))
		snprintf(out->port, sizeof(out->port), "%.*s", (int)(end - colon - 1), colon + 1);
	end = colon == NULL ? end : colon;
	if (*start == '[' && end > start + 1 && end[-1] == ']') {
		start++;
		end--;
	}
	if (end <= start || end - start >= NET_HOST_MAX)
		return false;
	snprintf(out->host, sizeof(out->host), "%.*s", (int)(end - start), start);
	return true;
}

enum err net_transport_open(struct errctx *ec, const struct job *job, struct bare *local, struct transport **out)
{
	struct net *n = calloc(1, sizeof(*n));
	enum err e = ERR_OK;

	if (n == NULL)
		return no_memory(ec);
	n->base = (struct transport){ &net_ops, local };
	n->job = job;
	n->url = job_get(job, JOB_REMOTE);
	n->scratch = BARE_CLOSED;
	if (!net_address_get(n->url, &n->at))
		e = err_set(ec, ERR_USAGE,
		            "%1 is not an address of a repository that this version can reach. Use a folder, ssh:// or "
		            "https://.",
		            n->url, NULL, NULL);
	if (e == ERR_OK)
		e = net_login_start(ec, job);
	if (e != ERR_OK) {
		free(n);
		return e;
	}
	*out = &n->base;
	return ERR_OK;
}
