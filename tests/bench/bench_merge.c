// SPDX-License-Identifier: EUPL-1.2
// A million edits of ten devices, in batches of a hundred: in each round every device writes one, having seen all of
// the rounds before and nothing of this one. One replica takes them in as they come:
//   fold    batches as CBOR, parsed and folded in memory (model/), as Automerge and Yjs keep theirs
//   store   sealed files: opened, verified, folded, indexed, durable, a transaction each (sync/inbox.h)
//   peers   the same edits as Automerge and Yjs changes (merge_peers.mjs), in memory
// Peak memory is told after 20,000, 100,000, 500,000 and all of them; each side is a process of its own. The peers get
// fewer by default, because ten replicas of theirs have to write the stream first: BENCH_YJS, BENCH_AUTOMERGE;
// BENCH_EDITS and BENCH_STORE are for ours.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/wait.h>

#include "bench/measure.h"
#include "sync/epochs.h"
#include "sync/forge.h"

#define DEVICES 10
#define HEADS 4  /* at most, of those who were there before */
#define EACH 100 /* edits in a batch */
#define EDITS_DEFAULT 1000000
#define YJS_DEFAULT 100000
#define AUTOMERGE_DEFAULT 20000

static char dir[] = "/tmp/slb-merge-XXXXXX";

/* For the ratios at the end: "NAME EDITS MICROSECONDS MB", from all sides. */
static void result_put(const char *name, unsigned edits, double us, long mb)
{
	char path[64];
	FILE *f = NULL;

	snprintf(path, sizeof(path), "%s/results", dir);
	f = fopen(path, "a");
	assert_non_null(f);
	fprintf(f, "%s %u %.3f %ld\n", name, edits, us, mb);
	fclose(f);
}

static unsigned number_of(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text != NULL && atoi(text) > 0 ? (unsigned)atoi(text) : otherwise;
}

/* ---- What is written: the same for all, from one seed ---- */

struct deed {
	char what; /* n new record, t text, r register, + and - element of a set */
	uint32_t record;
	char value[96];
};

struct made {
	uint32_t counter;
	uint8_t device;
};

struct stream {
	uint64_t chance;
	uint32_t count;   /* records so far */
	uint32_t settled; /* those of the rounds before: everybody has seen them */
	struct made *made;
	uint32_t counter[DEVICES];
};

static uint32_t draw(struct stream *s)
{
	s->chance = s->chance * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(s->chance >> 32);
}

static void act_next(struct stream *s, unsigned device, struct deed *a)
{
	static const char *const words[] = { "huur ",    "brief ", "school ", "gesprek ",  "samen ", "formulier ",
		                             "buurt ",   "wacht ", "moeder ", "afspraak ", "werk ",  "gemeente ",
		                             "toeslag ", "taal ",  "zorg ",   "maandag " };
	static const char *const domains[] = { "geld", "wonen", "papieren", "gezond", "kinderen", "taal" };
	static const char *const channels[] = { "spreekuur", "telefoon", "bericht", "straat" };
	uint32_t pick = draw(s) % 100;
	size_t at = 0;

	s->counter[device]++;
	a->what = s->settled == 0 || pick < 20 ? 'n' : pick < 55 ? 't' : pick < 75 ? 'r' : pick < 90 ? '+' : '-';
	a->record = a->what == 'n' ? s->count : draw(s) % s->settled;
	if (a->what == 'n')
		s->made[s->count++] = (struct made){ s->counter[device], (uint8_t)device };
	if (a->what == 'r') {
		snprintf(a->value, sizeof(a->value), "%s", channels[draw(s) % 4]);
	} else if (a->what == '+' || a->what == '-') {
		snprintf(a->value, sizeof(a->value), "%s", domains[draw(s) % 6]);
	} else {
		size_t len = 40 + draw(s) % 45;

		while (at < len)
			at += (size_t)snprintf(a->value + at, sizeof(a->value) - at, "%s", words[draw(s) % 16]);
	}
}

static void stream_begin(struct stream *s, unsigned edits)
{
	*s = (struct stream){ .chance = 11, .made = calloc(edits + DEVICES * EACH, sizeof(struct made)) };
	assert_non_null(s->made);
}

/* ---- As edits of ours ---- */

struct batch {
	struct edit edits[EACH];
	struct draft drafts[EACH];
};

static void batch_fill(struct stream *s, unsigned device, const struct device_id *ids, uint64_t ms, struct batch *b)
{
	for (unsigned i = 0; i < EACH; i++) {
		struct draft *d = &b->drafts[i];
		struct edit *e = &b->edits[i];
		struct deed a;
		const char *element[1] = { a.value };

		act_next(s, device, &a);
		*d = (struct draft){ 0 };
		*e = (struct edit){ .dot = { ids[device], s->counter[device] }, .clock = { ms + i, 0 } };
		e->target = (struct dot){ ids[s->made[a.record].device], s->made[a.record].counter };
		e->kind = a.what == 'n' ? KIND_contact : KIND_none;
		if (a.what == 'n') {
			const char *first[1] = { "geld" };

			draft_int(d, F_contact_date, 20000);
			draft_text(d, F_contact_channel, "spreekuur");
			draft_set(d, F_contact_domains, first, 1, NULL, 0);
		}
		if (a.what == 'n' || a.what == 't')
			draft_long_text(d, F_contact_text, NULL, a.value);
		else if (a.what == 'r')
			draft_text(d, F_contact_channel, a.value);
		else
			draft_set(d, F_contact_domains, element, a.what == '+', element, a.what == '-');
		assert_int_equal(draft_writes(d, &e->writes, &e->write_count), ERR_OK);
	}
}

static void batch_clear(struct batch *b)
{
	for (unsigned i = 0; i < EACH; i++)
		draft_free(&b->drafts[i]);
}

/* ---- Time and memory at the marks ---- */

static long peak_mb(void)
{
	char line[200];
	long kb = 0;
	FILE *f = fopen("/proc/self/status", "r");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		(void)sscanf(line, "VmHWM: %ld", &kb);
	fclose(f);
	return kb / 1024;
}

struct meter {
	const char *name;
	unsigned edits; /* of all */
	unsigned done;
	double us;
	double cpu;
	double start;
	double start_cpu;
};

static void meter_on(struct meter *m)
{
	m->start = wall_us();
	m->start_cpu = cpu_us();
}

static void meter_off(struct meter *m)
{
	m->us += wall_us() - m->start;
	m->cpu += cpu_us() - m->start_cpu;
	m->done += EACH;
	if (m->done == 20000 || m->done == 100000 || m->done == 500000 || m->done == m->edits) {
		result_put(m->name, m->done, m->cpu / m->done, peak_mb());
		printf("%-28s %9u edits %9.1f s %9.1f s processor %8.2f us an edit %6ld MB at most\n", m->name, m->done,
		       m->us / 1e6, m->cpu / 1e6, m->cpu / m->done, peak_mb());
		fflush(stdout);
	}
}

/* ---- Fold ---- */

#define SLOTS (1u << 20)

/* Records by their ids; chains would do as well. */
struct table {
	struct record *slot[SLOTS];
};

static struct record *record_of(struct table *t, struct dot id)
{
	uint64_t h = id.counter * 0x9e3779b97f4a7c15U;

	for (size_t i = 0; i < DEVICE_ID_LEN; i++)
		h = (h ^ id.dev.b[i]) * 0x100000001b3U;
	h ^= h >> 29;
	while (t->slot[h % SLOTS] != NULL && dot_cmp(t->slot[h % SLOTS]->id, id) != 0)
		h++;
	if (t->slot[h % SLOTS] == NULL) {
		t->slot[h % SLOTS] = calloc(1, sizeof(struct record));
		assert_non_null(t->slot[h % SLOTS]);
		record_init(t->slot[h % SLOTS], id);
	}
	return t->slot[h % SLOTS];
}

static void fold_batch(struct table *t, struct bytes cbor, struct device_id author, const struct vv *seen)
{
	struct body body = { 0 };

	assert_int_equal(body_parse(cbor, author, &body), ERR_OK);
	for (size_t i = 0; i < body.edit_count; i++) {
		struct context ctx = { seen, 0 };

		for (size_t k = 0; k < seen->n; k++)
			ctx.past += seen->e[k].counter;
		ctx.past += body.edits[i].dot.counter - 1;
		assert_int_equal(record_apply(record_of(t, body.edits[i].target), &body.edits[i], ctx), ERR_OK);
	}
	body_free(&body);
}

static void side_fold(unsigned edits)
{
	static struct batch b;
	struct table *t = calloc(1, sizeof(*t));
	struct stream s;
	struct device_id ids[DEVICES] = { 0 };
	struct meter m = { .name = "fold", .edits = edits };

	assert_non_null(t);
	stream_begin(&s, edits);
	for (unsigned d = 0; d < DEVICES; d++)
		ids[d].b[0] = (uint8_t)(d + 1);
	for (unsigned round = 0; m.done < edits; round++) {
		for (unsigned d = 0; d < DEVICES && m.done < edits; d++) {
			struct body body = { .edits = b.edits, .edit_count = EACH, .first_counter = round * EACH + 1 };
			struct vv seen = { 0 };
			struct buf cbor = { 0 };

			batch_fill(&s, d, ids, 1760000000000 + round * 1000, &b);
			assert_int_equal(body_put(&body, ids[d], &cbor), ERR_OK);
			for (unsigned k = 0; k < DEVICES && round > 0; k++) {
				struct vv_entry entry = { .dev = ids[k], .seq = round, .counter = round * EACH };

				if (k != d)
					assert_int_equal(vv_set(&seen, entry), ERR_OK);
			}
			meter_on(&m);
			fold_batch(t, buf_bytes(&cbor), ids[d], &seen);
			meter_off(&m);
			batch_clear(&b);
			vv_free(&seen);
			buf_free(&cbor);
		}
		s.settled = s.count;
	}
}

/* ---- Store ---- */

struct author {
	struct device_keys *keys;
	struct device_id id;
	uint8_t last[HASH_LEN]; /* hash of its last batch */
	uint8_t next[HASH_LEN]; /* of the one of this round */
};

/* Ten members of the circle, whose keys this program has. */
static void authors_admit(struct world *w, struct author *authors)
{
	struct sync y = sync_of_home(w, 1);
	struct errctx ec = { 0 };
	struct space_row space = space_named(w, 1, "Plein");
	const char *roles[] = { "member" };

	assert_int_equal(store_begin(&ec, y.store), ERR_OK);
	for (unsigned d = 0; d < DEVICES; d++) {
		struct admission in = { .space = space.n, .name = "Iemand", .roles = roles, .role_count = 1 };
		struct dot person = { 0 };

		authors[d].keys = device_keys_make(y.rng);
		assert_non_null(authors[d].keys);
		authors[d].id = device_id_make(space.id, authors[d].keys->public.sign, 0);
		in.device = &authors[d].keys->public;
		assert_int_equal(member_write(&ec, &y, &in, &person), ERR_OK);
		assert_int_equal(devices_register(&ec, &y, &space, person), ERR_OK);
	}
	assert_int_equal(store_commit(&ec, y.store), ERR_OK);
	pump(w, 1, 2);
}

static void sealed(struct world *w, struct author *a, const struct space_row *space, const struct body *body,
                   uint64_t seq, const struct epoch_secret *secret, struct epoch_id epoch, struct buf *file)
{
	struct batch_author author = { space->id, a->id, seq };
	struct file_header head = { FILE_BATCH, space->tag, a->keys->public.tag, epoch, seq };
	struct buf cbor = { 0 };
	struct buf signed_part = { 0 };

	assert_int_equal(body_put(body, a->id, &cbor), ERR_OK);
	assert_int_equal(
	    batch_sign(w->app[1]->zip, &author, a->keys->sign_secret, buf_bytes(&cbor), &signed_part, a->next), ERR_OK);
	assert_int_equal(batch_seal(&head, secret->key, buf_bytes(&signed_part), w->app[1]->rng, file), ERR_OK);
	buf_free(&cbor);
	buf_free(&signed_part);
}

static void side_store(unsigned edits)
{
	static struct batch b;
	static struct author authors[DEVICES];
	struct world w;
	struct errctx ec = { 0 };
	struct stream s;
	struct space_row space;
	struct epoch_id epoch;
	struct epoch_secret *secret = NULL;
	struct device_id ids[DEVICES];
	struct sync y;
	struct received r = { 0 };
	struct meter m = { .name = "store", .edits = edits };
	struct vv heads = { 0 };

	forge_world(&w);
	secret = secret_new(sizeof(*secret));
	assert_non_null(secret);
	authors_admit(&w, authors);
	y = sync_of_home(&w, 1);
	space = space_named(&w, 1, "Plein");
	assert_int_equal(epoch_choose(&ec, &y, &space, &epoch), ERR_OK);
	assert_int_equal(epoch_key_load(&ec, &y, space.n, epoch, secret), ERR_OK);
	for (unsigned d = 0; d < DEVICES; d++)
		ids[d] = authors[d].id;
	assert_int_equal(store_vector(&ec, y.store, space.n, &heads), ERR_OK);
	assert_in_range(heads.n, 1, HEADS);
	y = sync_of_home(&w, 2);
	stream_begin(&s, edits);
	for (unsigned round = 0; m.done < edits; round++) {
		for (unsigned d = 0; d < DEVICES && m.done < edits; d++) {
			struct context_entry context[DEVICES + HEADS];
			struct body body = { .edits = b.edits, .edit_count = EACH, .first_counter = round * EACH + 1 };
			struct buf file = { 0 };
			char name[32];

			batch_fill(&s, d, ids, (uint64_t)w.now_ms + round, &b);
			memcpy(body.prev, authors[d].last, HASH_LEN);
			body.context = context;
			for (unsigned k = 0; k < DEVICES && round > 0; k++) {
				struct context_entry *c = &context[body.context_count];

				if (k == d)
					continue;
				*c = (struct context_entry){ .dev = ids[k], .seq = round };
				memcpy(c->hash, authors[k].last, VV_HASH_LEN);
				body.context_count++;
			}
			for (size_t k = 0; k < heads.n && round == 0;
			     k++) { /* its own admission, and all before that */
				struct context_entry *c = &context[body.context_count++];

				*c = (struct context_entry){ .dev = heads.e[k].dev, .seq = heads.e[k].seq };
				memcpy(c->hash, heads.e[k].hash, VV_HASH_LEN);
			}
			for (size_t i = 1; i < body.context_count; i++) { /* ascending by device */
				for (size_t k = i; k > 0 && device_cmp(context[k].dev, context[k - 1].dev) < 0; k--) {
					struct context_entry swap = context[k];

					context[k] = context[k - 1];
					context[k - 1] = swap;
				}
			}
			sealed(&w, &authors[d], &space, &body, round + 1, secret, epoch, &file);
			snprintf(name, sizeof(name), "%u-%u", d, round);
			meter_on(&m);
			assert_int_equal(inbox_file(&ec, &y, FORGE_REF, name, buf_bytes(&file), &r), ERR_OK);
			meter_off(&m);
			batch_clear(&b);
			buf_free(&file);
		}
		for (unsigned d = 0; d < DEVICES; d++)
			memcpy(authors[d].last, authors[d].next, HASH_LEN);
		s.settled = s.count;
	}
	assert_int_equal(r.batches, m.done / EACH);
	assert_int_equal(r.set_aside, 0);
	for (unsigned d = 0; d < DEVICES; d++)
		device_keys_free(authors[d].keys);
	secret_free(secret);
	vv_free(&heads);
	free(s.made);
	world_end(&w);
}

/* ---- Peers ---- */

/* One line an edit, a line "B device" before each batch: what merge_peers.mjs makes its changes of. */
static void stream_write(const char *path, unsigned edits)
{
	struct stream s;
	unsigned done = 0;
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	stream_begin(&s, edits);
	while (done < edits) {
		for (unsigned d = 0; d < DEVICES && done < edits; d++) {
			fprintf(f, "B\t%u\n", d);
			for (unsigned i = 0; i < EACH; i++, done++) {
				struct deed a;

				act_next(&s, d, &a);
				fprintf(f, "%c\t%u\t%s\n", a.what, a.record, a.value);
			}
		}
		s.settled = s.count;
	}
	assert_int_equal(fclose(f), 0);
	free(s.made);
}

static bool in_a_process(void (*side)(unsigned edits), unsigned edits)
{
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		side(edits);
		fflush(stdout);
		_exit(0);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void side_peer(const char *peer, unsigned edits)
{
	const char *build = getenv("BUILD") != NULL ? getenv("BUILD") : "build";
	char command[1000];

	snprintf(command, sizeof(command), "%s/stream", dir);
	stream_write(command, edits);
	snprintf(command, sizeof(command), "scripts/bench-merge-peers '%s' '%s' %s %u", build, dir, peer, edits);
	assert_int_equal(system(command), 0);
}

struct result {
	char name[32];
	unsigned edits;
	double us;
	long mb;
};

static void ratios(void)
{
	static struct result all[64];
	size_t n = 0;
	char path[64];
	FILE *f = NULL;

	snprintf(path, sizeof(path), "%s/results", dir);
	f = fopen(path, "r");
	assert_non_null(f);
	while (n < 64 && fscanf(f, "%31s %u %lf %ld", all[n].name, &all[n].edits, &all[n].us, &all[n].mb) == 4)
		n++;
	fclose(f);
	printf("processor's time of others for each of ours, on the same edits\n");
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < n; k++) {
			bool ours = strcmp(all[i].name, "fold") == 0 || strcmp(all[i].name, "store") == 0;
			bool theirs = strcmp(all[k].name, "yjs") == 0 || strcmp(all[k].name, "automerge") == 0;

			if (ours && theirs && all[i].edits == all[k].edits)
				printf("%-10s %8u edits  %8.2f us; %-10s %8.2f us: %7.2f x; memory %ld and %ld MB\n",
				       all[i].name, all[i].edits, all[i].us, all[k].name, all[k].us,
				       all[k].us / all[i].us, all[i].mb, all[k].mb);
		}
	}
}

static void bench(void **state)
{
	unsigned edits = number_of("BENCH_EDITS", EDITS_DEFAULT);
	unsigned store = number_of("BENCH_STORE", edits);

	(void)state;
	assert_non_null(mkdtemp(dir));
	printf("edits of ten devices, batches of %d\n", EACH);
	fflush(stdout);
	assert_true(in_a_process(side_fold, edits));
	side_peer("yjs", number_of("BENCH_YJS", edits < YJS_DEFAULT ? edits : YJS_DEFAULT));
	side_peer("automerge", number_of("BENCH_AUTOMERGE", edits < AUTOMERGE_DEFAULT ? edits : AUTOMERGE_DEFAULT));
	assert_true(in_a_process(side_store, store));
	ratios();
	for (size_t i = 0; i < 4; i++) {
		static const char *const files[] = { "results", "stream", "yjs", "automerge" };
		char path[64];

		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(bench) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
